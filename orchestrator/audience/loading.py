"""The loader's half that knows the engine: numbered batches of arrivals, a few in one transaction, none twice.

Rows wait in the ledger's event inbox until somebody stamps them with a batch number. Whoever loads may die at any moment
and load the same batch again: its number stands beside its rows, so the second time changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from time import perf_counter
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.audience import finishing
from orchestrator.audience.bench import Bench
from orchestrator.audience.cells import Asked, cells_of, properties_of
from orchestrator.audience.landing import land_devices, land_events, land_people
from orchestrator.audience.mapping import Plan, Target, What
from orchestrator.audience.merging import merge
from orchestrator.audience.plain import Events, Payload, Row, apart, events_in
from orchestrator.audience.rejects import Conflict, conflicts
from orchestrator.audience.spool import home
from orchestrator.audience.store import Audience
from orchestrator.audience.texts import numbered
from orchestrator.core.errors import StoreError
from orchestrator.core.segments.tree import Catalogue
from orchestrator.core.times import Instant, iso

BATCH = 40_960
"""Arrivals in one batch, at most. Three are what the engine keeps and compresses together."""

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


def load(
    audience: Audience, batch: int, arrivals: Sequence[Arrival], catalogue: Catalogue, zone: str = "UTC"
) -> Loaded:
    """Load one batch of arrivals; see `land`."""
    prepared = prepare(audience, [written(one) for one in arrivals], catalogue, zone)
    return land(audience, [(batch, prepared)])


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
    rows = _once([prepared.events for _, prepared in batches])  # nobody is kept waiting for it
    with audience.writing() as connection:
        began = perf_counter()
        new = [prepared for number, prepared in batches if _first_time(connection, number)]
        if len(new) < len(batches):
            rows = _once([prepared.events for prepared in new])
        done = _land_all(connection, new, rows) if new else Loaded(known=True)
    return replace(done, held=perf_counter() - began)


def _land_all(connection: duckdb.DuckDBPyConnection, batches: Sequence[Prepared], events: Any) -> Loaded:
    fresh = _land(connection, events, land_events) or 0
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


def _once(tables: Sequence[Any]) -> Any:
    """The events of several batches as one table in one piece, each message id once; None without any."""
    found = [table for table in tables if table is not None and table.num_rows]
    if not found:
        return None
    events = pa.concat_tables(found).combine_chunks()
    if len(found) > 1 and pc.count_distinct(events["message_id"]).as_py() < events.num_rows:
        placed = pa.table({"id": events["message_id"], "place": numbered(0, events.num_rows)})
        first = placed.group_by("id").aggregate([("place", "min")])["place_min"]
        events = events.take(first.sort())
    return events


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
        there = pc.is_in(read["message_id"], ready["message_id"])
        ready = pa.concat_tables([ready, read.filter(pc.invert(there))])
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
