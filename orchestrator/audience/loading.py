"""The loader's half that knows the engine: one numbered batch of arrivals, in one transaction, never twice.

Rows wait in the ledger's event inbox until somebody stamps them with a batch number. Whoever loads may die at any moment
and load the same batch again: its number stands beside its rows, so the second time changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from orchestrator.audience import finishing
from orchestrator.audience.bench import Bench
from orchestrator.audience.cells import Asked, cells_of
from orchestrator.audience.landing import land_devices, land_events, land_people
from orchestrator.audience.mapping import Plan, Target, What
from orchestrator.audience.merging import merge
from orchestrator.audience.rejects import Conflict, conflicts
from orchestrator.audience.spool import home
from orchestrator.audience.store import Audience
from orchestrator.core.errors import StoreError
from orchestrator.core.segments.tree import Catalogue
from orchestrator.core.times import Instant, iso

BATCH = 50_000
"""Arrivals in one batch, at most: more would keep readers out for longer than half a second."""

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
    """What became of a batch. `known`: it was loaded before, and nothing happened now."""

    known: bool = False
    events: int = 0
    duplicates: int = 0
    new: int = 0
    changed: int = 0
    left_out: int = 0
    conflicts: tuple[Conflict, ...] = ()


def load(
    audience: Audience, batch: int, arrivals: Sequence[Arrival], catalogue: Catalogue, zone: str = "UTC"
) -> Loaded:
    """Load one batch: events that are not known yet, changes of profiles in the order they came, then aliases.

    `zone` is the project's, for attributes that name a time without one. An arrival that cannot be read is left out.
    """
    try:
        return _load(audience, batch, arrivals, catalogue, zone)
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as problem:
        raise StoreError(f"audience {audience.path}: no room to prepare a batch ({problem}); it waits") from problem


def _load(audience: Audience, batch: int, arrivals: Sequence[Arrival], catalogue: Catalogue, zone: str) -> Loaded:
    place = home(audience.spools)
    with Bench(place) as did, Bench(place) as are:
        events = _events(did, [one for one in arrivals if one.kind is Arriving.EVENT], catalogue, zone)
        people = _people(are, [one for one in arrivals if one.kind is Arriving.PROFILE], catalogue, zone)
        aliases = [one for one in arrivals if one.kind is Arriving.ALIAS and one.name != one.user]
        with audience.writing() as connection:
            if not _first_time(connection, batch):
                return Loaded(known=True)
            fresh = _land(connection, events, land_events) or 0
            columns = list(finishing.columns_of(are, catalogue.attributes))
            new, changed = _land(connection, people.changes, lambda to, of: land_people(to, of, columns)) or (0, 0)
            _land(connection, people.devices, land_devices)
            for alias in aliases:
                merge(connection, alias.name, alias.user)
        taken = [_taken(bench) for bench in (did, are)]
        left_out = did.rows + are.rows - sum(taken)
        return Loaded(False, fresh, taken[0] - fresh, new, changed, left_out, (*conflicts(did), *conflicts(are)))


def _taken(bench: Bench) -> int:
    """How many rows of a bench have all they need."""
    return (
        int(bench.engine.sql(f"SELECT count(*) FROM read WHERE {finishing.good(bench)}").fetchall()[0][0])
        if bench.rows
        else 0
    )


@dataclass(frozen=True, slots=True)
class _People:
    changes: Any = None
    devices: Any = None


def _events(bench: Bench, arrivals: Sequence[Arrival], catalogue: Catalogue, zone: str) -> Any:
    if not arrivals:
        return None
    told = {"user": "user", "event": "event", "time": "time", "message_id": "message_id", "properties": "properties"}
    lines = [
        {
            "user": one.user,
            "event": one.name,
            "time": _told(one.at),
            "message_id": one.message_id,
            "properties": one.body,
        }
        for one in arrivals
    ]
    _read(bench, What.EVENTS, lines, told, catalogue, zone)
    return bench.engine.sql(f'{finishing.events(bench, None)} ORDER BY "time", message_id').to_arrow_table()


def _people(bench: Bench, arrivals: Sequence[Arrival], catalogue: Catalogue, zone: str) -> _People:
    if not arrivals:
        return _People()
    # An attribute called like one of ours would hide it, so the person and the time go under names nobody can send.
    lines = [{**one.body, _USER: one.user, _AT: _told(one.at)} for one in arrivals]
    _read(bench, What.PROFILES, lines, {_USER: "user", _AT: "seen_at"}, catalogue, zone)
    changes = bench.engine.sql(finishing.people(bench, catalogue.attributes)).to_arrow_table()
    devices = None
    if bench.number("device") is not None:
        devices = bench.engine.sql(finishing.devices(bench, {}, Instant(0))).to_arrow_table()
    return _People(changes, devices)


_USER, _AT = " user", " at"
_write = msgspec.json.encode


def _told(at: Instant) -> int | str:
    """A time as the engine reads it fastest: 16 digits are microseconds; the others go in words."""
    return at if 10**15 <= at < 10**16 else iso(at)


def _read(
    bench: Bench,
    what: What,
    lines: Sequence[Mapping[str, Any]],
    told: Mapping[str, str],
    catalogue: Catalogue,
    zone: str,
) -> None:
    texts = [_write(line).decode() for line in lines]
    bench.put(pa.table({"line": pa.array(range(1, len(lines) + 1), pa.int64()), "json": pa.array(texts, pa.string())}))
    bench.refuse_torn_lines()
    plan = Plan(columns={name: Target(to) for name, to in told.items()}, zone=zone)
    cells, content = cells_of(bench, Asked(what, plan, catalogue, "the event inbox"), None, json=True)
    bench.read(cells, content)


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
