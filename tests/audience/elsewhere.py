"""The people of the criteria in tables that never heard of us: in PostgreSQL and in ClickHouse, and the mapping that shows them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import chdb
import psycopg

from orchestrator.audience.columns import quoted
from orchestrator.audience.engines import clickhouse
from orchestrator.core.foreign import Clock, ConsentTable, DeviceTable, EventTable, Foreign, PeopleTable, Place
from orchestrator.core.mirrors import CONSENT
from orchestrator.core.segments import Kind
from tests.audience.engines import _stored
from tests.audience.population import happenings, profiles
from tests.audience.test_criteria import ATTRIBUTES, PEOPLE

OWN = ("email", "phone", "zone", "locale")
COLUMNS = ("interests", "age", "birthday", "push_enabled", "trialEnds")
"""Attributes with a column of their own; the others stand in JSON."""


def mapping(schema: str = "") -> Foreign:
    """The tables below, in a schema or without one."""
    own = {name: Place(name) for name in OWN}
    inside = {
        name: Place("doc", ("values", name), Clock.MICROSECONDS if it.kind is Kind.TIME else Clock.TIMESTAMP)
        for name, it in ATTRIBUTES.items()
        if name not in COLUMNS
    }
    typed = {name: Place(f"the_{name}", None, Clock.TIMESTAMP) for name in COLUMNS}
    return Foreign(
        people=(
            PeopleTable(f"{schema}customers", Place("customer_no"), own),
            PeopleTable(f"{schema}details", Place("id"), inside),
            PeopleTable(f"{schema}more", Place("id"), typed),
        ),
        events=(
            EventTable(
                f"{schema}messages", Place("who"), Place("at", None, Clock.MICROSECONDS), "", Place("what"), Place("id"), Place("payload"),
            ),
            EventTable(
                f"{schema}deeds", Place("who"), Place("happened"), "", Place("what"), Place("id"), Place("payload"), {"sku": Place("article")},
            ),
            EventTable(
                f"{schema}purchases", Place("who"), Place("ms", None, Clock.MILLISECONDS), "purchase", None, Place("id"), None,
                {"value": Place("total"), "currency": Place("more", ("money", "unit")), "sku": Place("article")},
            ),
        ),
        devices=(DeviceTable(f"{schema}tokens", Place("who"), Place("token"), Place("os"), None, Place("seen", None, Clock.SECONDS)),),
        consent=(ConsentTable(f"{schema}words", Place("who"), Place("yes"), Place("at"), Place("channel"), Place("topic")),),
    )  # fmt: skip


_SHAPES = {
    "customers": {"customer_no": "text", "email": "text", "phone": "text", "zone": "text", "locale": "text"},
    "details": {"id": "text", "doc": "json"},
    "more": {"id": "text", "the_interests": "list", "the_age": "text", "the_birthday": "date", "the_push_enabled": "text", "the_trialEnds": "time"},
    "messages": {"who": "text", "what": "text", "at": "bigint", "id": "text", "payload": "text"},
    "deeds": {"who": "text", "what": "text", "happened": "time", "id": "text", "article": "text", "payload": "json"},
    "purchases": {"who": "text", "ms": "bigint", "id": "text", "total": "number", "article": "text", "more": "json"},
    "tokens": {"who": "text", "token": "text", "os": "text", "seen": "bigint"},
    "words": {"who": "text", "yes": "boolean", "at": "time", "channel": "text", "topic": "text"},
}  # fmt: skip
_POSTGRES = {"text": "varchar", "json": "json", "list": "text[]", "date": "date", "time": "timestamptz", "bigint": "bigint", "number": "numeric", "boolean": "boolean"}  # fmt: skip
_CLICKHOUSE = {
    "text": "Nullable(String)", "json": "Nullable(String)", "list": "Nullable(String)", "date": "Nullable(Date32)",
    "time": "Nullable(DateTime64(6, 'UTC'))", "bigint": "Nullable(Int64)", "number": "Nullable(Decimal(20, 2))", "boolean": "Nullable(Bool)",
}  # fmt: skip


def tables() -> dict[str, list[dict[str, Any]]]:
    """The rows of each table, moments as microseconds."""
    names, rows = profiles(PEOPLE, ATTRIBUTES)
    first = len(names) - len(ATTRIBUTES)
    stored = [dict(zip(ATTRIBUTES, row[first:], strict=True)) for row in rows]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in _SHAPES}
    for one, row, said in zip(PEOPLE, rows, stored, strict=True):
        found["customers"].append(
            {"customer_no": one.user, **{name: dict(zip(names, row, strict=True)).get(name) for name in OWN}}
        )
        inside = {name: value for name, value in said.items() if name not in COLUMNS}
        found["details"].append({"id": one.user, "doc": json.dumps({"values": inside}, default=_number)})
        own = {f"the_{name}": said[name] for name in COLUMNS}
        own["the_age"] = None if own["the_age"] is None else str(own["the_age"])
        own["the_push_enabled"] = {None: None, True: "true", False: "false"}[own["the_push_enabled"]]
        found["more"].append({"id": one.user, **own})
        for number, device in enumerate(json.loads(dict(zip(names, row, strict=True))["devices"] or "[]")):
            token = device["token"] if isinstance(device, dict) else f"token {number}"
            found["tokens"].append({"who": one.user, "token": token, "os": "ios", "seen": 1_700_000_000 + number})
    for at, message, user, name, properties in happenings(PEOPLE):
        known = json.loads(properties)
        if name == CONSENT:
            found["words"].append(
                {"who": user, "yes": known["granted"], "at": at, "channel": known["channel"], "topic": known["topic"]}
            )
        elif "." in name:
            found["messages"].append({"who": user, "what": name, "at": at, "id": message, "payload": properties})
        elif name == "purchase" and set(known) <= {"value", "currency", "sku"} and at % 1000 == 0:
            row = {"total": known.get("value"), "article": known.get("sku"), "more": json.dumps({"money": {"unit": known.get("currency")}})}  # fmt: skip
            found["purchases"].append({"who": user, "ms": at // 1000, "id": message, **row})
        else:
            sku = known.pop("sku", None)
            found["deeds"].append(
                {"who": user, "what": name, "happened": at, "id": message, "article": sku, "payload": json.dumps(known)}
            )
    return found


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


def in_postgres(url: str) -> None:
    """Make and fill them in a schema `crm`."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA crm")
        for name, rows in tables().items():
            shape = _SHAPES[name]
            columns = ", ".join(f"{quoted(one)} {_POSTGRES[kind]}" for one, kind in shape.items())
            connection.execute(f"CREATE TABLE crm.{name} ({columns})".encode())
            marks = ", ".join(
                "to_timestamp(%s / 1000000.0)" if kind == "time" else f"%s::{_POSTGRES[kind]}"
                for kind in shape.values()
            )
            if rows:
                values = [[row[one] for one in shape] for row in rows]
                connection.cursor().executemany(f"INSERT INTO crm.{name} VALUES ({marks})".encode(), values)


