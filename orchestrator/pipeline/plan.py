"""A run on its way into the ledger: who is in it, with which variant, cut into shards, in the order they are sent."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice

from orchestrator.core.assignment import assign, places
from orchestrator.core.campaigns import Campaign, Schedule
from orchestrator.core.facts import RunFacts
from orchestrator.core.frozen import changed
from orchestrator.core.holding import in_one
from orchestrator.core.nouns import Person
from orchestrator.core.occurrences import wave
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, Planned, Run, planning
from orchestrator.ledger.coupons import Wants
from orchestrator.pipeline.coupons import Coupons, out_of

PEOPLE_A_SHARD = 2000
AHEAD = 3
"""Shards that may be ready before the ledger has written them."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The members of a run as the audience engine spooled them, sorted by wave and then by user; and how many.

    `hold` says why the run must wait for a person, empty if it need not.
    """

    people: Iterable[Person]
    hold: str = ""
    coupons: Coupons | None = None
    """The pools its messages take codes from; None for none."""


def plan(ledger: Ledger, run: Run, campaign: Campaign, cast: Cast, now: Instant) -> int:
    """Write a run's shards and let it be worked, unless it must wait for a person; returns the size of its audience.

    Who needs a coupon gets a code in the transaction that writes their shard; where there are none left, the run waits.
    The caller has taken the run by `begin_planning`. Should it die in here, what it wrote is deleted and planned anew.
    """
    members, short = 0, Counter[str]()

    def write(number: int, opens_at: Instant, written: list[Planned]) -> Counter[str]:
        wants: Wants = {}
        if cast.coupons is not None:
            facts = RunFacts(run.id, run.due_at, opens_at)
            wants = cast.coupons.wants(ledger, campaign, facts, [member.person for member in written], now)
        return planning.add_shard(ledger.store, run.id, number, opens_at, written, wants)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger") as thread:
        # The ledger writes while the next shards are made ready, which is never more than a few ahead of it.
        behind = deque[Future[Counter[str]]]()
        for number, (opens_at, people) in enumerate(_shards(campaign, run, cast.people)):
            made = [_planned(campaign, person) for person in people]
            members += len(made)
            behind.append(thread.submit(write, number, opens_at, made))
            if len(behind) > AHEAD:
                short += behind.popleft().result()
        for shard in behind:
            short += shard.result()
    planning.finish_planning(ledger.store, run.id, ledger.boot, members, now, in_one(cast.hold, out_of(short)))
    return members


def wave_of(schedule: Schedule | None, run: Run, zone: str) -> Instant:
    """When a run opens for somebody in this zone: the run's moment, or their own hour if the schedule is the recipient's."""
    if schedule is None or not schedule.recipient:
        return run.due_at
    return wave(schedule, run.occurrence, zone)


def _shards(campaign: Campaign, run: Run, people: Iterable[Person]) -> Iterator[tuple[Instant, list[Person]]]:
    """Slices of people who share a wave, at most a shard's worth each."""
    if campaign.schedule is None or not campaign.schedule.recipient:
        everybody = iter(people)
        while shard := list(islice(everybody, PEOPLE_A_SHARD)):
            yield run.due_at, shard
        return
    waves: dict[str, Instant] = {}

    def opens(person: Person) -> Instant:
        if person.zone not in waves:
            waves[person.zone] = wave_of(campaign.schedule, run, person.zone)
        return waves[person.zone]

    for opens_at, together in groupby(people, key=opens):
        while shard := list(islice(together, PEOPLE_A_SHARD)):
            yield opens_at, shard


def _planned(campaign: Campaign, person: Person) -> Planned:
    if campaign.experiment is not None:
        variant, holdout = assign(campaign, person.user)
        person = changed(person, variant=variant, holdout=holdout)
    return Planned(person, places(campaign, person))
