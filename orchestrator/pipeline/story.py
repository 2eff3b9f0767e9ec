"""One person and one campaign: who they are, why they are in the audience or not, what they drew, and what became of each channel.

Of a run that was planned the ledger's rows speak, in their own words; of any other moment the judge does, as in a plan.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain

from orchestrator.audience.compiling import lists
from orchestrator.audience.finding import Profile
from orchestrator.audience.person import AskedCrowd, read_person
from orchestrator.audience.reader import Reader
from orchestrator.config import Project
from orchestrator.core.assignment import ramp_at
from orchestrator.core.campaigns import Campaign, Goal
from orchestrator.core.draws import Drawn, draws
from orchestrator.core.eligibility import RowVerdict
from orchestrator.core.nouns import Expire, Hold, Send, State
from orchestrator.core.reasons import Reason
from orchestrator.core.segments import Catalogue, Declared, Finding, Moment, OraclePerson, Segment, explain
from orchestrator.core.segments.measuring import Happened, counted_events
from orchestrator.core.segments.tree import All, Event
from orchestrator.core.times import Instant
from orchestrator.core.verdicts import Upshot, upshot
from orchestrator.ledger import Ledger, Run, deeds, deliveries, evidence, standing
from orchestrator.ledger.deliveries import Answered, Delivery
from orchestrator.ledger.evidence import Evidence, Ruled
from orchestrator.pipeline.casting import Casting, reached
from orchestrator.pipeline.forecast import dry_run, judged

OUTSIDE, NOTHING = "outside", "nothing"


@dataclass(frozen=True, slots=True)
class Came:
    """What became, or would become, of somebody, in the words of `standing.People`; `outside` for who is not in the audience.

    The reason and its detail are those of the row that decided.
    """

    what: str
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A segment, and why somebody is in it or not."""

    name: str
    found: Finding


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery with all the ledger knows of it."""

    delivery: Delivery
    answers: Sequence[Answered]
    deeds: Sequence[deeds.Happened]
    because: Sequence[Evidence]


@dataclass(frozen=True, slots=True)
class Would:
    """What the judge says of one channel if a run were planned now."""

    row: RowVerdict
    because: Sequence[Evidence]


@dataclass(frozen=True, slots=True)
class Aim:
    """The campaign's goal: since when and until when reaching it counts for somebody, and the events that reached it."""

    goal: Goal
    since: Instant | None = None
    until: Instant | None = None
    reached: tuple[Happened, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """All of it. `rows` are a run's, `would` the judge's; `at` is the moment the conditions were judged for."""

    campaign: Campaign
    who: Profile
    known: OraclePerson | None
    at: Instant
    came: Came
    segment: str = ""
    variant: str = ""
    run: Run | None = None
    audience: tuple[Judgement, ...] = ()
    exclude: tuple[Judgement, ...] = ()
    draws: tuple[Drawn, ...] = ()
    rows: tuple[Row, ...] = ()
    would: tuple[Would, ...] = ()
    aim: Aim | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked about, in which project, of which audience (None: it cannot be read) and ledger.

    `declared` are the attributes of today, by which the audience keeps its columns.
    """

    who: Profile
    project: Project
    ledger: Ledger
    audience: Reader | None
    declared: dict[str, Declared] = field(default_factory=dict)


def past(asked: Asked, run: Run) -> Story:
    """The story of a run that was planned."""
    campaign, store, user = asked.project.campaigns[run.campaign], asked.ledger.store, asked.who.user
    found = list(deliveries.listed(store, deliveries.Asked(run.campaign, run.id, (user,))))
    found.sort(key=lambda row: (row.key.step, campaign.channels.index(row.key.channel), row.key.slot))
    happened = deeds.of_run(store, run.id, user)
    rows = tuple(
        Row(
            one,
            deliveries.story(store, one.key),
            [deed for deed in happened if deed.key == one.key],
            _behind(asked, campaign, Ruled(one.reason, user, one.key.channel, one.settled_at or run.due_at, run.id)),
        )
        for one in found
    )
    at = _as_of(found, run)
    known = _read(asked, campaign, at)
    ramp, _ = ramp_at(campaign, asked.ledger.began(campaign.name) or run.due_at, run.due_at)
    first = found[0] if found else None
    story = Story(campaign, asked.who, known, at, _came(asked.ledger, run, user, found), run=run, rows=rows)
    story = _with_segments(story, asked)
    return replace(
        story,
        segment=first.segment if first else "",
        variant=first.variant if first else "",
        draws=draws(campaign, user, ramp) if first else (),
        aim=_aim(story, asked.project) if first else None,
    )


def coming(asked: Asked, name: str, at: Instant) -> Story:
    """What a plan at this moment would say of the person; nothing is written. StoreError if the audience cannot be read."""
    assert asked.audience is not None  # noqa: S101 - whoever cannot read it has no plan either
    campaign, user = asked.project.campaigns[name], asked.who.user
    with closing(Casting(asked.audience, asked.project, campaign, at, frozenset(), among=[user])) as casting:
        people = list(casting.bare())
    facts = dry_run(asked.ledger, campaign, at)
    came, would, variant = Came(OUTSIDE), tuple[Would, ...](), ""
    for one in chain.from_iterable(judged(asked.ledger, campaign, people, facts, at)):
        came, variant = _foreseen(upshot(one.verdicts)), one.person.variant
        would = tuple(
            Would(row, _behind(asked, campaign, Ruled(_reason(row), user, row.channel, at))) for row in one.verdicts
        )
    story = Story(campaign, asked.who, _read(asked, campaign, at), at, came, would=would)
    return replace(
        _with_segments(story, asked),
        segment=people[0].segment if people else "",
        variant=variant,
        draws=draws(campaign, user, facts.ramp) if people else (),
        aim=Aim(campaign.goal) if people and campaign.goal else None,
    )


def _as_of(rows: Sequence[Delivery], run: Run) -> Instant:
    """The moment the audience was asked: that of the run, or when it was asked again and had lost the person."""
    left = [row.settled_at for row in rows if row.reason == Reason.LEFT and row.settled_at is not None]
    return max([run.due_at, *left])


def _read(asked: Asked, campaign: Campaign, at: Instant) -> OraclePerson | None:
    """All that is known of the person, with the lists that the campaign's segments look into."""
    if asked.audience is None:
        return None
    moment = _moment(asked, at)
    names = [name for one in (*campaign.audience, *campaign.exclude) for name in lists(_segment(asked, one), moment)]
    return read_person(asked.audience, asked.who.user, asked.declared, tuple(dict.fromkeys(names)))


def _with_segments(story: Story, asked: Asked) -> Story:
    """The same with every segment of the campaign judged."""
    if story.known is None or asked.audience is None:
        return story
    moment, person, audience = _moment(asked, story.at), story.known, asked.audience

    def judge(names: Iterable[str]) -> tuple[Judgement, ...]:
        found = []
        for name in names:
            segment = _segment(asked, name)
            crowd = AskedCrowd(audience, moment, lists(segment, moment))
            found.append(Judgement(name, explain(segment, person, replace(moment, crowd=crowd))))
        return tuple(found)

    return replace(story, audience=judge(story.campaign.audience), exclude=judge(story.campaign.exclude))


def _moment(asked: Asked, at: Instant) -> Moment:
    return Moment(at, asked.project.settings.time_zone, asked.project.segments)


def _segment(asked: Asked, name: str) -> Segment:
    return asked.project.segments[name]


def _behind(asked: Asked, campaign: Campaign, ruled: Ruled) -> list[Evidence]:
    """The facts behind the reason of one row."""
    ledger = asked.ledger
    return evidence.behind(ledger.store, ledger.hashing, campaign, ruled, asked.who.addresses(ruled.channel))


def _came(ledger: Ledger, run: Run, user: str, rows: Sequence[Delivery]) -> Came:
    """What became of one person of a run, counted by the statement that counts all of them."""
    people = standing.people(ledger.store, run.id, user)
    if not people.people:
        return Came(OUTSIDE)
    for what, states in standing.CAME.items():
        if getattr(people, what):
            row = next(row for row in rows if row.state in states)
            return Came(what, row.reason, row.detail)
    if people.holdout:
        return Came("holdout", Reason.HOLDOUT)
    reason = next(iter(people.nothing), "")
    return Came(NOTHING, reason, next((row.detail for row in rows if row.reason == reason), ""))


def _foreseen(found: Upshot) -> Came:
    """The same of what a plan says of one person."""
    if found.held is not None:
        return Came("waiting", found.held.reason)
    if found.nothing is None:
        return Came("reached")
    reason, detail = found.nothing
    return Came("holdout", reason) if reason is Reason.HOLDOUT else Came(NOTHING, reason, detail)


def _reason(row: RowVerdict) -> str:
    return "" if isinstance(row.verdict, Send) else row.verdict.reason


def state_of(row: RowVerdict) -> State:
    """The state a verdict would leave its row in; a message that may leave is planned."""
    match row.verdict:
        case Send():
            return State.PLANNED
        case Hold():
            return State.HELD
        case Expire():
            return State.EXPIRED
        case _:
            return State.SKIPPED


_LEFT = (State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.UNKNOWN)
"""States of messages that left, or may have: from then on the goal's time runs."""


def _aim(story: Story, project: Project) -> Aim | None:
    """The goal as far as it counts for the person: from the message on, or from when the holdout was kept from theirs."""
    goal, run = story.campaign.goal, story.run
    if goal is None or run is None:
        return None
    rows = [row.delivery for row in story.rows]
    left = [row.intent_at for row in rows if row.intent_at is not None and row.state in _LEFT]
    kept = [row.exposed_at for row in rows if row.exposed_at is not None and row.holdout]
    before = [row.settled_at for row in rows if row.reason == Reason.CONVERTED and row.settled_at is not None]
    if before and not left:
        since, until = run.due_at, min(before)
    elif left or kept:
        since = min(left or kept)
        until = Instant(since + goal.within)
    else:
        return Aim(goal)
    if story.known is None:
        return Aim(goal, since, until)
    catalogue, zone = project.catalogue.known, project.settings.time_zone
    found = counted_events(_event(goal, catalogue, until - since), story.known.events, until, zone)
    return Aim(goal, since, until, tuple(found))


def _event(goal: Goal, known: Catalogue, within: int) -> Event:
    """The goal as a segment has it, over the last so many microseconds."""
    root = reached(goal, known, within).root
    [event] = root.parts if isinstance(root, All) else (root,)
    assert isinstance(event, Event)  # noqa: S101 - a goal names an event
    return event