def in_clickhouse(folder: Path) -> None:
    """Make and fill them in a folder."""
    filled = {
        name: [{one: _written(shape, row[one]) for one, shape in _SHAPES[name].items()} for row in rows]
        for name, rows in tables().items()
    }
    connection = chdb.connect(str(folder))
    for name, rows in filled.items():
        columns = ", ".join(f"{quoted(one)} {_CLICKHOUSE[kind]}" for one, kind in _SHAPES[name].items())
        connection.query(f"CREATE TABLE {name} ({columns}) ENGINE = MergeTree ORDER BY tuple()")
        _fill(connection, name, rows)
    connection.close()


def _written(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "time":
        return f"{value // 1_000_000}.{value % 1_000_000:06}"
    return json.dumps(value) if kind == "list" else value if isinstance(value, int | str) else str(value)


def shaped_like_ours(folder: Path) -> None:
    """The same people in ClickHouse, in tables of our shape."""
    connection = chdb.connect(str(folder))
    for table in clickhouse.TABLES:
        connection.query(table)
    names, rows = profiles(PEOPLE, ATTRIBUTES)
    kinds = {clickhouse.home(name): what.kind for name, what in ATTRIBUTES.items()}
    names = [*names[: len(names) - len(kinds)], *kinds]
    for name, kind in kinds.items():
        connection.query(f'ALTER TABLE profile ADD COLUMN "{name}" {clickhouse.TYPES[kind]}')
    filled = [
        dict(zip(names, [_stored(kinds.get(n), v) for n, v in zip(names, row, strict=True)], strict=True))
        for row in rows
    ]
    events = [
        dict(zip(("time", "message_id", "user", "name", "properties"), row, strict=True)) for row in happenings(PEOPLE)
    ]
    _fill(connection, "profile", filled)
    _fill(connection, "event", events)
    connection.close()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder, kept open by this process: each time the library closes it for good, it forgets a dozen open files."""
    connection = chdb.connect(str(folder))
    try:
        yield
    finally:
        connection.close()


def _fill(connection: Any, table: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        connection.query(f"INSERT INTO {table} FORMAT JSONEachRow {lines}")
