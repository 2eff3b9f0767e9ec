"""Who gets the message, who waits, who gets nothing, and why: one judge for dry runs, workers, transactions, explanations.

It asks ten questions in their order, about all rows of one person together; the first answer wins.
"""

from collections.abc import Sequence
from functools import lru_cache

from orchestrator.core.assignment import addresses_of, planned_rows, salt
from orchestrator.core.campaigns import Campaign, Cap, Consent, Kind, Mode, QuietHours
from orchestrator.core.devices import carriers
from orchestrator.core.draw import share
from orchestrator.core.facts import PersonFacts, RowFacts, RunFacts
from orchestrator.core.frozen import value
from orchestrator.core.nouns import Address, Asked, Channel, Expire, Hold, Person, Send, Skip, State, Verdict
from orchestrator.core.phrases import say_cap
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, HOUR, MINUTE, NEVER, Instant
from orchestrator.core.zones import next_shift, offset, zone_of

ASK_AGAIN_AFTER = HOUR
"""How long the engine's answer about a person is good for; whoever waits longer is asked again before anything is sent."""

PROJECT_HOLDOUT = Reason.PROJECT_HOLDOUT.value
"""The salt of the project's own holdout: the same people in every campaign."""

_WAITING = (State.PLANNED, State.HELD, State.RETRY_WAIT)
"""States the judge has a say in."""
_SPOKE = (
    State.INTENT,
    State.RETRY_WAIT,
    State.ACCEPTED,
    State.DELIVERED,
    State.BOUNCED,
    State.COMPLAINED,
    State.UNKNOWN,
)
"""States of a row that keeps the other channels silent because its message left, or may have, or is about to again."""
_MOVES_ON = frozenset(
    {Reason.ADDRESS_GONE, Reason.NO_CONSENT, Reason.NO_ADDRESS, Reason.SUPPRESSED, Reason.OTHER_CHANNEL}
)
"""Why a row came to its end without standing in the way of the next channel of first_of."""

# Made once: most rows of a run get one of these. Enumeration members are read once for the same reason.
_NO_SEED = Skip(Reason.NOT_A_SEED)
_CANCELLED, _LATE, _OUT = Skip(Reason.CANCELLED), Expire(), Skip(Reason.PROJECT_HOLDOUT)
_LEFT, _CONVERTED = Skip(Reason.LEFT), Skip(Reason.CONVERTED)
_REPEAT = Skip(Reason.REPEAT)
_NO_ADDRESS, _SUPPRESSED, _OTHER_CHANNEL = (
    Skip(Reason.NO_ADDRESS),
    Skip(Reason.SUPPRESSED),
    Skip(Reason.OTHER_CHANNEL),
)
_NO_CARRIER = Skip(Reason.NO_ADDRESS, "no provider carries push to this platform")
_HOLDOUT = Skip(Reason.HOLDOUT)
_PLANNED, _RETRY_WAIT, _SKIPPED, _FAILED = State.PLANNED, State.RETRY_WAIT, State.SKIPPED, State.FAILED
_PUSH, _IN_APP, _WEBHOOK = Channel.PUSH, Channel.IN_APP, Channel.WEBHOOK
_FIRST_OF, _TRANSACTIONAL = Mode.FIRST_OF, Kind.TRANSACTIONAL
_OPT_IN, _OPT_OUT = Consent.OPT_IN, Consent.OPT_OUT
_NOT_ASKED = Asked.NOT_ASKED


@value(frozen=True, slots=True)
class RowVerdict:
    """What the judge says about one row. `exposed`: question 10 was reached, so an experiment counts this member."""

    channel: Channel
    step: int
    slot: int
    verdict: Verdict
    exposed: bool = False


@value(frozen=True, slots=True)
class _Case:
    """Everything the questions look at."""

    campaign: Campaign
    run: RunFacts
    person: Person
    facts: PersonFacts
    now: Instant
    deadline: Instant


