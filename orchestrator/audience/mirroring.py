"""The mirror of the ledger in the engine: what was sent, what became of it and what people agreed to, as events, each once.

How far a ledger was read stands beside the rows, in the same transaction. A file that was replaced says so by knowing less
than the ledger has told, and is given everything again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from orchestrator.audience import opening
from orchestrator.audience.landing import land_events
from orchestrator.audience.store import Audience


@dataclass(frozen=True, slots=True)
class Place:
    """How far one ledger is mirrored here. `run` and `number`: the last shard of the first walk, `user` its last person.

    None where the walk has reached the end; from then on, only what changes is mirrored.
    """

    passes: int
    run: int | None
    number: int
    user: str | None

    @property
    def walking(self) -> bool:
        """Whether there may be more that was never mirrored."""
        return self.run is not None or self.user is not None


def place(audience: Audience, ledger: str) -> Place | None:
    """How far this ledger is mirrored; None if it never was."""
    if not audience.path.exists():
        return None
    with audience.reading() as connection:
        return _place(connection, ledger)


def mirror(audience: Audience, ledger: str, was: Place | None, becomes: Place, tables: Sequence[Any]) -> int | None:
    """Write events (Arrow tables of user, name, time, message_id, properties) and the new place, in one transaction.

    The rows of a table are in time order, and no message id stands in it twice. Returns how many were new; None, and nothing
    is written, if somebody else has moved the place from where it `was`.
    """
    try:
        return _write(audience, ledger, was, becomes, tables, confined=True)
    except opening.CrampedError:  # events of many bytes: better with more memory than not at all
        return _write(audience, ledger, was, becomes, tables, confined=False)


def _write(
    audience: Audience, ledger: str, was: Place | None, becomes: Place, tables: Sequence[Any], *, confined: bool
) -> int | None:
    with audience.writing() as connection:
        if confined:
            opening.confine(connection)
        if _place(connection, ledger) != was:
            return None
        fresh = 0
        for table in tables:
            connection.register("incoming", table)
            fresh += land_events(connection, "incoming")
            connection.unregister("incoming")
        connection.execute("DELETE FROM mirrored WHERE ledger = ?", [ledger])
        connection.execute(
            "INSERT INTO mirrored VALUES (?, ?, ?, ?, ?)",
            [ledger, becomes.passes, becomes.run, becomes.number, becomes.user],
        )
    return fresh


def _place(connection: duckdb.DuckDBPyConnection, ledger: str) -> Place | None:
    try:
        found = connection.execute(
            'SELECT passes, run, number, "user" FROM mirrored WHERE ledger = ?', [ledger]
        ).fetchall()
    except duckdb.CatalogException:
        return None  # a file of an older release, which nobody has written since
    return Place(*found[0]) if found else None
