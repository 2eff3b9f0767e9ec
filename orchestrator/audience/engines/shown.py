"""A warehouse's own tables in the shape segments ask for: `profile` and `event` become views inside each question.

Nothing is copied. Only what a question names is in its views, so a table that is not needed is not read. What engines say
differently is in a class for each (`Shown`).
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from orchestrator.audience.columns import OWN
from orchestrator.audience.sql_columns import OurColumns
from orchestrator.audience.tongue import column, text
from orchestrator.core.errors import StoreError
from orchestrator.core.foreign import Clock, ConsentTable, DeviceTable, EventTable, Foreign, PeopleTable, Place
from orchestrator.core.mirrors import CONSENT, GRANTED
from orchestrator.core.segments.tree import Declared, Kind

PER = {Clock.SECONDS: 1_000_000, Clock.MILLISECONDS: 1_000, Clock.MICROSECONDS: 1}
"""Microseconds in one tick of a clock."""

Properties = Mapping[str, Mapping[str, Declared]]
"""The catalogue's events, each with its properties and their kinds."""


@dataclass(frozen=True)
class Shown(ABC):
    """How one engine shows foreign tables. Every value is NULL where it is missing or of another kind than was declared."""

    columns: OurColumns
    types: Mapping[Kind, str]

    @property
    def dialect(self) -> str:
        """sqlglot's name of the engine's dialect."""
        return self.columns.dialect

    def value(self, place: Place, table: str, kind: Kind) -> exp.Expr:
        """A value of this kind, from its column or out of its JSON."""
        found = column(table, place.column)
        if place.keys is None:
            return self.micros(found, place.clock) if kind is Kind.TIME else self.typed(found, kind)
        if kind is Kind.TIME and place.clock is not Clock.TIMESTAMP:
            return self.micros(self.inside(found, place.keys, None), place.clock)
        return self.inside(found, place.keys, kind)

    def text(self, value: exp.Expr) -> exp.Expr:
        """Any value as text."""
        return exp.cast(value, "TEXT", dialect=self.dialect)

    def nothing(self, kind: Kind) -> exp.Expr:
        """NULL of a kind's type."""
        return exp.cast(exp.null(), exp.DataType.build(self.types[kind], dialect=self.dialect, udt=True))

    @abstractmethod
    def typed(self, value: exp.Expr, kind: Kind) -> exp.Expr:
        """A column's value as this kind; TIME only from a timestamp."""

    @abstractmethod
    def inside(self, document: exp.Expr, keys: tuple[str, ...], kind: Kind | None) -> exp.Expr:
        """What JSON has at the end of these keys, as this kind; with None, as a text of it."""

    @abstractmethod
    def micros(self, value: exp.Expr, clock: Clock) -> exp.Expr:
        """A moment as microseconds since 1970."""

    @abstractmethod
    def document(self, value: exp.Expr | None, empty: str = "{}") -> exp.Expr:
        """JSON that a column holds, in the type it has here; where there is none, the empty object."""

    @abstractmethod
    def object(self, pairs: Mapping[str, exp.Expr]) -> exp.Expr:
        """A JSON object of these values; those that are missing are left out."""

    @abstractmethod
    def joined(self, one: exp.Expr, other: exp.Expr) -> exp.Expr:
        """Two JSON objects as one; the second wins."""

    @abstractmethod
    def said(self, place: Place, table: str, kind: Kind | None) -> exp.Expr:
        """A property as `object` takes it: moments as ISO 8601, all others as they are; with None, of whatever kind it is."""

    @abstractmethod
    def listed(self, item: exp.Expr, seen: exp.Expr) -> exp.Expr:
        """Over many rows: the JSON array of their objects, those seen last first."""

    def view(self, query: exp.Select, name: str, of: exp.Expr) -> exp.Select:
        """A question with this view in front of it."""
        return query.with_(name, as_=of, copy=False)


def views(
    asked: Sequence[exp.Expr], foreign: Foreign, declared: Mapping[str, Declared], shown: Shown, events: Properties
) -> dict[str, exp.Expr]:
    """The queries that stand for `profile` and `event`, as far as these questions name them."""
    tables = {table.name for query in asked for table in query.find_all(exp.Table)}
    named = {one.name for query in asked for one in query.find_all(exp.Column)}
    found: dict[str, exp.Expr] = {}
    if "profile" in tables:
        found["profile"] = _people(foreign, declared, shown, named)
    if "event" in tables:
        found["event"] = _events(foreign, shown, named, events)
    return found


def _people(foreign: Foreign, declared: Mapping[str, Declared], shown: Shown, named: Collection[str]) -> exp.Select:
    first, *others = foreign.people
    user = shown.text(column("p0", first.user.column))
    query = exp.select(exp.alias_(user, "user", quoted=True))
    homes = {name: name if name in OWN else shown.columns.home(name) for name in (*OWN, *declared)}
    query = query.from_(_as(first.table, "p0", shown), copy=False)
    known = {name: index for index, table in enumerate(foreign.people) for name in table.values}
    read: set[int] = set()
    for name, home in homes.items():
        if home not in named:
            continue
        kind = Kind.TEXT if name in OWN else declared[name].kind
        value = shown.nothing(kind)
        if (index := known.get(name)) is not None:
            read.add(index)
            value = shown.value(foreign.people[index].values[name], f"p{index}", kind)
            value = exp.Nullif(this=value, expression=text("")) if name in OWN else value
        query = query.select(exp.alias_(value, home, quoted=True), copy=False)
    for index, table in enumerate(others, 1):
        if index in read:
            query = query.join(_as(table.table, f"p{index}", shown), on=_same(user, table, f"p{index}", shown), join_type="left", copy=False)  # fmt: skip
    if "devices" in named:
        query = _with_devices(query, user, foreign.devices, shown)
    if "rest" in named:
        query = query.select(exp.alias_(shown.document(None), "rest", quoted=True), copy=False)
    return query.where(_there(column("p0", first.user.column)), copy=False)