def judge(
    campaign: Campaign, run: RunFacts, person: Person, facts: PersonFacts, now: Instant
) -> tuple[RowVerdict, ...]:
    """Judge the rows of one person together, in the order of the campaign's channels.

    No verdict is given on rows that are on the wire, at their end, or wait for their next attempt; they still count.
    """
    rows = facts.rows or planned_rows(campaign, person)
    case = _Case(campaign, run, person, facts, now, deadline(campaign, run))
    of_the_person = _ask_about_the_person(case)
    if of_the_person is not None:
        return tuple(RowVerdict(r.channel, r.step, r.slot, of_the_person) for r in rows if r.state in _WAITING)
    first_of = campaign.mode is _FIRST_OF
    standing = _standing(campaign, rows, now) if first_of else {}
    going: list[tuple[Channel, int]] = []
    verdicts = []
    for channel in campaign.channels:
        for row in rows:
            if row.channel != channel or not _due(row, now):
                continue
            answer = _ask_about_the_channel(case, row)
            if first_of and isinstance(answer, Address) and standing.setdefault(row.step, channel) != channel:
                answer = _OTHER_CHANNEL  # question 6
            verdict = _ask_about_the_moment(case, row, answer, going) if isinstance(answer, Address) else answer
            exposed = verdict is _HOLDOUT or isinstance(verdict, Send)
            if exposed:
                going.append((channel, row.step))
            verdicts.append(RowVerdict(channel, row.step, row.slot, verdict, exposed))
    return tuple(verdicts)


def deadline(campaign: Campaign, run: RunFacts) -> Instant:
    """From this moment on it is too late; counted from the planned moment or, if later, from the wave's."""
    expires = campaign.policy.expires
    if expires is None:
        return NEVER
    return Instant((max(run.due_at, run.opens_at)) + expires)


def must_ask_again(asked_at: Instant, step: int, now: Instant) -> bool:
    """Whether the audience engine must say again who still belongs and who converted before anything is sent.

    It must after an hour, and before every message of a series but its first (step 0).
    """
    return step > 0 or now - asked_at > ASK_AGAIN_AFTER


def quiet_until(quiet: QuietHours, zone: str, fallback: str, now: Instant) -> Instant | None:
    """When the quiet hours around this moment end on the clock of a zone (the fallback's, if unknown); None if not quiet.

    The clock on the wall decides: in a night that is an hour longer it stays quiet an hour longer.
    """
    return _quiet_end(quiet.start, quiet.end, zone, fallback, now)


def _ask_about_the_person(case: _Case) -> Verdict | None:  # noqa: PLR0911 - one answer per question
    """Questions 1 to 3, alike for all rows."""
    campaign, run, person, facts = case.campaign, case.run, case.person, case.facts
    if run.cancelled:
        return _CANCELLED
    if case.now >= case.deadline:
        return _LATE
    if campaign.policy.seeds is not None and not person.seed:
        return _NO_SEED
    held_out = campaign.policy.project_holdout
    if held_out and campaign.kind is not _TRANSACTIONAL and share(PROJECT_HOLDOUT, person.user, held_out):
        return _OUT
    if facts.asked is not _NOT_ASKED:
        if facts.asked is Asked.LEFT:
            return _LEFT
        if facts.asked is Asked.CONVERTED:
            return _CONVERTED
    return _REPEAT if _had_it(case) else None


def _had_it(case: _Case) -> bool:
    """Whether an earlier run of this campaign reached the person too short a time ago to reach them again."""
    after = case.campaign.repeat.after
    if after == 0:
        return False
    since = None if after is None else case.now - after
    name, run = case.campaign.name, case.run.run
    return any(t.campaign == name and t.run != run and (since is None or t.at > since) for t in case.facts.touches)


def touches_since(campaign: Campaign, now: Instant) -> Instant | None:
    """From when on the judge must know of a person's messages for this campaign; None if it asks for none."""
    after = campaign.repeat.after
    if after is None:
        return Instant(0)
    windows = [cap.within for cap in campaign.policy.caps] + ([after] if after else [])
    return Instant(now - max(windows)) if windows else None


def _ask_about_the_channel(case: _Case, row: RowFacts) -> Address | Skip:
    """Questions 4 and 5: consent, and an address that lives."""
    campaign, person, facts = case.campaign, case.person, case.facts
    wants = campaign.policy.consent
    if campaign.kind is not _TRANSACTIONAL:
        word = facts.consent.get(row.channel)
        if (wants is _OPT_IN and word is not True) or (wants is _OPT_OUT and word is False):
            return Skip(Reason.NO_CONSENT, campaign.policy.topic)
    addresses = addresses_of(person, row.channel)
    if row.channel == _PUSH and campaign.devices == "all":
        addresses = addresses[row.slot : row.slot + 1]
    if row.channel == _PUSH and campaign.by_platform and addresses:
        addresses = tuple(one for one in addresses if carriers(campaign.by_platform, one))
        if not addresses:
            return _NO_CARRIER
    for address in addresses:
        if address.value not in facts.suppressed:
            return address
    return _SUPPRESSED if addresses else _NO_ADDRESS


