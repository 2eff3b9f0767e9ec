"""Why somebody got nothing, or waits: every reason word there is, once. The words stand in the ledger for good."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """A reason in a delivery row, and what it means. Rename none: ledgers of years are read by these words."""

    meaning: str

    def __new__(cls, word: str, meaning: str = "") -> Self:
        made = str.__new__(cls, word)
        made._value_ = word
        made.meaning = meaning
        return made

    # Answers of the judge, in the order it asks (eligibility.py).
    CANCELLED = "cancelled", "Somebody cancelled the run."
    LATE = "late", "The message's time (`expires`) was over before it could leave."
    NOT_A_SEED = "not_a_seed", "The environment reaches its seeds alone (`deliver: seeds`), and the person is none."
    PROJECT_HOLDOUT = (
        "project_holdout",
        "The draw put the person among those who get no marketing at all (`holdout` of the settings).",
    )
    LEFT = "left", "The person is no longer in the audience."
    CONVERTED = "converted", "The person has reached the campaign's goal already."
    REPEAT = "repeat", "An earlier run of the campaign reached the person, and `repeat` does not allow it again yet."
    NO_CONSENT = "no_consent", "The person has not agreed to the topic on this channel, or has withdrawn."
    NO_ADDRESS = "no_address", "There is no address for this channel: no e-mail address, no device."
    SUPPRESSED = "suppressed", "Every address for this channel is stopped: it bounced, complained, or was imported so."
    OTHER_CHANNEL = "other_channel", "An earlier channel of `first_of` carries the message."
    WAVE = "wave", "Waits for the hour in the person's own time zone."
    RAMP = "ramp", "The ramp has not opened for the person yet."
    QUIET_HOURS = "quiet_hours", "Waits for the end of the quiet hours on the person's clock."
    CAPPED = "capped", "The person has had as many messages as the caps allow."
    HOLDOUT = "holdout", "The draw put the person into the campaign's holdout: no message, but counted."

    # Answers of rendering.
    MISSING_DATA = "missing_data", "The template prints a value this person does not have; the detail names it."
    NO_COUPON = "no_coupon", "The pool of coupons had no code left for the person; the detail names it."
    TEMPLATE_ERROR = "template_error", "The template failed on this person's data; the detail names file and line."
    TEMPLATE_TOO_SLOW = "template_too_slow", "Writing this person's message took too long."
    TEMPLATE_TOO_LARGE = "template_too_large", "This person's message became too large."

    # Answers of providers and of the wire.
    ADDRESS_GONE = "address_gone", "The provider says that the address is dead; it is suppressed unless seen since."
    REFUSED = "refused", "The provider will never take this message; the detail holds its words."
    ATTEMPTS_USED_UP = "attempts_used_up", "A passing trouble came back at every attempt."
    NO_ANSWER = "no_answer", "It may have arrived: the provider did not answer, and `on_ambiguous` says to leave it."
    PROVIDER_PAUSED = "provider_paused", "Waits for a provider that is paused."
    CAMPAIGN_PAUSED = "campaign_paused", "Waits for a campaign that is paused."
    BUSY = "busy", "A passing trouble: the provider was busy, and it is tried again."
    OUT_OF_REACH = "out_of_reach", "The provider was out of reach and nothing left; the next one of its route is tried."
    BODY_CHANGED = (
        "body_changed",
        "In doubt, and it could not be written again byte for byte; so it was not sent twice.",
    )


DECIDING = (*reversed([one for one in Reason if one is not Reason.OTHER_CHANNEL]), Reason.OTHER_CHANNEL)
"""Every reason; of those of one person's rows the first of these decides: that of the row which came furthest through the questions.

A channel that was silent for another's sake decided nothing.
"""
_PLACE = {reason: place for place, reason in enumerate(DECIDING)}


def furthest(reasons: Iterable[Reason]) -> Reason:
    """Of the reasons of one person's rows the one that decided. ValueError if there is no reason."""
    return min(reasons, key=_PLACE.__getitem__)
