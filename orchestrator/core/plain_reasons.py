"""Reasons as a plan says them to a marketer: in the words of the campaign, with the place that asks for what is missing."""

import re
from collections.abc import Sequence

from orchestrator.core.campaigns import Campaign
from orchestrator.core.nouns import Channel
from orchestrator.core.phrases import say_duration
from orchestrator.core.reasons import Reason

_PLACE = re.compile(r"(?P<what>.*) \((?P<where>templates/[^()]+)\)", re.DOTALL)
_ADDRESSES = {Channel.EMAIL: "e-mail address", Channel.SMS: "phone number"}
_NAMES = {Channel.EMAIL: "e-mail", Channel.IN_APP: "in-app", Channel.SMS: "SMS"}
_WORDS = {
    Reason.LATE: "too late by then",
    Reason.NOT_A_SEED: "not a seed",
    Reason.PROJECT_HOLDOUT: "holdout of the whole project",
    Reason.SUPPRESSED: "every address is stopped",
    Reason.RAMP: "over before the ramp grows",
    Reason.WAVE: "over before their hour",
    Reason.QUIET_HOURS: "over before the quiet hours end",
    Reason.TEMPLATE_ERROR: "the template fails",
    Reason.TEMPLATE_TOO_SLOW: "the message takes too long to write",
    Reason.TEMPLATE_TOO_LARGE: "the message becomes too large",
}


def say_reason(reason: Reason, detail: str, campaign: Campaign) -> tuple[str, str]:
    """(what a reason comes to for people of this campaign, the file and line that ask for it; empty if none does)."""
    found = _PLACE.fullmatch(detail)
    what, where = (found["what"], found["where"]) if found else (detail, "")
    match reason:
        case Reason.NO_CONSENT:
            return f"no consent for {what or campaign.policy.topic}", where
        case Reason.NO_ADDRESS:
            return _joined([f"no {_ADDRESSES.get(channel, channel)}" for channel in campaign.channels]), where
        case Reason.CAPPED:
            return f"capped, {what}", where
        case Reason.MISSING_DATA:
            return f"missing {what}", where
        case Reason.REPEAT:
            after = campaign.repeat.after
            return "had it before" if after is None else f"had it in the last {say_duration(after)}", where
    words = _WORDS.get(reason, reason.replace("_", " "))
    return words, f"{where}: {what}" if where else what


def say_channel(channel: Channel) -> str:
    """A channel as people write it."""
    return _NAMES.get(channel, str(channel))


def _joined(parts: Sequence[str]) -> str:
    return " and ".join(parts)
