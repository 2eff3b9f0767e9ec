"""A loader's visit to the audience file: numbered batches of arrivals, a few in one transaction, none twice.

Whoever loads may die at any moment and load the same batch again: its number stands beside its rows, so the second time changes
nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from time import perf_counter
from typing import Any

import duckdb
import pyarrow as pa

from orchestrator.audience.landing import land_devices, land_events, land_people
from orchestrator.audience.merging import merge
from orchestrator.audience.rejects import Conflict
from orchestrator.audience.store import Audience
from orchestrator.core.times import Instant

_REMEMBERED = 1_000
"""Batch numbers kept; the inbox forgets a batch as soon as it is loaded, so the last few would do."""


class Arriving(StrEnum):
    """What an arrival is."""

    EVENT = "event"
    PROFILE = "profile"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing that came in about a user. `at` is its own time, or that of its arrival if it named none.

    EVENT: `name` is the event's, `body` its properties. PROFILE: `body` holds attributes under their names, besides email,
    phone, zone, locale, and device with platform, app; null deletes. ALIAS: `name` is the id the user had before.
    """

    kind: Arriving
    user: str
    message_id: str
    at: Instant
    name: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of batches. `known`: they were loaded before, and nothing happened now. `held`: seconds readers were kept out."""

    known: bool = False
    events: int = 0
    duplicates: int = 0
    new: int = 0
    changed: int = 0
    left_out: int = 0
    conflicts: tuple[Conflict, ...] = ()
    held: float = 0.0


def together(loaded: Sequence[Loaded]) -> Loaded:
    """Several batches as one; `known` if all of them were."""
    return Loaded(
        bool(loaded) and all(one.known for one in loaded),
        sum(one.events for one in loaded),
        sum(one.duplicates for one in loaded),
        sum(one.new for one in loaded),
        sum(one.changed for one in loaded),
        sum(one.left_out for one in loaded),
        tuple(conflict for one in loaded for conflict in one.conflicts),
        sum(one.held for one in loaded),
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that is read and typed, so that it can land quickly: Arrow tables, the columns that people change, aliases."""

    events: Any = None
    taken: int = 0
    changes: Any = None
    columns: Sequence[str] = ()
    devices: Any = None
    aliases: Sequence[Arrival] = ()
    left_out: int = 0
    conflicts: tuple[Conflict, ...] = ()


def visits(batches: Iterable[tuple[int, Prepared]]) -> Iterator[list[tuple[int, Prepared]]]:
    """The batches of one visit to the file each: an alias rewrites what came before it, not what comes after."""
    together: list[tuple[int, Prepared]] = []
    for one in batches:
        together.append(one)
        if one[1].aliases:
            yield together
            together = []
    if together:
        yield together


def land(audience: Audience, batches: Sequence[tuple[int, Prepared]]) -> Loaded:
    """Write the batches of one visit, each under its number, in one transaction: all of them or none.

    Events that are not known yet, then changes of profiles in the order they came, then aliases, which only the last has.
    Many batches at once, because the engine packs rows a hundred thousand at a time, and packs what is fewer again.
    """
    rows = _in_one([prepared.events for _, prepared in batches])  # nobody is kept waiting for it
    with audience.writing() as connection:
        began = perf_counter()
        new = [prepared for number, prepared in batches if _first_time(connection, number)]
        if len(new) < len(batches):
            rows = _in_one([prepared.events for prepared in new])
        done = _land_all(connection, new, rows) if new else Loaded(known=True)
    return replace(done, held=perf_counter() - began)


def _land_all(connection: duckdb.DuckDBPyConnection, batches: Sequence[Prepared], events: Any) -> Loaded:
    fresh = _land(connection, events, partial(_land_once, batches=len(batches))) or 0
    new = changed = 0
    for prepared in batches:
        columns = list(prepared.columns)
        more, other = _land(connection, prepared.changes, partial(land_people, changed=columns)) or (0, 0)
        new, changed = new + more, changed + other
        _land(connection, prepared.devices, land_devices)
        for alias in prepared.aliases:
            merge(connection, alias.name, alias.user)
    return Loaded(
        False, fresh, sum(one.taken for one in batches) - fresh, new, changed, sum(one.left_out for one in batches),
        tuple(conflict for one in batches for conflict in one.conflicts),
    )  # fmt: skip


def _in_one(tables: Sequence[Any]) -> Any:
    """The events of several batches as one table in one piece, which the engine packs fastest; None without any."""
    found = [table for table in tables if table is not None and table.num_rows]
    return pa.concat_tables(found).combine_chunks() if found else None


def _land_once(connection: duckdb.DuckDBPyConnection, source: str, batches: int) -> int:
    """Land events of so many batches, each message id once; one batch has none twice."""
    if batches > 1:
        ids = connection.sql(f"SELECT count(DISTINCT message_id) = count(*) FROM {source}").fetchall()
        if not ids[0][0]:
            once = "QUALIFY row_number() OVER (PARTITION BY message_id ORDER BY place) = 1"
            placed = f"(SELECT *, row_number() OVER () AS place FROM {source})"
            connection.execute(f"CREATE OR REPLACE TEMP TABLE first AS SELECT * EXCLUDE (place) FROM {placed} {once}")
            return land_events(connection, "first")
    return land_events(connection, source)


def _first_time(connection: duckdb.DuckDBPyConnection, batch: int) -> bool:
    if connection.execute("SELECT 1 FROM loaded WHERE batch = ?", [batch]).fetchone():
        return False
    connection.execute("INSERT INTO loaded VALUES (?)", [batch])
    connection.execute(
        f"DELETE FROM loaded WHERE batch NOT IN (SELECT batch FROM loaded ORDER BY batch DESC LIMIT {_REMEMBERED})"
    )
    return True


def _land(connection: duckdb.DuckDBPyConnection, rows: Any, land: Any) -> Any:
    if rows is None or not rows.num_rows:
        return None
    connection.register("incoming", rows)
    try:
        return land(connection, "incoming")
    finally:
        connection.unregister("incoming")
