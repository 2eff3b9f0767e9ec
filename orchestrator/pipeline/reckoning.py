"""What a dry run comes to: everybody counted once, by what they would get or why they would not."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.core.campaigns import Campaign
from orchestrator.core.capped import capped_by
from orchestrator.core.eligibility import RowVerdict
from orchestrator.core.facts import PersonFacts
from orchestrator.core.frozen import changed
from orchestrator.core.nouns import Channel, Person, Send, Skip
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant
from orchestrator.core.verdicts import upshot
from orchestrator.pipeline.prepared import Unwritten

EXAMPLES = 3
"""Users named for each reason."""

_SHARED = frozenset({Channel.EMAIL, Channel.SMS, Channel.PUSH})
"""Channels whose addresses two people may share."""


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody a plan was asked to name: for which segment, and what decided; `detail` as in the ledger.

    `until` is when the message of somebody who waits may leave.
    """

    user: str
    segment: str
    reason: Reason
    detail: str
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Wave:
    """A moment at which people would get it, and the zone of the first person counted for it."""

    at: Instant
    zone: str


@dataclass(slots=True)
class Forecast:
    """Counts of people. Everybody is either in `reached`, `held`, `nothing` or `holdout`; channels and variants count messages."""

    people: int = 0
    segments: Counter[str] = field(default_factory=Counter)
    reached: int = 0
    channels: Counter[Channel] = field(default_factory=Counter)
    variants: Counter[str] = field(default_factory=Counter)
    held: Counter[Reason] = field(default_factory=Counter)
    holdout: int = 0
    unreachable_holdout: int = 0
    """Of the holdout those whose messages could not have been written."""
    nothing: Counter[tuple[Reason, str]] = field(default_factory=Counter)
    capped_by: dict[tuple[Reason, str], Counter[str]] = field(default_factory=dict)
    """By reason and cap, the campaigns whose messages filled it."""
    coupons: Counter[str] = field(default_factory=Counter)
    """By pool of coupons, the people who need a code now or later."""
    zoneless: int = 0
    """Of a schedule in everybody's own zone: the people without one we know, who share the project's."""
    examples: dict[tuple[Reason, str], list[str]] = field(default_factory=dict)
    """A few users for each reason of nothing."""
    first: Wave | None = None
    last: Wave | None = None
    """When the first and the last of the reached would get it."""
    shared: int = 0
    """Messages to an address that another member's goes to as well."""
    cells: dict[tuple[str, Channel, str, str], str] = field(default_factory=dict)
    """The first user reached by each message there is: by segment, channel, variant and locale."""
    others: dict[tuple[str, Channel, str, str], str] = field(default_factory=dict)
    """The first user there is for each message, reached or not."""
    named: list[Named] = field(default_factory=list)
    """Those the plan was asked to name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a plan is to name: those of this reason, the first `limit` by their ids."""

    reason: Reason
    limit: int


@dataclass(frozen=True, slots=True)
class Judged:
    """One person of a dry run, with the facts and the moment they were judged by."""

    person: Person
    facts: PersonFacts
    verdicts: tuple[RowVerdict, ...]
    at: Instant


Refused = Mapping[tuple[str, Channel, int], Unwritten]


class Tally:
    """Counts people one by one."""

    def __init__(self, campaign: Campaign, asked: Asked | None = None) -> None:
        self._campaign = campaign
        self._asked = asked
        self._addresses: dict[Channel, array[int]] = {}

    def count(self, found: Forecast, one: Judged, refused: Refused) -> Sequence[RowVerdict]:
        """Everybody counts once; messages on several channels count each. Those that would be sent."""
        person = one.person
        found.people += 1
        found.segments[person.segment] += 1
        for row in one.verdicts:
            found.others.setdefault((person.segment, row.channel, person.variant, person.locale), person.user)
        came = upshot([_as_written(person, row, refused) for row in one.verdicts])
        if came.sends:
            self._reach(found, one, came.sends)
        elif came.held is not None:
            found.held[came.held.reason] += 1
            self._name(found, person, came.held.reason, "", came.held.until)
        elif came.nothing is not None:
            self._name(found, person, *came.nothing)
            self._leave_out(found, one, came.nothing, refused)
        return came.sends

    def _leave_out(self, found: Forecast, one: Judged, why: tuple[Reason, str], refused: Refused) -> None:
        reason, detail = why
        if reason is Reason.HOLDOUT:
            found.holdout += 1
            exposed = [row for row in one.verdicts if row.exposed]
            found.unreachable_holdout += all(_place(one.person, row) in refused for row in exposed)
            return
        found.nothing[why] += 1
        if reason is Reason.CAPPED:
            channel = next(row.channel for row in one.verdicts if row.verdict == Skip(reason, detail))
            by = capped_by(self._campaign, channel, detail, one.facts.touches, one.at)
            found.capped_by.setdefault(why, Counter())[by] += 1
        names = found.examples.setdefault(why, [])
        if len(names) < EXAMPLES:
            names.append(one.person.user)

    def shared(self) -> int:
        """Messages to an address that another message of the plan goes to."""
        return sum(
            len(hashes) - int(pc.count_distinct(pa.array(hashes, pa.int64())).as_py())
            for hashes in self._addresses.values()
        )

    def _reach(self, found: Forecast, one: Judged, going: Sequence[RowVerdict]) -> None:
        person = one.person
        found.reached += 1
        found.variants[person.variant] += 1
        if found.first is None or one.at < found.first.at:
            found.first = Wave(one.at, person.zone)
        if found.last is None or one.at > found.last.at:
            found.last = Wave(one.at, person.zone)
        for row in going:
            found.channels[row.channel] += 1
            found.cells.setdefault((person.segment, row.channel, person.variant, person.locale), person.user)
            if row.channel in _SHARED and isinstance(row.verdict, Send):
                # Eight bytes an address, so that a plan for millions stays small.
                self._addresses.setdefault(row.channel, array("q")).append(hash(row.verdict.address.value))

    def _name(self, found: Forecast, person: Person, reason: Reason, detail: str, until: Instant | None = None) -> None:
        asked = self._asked
        if asked is not None and reason is asked.reason and len(found.named) < asked.limit:
            found.named.append(Named(person.user, person.segment, reason, detail, until))


def _place(person: Person, row: RowVerdict) -> tuple[str, Channel, int]:
    return person.user, row.channel, row.slot


def _as_written(person: Person, row: RowVerdict, refused: Refused) -> RowVerdict:
    """A verdict, or what becomes of it where the message cannot be written."""
    unwritten = refused.get(_place(person, row)) if isinstance(row.verdict, Send) else None
    return row if unwritten is None else changed(row, verdict=Skip(Reason(unwritten.reason), unwritten.detail))