def _with_devices(query: exp.Select, user: exp.Expr, tables: Sequence[DeviceTable], shown: Shown) -> exp.Select:
    if not tables:
        return query.select(exp.alias_(shown.document(None, "[]"), "devices", quoted=True), copy=False)
    each = [_devices(table, shown) for table in tables]
    rows = (each[0] if len(each) == 1 else exp.union(*each, distinct=False)).subquery("rows")
    of = shown.listed(column("rows", "device"), column("rows", "seen_at"))
    grouped = exp.select(column("rows", "user"), exp.alias_(of, "devices", quoted=True)).from_(rows)
    grouped = grouped.group_by(column("rows", "user"))
    same = exp.EQ(this=user.copy(), expression=column("d", "user"))
    query = query.join(grouped.subquery("d"), on=same, join_type="left", copy=False)
    return query.select(exp.alias_(shown.document(column("d", "devices"), "[]"), "devices", quoted=True), copy=False)


def _devices(table: DeviceTable, shown: Shown) -> exp.Select:
    seen = exp.cast(exp.null(), "BIGINT") if table.seen_at is None else shown.value(table.seen_at, "d", Kind.TIME)
    pairs = {"token": table.token, "platform": table.platform, "app": table.app}
    said = {name: shown.value(place, "d", Kind.TEXT) for name, place in pairs.items() if place is not None}
    if table.seen_at is not None:
        said["seen_at"] = seen.copy()
    columns = {"user": shown.text(column("d", table.user.column)), "device": shown.object(said), "seen_at": seen}
    named = [exp.alias_(value, name, quoted=True) for name, value in columns.items()]
    found = exp.select(*named).from_(_as(table.table, "d", shown), copy=False)
    return found.where(_there(column("d", table.user.column)), _there(column("d", table.token.column)), copy=False)


def _events(foreign: Foreign, shown: Shown, named: Collection[str], declared: Properties) -> exp.Expr:
    found = [_event(table, shown, named, declared) for table in foreign.events]
    found += [_consent(table, shown) for table in foreign.consent]
    if not found:
        raise StoreError(
            "config/warehouse.yaml: no table of events, and a segment asks for one; name it under `events:`"
        )
    return found[0] if len(found) == 1 else exp.union(*found, distinct=False)


def _event(table: EventTable, shown: Shown, named: Collection[str], declared: Properties) -> exp.Select:
    at = "e"
    name = text(table.event) if table.name is None else shown.value(table.name, at, Kind.TEXT)
    time = shown.value(table.time, at, Kind.TIME)
    message_id = text("") if table.message_id is None else shown.value(table.message_id, at, Kind.TEXT)
    properties = shown.document(None)
    if "properties" in named:
        properties = _properties(
            table, shown, at, declared[table.event] if table.event in declared else _agreed(declared)
        )
    user = column(at, table.user.column)
    query = _row(shown.text(user), shown.text(name), time, shown.text(message_id), properties)
    return query.from_(_as(table.table, at, shown), copy=False).where(_there(user), _there(time), copy=False)


def _properties(table: EventTable, shown: Shown, at: str, declared: Mapping[str, Declared]) -> exp.Expr:
    whole = shown.document(None)
    if table.properties is not None:
        found = column(at, table.properties.column)
        whole = shown.document(shown.inside(found, table.properties.keys, None) if table.properties.keys else found)
    if not table.more:
        return whole
    kinds = {name: declared[name].kind if name in declared else None for name in table.more}
    own = shown.object({name: shown.said(place, at, kinds[name]) for name, place in table.more.items()})
    return own if table.properties is None else shown.joined(whole, own)


def _agreed(declared: Properties) -> dict[str, Declared]:
    """The properties that are of one kind with whatever event has them."""
    found: dict[str, set[Kind]] = {}
    for properties in declared.values():
        for name, it in properties.items():
            found.setdefault(name, set()).add(it.kind)
    return {name: Declared(next(iter(kinds))) for name, kinds in found.items() if len(kinds) == 1}


def _consent(table: ConsentTable, shown: Shown) -> exp.Select:
    at = "c"
    time = shown.value(table.time, at, Kind.TIME)
    granted = shown.value(table.granted, at, Kind.BOOLEAN)
    words = {
        name: shown.value(place, at, Kind.TEXT) if isinstance(place, Place) else text(place)
        for name, place in (("channel", table.channel), ("topic", table.topic))
    }
    said = shown.object({**words, GRANTED: granted})
    user = column(at, table.user.column)
    query = _row(shown.text(user), shown.text(text(CONSENT)), time, shown.text(text("")), said)
    query = query.from_(_as(table.table, at, shown), copy=False)
    return query.where(_there(user), _there(time), _there(granted), copy=False)


def _row(user: exp.Expr, name: exp.Expr, time: exp.Expr, message_id: exp.Expr, properties: exp.Expr) -> exp.Select:  # fmt: skip
    values = {"user": user, "name": name, "time": time, "message_id": message_id, "properties": properties}
    return exp.select(*(exp.alias_(value, key, quoted=True) for key, value in values.items()))


def _same(user: exp.Expr, table: PeopleTable, alias: str, shown: Shown) -> exp.Expr:
    return exp.EQ(this=user.copy(), expression=shown.text(column(alias, table.user.column)))


def _as(table: str, alias: str, shown: Shown) -> exp.Expr:
    return exp.alias_(exp.to_table(table, dialect=shown.dialect), alias)


def _there(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
