"""Who gets the message, who waits, who gets nothing, and why: one judge for dry runs, workers, transactions, explanations.

`judge` asks the ten questions of docs/promises in their order, for all rows of one person together; the first answer wins.
"""

from collections.abc import Sequence
from typing import NamedTuple

from orchestrator.core.campaigns import Campaign, Consent, Kind, Mode, Policy, QuietHours
from orchestrator.core.draw import pick, share
from orchestrator.core.facts import Asked, PersonFacts, RowFacts, RunFacts, Touch
from orchestrator.core.nouns import Address, Channel, Expire, Hold, Person, Send, Skip, State, Verdict
from orchestrator.core.phrases import say_cap
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, MINUTE, NEVER, Instant
from orchestrator.core.zones import next_shift, offset, zone_of

PROJECT_HOLDOUT = "project_holdout"
"""The salt of the project's own holdout: the same people in every campaign."""

_WAITING = (State.PLANNED, State.HELD, State.RETRY_WAIT)
"""States the judge has a say in."""
_GONE_OUT = (State.INTENT, State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.UNKNOWN)
"""States of a message that left, or may have."""
_MOVES_ON = frozenset(
    {Reason.ADDRESS_GONE, Reason.NO_CONSENT, Reason.NO_ADDRESS, Reason.SUPPRESSED, Reason.OTHER_CHANNEL}
)
"""Why a row that came to its end does not stand in the way of the next channel of first_of."""

_CANCELLED = Skip(Reason.CANCELLED)
_LATE = Expire()
_IN_PROJECT_HOLDOUT = Skip(Reason.PROJECT_HOLDOUT)
_LEFT = Skip(Reason.LEFT)
_CONVERTED = Skip(Reason.CONVERTED)
_NO_ADDRESS = Skip(Reason.NO_ADDRESS)
_SUPPRESSED = Skip(Reason.SUPPRESSED)
_OTHER_CHANNEL = Skip(Reason.OTHER_CHANNEL)
_IN_HOLDOUT = Skip(Reason.HOLDOUT)

# Reading a member of an enumeration costs as much as a whole question; these are read for every row.
_PLANNED, _EMAIL, _IN_APP, _PUSH, _WEBHOOK = State.PLANNED, Channel.EMAIL, Channel.IN_APP, Channel.PUSH, Channel.WEBHOOK
_FIRST_OF, _TRANSACTIONAL, _OPT_IN, _OPT_OUT = Mode.FIRST_OF, Kind.TRANSACTIONAL, Consent.OPT_IN, Consent.OPT_OUT
_NOT_ASKED = Asked.NOT_ASKED


class RowVerdict(NamedTuple):
    """What the judge says about one row. `exposed`: question 10 was reached, so an experiment counts this member."""

    channel: Channel
    step: int
    slot: int
    verdict: Verdict
    exposed: bool = False


def judge(
    campaign: Campaign, run: RunFacts, person: Person, facts: PersonFacts, now: Instant
) -> tuple[RowVerdict, ...]:
    """Judge the rows of one person together, in the order of the campaign's channels.

    Rows that are on the wire, at their end, or waiting for a later moment to be tried again get no verdict, but count.
    """
    rows = facts.rows or planned_rows(campaign, person)
    deadline = _deadline(campaign.policy, run)
    about_the_person = _ask_about_the_person(campaign, run, person, facts, now >= deadline)
    if about_the_person is not None:
        return tuple(RowVerdict(r.channel, r.step, r.slot, about_the_person) for r in rows if r.state in _WAITING)
    first_of = campaign.mode is _FIRST_OF
    taken = _taken(campaign, rows) if first_of else {}
    going: list[Touch] = []
    verdicts = []
    for channel in campaign.channels:
        for row in rows:
            if row.channel is not channel or not _open(row, now):
                continue
            usable = _ask_about_the_channel(campaign, person, facts, row)
            if isinstance(usable, Skip):
                verdicts.append(RowVerdict(channel, row.step, row.slot, usable))
                continue
            if first_of and taken.setdefault(row.step, channel) is not channel:
                verdicts.append(RowVerdict(channel, row.step, row.slot, _OTHER_CHANNEL))
                continue
            verdict, exposed = _ask_about_the_moment(
                campaign, run, person, facts, (usable, row, tuple(going)), now, deadline
            )
            if isinstance(verdict, Send):
                going.append(Touch(now, channel, campaign.name, run.run, row.step))
            verdicts.append(RowVerdict(channel, row.step, row.slot, verdict, exposed))
    return tuple(verdicts)


