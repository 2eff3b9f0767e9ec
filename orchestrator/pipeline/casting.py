"""From the engine's answer to people: each with their addresses, and just the attributes the templates touch."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from orchestrator.audience.casting import Question, Wish, question
from orchestrator.audience.reader import Reader
from orchestrator.config import Project
from orchestrator.core.campaigns import Campaign, Goal
from orchestrator.core.nouns import Asked, Person
from orchestrator.core.segments import Catalogue, Moment, Segment, parse
from orchestrator.core.segments.tree import All, Event
from orchestrator.core.times import Instant
from orchestrator.core.variables import Told
from orchestrator.core.windows import Last
from orchestrator.pipeline.linking import Linked, Note
from orchestrator.pipeline.reading import people

Touched = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Again:
    """Who is asked about again, and since when reaching the campaign's goal counts."""

    users: Sequence[str]
    since: Instant


class Casting:
    """The people of one run, spooled to disk in the order they are sent. Close it to remove the spool.

    With `again`, only those of its users who still belong, each with the engine's answer; with `among`, only these users:
    one person costs one small question.
    """

    def __init__(  # noqa: PLR0913 - each is a part of one question
        self,
        audience: Reader,
        project: Project,
        campaign: Campaign,
        at: Instant,
        touched: Touched,
        again: Again | None = None,
        *,
        note: Note | None = None,
        among: Sequence[str] | None = None,
    ) -> None:
        """Ask the engine; StoreError if it, or a table of linked data, cannot be read. `note` hears how asking services goes."""
        known = project.catalogue.known
        goal = campaign.goal if again is not None else None
        self.linked = Linked(audience.root, project.settings.sources, touched, note)
        touched |= self.linked.attributes()
        wish = Wish(
            [project.segments[name] for name in campaign.audience],
            [project.segments[name] for name in campaign.exclude],
            Moment(at, project.settings.time_zone, project.segments),
            known.attributes,
            touched,
            Told(project.catalogue.revenue, project.catalogue.session),
            reached(goal, known, at - again.since) if goal is not None and again is not None else None,
        )
        self._campaign = campaign
        self._still_in = Asked.NOT_ASKED if again is None else Asked.STILL_IN
        self._question: Question = question(wish, audience.columns)
        # A wave is a matter of the zone, so people of one zone stand together.
        order = ("zone", "user") if campaign.schedule is not None and campaign.schedule.recipient else ("user",)
        self._spool = audience.cast(self._question, order, among if again is None else again.users)

    def __len__(self) -> int:
        return int(self._spool.rows)

    def __iter__(self) -> Iterator[Person]:
        """Everybody once, read from the spool batch by batch; StoreError while a service of linked data is down."""
        return self.linked.upon(self.bare())

    def bare(self) -> Iterator[Person]:
        """Everybody without their linked data: who would be reached does not hang on it, and nobody is asked."""
        for batch in self._spool:
            yield from people(batch, self._question, self._campaign, self._still_in)

    def in_order(self, opens: Callable[[str], Instant]) -> Iterator[Person]:
        """Everybody without their linked data, in the order in which their zones open."""
        stretches: list[tuple[Instant, int, int, int]] = []
        for number, batch in enumerate(self._spool):
            zones, first = batch.column("zone").to_pylist(), 0
            for zone, together in groupby(zones):
                many = sum(1 for _ in together)
                stretches.append((opens(zone or ""), number, first, many))
                first += many
        for _, number, first, many in sorted(stretches):
            [batch] = self._spool.some(number, number + 1)
            yield from people(batch.slice(first, many), self._question, self._campaign, self._still_in)

    def some(self, users: Collection[str]) -> Iterator[Person]:
        """Those of these users who are in it; nobody is asked about the others."""
        return self.linked.upon(person for person in self.bare() if person.user in users)

    def close(self) -> None:
        """Remove the spool, and let go of connections."""
        self._spool.close()
        self.linked.close()


def reached(goal: Goal, known: Catalogue, within: int) -> Segment:
    """The segment of everybody who reached a goal within so many microseconds of the moment it is asked at."""
    segment = parse({"about": "the goal", "all": [{"event": goal.event, "where": dict(goal.where)}]}, known)
    parts = segment.root.parts if isinstance(segment.root, All) else (segment.root,)
    recent = tuple(replace(part, window=Last(within)) if isinstance(part, Event) else part for part in parts)
    return replace(segment, root=All(recent))
