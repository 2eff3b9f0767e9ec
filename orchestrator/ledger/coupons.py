"""Pools of coupon codes: whose each code is, so that nobody is ever given another's, whatever dies in between.

A code is given in the transaction that writes the person's shard, and travels with the person: every attempt says the same.
It comes free again only when the ledger shows that no message with it can have left.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any

from orchestrator.core.frozen import changed
from orchestrator.core.nouns import CODES, Person, State
from orchestrator.core.times import Instant
from orchestrator.ledger.store import Store

_SLICE = 5_000
"""Codes loaded, or looked through, in one transaction."""

_NEVER_LEFT = (State.SKIPPED, State.EXPIRED, State.RENDER_FAILED, State.FAILED)
"""States at whose end nothing has left, if there was no intent either."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool by its name; a code given from it holds for `valid` microseconds, None for ever."""

    name: str
    valid: int | None = None


SCARCE = 10
"""A pool with less than this part of its codes left runs out."""


@dataclass(frozen=True, slots=True)
class Stock:
    """How many codes of a pool there are, and how many of them nobody has."""

    codes: int
    left: int

    @property
    def scarce(self) -> bool:
        """Whether the pool runs out, or never had a code."""
        return not self.codes or self.left * SCARCE < self.codes


Wants = Mapping[str, Sequence[Pool]]
"""By user, the pools their message takes a code from."""


def load(store: Store, pool: str, codes: Sequence[str]) -> int:
    """Add the codes a pool does not have yet; how many were new. The same list as the last time costs one look."""
    mark = sha256("\0".join(codes).encode()).hexdigest()
    if store.rows("SELECT 1 FROM meta WHERE name = ? AND value = ?", (_lock(pool), mark)):
        return 0
    added, waiting = 0, iter(codes)
    while some := list(islice(waiting, _SLICE)):
        with store.transaction():
            added += store.many(
                "INSERT INTO coupon (pool, code) VALUES (?, ?) ON CONFLICT DO NOTHING", [(pool, code) for code in some]
            )
    with store.transaction():
        store.change(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (_lock(pool), mark),
        )
    return added


def give(
    store: Store, run: int, at: Instant, people: Sequence[Person], wants: Wants
) -> tuple[list[Person], Counter[str]]:
    """The same people with their codes, and by pool how many found it empty. Only inside a transaction of the caller's.

    Who has a code of the pool that still holds at `at` keeps it; codes hold from `at` on.
    """
    takers: dict[str, tuple[Pool, list[str]]] = {}
    for user, wanted in wants.items():
        for pool in wanted:
            takers.setdefault(pool.name, (pool, []))[1].append(user)
    mine: dict[str, dict[str, Any]] = {}
    short: Counter[str] = Counter()
    for name, (pool, users) in sorted(takers.items()):
        held = _give(store, run, at, pool, users)
        short[name] = len(users) - len(held)
        for user, (code, expires) in held.items():
            mine.setdefault(user, {})[name] = {"code": code, "expires": expires}
    return [with_codes(person, mine.get(person.user, {})) for person in people], +short


def with_codes(person: Person, codes: Mapping[str, Mapping[str, Any]]) -> Person:
    """A person with codes by pool: `{"code": …, "expires": microseconds or None}`."""
    if not codes:
        return person
    known = person.attributes.get(CODES) or {}
    return changed(person, attributes={**person.attributes, CODES: {**known, **codes}})


def _give(store: Store, run: int, at: Instant, pool: Pool, users: Sequence[str]) -> dict[str, tuple[str, int | None]]:
    _take_turns(store, pool.name)
    held = {
        user: (code, expires)
        for user, code, expires in store.rows(
            "SELECT user_id, code, expires_at FROM coupon WHERE pool = ? AND user_id {any}"
            " AND (expires_at IS NULL OR expires_at > ?) ORDER BY given_at, code",
            (pool.name, store.array(list(users)), at),
        )
    }
    store.many(
        "UPDATE coupon SET first_run = CASE WHEN first_run < ? THEN first_run ELSE ? END,"
        " last_run = CASE WHEN last_run > ? THEN last_run ELSE ? END WHERE pool = ? AND code = ?",
        [(run, run, run, run, pool.name, code) for code, _ in held.values()],
    )
    without = [user for user in users if user not in held]
    free = store.rows(
        "SELECT code FROM coupon WHERE pool = ? AND user_id IS NULL ORDER BY code LIMIT ?", (pool.name, len(without))
    )
    expires = None if pool.valid is None else at + pool.valid
    new = [(user, code) for user, (code,) in zip(without, free, strict=False)]
    store.many(
        "UPDATE coupon SET user_id = ?, first_run = ?, last_run = ?, given_at = ?, expires_at = ?"
        " WHERE pool = ? AND code = ? AND user_id IS NULL",
        [(user, run, run, at, expires, pool.name, code) for user, code in new],
    )
    return {**held, **{user: (code, expires) for user, code in new}}


