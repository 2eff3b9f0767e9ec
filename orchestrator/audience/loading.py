"""The loader's half that knows the engine: batches of arrivals, read and typed, so that they can land quickly.

Rows wait in the ledger's event inbox until somebody stamps them with a batch number. Whoever loads may die at any moment
and load the same batch again: its number stands beside its rows, so the second time changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from orchestrator.audience import finishing
from orchestrator.audience.bench import Bench
from orchestrator.audience.cells import Asked, cells_of, listed, properties_of
from orchestrator.audience.mapping import Plan, Target, What
from orchestrator.audience.plain import Events, Payload, Row, apart, events_in
from orchestrator.audience.rejects import conflicts
from orchestrator.audience.spool import home
from orchestrator.audience.store import Audience
from orchestrator.audience.visiting import Arrival, Arriving, Loaded, Prepared, land
from orchestrator.core.errors import StoreError
from orchestrator.core.segments.tree import Catalogue
from orchestrator.core.times import Instant, iso

BATCH = 40_960
"""Arrivals in one batch, at most. Three are what the engine keeps and compresses together."""


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
    plain, others = apart(events_in(rows), properties_of(catalogue), listed(catalogue))
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
