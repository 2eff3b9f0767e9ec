"""Lives of processes: each holds a lock for as long as it lives, so the dead are known at once and nothing expires."""

import os
import secrets
import socket
from dataclasses import dataclass

from orchestrator.core.times import Instant
from orchestrator.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Boot:
    """This process's life: its number in the ledger, and the random name of its lock (never a host or process id)."""

    id: int
    token: str


def begin(store: Store, kind: str, now: Instant) -> Boot:
    """Take a lock under a fresh random name and write the boot down; in this order, so that no boot is ever seen unlocked."""
    token = secrets.token_hex(16)
    store.hold_boot(token)
    with store.transaction():
        rows = store.rows(
            "INSERT INTO boot (token, kind, host, pid, started_at) VALUES (?, ?, ?, ?, ?) RETURNING id",
            (token, kind, socket.gethostname(), os.getpid(), now),
        )
    return Boot(rows[0][0], token)


@dataclass(frozen=True, slots=True)
class Life:
    """A process of ours, as it introduced itself."""

    host: str
    pid: int
    started_at: Instant


def crashed(store: Store, kind: str, own: Boot | None, now: Instant) -> list[Life]:
    """Processes of this kind that ended without writing so; they count as ended from now on, so each is told once."""
    open_ = store.rows("SELECT id, token, host, pid, started_at FROM boot WHERE kind = ? AND ended_at IS NULL", (kind,))
    dead = set(dead_among(store, [(number, token) for number, token, *_ in open_], own))
    with store.transaction():
        ended = store.rows(
            "UPDATE boot SET ended_at = ? WHERE ended_at IS NULL AND id {any} RETURNING id",
            (now, store.array(sorted(dead))),
        )
    ours = {row[0] for row in ended}
    return [Life(host, pid, Instant(at)) for number, _, host, pid, at in open_ if number in ours]


def end(store: Store, boot: Boot, now: Instant) -> None:
    """Write down that this life ended in good order."""
    with store.transaction():
        store.change("UPDATE boot SET ended_at = ? WHERE id = ?", (now, boot.id))


def dead_among(store: Store, boots: list[tuple[int, str]], own: Boot | None) -> list[int]:
    """Which of these (id, token) belong to processes that are gone."""
    return [number for number, token in boots if (own is None or number != own.id) and store.boot_is_dead(token)]