def assign(campaign: Campaign, user: str) -> tuple[str, bool]:
    """The variant and whether the holdout drew this user: stable, and the two draws know nothing of each other."""
    experiment = campaign.experiment
    if experiment is None:
        return "", False
    salt = experiment.salt or campaign.name
    variant = pick(f"{salt}:variant", user, experiment.variants) if experiment.variants else ""
    return variant, share(f"{salt}:holdout", user, experiment.holdout)


def planned_rows(campaign: Campaign, person: Person) -> tuple[RowFacts, ...]:
    """The rows a plan writes for a person: one for each channel, or for each device where the campaign wants all."""
    return tuple(
        RowFacts(channel, 0, slot, _PLANNED)
        for channel in campaign.channels
        for slot in range(_slots(campaign, person, channel))
    )


def addresses_of(person: Person, channel: Channel) -> tuple[Address, ...]:
    """The person's addresses on a channel, the one seen last first; the slot of a row is the place in this order.

    In-app needs no address but the user id; a webhook's endpoint stands in the settings.
    """
    if channel is _IN_APP or channel is _WEBHOOK:
        return (Address(person.user),)
    found = person.addresses.get(channel, ())
    return found if len(found) < 2 else tuple(sorted(found, key=lambda address: (-address.seen_at, address.value)))


def _slots(campaign: Campaign, person: Person, channel: Channel) -> int:
    if channel is _PUSH and campaign.devices == "all":
        return max(1, len(addresses_of(person, channel)))
    return 1


def _deadline(policy: Policy, run: RunFacts) -> Instant:
    """From this moment on it is too late."""
    return NEVER if policy.expires is None else Instant(max(run.due_at, run.opens_at) + policy.expires)


def _ask_about_the_person(
    campaign: Campaign, run: RunFacts, person: Person, facts: PersonFacts, late: bool
) -> Verdict | None:
    """Questions 1 to 3: the same answer for every row."""
    if run.cancelled:
        return _CANCELLED
    if late:
        return _LATE
    if campaign.policy.project_holdout and share(PROJECT_HOLDOUT, person.user, campaign.policy.project_holdout):
        return _IN_PROJECT_HOLDOUT
    if facts.asked is _NOT_ASKED:
        return None
    return _LEFT if facts.asked is Asked.LEFT else _CONVERTED if facts.asked is Asked.CONVERTED else None


def _taken(campaign: Campaign, rows: Sequence[RowFacts]) -> dict[int, Channel]:
    """For each step of a first_of campaign the channel that already carries the message, if one does."""
    taken: dict[int, Channel] = {}
    for channel in campaign.channels:
        for row in rows:
            if row.channel is channel and row.state is not _PLANNED and row.step not in taken and _stands(row):
                taken[row.step] = channel
    return taken


def _stands(row: RowFacts) -> bool:
    """Whether a row that is no longer planned keeps the other channels out."""
    if row.state in _GONE_OUT or row.state is State.RETRY_WAIT:
        return True
    return row.state is not State.HELD and row.reason not in _MOVES_ON


def _open(row: RowFacts, now: Instant) -> bool:
    """Whether the judge has a say: planned, held, or waiting to be tried again and due."""
    return row.state in _WAITING and (
        row.state is not State.RETRY_WAIT or row.not_before is None or row.not_before <= now
    )


