"""The loader's half that knows the engine: one numbered batch of arrivals, in one transaction, never twice.

Rows wait in the ledger's event inbox until somebody stamps them with a batch number. Whoever loads may die at any moment
and load the same batch again: its number stands beside its rows, so the second time changes nothing.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute

from orchestrator.audience import finishing, opening
from orchestrator.audience.bench import Bench
from orchestrator.audience.cells import Asked, cells_of, properties_of
from orchestrator.audience.landing import land_devices, land_events, land_people
from orchestrator.audience.mapping import Plan, Target, What
from orchestrator.audience.merging import merge
from orchestrator.audience.plain import Events, Payload, Row, apart, events_in
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
    )


def load(
    audience: Audience, batch: int, arrivals: Sequence[Arrival], catalogue: Catalogue, zone: str = "UTC"
) -> Loaded:
    """Load one batch of arrivals; see `land`."""
    prepared = prepare(audience, [written(one) for one in arrivals], catalogue, zone)
    return next(iter(land(audience, [(batch, prepared)])))


def written(arrival: Arrival) -> Row:
    """An arrival as it waits in the inbox."""
    payload = _write({"at": arrival.at, "name": arrival.name, "body": arrival.body})
    return str(arrival.kind), arrival.user, arrival.message_id, payload.decode()


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


def prepare(audience: Audience, rows: Sequence[Row], catalogue: Catalogue, zone: str) -> Prepared:
    """Read a batch's rows; the audience is not touched. `zone` is the project's, for attributes that name a time without one.

    An arrival of which something needed cannot be read is left out. msgspec.DecodeError for a payload that is none.
    """
    others = [_arrival(row) for row in rows if row[0] != "event"]
    changes = [one for one in others if one.kind is Arriving.PROFILE]
    aliases = [one for one in others if one.kind is Arriving.ALIAS and one.name != one.user]
    try:
        events = _events(audience, rows, catalogue, zone) if len(others) < len(rows) else Prepared()
        people = _people(audience, changes, catalogue, zone) if changes else Prepared()
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as problem:
        raise StoreError(f"audience {audience.path}: no room to prepare a batch ({problem}); it waits") from problem
    return replace(
        people,
        events=events.events,
        taken=events.taken,
        aliases=aliases,
        left_out=events.left_out + people.left_out,
        conflicts=(*events.conflicts, *people.conflicts),
    )


def land(audience: Audience, batches: Iterable[tuple[int, Prepared]]) -> Generator[Loaded, None, None]:
    """Write batches in one visit to the file, each in a transaction of its own; says of each what became of it, once it stands.

    A batch has events that are not known yet, changes of profiles in the order they came, then aliases. Whoever iterates
    may stop at any time: what was told stands, the rest was never begun.
    """
    coming = iter(batches)
    first = next(coming, None)  # nobody is kept waiting for it
    if first is None:
        return
    with audience.visiting() as connection:
        for batch, prepared in chain([first], coming):
            with opening.transaction(connection):
                done = _land_one(connection, batch, prepared)
            yield done


def _land_one(connection: duckdb.DuckDBPyConnection, batch: int, prepared: Prepared) -> Loaded:
    if not _first_time(connection, batch):
        return Loaded(known=True)
    fresh = _land(connection, prepared.events, land_events) or 0
    columns = list(prepared.columns)
    new, changed = _land(connection, prepared.changes, lambda to, of: land_people(to, of, columns)) or (0, 0)
    _land(connection, prepared.devices, land_devices)
    for alias in prepared.aliases:
        merge(connection, alias.name, alias.user)
    return Loaded(False, fresh, prepared.taken - fresh, new, changed, prepared.left_out, prepared.conflicts)


def _arrival(row: Row) -> Arrival:
    kind, user, message_id, payload = row
    told = _payload.decode(payload)
    return Arrival(Arriving(kind), user, message_id, Instant(told.at), told.name, _object.decode(told.body))


def _taken(bench: Bench) -> int:
    """How many rows of a bench have all they need."""
    return int(bench.engine.sql(f"SELECT count(*) FROM read WHERE {finishing.good(bench)}").fetchall()[0][0])


_SHAPE = pa.schema(
    {"user": pa.string(), "name": pa.string(), "time": pa.int64(), "message_id": pa.string(), "properties": pa.string()}
)


def _events(audience: Audience, rows: Sequence[Row], catalogue: Catalogue, zone: str) -> Prepared:
    """The events of a batch: those that are plain as they came, the others over the workbench."""
    plain, others = apart(events_in(rows), properties_of(catalogue))
    bodies = pa.array(plain.body, pa.binary()).cast(pa.string())
    ready = pa.table([plain.user, plain.name, plain.at, plain.message_id, bodies], schema=_SHAPE)
    if not others.line:
        return Prepared(_in_order(ready), ready.num_rows)
    with Bench(home(audience.spools)) as bench:
        read = _read_events(bench, others, catalogue, zone).cast(_SHAPE)
        # Letters that are written otherwise may make an id of one that is there already.
        there = pa.compute.is_in(read["message_id"], ready["message_id"])
        ready = pa.concat_tables([ready, read.filter(pa.compute.invert(there))])
        taken = _taken(bench)
        return Prepared(
            _in_order(ready), len(plain.line) + taken, left_out=len(others.line) - taken, conflicts=conflicts(bench)
        )


def _in_order(events: Any) -> Any:
    return events.sort_by([("time", "ascending"), ("message_id", "ascending")])


def _read_events(bench: Bench, events: Events, catalogue: Catalogue, zone: str) -> Any:
    told = {name: name for name in ("user", "event", "time", "message_id", "properties")}
    lines = [
        {"user": user, "event": name, "time": _told(at), "message_id": message, "properties": msgspec.Raw(body)}
        for _, user, name, at, message, body in zip(*events, strict=True)
    ]
    _read(bench, What.EVENTS, lines, told, catalogue, zone)
    return bench.engine.sql(finishing.events(bench, None)).to_arrow_table()


def _people(audience: Audience, arrivals: Sequence[Arrival], catalogue: Catalogue, zone: str) -> Prepared:
    # An attribute called like one of ours would hide it, so the person and the time go under names nobody can send.
    lines = [{**one.body, _USER: one.user, _AT: _told(one.at)} for one in arrivals]
    with Bench(home(audience.spools)) as bench:
        _read(bench, What.PROFILES, lines, {_USER: "user", _AT: "seen_at"}, catalogue, zone)
        changes = bench.engine.sql(finishing.people(bench, catalogue.attributes)).to_arrow_table()
        devices = None
        if bench.number("device") is not None:
            devices = bench.engine.sql(finishing.devices(bench, {}, Instant(0))).to_arrow_table()
        return Prepared(
            changes=changes,
            columns=list(finishing.columns_of(bench, catalogue.attributes)),
            devices=devices,
            left_out=bench.rows - _taken(bench),
            conflicts=conflicts(bench),
        )


_USER, _AT = " user", " at"
_write = msgspec.json.encode
_payload = msgspec.json.Decoder(Payload)
_object = msgspec.json.Decoder(dict[str, Any])


def _told(at: int) -> int | str:
    """A time as the engine reads it fastest: 16 digits are microseconds; the others go in words."""
    return at if 10**15 <= at < 10**16 else iso(Instant(at))


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
    bench.settle()
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
