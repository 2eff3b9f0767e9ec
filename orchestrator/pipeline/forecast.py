"""The dry run: who of an audience would get what, and why the others would not, counted in people."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby, islice

from orchestrator.core.assignment import assign, ramp_at
from orchestrator.core.campaigns import Campaign
from orchestrator.core.eligibility import judge, touches_since
from orchestrator.core.facts import RunFacts
from orchestrator.core.nouns import Person
from orchestrator.core.times import Instant
from orchestrator.core.zones import find_zone
from orchestrator.ledger import Ledger, Wanted
from orchestrator.pipeline.coupons import Coupons, needs_one
from orchestrator.pipeline.foreseen import Foreseen, Steps
from orchestrator.pipeline.foresight import Draft, Foresight
from orchestrator.pipeline.reckoning import Asked, Forecast, Judged, Tally

BATCH = 2000


def forecasting(  # noqa: PLR0913 - each is a part of one question
    ledger: Ledger,
    campaign: Campaign,
    people: Iterable[Person],
    run: RunFacts,
    now: Instant,
    *,
    coupons: Coupons | None = None,
    foresight: Foresight | None = None,
    waves: Callable[[str], RunFacts] | None = None,
    asked: Asked | None = None,
    foreseen: Foreseen | None = None,
) -> Steps[Forecast]:
    """Judge everybody by the one judge, on the ledger's facts of now, in steps of a batch of people each; nothing is written.

    `waves` tells the facts of the run for people of a zone, who are judged when theirs opens; without it all are judged now. With
    `foreseen`, what would be sent until then counts, and what would be sent is noted; people must come in the order of their
    moments then, and no batch is of two.
    """
    found, tally = Forecast(), Tally(campaign, asked)
    by_zone = campaign.schedule is not None and campaign.schedule.recipient
    number = 0 if foreseen is None else foreseen.begin()

    def opens(person: Person) -> Instant:
        return max(now, (run if waves is None else waves(person.zone)).opens_at)

    apart = [(now, people)] if foreseen is None else groupby(people, opens)
    for batch in _in_steps(
        apart, lambda some: judged(ledger, campaign, some, run, now, waves=waves, foreseen=foreseen)
    ):
        if isinstance(batch, int):
            yield batch
            continue
        if by_zone:
            found.zoneless += sum(find_zone(one.person.zone) is None for one in batch)
        refused = foresight.refused([*_drafts(batch)]) if foresight is not None else {}
        for one in batch:
            sends = tally.count(found, one, refused)
            if sends and foreseen is not None:
                foreseen.note(
                    one.person.user, campaign.name, number, one.at, dict.fromkeys(row.channel for row in sends)
                )
            if coupons is not None and needs_one(one.verdicts):
                found.coupons.update(coupons.pools_of(one.person))
    found.shared = tally.shared()
    return found


def _in_steps(
    apart: Iterable[tuple[Instant, Iterable[Person]]], judge_some: Callable[[Iterable[Person]], Iterator[list[Judged]]]
) -> Iterator[Instant | list[Judged]]:
    """Batches of people who are judged, each after its moment: nobody is looked at before that was told."""
    for at, people in apart:
        source = iter(people)
        while some := list(islice(source, BATCH)):
            yield at
            yield from judge_some(some)


def judged(
    ledger: Ledger,
    campaign: Campaign,
    people: Iterable[Person],
    run: RunFacts,
    now: Instant,
    *,
    waves: Callable[[str], RunFacts] | None = None,
    foreseen: Foreseen | None = None,
) -> Iterator[list[Judged]]:
    """Everybody with what they drew, and the judge's word on each of their rows, as a plan would write them; some at a time."""
    source = iter(people)
    while batch := list(islice(source, BATCH)):
        drawn = [_drawn(campaign, person) for person in batch]
        known = ledger.facts(Wanted(run.run, drawn, campaign.policy.topic, touches_since(campaign, now)))
        found = []
        for person in drawn:
            facts = replace(known[person.user], rows=())
            facts = facts if foreseen is None else foreseen.upon(person.user, facts)
            its = run if waves is None else waves(person.zone)
            at = max(now, its.opens_at)
            found.append(Judged(person, facts, judge(campaign, its, person, facts, at), at))
        yield found


def dry_run(ledger: Ledger, campaign: Campaign, at: Instant) -> RunFacts:
    """A run of the campaign at a moment, which nobody fires: as far as its ramp would be by then."""
    ramp, grows_at = ramp_at(campaign, ledger.began(campaign.name) or at, at)
    return RunFacts(0, at, at, ramp=ramp, ramp_grows_at=grows_at)


def _drawn(campaign: Campaign, person: Person) -> Person:
    variant, holdout = assign(campaign, person.user)
    return replace(person, variant=variant, holdout=holdout)


def _drafts(batch: Iterable[Judged]) -> Iterable[Draft]:
    """The messages that would be written, those of the holdout among them."""
    for one in batch:
        for row in one.verdicts:
            if row.exposed:
                yield Draft(one.person, row.channel, row.slot, one.at)
