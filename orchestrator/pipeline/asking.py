"""Asking the audience engine again about people who have waited for long: who has left, who converted, what is new of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing

from orchestrator.audience.reader import Reader
from orchestrator.config import Project
from orchestrator.core.campaigns import Campaign
from orchestrator.core.eligibility import deadline
from orchestrator.core.errors import StoreError
from orchestrator.core.facts import RunFacts
from orchestrator.core.nouns import Asked
from orchestrator.core.times import MINUTE, Instant
from orchestrator.ledger import Ledger, Run, asking
from orchestrator.ledger.asking import Waiting
from orchestrator.pipeline.casting import Again, Casting
from orchestrator.pipeline.coupons import coupons_of
from orchestrator.pipeline.prepared import Prepared

AHEAD = MINUTE
"""How long before a shard is due its people may be asked about, so that it can be sent on time."""

_SHARDS_AT_ONCE = 25
"""Some 50,000 people: what one process can hold with ease."""


def ask_again(
    ledger: Ledger, audience: Callable[[], Reader], project: Project, prepared: Prepared, run: Run, now: Instant
) -> Counter[Asked]:
    """Ask about all shards of a run that are due soon and were asked about too long ago; counts people by answer.

    While the audience or linked data cannot be read (StoreError) they wait; those that are too late by now are let through to expire.
    """
    told: Counter[Asked] = Counter()
    wanted = coupons_of(project, prepared.letters)
    numbers = asking.shards_to_ask(ledger.store, run.id, now, AHEAD)
    for start in range(0, len(numbers), _SHARDS_AT_ONCE):
        shards = asking.waiting(ledger.store, run.id, numbers[start : start + _SHARDS_AT_ONCE])
        users = [user for shard in shards for user in shard.users]
        try:
            again = Again(users, run.due_at)
            with closing(
                Casting(audience(), project, prepared.campaign, now, prepared.letters.touched(), again)
            ) as casting:
                people = {person.user: person for person in casting}
        except StoreError:
            _let_the_late_through(ledger, prepared.campaign, run, shards, now)
            raise
        for shard in shards:
            told += asking.answer(ledger.store, shard, people, now, wanted.of)
    return told


def _let_the_late_through(
    ledger: Ledger, campaign: Campaign, run: Run, shards: Sequence[Waiting], now: Instant
) -> None:
    for shard in shards:
        if deadline(campaign, RunFacts(run.id, run.due_at, shard.opens_at)) <= now:
            asking.let_through(ledger.store, shard, now)
