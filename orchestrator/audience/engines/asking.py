"""Engines by URL: `postgresql:…` and `clickhouse:FOLDER` answer the questions of segments; `duckdb:…` is our own store.

An answer leaves the engine in batches and goes to disk as it comes, so memory does not grow with the audience.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, Self

import pyarrow as pa
from sqlglot import exp

from orchestrator.audience import spool
from orchestrator.audience.columns import home as plain_home
from orchestrator.audience.compiling import lists, members
from orchestrator.audience.engines import clickhouse, postgresql
from orchestrator.audience.foreign import Dialect, Foreign, asked_of, views
from orchestrator.audience.lists import People, read_list
from orchestrator.audience.spool import BATCH, Spool
from orchestrator.audience.sql_columns import Columns
from orchestrator.core.errors import StoreError
from orchestrator.core.segments import Moment, Segment
from orchestrator.core.segments.tree import Declared


class Engine(Protocol):
    """Whoever can run a query and hand its rows over in batches."""

    @property
    def columns(self) -> Columns:
        """Where it keeps what, and its words."""
        ...

    @property
    def dialect(self) -> Dialect:
        """How foreign tables are shown to it."""
        ...

    def listed(self, people: Sequence[People]) -> None:
        """Put the members of these lists into `list_member`."""
        ...

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """The rows of a query, some thousand at a time."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Warehouse:
    """Segments asked of an engine elsewhere: read-only, over tables shaped like ours or (`foreign`) over any."""

    def __init__(self, engine: Engine, root: Path, declared: Mapping[str, Declared], foreign: Foreign | None) -> None:
        self._engine = engine
        self._root = root
        try:
            self._views = views(foreign, declared, engine.dialect) if foreign else {}
        except BaseException:
            engine.close()
            raise

    @property
    def columns(self) -> Columns:
        """Where the engine keeps what."""
        return self._engine.columns

    def members(self, segment: Segment, moment: Moment, folder: Path) -> Spool:
        """The users of a segment in a file of Arrow batches in `folder`, in the order they came."""
        sql = self.sql(segment, moment)
        self._engine.listed([read_list(self._root, name) for name in lists(segment, moment)])
        return _kept(self._engine.batches(sql), spool.fresh(folder))

    def sql(self, segment: Segment, moment: Moment) -> str:
        """What is asked."""
        return asked_of(members(segment, moment, self.columns), self._views).sql(self.columns.dialect)

    def ask(self, query: exp.Select, names: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """A small answer, in memory, with these lists at hand."""
        self._engine.listed([read_list(self._root, name) for name in names])
        found = self._engine.batches(asked_of(query, self._views).sql(self.columns.dialect))
        return [tuple(row.values()) for batch in found for row in batch.to_pylist()]

    def close(self) -> None:
        """Let go of the engine."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def warehouse(url: str, root: Path, declared: Mapping[str, Declared], foreign: Foreign | None = None) -> Warehouse:
    """The engine at a URL; StoreError for one that is not there or whose extra is not installed."""
    kind, _, place = url.partition(":")
    if kind == "postgresql":
        return Warehouse(PostgresEngine(url, declared), root, declared, foreign)
    if kind == "clickhouse" and place and not place.startswith("//"):
        return Warehouse(ClickHouseEngine(root / place, declared), root, declared, foreign)
    raise StoreError(f"engine {kind}: write postgresql://user@host/database or clickhouse:FOLDER")


def _kept(batches: Iterable[pa.RecordBatch], to: Path) -> Spool:
    rows = 0
    with pa.OSFile(str(to), "wb") as file:
        answer = None
        for batch in batches:
            answer = answer or pa.ipc.new_file(file, batch.schema)
            answer.write_batch(batch)
            rows += batch.num_rows
        answer = answer or pa.ipc.new_file(file, pa.schema([("user", pa.string())]))
        answer.close()
    return Spool(to, rows)


def _needed(module: str, extra: str) -> ModuleType:
    from importlib import import_module  # noqa: PLC0415 - only who asks such an engine needs its library

    try:
        return import_module(module)
    except ImportError as problem:
        raise StoreError(
            f"{module} is not installed: pip install 'messaging-orchestrator[{extra}]' ({problem})"
        ) from problem


class PostgresEngine:
    """One connection; questions are asked in transactions that only read, answers come through a cursor of the server."""

    def __init__(self, url: str, declared: Mapping[str, Declared]) -> None:
        self.columns: Columns = postgresql.PostgresColumns(declared)
        home = {name: plain_home(name) for name in declared}
        self.dialect = Dialect("postgres", postgresql.TYPES, home, "text", "jsonb")
        self._driver = _needed("psycopg", "postgresql")
        with self._errors():
            self._connection = self._driver.connect(url, autocommit=True)
            self._connection.execute("SET timezone = 'UTC'")
            self._connection.execute(postgresql.LIST_MEMBERS)

    def listed(self, people: Sequence[People]) -> None:
        """Into a table of this connection's own."""
        with self._errors():
            self._connection.execute("TRUNCATE list_member")
            for one in people:
                _by_user_only(one)
                with self._connection.cursor() as cursor, cursor.copy("COPY list_member FROM STDIN") as copy:
                    for user in dict.fromkeys(one.values):
                        copy.write_row((one.name, user))

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Through a cursor of the server, which keeps the rest."""
        with self._errors(), self._connection.transaction(), self._connection.cursor(name="answer") as cursor:
            cursor.execute(sql.encode())
            names = [column.name for column in cursor.description or ()]
            while rows := cursor.fetchmany(BATCH):
                yield pa.RecordBatch.from_arrays([pa.array(values) for values in zip(*rows, strict=True)], names=names)

    def close(self) -> None:
        """Leave."""
        self._connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._driver.Error as problem:
            raise StoreError(f"postgresql: {str(problem).splitlines()[0] if str(problem) else problem!r}") from problem


class ClickHouseEngine:
    """ClickHouse inside this process over a folder of its own; one folder at a time, as the library has it."""

    def __init__(self, folder: Path, declared: Mapping[str, Declared]) -> None:
        self.columns: Columns = clickhouse.ClickHouseColumns(declared)
        home = {name: clickhouse.home(name) for name in declared}
        self.dialect = Dialect("clickhouse", clickhouse.TYPES, home, "Nullable(String)", "String")
        if not folder.is_dir():
            raise StoreError(f"clickhouse:{folder}: there is no such folder")
        self._driver = _needed("chdb", "clickhouse")
        with self._errors():
            self._connection = self._driver.connect(str(folder))
            for name, value in clickhouse.SETTINGS.items():
                self._connection.query(f"SET {name} = {value}")
            temporary = clickhouse.LIST_MEMBERS.replace("CREATE TABLE", "CREATE TEMPORARY TABLE").partition(" ENGINE")[
                0
            ]
            self._connection.query(temporary)

    def listed(self, people: Sequence[People]) -> None:
        """Into a table of this session's own."""
        with self._errors():
            self._connection.query("TRUNCATE TABLE list_member")
            for one in people:
                _by_user_only(one)
                rows = "\n".join(json.dumps({"list": one.name, "user": user}) for user in dict.fromkeys(one.values))
                if rows:
                    self._connection.query(f"INSERT INTO list_member FORMAT JSONEachRow {rows}")

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """As the engine streams them."""
        with self._errors():
            for batch in self._connection.send_query(sql, "Arrow").record_batch(BATCH):
                if batch.num_rows:
                    yield batch

    def close(self) -> None:
        """Leave."""
        self._connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (self._driver.ChdbError, RuntimeError) as problem:
            raise StoreError(f"clickhouse: {str(problem).splitlines()[0]}") from problem


def _by_user_only(people: People) -> None:
    if people.by != "user":
        raise StoreError(f"list {people.name}: names people by {people.by}; engines elsewhere take lists of user ids")
