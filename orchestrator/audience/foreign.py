"""Tables that exist already in a warehouse, shown in the shape segments ask for: their columns, JSON paths and joins by user.

Nothing is copied: `profile` and `event` become views inside each question, written by sqlglot from names alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sqlglot import exp

from orchestrator.audience.columns import OWN
from orchestrator.audience.tongue import call, column, number, text
from orchestrator.core.errors import StoreError
from orchestrator.core.segments.tree import Declared, Kind


class Clock(StrEnum):
    """How a table writes moments."""

    TIMESTAMP = "timestamp"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"


_PER = {Clock.SECONDS: 1_000_000, Clock.MILLISECONDS: 1_000, Clock.MICROSECONDS: 1}


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a table: a column, and the keys that lead to it where the column holds JSON."""

    column: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeopleTable:
    """A table with one row a user: what it is called, the column of the user's id, and where each value stands.

    `values` are attributes and what profiles know by themselves (email, phone, zone, locale).
    """

    table: str
    user: str
    values: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventTable:
    """A table with one row an event; `properties` is a column of JSON, `more` are properties with columns of their own."""

    table: str
    user: str
    name: str
    time: str
    message_id: str
    clock: Clock = Clock.TIMESTAMP
    properties: str = ""
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A warehouse's tables: people (the first has everybody, the others are joined to it by user) and events."""

    people: tuple[PeopleTable, ...]
    events: tuple[EventTable, ...]


def views(foreign: Foreign, declared: Mapping[str, Declared], dialect: "Dialect") -> dict[str, exp.Select | exp.Union]:
    """The queries that stand for `profile` and `event`, by these names."""
    known = {name for table in foreign.people for name in table.values}
    strange = sorted(known - {*declared, *OWN})
    if strange:
        raise StoreError(f"warehouse: nobody declares the attribute {strange[0]}; add it to config/data.yaml")
    return {"profile": _people(foreign.people, declared, dialect), "event": _events(foreign.events, dialect)}


def asked_of(query: exp.Select, shown: Mapping[str, exp.Select | exp.Union]) -> exp.Select:
    """A question with the views in front of it."""
    for name, view in shown.items():
        query = query.with_(name, as_=view.copy(), materialized=False if name == "event" else None, copy=False)
    return query


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between engines when tables are shown: names of types and functions, and the name of a declared column."""

    name: str
    types: Mapping[Kind, str]
    home: Mapping[str, str]
    text: str
    json: str

    def document(self, written: str) -> exp.Expr:
        """JSON as a literal."""
        return self.as_json(text(written)) if self.name == "postgres" else text(written)

    def value(self, place: Place, table: str) -> exp.Expr:
        """A value as its column has it, or as text out of JSON."""
        found: exp.Expr = column(table, place.column)
        if place.keys:
            names = [text(key) for key in place.keys]
            function = "jsonb_extract_path_text" if self.name == "postgres" else "JSONExtractString"
            found = call(function, self.as_json(found) if self.name == "postgres" else found, *names)
        return found

    def as_json(self, value: exp.Expr) -> exp.Expr:
        """A column as the type JSON is kept in."""
        return exp.cast(value, exp.DataType.build(self.json, dialect=self.name, udt=True))

    def micros(self, value: exp.Expr, clock: Clock) -> exp.Expr:
        """A moment as microseconds since 1970."""
        if clock is Clock.TIMESTAMP and self.name == "postgres":
            seconds = exp.Extract(this=exp.var("EPOCH"), expression=value)
            return exp.cast(call("round", exp.Mul(this=seconds, expression=number(1_000_000))), "BIGINT")
        if clock is Clock.TIMESTAMP:
            return call("toUnixTimestamp64Micro", call("toDateTime64", value, number(6), text("UTC")))
        return exp.Mul(this=exp.cast(value, "BIGINT"), expression=number(_PER[clock]))


def _people(tables: tuple[PeopleTable, ...], declared: Mapping[str, Declared], dialect: Dialect) -> exp.Select:
    if not tables:
        raise StoreError("warehouse: no table of people; name one under `people:`")
    found: dict[str, exp.Expr] = {}
    for index, table in enumerate(tables):
        for name, place in table.values.items():
            kind = declared[name].kind if name in declared else Kind.TEXT
            value = dialect.value(place, f"p{index}")
            found[name] = exp.cast(value, exp.DataType.build(dialect.types[kind], dialect=dialect.name, udt=True))
    missing = [name for name in OWN if name not in found]
    found |= {name: exp.cast(exp.null(), exp.DataType.build(dialect.text, dialect=dialect.name)) for name in missing}
    user = exp.cast(column("p0", tables[0].user), "TEXT", dialect=dialect.name)
    query = exp.select(exp.alias_(user, "user", quoted=True))
    for name, value in found.items():
        query = query.select(exp.alias_(value, dialect.home.get(name, name), quoted=True), copy=False)
    for name, written in (("devices", "[]"), ("rest", "{}")):
        query = query.select(exp.alias_(dialect.document(written), name, quoted=True), copy=False)
    query = query.from_(exp.alias_(exp.to_table(tables[0].table, dialect=dialect.name), "p0"), copy=False)
    for index, table in enumerate(tables[1:], 1):
        same = exp.EQ(this=column("p0", tables[0].user), expression=column(f"p{index}", table.user))
        other = exp.alias_(exp.to_table(table.table, dialect=dialect.name), f"p{index}")
        query = query.join(other, on=same, join_type="left", copy=False)
    return query


def _events(tables: tuple[EventTable, ...], dialect: Dialect) -> exp.Select | exp.Union:
    if not tables:
        raise StoreError("warehouse: no table of events; name one under `events:`")
    found = [_event(table, dialect) for table in tables]
    return found[0] if len(found) == 1 else exp.union(*found, distinct=False)


def _event(table: EventTable, dialect: Dialect) -> exp.Select:
    at = "e"
    if table.more and dialect.name != "postgres":
        raise StoreError(f"warehouse: {table.table}: columns as properties are for postgresql:; name a column of JSON")
    properties = dialect.as_json(column(at, table.properties)) if table.properties else dialect.document("{}")
    if table.more:
        pairs = [part for name, of in table.more.items() for part in (text(name), column(at, of))]
        own = call("jsonb_strip_nulls", call("jsonb_build_object", *pairs))
        properties = exp.DPipe(this=exp.Coalesce(this=properties, expressions=[dialect.document("{}")]), expression=own)
    columns = {
        "user": exp.cast(column(at, table.user), "TEXT", dialect=dialect.name),
        "name": exp.cast(column(at, table.name), "TEXT", dialect=dialect.name),
        "time": dialect.micros(column(at, table.time), table.clock),
        "message_id": exp.cast(column(at, table.message_id), "TEXT", dialect=dialect.name),
        "properties": properties,
    }
    named = [exp.alias_(value, name, quoted=True) for name, value in columns.items()]
    return exp.select(*named).from_(exp.alias_(exp.to_table(table.table, dialect=dialect.name), at), copy=False)
