"""Asking again: which shards may not be worked before the audience engine has said anew who belongs, and what it said.

A worker never claims such a shard. Whoever can read the audience (a planner process, a send by hand) writes the answer
into the shard's people, so that workers still read nothing but the ledger.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from orchestrator.core.eligibility import ASK_AGAIN_AFTER
from orchestrator.core.nouns import CODES, Asked, Channel, Person, State
from orchestrator.core.times import Instant
from orchestrator.ledger.coupons import Wants, give, with_codes
from orchestrator.ledger.people import pack, unpack
from orchestrator.ledger.store import Store

_DUE = (
    "FROM shard JOIN run ON run.id = shard.run WHERE shard.due_at <= ? AND shard.claimed_by IS NULL"
    " AND run.state = 'working' AND (shard.asked_at < ? OR shard.asked_at < shard.due_at - ?)"
)
"""Shards due by a moment whose answer will be too old by then."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A shard that is to be asked about, with the ids of its people."""

    run: int
    number: int
    opens_at: Instant
    users: tuple[str, ...]


def runs_to_ask(store: Store, now: Instant, ahead: int = 0) -> list[int]:
    """Runs with shards that are due within `ahead` microseconds and must be asked about first, the most urgent first."""
    rows = store.rows(f"SELECT shard.run {_DUE} GROUP BY shard.run ORDER BY MIN(shard.due_at)", _moments(now, ahead))
    return [row[0] for row in rows]


def shards_to_ask(store: Store, run: int, now: Instant, ahead: int = 0) -> list[int]:
    """The shards of one run that are to be asked about, in the order they are due."""
    rows = store.rows(
        f"SELECT shard.number {_DUE} AND shard.run = ? ORDER BY shard.due_at, shard.number",
        (*_moments(now, ahead), run),
    )
    return [row[0] for row in rows]


def _moments(now: Instant, ahead: int) -> tuple[int, int, int]:
    return now + ahead, now - ASK_AGAIN_AFTER, ASK_AGAIN_AFTER


def waiting(store: Store, run: int, numbers: Sequence[int]) -> list[Waiting]:
    """These shards of a run with the ids of their people; without those that have nobody left."""
    rows = store.rows(
        "SELECT number, opens_at, people FROM shard WHERE run = ? AND number {any} AND people IS NOT NULL ORDER BY number",
        (run, store.array(list(numbers))),
    )
    return [
        Waiting(run, number, Instant(opens_at), tuple(person.user for person in unpack(people)))
        for number, opens_at, people in rows
    ]


def answer(
    store: Store,
    asked: Waiting,
    told: Mapping[str, Person],
    now: Instant,
    wants: Callable[[Sequence[Person]], Wants] = lambda _: {},
) -> Counter[Asked]:
    """Write what the engine said of a shard's people at `now`; those it did not name have left the audience.

    `wants` tells the coupons of whoever now gets another segment's message; everybody keeps the codes they have.

    Counts people by answer; none if a worker has the shard by now, or somebody else wrote a newer answer.
    """
    place = (asked.run, asked.number)
    with store.transaction():
        rows = store.rows(
            "SELECT people FROM shard WHERE run = ? AND number = ? AND claimed_by IS NULL AND people IS NOT NULL"
            f" AND asked_at < ? {store.skip_locked}",
            (*place, now),
        )
        if not rows:
            return Counter()
        old = unpack(rows[0][0])
        tried = _tried(store, asked)
        people = [_again(person, told.get(person.user), tried.get(person.user, frozenset())) for person in old]
        others = [new for was, new in zip(old, people, strict=True) if was.segment != new.segment]
        if wanted := wants(others):
            people, _ = give(store, asked.run, now, people, wanted)
        store.change(
            "UPDATE shard SET people = ?, asked_at = ? WHERE run = ? AND number = ?", (pack(people), now, *place)
        )
        moved = [(new.segment, asked.run, new.user) for new in others]
        store.many(
            "UPDATE delivery SET segment = ? WHERE run = ? AND user_id = ? AND state IN ('planned', 'held')", moved
        )
    return Counter(person.asked for person in people)


def let_through(store: Store, asked: Waiting, now: Instant) -> None:
    """Let a shard be worked unasked, because it is too late for its messages anyway: they expire."""
    with store.transaction():
        store.change(
            "UPDATE shard SET asked_at = ? WHERE run = ? AND number = ? AND claimed_by IS NULL AND asked_at < ?",
            (now, asked.run, asked.number, now),
        )


def _tried(store: Store, asked: Waiting) -> dict[str, set[tuple[Channel, State]]]:
    """The channels on which each user has a message that left, or may have, and where it stands."""
    found: dict[str, set[tuple[Channel, State]]] = {}
    for user, channel, state in store.rows(
        "SELECT user_id, channel, state FROM delivery WHERE run = ? AND user_id {any} AND attempt > 0",
        (asked.run, store.array(asked.users)),
    ):
        found.setdefault(user, set()).add((Channel(channel), State(state)))
    return found


def _again(old: Person, new: Person | None, tried: AbstractSet[tuple[Channel, State]]) -> Person:
    """A person as they are now. A message that will be tried again must stay the same to the byte, so its person stays too.

    On channels where something has left already the addresses stay, because a row's slot is a place among them.
    """
    if new is None:
        return replace(old, asked=Asked.LEFT)
    if new.asked is Asked.CONVERTED or any(state is State.RETRY_WAIT for _, state in tried):
        return replace(old, asked=new.asked)
    kept = {channel: old.addresses[channel] for channel, _ in tried if channel in old.addresses}
    new = with_codes(new, old.attributes.get(CODES) or {})
    return replace(new, variant=old.variant, holdout=old.holdout, addresses={**new.addresses, **kept})
