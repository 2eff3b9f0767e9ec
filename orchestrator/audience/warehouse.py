"""An audience that lives in somebody else's engine: read, never written, over tables shaped like ours or as a mapping shows them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from orchestrator.audience import parting, spool
from orchestrator.audience.casting import REACHED, Question
from orchestrator.audience.columns import ATTRIBUTE
from orchestrator.audience.engines.clickhouse_server import ClickHouseServer
from orchestrator.audience.engines.engine import Engine, Visit
from orchestrator.audience.engines.in_clickhouse import ClickHouseEngine
from orchestrator.audience.engines.in_postgresql import PostgresEngine
from orchestrator.audience.engines.in_spark import SparkEngine
from orchestrator.audience.engines.shown import views
from orchestrator.audience.lists import read_list
from orchestrator.audience.spool import Spool
from orchestrator.audience.sql_columns import OurColumns
from orchestrator.audience.tongue import column, number, text
from orchestrator.core.errors import Mistake, StoreError
from orchestrator.core.foreign import Foreign, PeopleTable, Place, Table
from orchestrator.core.lists import People
from orchestrator.core.segments.tree import Catalogue, Kind
from orchestrator.core.times import Instant
from orchestrator.core.variables import AMOUNTS

_URL = "config/orchestrator.yaml"
_AMONG = "among"
"""The users an answer is narrowed to."""
_ARROW = {
    Kind.NUMBER: pa.decimal128(18, 4), Kind.BOOLEAN: pa.bool_(), Kind.DATE: pa.date32(), Kind.TIME: pa.int64(),
    Kind.LIST: pa.list_(pa.string()),
}  # fmt: skip
"""The types of attributes in an answer, as our own store has them; the others are texts."""


class Warehouse:
    """One audience elsewhere. Every question opens the engine, reads, and lets go of it again."""

    def __init__(self, engine: Engine, root: Path, known: Catalogue, foreign: Foreign | None = None) -> None:
        self._engine = engine
        self._known = known
        self._foreign = foreign
        self.root = root
        self.spools = root / "data" / "spool"

    @property
    def columns(self) -> OurColumns:
        """Where the engine keeps what, and its words."""
        return self._engine.columns

    def ask(self, query: exp.Select, lists: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """A small answer, in memory, with these lists at hand."""
        with self._visiting() as visit:
            found = visit.batches(self._whole(visit, query, lists))
            return [row for batch in found for row in zip(*(one.to_pylist() for one in batch.columns), strict=True)]

    def cast(self, question: Question, order: Sequence[str] = ("user",), among: Sequence[str] | None = None) -> Spool:
        """The people of a run with what is asked of them, in this order; written to disk as they come from the engine."""
        tongue, user = self.columns.tongue, column("m", "user")
        query = exp.select(*(column("m", name) for name in question.query.named_selects))
        for name in question.columns:
            home = self.columns.home(name.removeprefix(ATTRIBUTE)) if name.startswith(ATTRIBUTE) else name
            value: exp.Expr = column("p", home)
            if name in ("devices", "rest"):
                value = exp.cast(value, "TEXT", dialect=self.columns.dialect)
            query = query.select(exp.alias_(value, home, quoted=True), copy=False)
        known = exp.EQ(this=column("p", "user"), expression=user.copy())
        query = query.from_(question.query.subquery("m")).join(exp.alias_(exp.to_table("profile"), "p"), on=known, join_type="left")  # fmt: skip
        if among is not None:
            some = exp.select(column(_AMONG, "user")).from_(_AMONG)
            query = query.where(exp.In(this=user.copy(), query=some.subquery()))
        places = [column("m" if name == "user" else "p", name) for name in order]
        query = query.order_by(*(exp.Ordered(this=tongue.by_code_point(place), nulls_first=False) for place in places))
        schema = self._schema(question)
        with self._visiting() as visit:
            parts = self._parts(visit, query)
            if parts > 1:
                wholes = (self._whole(visit, query, question.lists, among, (part, parts)) for part in range(parts))
                answers = (_typed(visit.batches(sql), schema) for sql in wholes)
                with parting.in_order(answers, parts, schema, order, self.spools) as rows:
                    return spool.keep(_each_once(rows), schema, spool.fresh(self.spools))
            sql = self._whole(visit, query, question.lists, among)
            return spool.keep(_each_once(_typed(visit.batches(sql), schema)), schema, spool.fresh(self.spools))

    def _parts(self, visit: Visit, query: exp.Select) -> int:
        """In how many parts to ask for people, so that what the engine holds in this process does not grow with them."""
        if self._engine.parts is None or parting.of_everybody(query):
            return 1
        table = "profile" if self._foreign is None else self._foreign.people[0].table
        count = exp.select(exp.Count(this=exp.Star())).from_(exp.to_table(table, dialect=self.columns.dialect))
        return parting.parts(sum(one.column(0)[0].as_py() for one in visit.batches(count.sql(self.columns.dialect))))

    def newest(self, events: Iterable[str], now: Instant) -> dict[str, Instant]:
        """The time of the latest event of each of these names until now; names without one are left out."""
        names = [text(name) for name in events]
        if not names:
            return {}
        name = column("event", "name")
        last = exp.alias_(exp.Max(this=column("event", "time")), "newest", quoted=True)
        among = exp.In(this=name.copy(), expressions=names)
        come = exp.LTE(this=column("event", "time"), expression=number(now))
        query = exp.select(name, last).from_("event").where(among, come)
        return {name: Instant(at) for name, at in self.ask(query.group_by(name.copy()))}

    def mistakes(self) -> list[Mistake]:
        """Tables and columns that the mapping names and the engine does not have, and a server that is too old for segments.

        StoreError if it cannot be asked.
        """
        with self._engine.visit() as visit:
            why = visit.unfit()
            found = [Mistake(_URL, 0, 0, f"stores.audience: {why}", "Ask a newer server, or a copy.")] if why else []
            tables = self._foreign.tables() if self._foreign is not None else ()
            return [*found, *(mistake for table in tables for mistake in _missing(visit, table))]

    def doubled(self) -> list[Mistake]:
        """Tables of people in which somebody has two rows, with one of them each."""
        ours = PeopleTable("profile", Place("user"), at=f"{_URL}:0:0")
        tables = (ours,) if self._foreign is None else self._foreign.people
        with self._engine.visit() as visit:
            return [mistake for table in tables for mistake in self._twice(visit, table)]

    def _twice(self, visit: Visit, table: PeopleTable) -> Iterator[Mistake]:
        user = self._engine.shown.text(column("t", table.user.column))
        several = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1))
        query = exp.select(exp.alias_(user, "user", quoted=True))
        query = query.from_(exp.alias_(exp.to_table(table.table, dialect=self.columns.dialect), "t"))
        query = query.where(exp.Not(this=exp.Is(this=column("t", table.user.column), expression=exp.null())))
        query = query.group_by(user.copy()).having(several).limit(1)
        remedy = "A table of people has one row a user; name a view that has."
        for batch in visit.batches(query.sql(self.columns.dialect)):
            for one in batch.column(0).to_pylist():
                yield _mistake(table.at, f"{one} has several rows in {table.table}", remedy)

    def _whole(
        self,
        visit: Visit,
        query: exp.Select,
        lists: Sequence[str],
        among: Sequence[str] | None = None,
        part: tuple[int, int] | None = None,
    ) -> str:
        """The question with everything it stands on in front of it, each after what it is made of; of all users or a part of them."""
        people = [read_list(self.root, name) for name in dict.fromkeys(lists)]
        listed = {"list_member": _members({one.by for one in people})} if people else {}
        if people:
            query = query.with_("listed", as_=visit.table("listed", _rows(people)), copy=False)
        if among is not None:
            query = query.with_(_AMONG, as_=visit.table(_AMONG, {"user": list(among)}), copy=False)
        some: dict[str, exp.Select] = {}
        parts = self._engine.parts if part is not None else None
        if parts is not None and part is not None:
            query, some = parting.part_of(query, lambda user: parts.test(user, *part))
        if self._foreign is not None:
            asked = [query, *some.values(), *listed.values()]
            known = self._known
            for name, of in views(asked, self._foreign, known.attributes, self._engine.shown, known.events).items():
                query = self._engine.shown.view(query, name, of)
        for name, of in (some | listed).items():
            query = query.with_(name, as_=of, copy=False)
        return query.sql(self.columns.dialect) + ("" if parts is None else parts.settings)

    def _schema(self, question: Question) -> Any:
        """The columns of an answer as our own store has them."""
        fields = []
        for name in (*question.query.named_selects, *question.columns):
            kind = pa.string()
            if name == "place":
                kind = pa.int64()
            elif name == REACHED:
                kind = pa.bool_()
            elif name in question.behaviours:
                root = question.behaviours[name][0]
                kind = pa.decimal128(38, 4) if root in AMOUNTS else pa.string() if root == "latest" else pa.int64()
            elif name.startswith(ATTRIBUTE):
                kind = _ARROW.get(self._known.attributes[name.removeprefix(ATTRIBUTE)].kind, pa.string())
            fields.append((name, kind))
        return pa.schema(fields)

    @contextmanager
    def _visiting(self) -> Iterator[Visit]:
        """A visit whose trouble is told with what the mapping names and the engine does not have, where it may come from."""
        try:
            with self._engine.visit() as visit:
                yield visit
        except StoreError as problem:
            if found := self._found_missing():
                raise StoreError("\n".join([str(problem), *(str(mistake) for mistake in found)])) from problem
            raise

    def _found_missing(self) -> list[Mistake]:
        try:
            return self.mistakes()
        except StoreError:
            return []


def warehouse(url: str, root: Path, known: Catalogue, foreign: Foreign | None = None) -> Warehouse:
    """The audience at a URL; StoreError for one of no known kind. Nothing is opened yet."""
    kind, _, place = url.partition(":")
    if kind == "postgresql":
        return Warehouse(PostgresEngine(url, known.attributes), root, known, foreign)
    if kind == "clickhouse" and place.startswith("//"):
        return Warehouse(ClickHouseServer(url, known.attributes), root, known, foreign)
    if kind == "clickhouse" and place:
        return Warehouse(ClickHouseEngine(root / place, known.attributes), root, known, foreign)
    if kind == "spark" and place:
        return Warehouse(SparkEngine(place, known.attributes), root, known, foreign)
    raise StoreError(
        f"engine {kind}: write postgresql://user@host/database, clickhouse://user@host:8123/database, clickhouse:FOLDER or spark:MASTER"
    )


def _rows(people: Sequence[People]) -> dict[str, list[str]]:
    """Lists as the rows of a table."""
    rows = [(one.name, one.by, value) for one in people for value in dict.fromkeys(one.values)]
    return {name: [row[place] for row in rows] for place, name in enumerate(("list", "by", "value"))}


def _members(by: set[str]) -> exp.Expr:
    """`list_member` out of `listed`: users by their id, or everybody who has the address."""
    found: list[exp.Select] = []
    for word in sorted(by):
        of = exp.EQ(this=column("listed", "by"), expression=text(word))
        one = exp.select(exp.alias_(column("listed", "list"), "list", quoted=True)).from_("listed").where(of)
        if word == "user":
            found.append(one.select(exp.alias_(column("listed", "value"), "user", quoted=True)))
            continue
        has: exp.Expr = column("profile", word)
        wanted: exp.Expr = column("listed", "value")
        if word == "email":  # an e-mail address counts without case
            has, wanted = exp.Lower(this=has), exp.Lower(this=wanted)
        same = exp.EQ(this=has, expression=wanted)
        found.append(one.select(exp.alias_(column("profile", "user"), "user", quoted=True)).join("profile", on=same))
    return found[0].distinct() if len(found) == 1 else exp.union(*found, distinct=True)


def _typed(batches: Iterable[Any], schema: Any) -> Iterator[Any]:
    """Batches in the types and under the names of our own store, of whatever engine they came."""
    for batch in batches:
        columns = [_as(one, schema.field(place).type) for place, one in enumerate(batch.columns)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _as(values: Any, kind: Any) -> Any:
    if pa.types.is_list(kind) and (pa.types.is_string(values.type) or pa.types.is_null(values.type)):
        return pa.array([None if one is None else json.loads(one) for one in values.to_pylist()], kind)
    return values if values.type == kind else values.cast(kind)


def _each_once(batches: Iterable[Any]) -> Iterator[Any]:
    """The same batches; StoreError where a person stands twice, because a table has several rows of them."""
    before = None
    for batch in batches:
        users = batch.column("user")
        if before is not None:
            users = pa.concat_arrays([before, users])
        same = pc.equal(users[1:], users[:-1])
        if pc.any(same).as_py():
            twice = users[pc.index(same, True).as_py()].as_py()
            raise StoreError(f"warehouse: {twice} stands twice; each table under `people:` must have one row a user")
        before = users[-1:]
        yield batch


def _missing(visit: Visit, table: Table) -> Iterator[Mistake]:
    """What the mapping says of a table that is not there, each name once."""
    try:
        fields = visit.fields(table.table)
    except StoreError as problem:
        yield _mistake(table.at, f"table {table.table}: {problem}", "Look at its name, and at what the user may read.")
        return
    for place in dict.fromkeys(table.places()):
        if place.column not in fields:
            close = get_close_matches(place.column, fields, 1)
            meant = f" Did you mean '{close[0]}'?" if close else ""
            yield _mistake(place.at, f"no column '{place.column}' in {table.table}", f"It has: {', '.join(fields)}.{meant}")  # fmt: skip


def _mistake(at: str, said: str, remedy: str) -> Mistake:
    file, line, place = at.rsplit(":", 2) if at else ("config/warehouse.yaml", "0", "0")
    return Mistake(file, int(line), int(place), said, remedy)