def _ask_about_the_channel(campaign: Campaign, person: Person, facts: PersonFacts, row: RowFacts) -> Address | Skip:
    """Questions 4 and 5: the address to use, or why this channel cannot be used."""
    policy, channel = campaign.policy, row.channel
    if campaign.kind is not _TRANSACTIONAL and policy.consent is not Consent.NONE:
        word = facts.consent.get(channel)
        if word is False or (word is None and policy.consent is _OPT_IN):
            return Skip(Reason.NO_CONSENT, policy.topic)
    found = addresses_of(person, channel)
    if not found:
        return _NO_ADDRESS
    if campaign.devices == "all" and channel is _PUSH:
        found = found[row.slot : row.slot + 1]
    return next((address for address in found if address.value not in facts.suppressed), None) or _SUPPRESSED


def _ask_about_the_moment(
    campaign: Campaign,
    run: RunFacts,
    person: Person,
    facts: PersonFacts,
    here: "_Here",
    now: Instant,
    deadline: Instant,
) -> tuple[Verdict, bool]:
    """Questions 7 to 10: the verdict, and whether the last question was reached."""
    address, row, _going = here
    policy, channel = campaign.policy, row.channel
    if now < run.opens_at:
        return Hold(run.opens_at, Reason.WAVE), False
    if run.ramp < 100 and not share(f"{_salt(campaign)}:ramp", person.user, run.ramp):
        return Hold(run.ramp_grows_at, Reason.RAMP), False
    if policy.quiet_hours is not None and channel is not _IN_APP:
        ends = quiet_until(policy.quiet_hours, person.zone, policy.time_zone, now)
        if ends is not None:
            return (Expire(Reason.QUIET_HOURS) if ends >= deadline else Hold(ends, Reason.QUIET_HOURS)), False
    if policy.caps and not policy.caps_exempt:
        capped = _capped(campaign, run, facts.touches, here, now, deadline)
        if capped is not None:
            return capped, False
    if person.holdout:
        return _IN_HOLDOUT, True
    return Send(address), True


_Here = tuple[Address, RowFacts, tuple[Touch, ...]]
"""The row in question, the address it would use, and what this same judgement has already let go."""


def _salt(campaign: Campaign) -> str:
    return (campaign.experiment.salt if campaign.experiment else "") or campaign.name


def _capped(
    campaign: Campaign, run: RunFacts, touches: Sequence[Touch], here: _Here, now: Instant, deadline: Instant
) -> Verdict | None:
    """The verdict of the first cap that has no room, None if every cap has."""
    _, row, going = here
    own = (run.run, row.channel, row.step)
    for cap in campaign.policy.caps:
        if cap.channel is not None and cap.channel is not row.channel:
            continue
        since = now - cap.within
        counted = sorted(
            touch.at
            for touch in (*touches, *going)
            if touch.at > since
            and cap.channel in (None, touch.channel)
            and (touch.run, touch.channel, touch.step) != own
        )
        if len(counted) < cap.limit:
            continue
        # There is room again once the oldest of the last `limit` touches has left the window.
        room = Instant(counted[len(counted) - cap.limit] + cap.within)
        if campaign.policy.capped == "hold" and room < deadline:
            return Hold(room, Reason.CAPPED)
        return Skip(Reason.CAPPED, say_cap(cap))
    return None


def quiet_until(quiet: QuietHours, zone: str, fallback: str, now: Instant) -> Instant | None:
    """When the quiet hours around this moment end on the person's clock, None if it is not quiet.

    The clock on the wall decides: in a night that is an hour longer it stays quiet an hour longer.
    """
    where = zone_of(zone, fallback)
    minute = (now + offset(where, now)) % DAY // MINUTE
    if not _is_quiet(quiet, minute):
        return None
    left = (quiet.end - minute) % _MINUTES
    # From the start of this minute, so that the hold ends on the full minute.
    ends = Instant(now - now % MINUTE + left * MINUTE)
    shift = next_shift(where, now, ends)
    if shift is None:
        return ends
    # The clocks are moved in between: ask again from there, on the new time.
    rest = quiet_until(quiet, zone, fallback, shift)
    return shift if rest is None else rest


_MINUTES = DAY // MINUTE


def _is_quiet(quiet: QuietHours, minute: int) -> bool:
    if quiet.start <= quiet.end:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end