def _ask_about_the_moment(
    case: _Case, row: RowFacts, address: Address, going: Sequence[tuple[Channel, int]]
) -> Verdict:
    """Questions 7 to 10: wave and ramp, quiet hours, caps, holdout."""
    campaign, run, person, facts, now = case.campaign, case.run, case.person, case.facts, case.now
    policy = campaign.policy
    if now < run.opens_at:
        return _hold(case, run.opens_at, Reason.WAVE)
    if run.ramp < 100 and not share(f"{salt(campaign)}:ramp", person.user, run.ramp):
        return _hold(case, run.ramp_grows_at, Reason.RAMP)
    quiet = policy.quiet_hours
    if quiet is not None and row.channel != _IN_APP:
        until = _quiet_end(quiet.start, quiet.end, person.zone, policy.time_zone, now)
        if until is not None:
            return _hold(case, until, Reason.QUIET_HOURS)
    if policy.caps and not policy.caps_exempt and (facts.touches or going):
        full = _full(case, row, going)
        if full and policy.capped == "hold":
            room = max(until for _, until in full)
            if room < case.deadline:
                return Hold(room, Reason.CAPPED)
        if full:
            return Skip(Reason.CAPPED, say_cap(full[0][0]))
    return _HOLDOUT if person.holdout else Send(address)


def _hold(case: _Case, until: Instant, reason: Reason) -> Verdict:
    """Wait, unless it will be too late by then."""
    return Hold(until, reason) if until < case.deadline else Expire(reason)


def _full(case: _Case, row: RowFacts, going: Sequence[tuple[Channel, int]]) -> list[tuple[Cap, Instant]]:
    """The caps that leave no room for this row, each with the moment its window has room again.

    Devices count as one message together, and a row never stands in its own way when it is tried again.
    """
    counted = {(case.run.run, *gone): case.now for gone in going}
    for touch in case.facts.touches:
        key = (touch.run, touch.channel, touch.step)
        counted[key] = max(touch.at, counted.get(key, touch.at))
    counted.pop((case.run.run, row.channel, row.step), None)
    full = []
    for cap in case.campaign.policy.caps:
        if cap.channel is not None and cap.channel != row.channel:
            continue
        inside = [
            at
            for (_, channel, _), at in counted.items()
            if cap.channel in {None, channel} and at > case.now - cap.within
        ]
        if len(inside) >= cap.limit:
            inside.sort(reverse=True)
            full.append((cap, Instant(inside[cap.limit - 1] + cap.within)))
    return full


def _due(row: RowFacts, now: Instant) -> bool:
    """Whether a row wants an answer: it waits, and not for the moment of its next attempt."""
    state = row.state
    return state in _WAITING and (state != _RETRY_WAIT or row.not_before is None or row.not_before <= now)


def _standing(campaign: Campaign, rows: Sequence[RowFacts], now: Instant) -> dict[int, Channel]:
    """For each step of first_of the channel that has the word: one that spoke, or may have, else the first that ended."""
    ended = [row for row in rows if _stands(row, now)]
    ended.sort(key=lambda row: (row.state in _SPOKE, -campaign.channels.index(row.channel)))
    return {row.step: row.channel for row in ended}


def _stands(row: RowFacts, now: Instant) -> bool:
    """Whether a row keeps the other channels of first_of silent: on the wire, at its end, or it may have arrived."""
    if row.state == _PLANNED or (_due(row, now) and not row.doubtful):
        return False
    return row.state not in {_SKIPPED, _FAILED} or row.reason not in _MOVES_ON


@lru_cache(maxsize=8192)
def _quiet_end(start: int, end: int, zone: str, project_zone: str, at: Instant) -> Instant | None:
    """As quiet_until; one shard asks the same of two thousand people."""
    if start == end:
        return None
    clock = zone_of(zone, project_zone)
    moment = at
    while True:
        of_the_day = (moment + offset(clock, moment)) % DAY
        since_start = (of_the_day - start * MINUTE) % DAY
        length = (end - start) * MINUTE % DAY
        if since_start >= length:
            return None if moment == at else moment
        leaves = Instant(moment + length - since_start)
        shift = next_shift(clock, moment, leaves)
        if shift is None:
            return leaves
        moment = shift  # the clocks are moved before the hours end: look again then