_FREE = "user_id = NULL, first_run = NULL, last_run = NULL, given_at = NULL, expires_at = NULL"


def _words(states: Iterable[State]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


# It takes evidence: rows of both the first and the last run that had the code planned for somebody, all at an end at which
# nothing can have left. Where rows are missing, for whatever reason, the code stays theirs.
_IDLE = f"""
    user_id IS NOT NULL
    AND EXISTS (SELECT 1 FROM delivery AS d WHERE d.user_id = coupon.user_id AND d.run = coupon.first_run)
    AND EXISTS (SELECT 1 FROM delivery AS d WHERE d.user_id = coupon.user_id AND d.run = coupon.last_run)
    AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.user_id = coupon.user_id
        AND d.run BETWEEN coupon.first_run AND coupon.last_run
        AND (d.intent_at IS NOT NULL OR d.state NOT IN ({_words(_NEVER_LEFT)})))
    AND NOT EXISTS (SELECT 1 FROM run WHERE run.id BETWEEN coupon.first_run AND coupon.last_run
        AND run.state IN ('due', 'planning'))"""


def take_back(store: Store, pool: str) -> int:
    """Free the codes of people whose message never left and never will; how many."""
    freed, last = 0, ""
    while True:
        with store.transaction():
            _take_turns(store, pool)
            rows = store.rows(
                "SELECT code FROM coupon WHERE pool = ? AND code > ? ORDER BY code LIMIT ?", (pool, last, _SLICE)
            )
            if not rows:
                return freed
            first, last = rows[0][0], rows[-1][0]
            freed += store.change(
                f"UPDATE coupon SET {_FREE} WHERE pool = ? AND code BETWEEN ? AND ? AND {_IDLE}",
                (pool, first, last),
            )


def free(store: Store, pool: str, enough: int) -> int:
    """How many codes of a pool nobody has, counted up to `enough`."""
    rows = store.rows(
        "SELECT COUNT(*) FROM (SELECT 1 FROM coupon WHERE pool = ? AND user_id IS NULL LIMIT ?) AS free", (pool, enough)
    )
    return int(rows[0][0])


def stock(store: Store, pool: str, codes: Sequence[str] = ()) -> Stock:
    """What there is of a pool, with those of `codes` (its file) that are not loaded yet, and what could be taken back."""
    total, free = store.rows(
        f"SELECT COUNT(*), COALESCE(SUM(CASE WHEN user_id IS NULL OR ({_IDLE}) THEN 1 ELSE 0 END), 0)"
        " FROM coupon WHERE pool = ?",
        (pool,),
    )[0]
    new, waiting = 0, iter(codes)
    while some := list(islice(waiting, _SLICE)):
        known = store.rows("SELECT COUNT(*) FROM coupon WHERE pool = ? AND code {any}", (pool, store.array(some)))
        new += len(some) - known[0][0]
    return Stock(int(total) + new, int(free) + new)


def codes_of(store: Store, run: int, user: str) -> dict[str, dict[str, Any]]:
    """The codes somebody had in a run, by pool, as `with_codes` takes them."""
    rows = store.rows(
        "SELECT pool, code, expires_at FROM coupon WHERE user_id = ? AND first_run <= ? AND last_run >= ?",
        (user, run, run),
    )
    return {pool: {"code": code, "expires": expires} for pool, code, expires in rows}


def forget(store: Store, run: int) -> None:
    """Free what a plan that nobody worked has given. Only inside the transaction that forgets the plan."""
    store.change(f"UPDATE coupon SET {_FREE} WHERE first_run = ? AND last_run = ?", (run, run))


def _take_turns(store: Store, pool: str) -> None:
    """Nobody else gives codes of this pool until the transaction ends: else one person could get two, or two people one."""
    store.change("INSERT INTO meta (name, value) VALUES (?, '') ON CONFLICT DO NOTHING", (_lock(pool),))
    store.change("UPDATE meta SET value = value WHERE name = ?", (_lock(pool),))


def _lock(pool: str) -> str:
    """The row of `meta` that is locked while codes of a pool are given; it says which list was loaded last."""
    return f"coupons:{pool}"
