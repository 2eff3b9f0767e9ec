"""The event inbox: what came in from outside is safe here once it is committed, until the loader has it in the engine."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.core.times import Instant
from orchestrator.ledger.store import Store

SET_ASIDE = "set_aside"
"""The kind of a row the engine cannot take: it stays, for somebody to look at, and no batch takes it along."""


class Incoming(NamedTuple):
    """One event, change of a profile or alias as it waits: `payload` is JSON that the loader understands."""

    kind: str
    user: str
    message_id: str
    payload: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Stamped rows, in the order they came. Its number is never used again."""

    number: int
    rows: tuple[Incoming, ...]


def put(store: Store, rows: Iterable[Incoming], now: Instant) -> int:
    """Write what came in, as one transaction; once this returns, nothing of it can be lost. How many rows."""
    with store.transaction():
        return store.many(
            "INSERT INTO event_inbox (kind, user_id, message_id, payload, received_at) VALUES (?, ?, ?, ?, ?)",
            [(*row, now) for row in rows],
        )


def any_waits(store: Store) -> bool:
    """Whether there is anything to load."""
    return bool(store.rows("SELECT 1 FROM event_inbox WHERE kind <> ? LIMIT 1", (SET_ASIDE,)))


def next_batch(store: Store, most: int, now: Instant) -> Batch | None:
    """The batch to load next: one that was stamped and not finished, else the oldest rows, stamped now. None if none wait."""
    if not any_waits(store):
        return None
    with store.transaction():
        begun = store.rows("SELECT MIN(batch) FROM event_inbox WHERE batch IS NOT NULL")[0][0]
        if begun is None:
            begun = _number(store, now)
            stamped = store.change(
                "UPDATE event_inbox SET batch = ? WHERE id IN"
                " (SELECT id FROM event_inbox WHERE batch IS NULL AND kind <> ? ORDER BY id LIMIT ?) AND batch IS NULL",
                (begun, SET_ASIDE, most),
            )
            if not stamped:
                return None
    rows = store.rows(
        "SELECT kind, user_id, message_id, payload FROM event_inbox WHERE batch = ? ORDER BY id", (begun,)
    )
    return Batch(begun, tuple(Incoming(*row) for row in rows))


def _number(store: Store, now: Instant) -> int:
    """A batch number later than every other: a new ledger before an old audience must not begin at 1 again."""
    known = store.rows("SELECT value FROM meta WHERE name = 'batch'")
    number = max(int(now), int(known[0][0]) + 1 if known else 0)
    store.change(
        "INSERT INTO meta (name, value) VALUES ('batch', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (str(number),),
    )
    return number


def finish(store: Store, batch: int) -> None:
    """The engine has a batch: its rows may go. The same again is harmless."""
    with store.transaction():
        store.change("DELETE FROM event_inbox WHERE batch = ?", (batch,))


def split(store: Store, batch: Batch, now: Instant) -> None:
    """The engine cannot take a batch as a whole: cut it into two, or keep its only row apart."""
    with store.transaction():
        ids = [row[0] for row in store.rows("SELECT id FROM event_inbox WHERE batch = ? ORDER BY id", (batch.number,))]
        if len(ids) == 1:
            store.change("UPDATE event_inbox SET batch = NULL, kind = ? WHERE id = ?", (SET_ASIDE, ids[0]))
        elif ids:
            for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
                store.change(
                    "UPDATE event_inbox SET batch = ? WHERE id {any}", (_number(store, now), store.array(half))
                )


def waiting(store: Store) -> int:
    """How many rows the engine does not have yet."""
    return int(store.rows("SELECT COUNT(*) FROM event_inbox WHERE kind <> ?", (SET_ASIDE,))[0][0])


def forget(store: Store, user: str) -> int:
    """Remove what waits about a person; how many rows."""
    with store.transaction():
        return store.change("DELETE FROM event_inbox WHERE user_id = ?", (user,))
