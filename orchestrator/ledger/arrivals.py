"""The event inbox: what came in from outside is safe here once it is committed, until the loader has it in the engine.

A batch is a stretch of rows, remembered under its number until the engine has it; the rows themselves are only written and
deleted.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.core.times import Instant
from orchestrator.ledger.store import Store

SET_ASIDE = "set_aside"
"""The kind of a row the engine cannot take: it stays, for somebody to look at, and no batch takes it along."""
_FORGOTTEN = "forgotten"
"""The kind of a row of which nothing is left; it keeps its place in its batch, and goes with it."""


class Incoming(NamedTuple):
    """One event, change of a profile or alias as it waits: `payload` is JSON that the loader understands."""

    kind: str
    user: str
    message_id: str
    payload: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows from `low` to `high` that live. Its number is never used again."""

    number: int
    low: int
    high: int


def put(store: Store, rows: Iterable[Incoming], now: Instant) -> int:
    """Write what came in, as one transaction; once this returns, nothing of it can be lost. How many rows."""
    with store.transaction():
        return store.many(
            "INSERT INTO event_inbox (kind, user_id, message_id, payload, received_at) VALUES (?, ?, ?, ?, ?)",
            [(*row, now) for row in rows],
        )


def any_waits(store: Store) -> bool:
    """Whether there is anything to load."""
    return bool(store.rows(f"SELECT 1 FROM event_inbox WHERE {_LIVES} LIMIT 1"))


def next_batches(store: Store, most: int, many: int, now: Instant) -> list[Batch]:
    """The batches to load next, at most so `many` of at most `most` rows: those that were begun first, then the oldest rows.

    They are the same until they are finished, whoever asks. None if nothing waits.
    """
    if not any_waits(store):
        return []
    with store.transaction():
        store.lock_inbox()
        begun = _begun(store)
        new = list(begun)
        while len(new) < many and (stretch := _stretch(store, max((high for *_, high in new), default=0), most)):
            new.append((_number(store, now), *stretch))
        if len(new) > len(begun):
            _remember(store, new)
    return [Batch(*one) for one in new[:many]]


_LIVES = f"kind <> '{SET_ASIDE}' AND kind <> '{_FORGOTTEN}'"
_Begun = tuple[int, int, int]


def _stretch(store: Store, after: int, most: int) -> tuple[int, int] | None:
    low, high = store.rows(
        f"SELECT MIN(id), MAX(id) FROM (SELECT id FROM event_inbox WHERE id > ? AND {_LIVES} ORDER BY id LIMIT ?) AS next",
        (after, most),
    )[0]
    return None if low is None else (low, high)


def rows_of(store: Store, batch: Batch) -> Sequence[tuple[str, str, str, str]]:
    """A batch's rows in the order they came, each (kind, user, message id, payload)."""
    return store.rows(
        f"SELECT kind, user_id, message_id, payload FROM event_inbox WHERE id BETWEEN ? AND ? AND {_LIVES} ORDER BY id",
        (batch.low, batch.high),
    )


def _begun(store: Store) -> list[_Begun]:
    """The batches that nobody has finished, the oldest first: (number, low, high)."""
    known = store.rows("SELECT value FROM meta WHERE name = 'batches'")
    return [(number, low, high) for number, low, high in json.loads(known[0][0])] if known else []


def _remember(store: Store, begun: Sequence[_Begun]) -> None:
    _tell(store, "batches", json.dumps(sorted(begun, key=lambda one: one[1])))


def _tell(store: Store, name: str, value: str) -> None:
    store.change(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def _number(store: Store, now: Instant) -> int:
    """A batch number later than every other: a new ledger before an old audience must not begin at 1 again."""
    known = store.rows("SELECT value FROM meta WHERE name = 'batch'")
    number = max(int(now), int(known[0][0]) + 1 if known else 0)
    _tell(store, "batch", str(number))
    return number


def finish(store: Store, numbers: Sequence[int]) -> None:
    """The engine has these batches: their rows may go. The same again is harmless."""
    with store.transaction():
        store.lock_inbox()
        begun = _begun(store)
        for number, low, high in begun:
            if number in numbers:
                store.change(f"DELETE FROM event_inbox WHERE id BETWEEN ? AND ? AND kind <> '{SET_ASIDE}'", (low, high))
        _remember(store, [one for one in begun if one[0] not in numbers])


def split(store: Store, batch: Batch, now: Instant) -> None:
    """The engine cannot take a batch as a whole: cut it into two, or keep its only row apart."""
    with store.transaction():
        store.lock_inbox()
        begun = _begun(store)
        if batch.number not in {number for number, *_ in begun}:
            return  # somebody else has cut or finished it
        others = [one for one in begun if one[0] != batch.number]
        ids = [
            row[0]
            for row in store.rows(
                f"SELECT id FROM event_inbox WHERE id BETWEEN ? AND ? AND {_LIVES} ORDER BY id", (batch.low, batch.high)
            )
        ]
        if len(ids) == 1:
            store.change("UPDATE event_inbox SET kind = ? WHERE id = ?", (SET_ASIDE, ids[0]))
        elif ids:
            half = len(ids) // 2
            others.append((_number(store, now), batch.low, ids[half - 1]))
            others.append((_number(store, now), ids[half], batch.high))
        _remember(store, others)


def waiting(store: Store) -> int:
    """How many rows the engine does not have yet."""
    return int(store.rows(f"SELECT COUNT(*) FROM event_inbox WHERE {_LIVES}")[0][0])


def oldest(store: Store) -> Instant | None:
    """When the oldest row came in that the engine does not have yet; None if it has all."""
    rows = store.rows(f"SELECT received_at FROM event_inbox WHERE {_LIVES} ORDER BY id LIMIT 1")
    return Instant(rows[0][0]) if rows else None


def set_aside(store: Store) -> int:
    """How many rows the engine could not take: they stay for somebody to look at."""
    return int(store.rows("SELECT COUNT(*) FROM event_inbox WHERE kind = ?", (SET_ASIDE,))[0][0])


def forget(store: Store, user: str) -> int:
    """Remove what waits about a person; how many rows.

    Of rows in a batch that was begun the place is kept: a new row must not come to stand in it.
    """
    with store.transaction():
        store.lock_inbox()
        last = max((high for *_, high in _begun(store)), default=0)
        gone = store.change("DELETE FROM event_inbox WHERE user_id = ? AND id > ?", (user, last))
        return gone + store.change(
            "UPDATE event_inbox SET kind = ?, user_id = '', message_id = '', payload = '{}' WHERE user_id = ?",
            (_FORGOTTEN, user),
        )
