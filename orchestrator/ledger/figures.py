"""Figures for whoever watches: counts of deliveries, the queue, pauses, and what each process counted of its own work."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.core.times import MINUTE, Instant
from orchestrator.ledger import arrivals
from orchestrator.ledger.boots import Boot, dead_among
from orchestrator.ledger.pace import BREAKS_AT
from orchestrator.ledger.store import Store

_KEPT = "figures:"
_FORMER = "figures:former"
"""What processes counted that are gone: folded into one row, so that totals never fall and rows never pile up."""


_RUNS, _MESSAGES, _ENOUGH = 5, 50_000, 100
"""The rate of sending is that of the newest runs: so many of them, so many messages of each, and at least so many in all."""


STUCK = 10 * MINUTE
"""What has been due for longer, and nobody works it, is stuck."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The one queue, in shards: due and waiting for a worker, being worked, due later; since when the oldest is due."""

    due: int
    claimed: int
    later: int
    oldest_due_at: Instant | None


@dataclass(frozen=True, slots=True)
class Pace:
    """How a provider or campaign stands: until when it is paused, and failures in a row."""

    scope: str
    paused_until: Instant | None
    failures: int

    @property
    def open(self) -> bool:
        """Whether its breaker is open."""
        return self.failures >= BREAKS_AT


@dataclass(slots=True)
class Deliveries:
    """Rows by (campaign, channel, state) of the runs due since a moment; finished runs are added up once."""

    _done: dict[int, Counter[tuple[str, str, str]]] = field(default_factory=dict)

    def since(self, store: Store, at: Instant) -> Counter[tuple[str, str, str]]:
        """The counts as the summaries of the shards say them; a shard nobody has worked yet counts its people as planned."""
        found = store.rows("SELECT id, campaign, state FROM run WHERE due_at >= ? AND state <> 'missed'", (at,))
        done = {run for run, _, state in found if state == "done"}
        self._done = {run: counts for run, counts in self._done.items() if run in done}
        total: Counter[tuple[str, str, str]] = Counter()
        for run, campaign, _ in found:
            counts = self._done.get(run)
            if counts is None:
                counts = _of_run(store, run, campaign)
                if run in done:
                    self._done[run] = counts
            total.update(counts)
        return total


def _of_run(store: Store, run: int, campaign: str) -> Counter[tuple[str, str, str]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for summary, members, due_at in store.rows("SELECT summary, members, due_at FROM shard WHERE run = ?", (run,)):
        parts = json.loads(summary)
        # A shard that is not due any more and has no rows lost them to a shard of a retry.
        if not parts and due_at is not None:
            counts[campaign, "", "planned"] += members
        for state, _, channel, *_, rows in parts:
            counts[campaign, channel, state] += rows
    return counts


def runs_by_state(store: Store) -> dict[str, int]:
    """How many runs stand in each state."""
    return dict(store.rows("SELECT state, COUNT(*) FROM run GROUP BY state"))


def queue(store: Store, now: Instant) -> Queue:
    """How the queue stands now; shards of paused and waiting runs are not in it."""
    working = "FROM shard JOIN run ON run.id = shard.run WHERE run.state IN ('working', 'cancelled') AND shard."
    [(due, oldest)] = store.rows(
        f"SELECT COUNT(*), MIN(shard.due_at) {working}due_at <= ? AND shard.claimed_by IS NULL", (now,)
    )
    [(claimed,)] = store.rows("SELECT COUNT(*) FROM shard WHERE claimed_by IS NOT NULL")
    [(later,)] = store.rows(f"SELECT COUNT(*) {working}due_at > ? AND shard.claimed_by IS NULL", (now,))
    return Queue(due, claimed, later, None if oldest is None else Instant(oldest))


def paces(store: Store) -> list[Pace]:
    """Every provider and campaign that was ever paced, paused or failed."""
    return [
        Pace(scope, None if until is None else Instant(until), failures)
        for scope, until, failures in store.rows("SELECT scope, paused_until, failures FROM pace ORDER BY scope")
    ]


def sending_rate(store: Store) -> float | None:
    """Messages a second while the newest runs were sent, counted over the seconds in which some left; None before there are enough."""
    sent, seconds = 0, 0
    for (run,) in store.rows("SELECT id FROM run WHERE planned_at IS NOT NULL ORDER BY id DESC LIMIT ?", (_RUNS,)):
        left = "SELECT intent_at FROM delivery WHERE run = ? AND intent_at IS NOT NULL LIMIT ?"
        [(messages, busy)] = store.rows(
            f"SELECT COUNT(*), COUNT(DISTINCT intent_at / 1000000) FROM ({left}) AS gone", (run, _MESSAGES)
        )
        sent, seconds = sent + messages, seconds + busy
        if sent >= _ENOUGH:
            return float(sent / seconds)
    return None


def events_waiting(store: Store) -> int:
    """Events that were acknowledged and not loaded yet."""
    return arrivals.waiting(store)


def alive(store: Store, kind: str) -> list[str]:
    """The living processes of a kind (worker, planner, supervisor, cli), as `process 7 on host`."""
    found = store.rows("SELECT id, token, pid, host FROM boot WHERE kind = ? AND ended_at IS NULL", (kind,))
    dead = set(dead_among(store, [(number, token) for number, token, *_ in found], None))
    return [f"process {pid} on {host}" for number, _, pid, host in found if number not in dead]


def keep(store: Store, boot: Boot, counted: Mapping[str, float]) -> None:
    """Write down what this process has counted so far; the numbers only grow."""
    with store.transaction():
        _put(store, f"{_KEPT}{boot.id}", counted)


def counted(store: Store) -> Counter[str]:
    """What all processes have counted, those that are gone included."""
    total: Counter[str] = Counter()
    for (value,) in store.rows("SELECT value FROM meta WHERE name LIKE ?", (f"{_KEPT}%",)):
        total.update(json.loads(value))
    return total


def fold(store: Store, own: Boot | None) -> int:
    """Add up what processes counted that are gone; how many of them there were."""
    kept = [row[0].removeprefix(_KEPT) for row in store.rows("SELECT name FROM meta WHERE name LIKE ?", (f"{_KEPT}%",))]
    boots = [int(name) for name in kept if name.isdigit()]
    if not boots:
        return 0
    tokens = store.rows("SELECT id, token FROM boot WHERE id {any}", (store.array(boots),))
    gone = dead_among(store, [(number, token) for number, token in tokens], own)
    with store.transaction():
        total: Counter[str] = Counter()
        folded = 0
        for number in gone:
            for (value,) in store.rows("DELETE FROM meta WHERE name = ? RETURNING value", (f"{_KEPT}{number}",)):
                total.update(json.loads(value))
                folded += 1
        if folded:
            for (value,) in store.rows("SELECT value FROM meta WHERE name = ?", (_FORMER,)):
                total.update(json.loads(value))
            _put(store, _FORMER, total)
    return folded


def _put(store: Store, name: str, counted: Mapping[str, float]) -> None:
    store.change(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, json.dumps(counted, ensure_ascii=False, separators=(",", ":"))),
    )
