"""The dry run: who of an audience would get what now, and why the others would not, counted in people."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from orchestrator.core.assignment import assign, ramp_at
from orchestrator.core.campaigns import Campaign
from orchestrator.core.eligibility import RowVerdict, judge, touches_since
from orchestrator.core.facts import RunFacts
from orchestrator.core.nouns import Channel, Person
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant
from orchestrator.core.verdicts import upshot
from orchestrator.core.zones import find_zone
from orchestrator.ledger import Ledger, Wanted
from orchestrator.pipeline.coupons import Coupons, needs_one

BATCH = 2000


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
    nothing: Counter[tuple[Reason, str]] = field(default_factory=Counter)
    coupons: Counter[str] = field(default_factory=Counter)
    """By pool of coupons, the people who need a code now or later."""
    zoneless: int = 0
    """Of a schedule in everybody's own zone: the people without one we know, who share the project's."""
    examples: dict[tuple[Reason, str], list[str]] = field(default_factory=dict)
    """A few users for each reason of nothing."""


def forecast(
    ledger: Ledger,
    campaign: Campaign,
    people: Iterable[Person],
    run: RunFacts,
    now: Instant,
    *,
    coupons: Coupons | None = None,
) -> Forecast:
    """Judge everybody by the one judge, on the ledger's facts of now; nothing is written."""
    found = Forecast()
    by_zone = campaign.schedule is not None and campaign.schedule.recipient
    for person, verdicts in judged(ledger, campaign, people, run, now):
        if by_zone:
            found.zoneless += find_zone(person.zone) is None
        count(found, person, verdicts)
        if coupons is not None and needs_one(verdicts):
            found.coupons.update(coupons.pools_of(person))
    return found


def judged(
    ledger: Ledger, campaign: Campaign, people: Iterable[Person], run: RunFacts, now: Instant
) -> Iterator[tuple[Person, Sequence[RowVerdict]]]:
    """Everybody with what they drew, and the judge's word on each of their rows, as a plan would write them."""
    source = iter(people)
    while batch := list(islice(source, BATCH)):
        drawn = [_drawn(campaign, person) for person in batch]
        known = ledger.facts(Wanted(run.run, drawn, campaign.policy.topic, touches_since(campaign, now)))
        for person in drawn:
            yield person, judge(campaign, run, person, replace(known[person.user], rows=()), now)


def dry_run(ledger: Ledger, campaign: Campaign, at: Instant) -> RunFacts:
    """A run of the campaign at a moment, which nobody fires: as far as its ramp would be by then."""
    ramp, grows_at = ramp_at(campaign, ledger.began(campaign.name) or at, at)
    return RunFacts(0, at, at, ramp=ramp, ramp_grows_at=grows_at)


def _drawn(campaign: Campaign, person: Person) -> Person:
    variant, holdout = assign(campaign, person.user)
    return replace(person, variant=variant, holdout=holdout)


def count(found: Forecast, person: Person, verdicts: Sequence[RowVerdict]) -> None:
    """Everybody counts once; messages on several channels count each."""
    found.people += 1
    found.segments[person.segment] += 1
    came = upshot(verdicts)
    if came.sends:
        found.reached += 1
        found.variants[person.variant] += 1
        found.channels.update(row.channel for row in came.sends)
        return
    if came.held is not None:
        found.held[came.held.reason] += 1
        return
    if came.nothing is None:
        return
    why, reason = came.nothing, came.nothing[0]
    if reason is Reason.HOLDOUT:
        found.holdout += 1
        return
    found.nothing[why] += 1
    names = found.examples.setdefault(why, [])
    if len(names) < 3:
        names.append(person.user)
