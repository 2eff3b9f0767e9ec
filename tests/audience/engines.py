"""The same people in other engines: PostgreSQL and ClickHouse as they really are, loaded as their own loaders would leave them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import chdb
import psycopg
import pytest
from psycopg.types.json import Jsonb

from orchestrator.audience.columns import home as postgres_home
from orchestrator.audience.columns import quoted
from orchestrator.audience.engines import clickhouse, postgresql
from orchestrator.audience.sql_columns import Columns, DuckColumns
from orchestrator.core.segments import OraclePerson
from orchestrator.core.segments.tree import Declared, Kind
from tests.audience.population import TYPED, Population, happenings, listings, profiles

LISTS_IN_POSTGRES = 'CREATE TEMP TABLE IF NOT EXISTS list_member (list text, "user" text)'
LISTS_IN_CLICKHOUSE = (
    'CREATE TABLE IF NOT EXISTS list_member (list String, "user" String) ENGINE = MergeTree ORDER BY (list, "user")'
)


class InPostgres:
    """People in a database of their own."""

    dialect = "postgres"

    def __init__(self, url: str, people: Sequence[OraclePerson], declared: Mapping[str, Declared]) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        run = self.connection.execute
        for table in (*postgresql.TABLES, LISTS_IN_POSTGRES):
            run(table)
        for name, what in declared.items():
            run(f"ALTER TABLE profile ADD COLUMN {quoted(postgres_home(name))} {postgresql.TYPES[what.kind]}")
        names, rows = profiles(people, declared)
        self._fill("profile", names, [[*row[:1], _json(row[1]), _json(row[2]), *row[3:]] for row in rows])
        events = [(*row[:4], _json(row[4])) for row in happenings(people)]
        self._fill("event", ["time", "message_id", "user", "name", "properties"], events)
        self._fill("list_member", ["list", "user"], listings(people))

    def _fill(self, table: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        columns, marks = ", ".join(quoted(name) for name in names), ", ".join("%s" for _ in names)
        with self.connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)

    def rows(self, sql: str) -> list[Any]:
        return self.connection.cursor().execute(sql.encode()).fetchall()

    def answer(self, sql: str) -> set[str]:
        """The users a query gives; each once."""
        rows = [row[0] for row in self.rows(sql)]
        assert len(rows) == len(set(rows))
        return set(rows)

    def close(self) -> None:
        self.connection.close()


def _json(text: str) -> Jsonb:
    return Jsonb(json.loads(text))


class InClickHouse:
    """People in a ClickHouse inside this process; there is one connection a process, so each has a database."""

    dialect = "clickhouse"
    made = 0

    def __init__(self, people: Sequence[OraclePerson], declared: Mapping[str, Declared]) -> None:
        self.connection = chdb.connect(":memory:")
        InClickHouse.made += 1
        self.database = f"people{InClickHouse.made}"
        self.run(f"CREATE DATABASE {self.database}")
        self.run(f"USE {self.database}")
        for table in (*clickhouse.TABLES, LISTS_IN_CLICKHOUSE):
            self.run(table)
        for name, what in declared.items():
            self.run(f"ALTER TABLE profile ADD COLUMN {quoted(clickhouse.home(name))} {clickhouse.TYPES[what.kind]}")
        kinds = {clickhouse.home(name): what.kind for name, what in declared.items()}
        names, rows = profiles(people, declared)
        names = [*names[: len(names) - len(declared)], *kinds]
        self._fill(
            "profile", names, [[_stored(kinds.get(n), v) for n, v in zip(names, row, strict=True)] for row in rows]
        )
        self._fill("event", ["time", "message_id", "user", "name", "properties"], happenings(people))
        self._fill("list_member", ["list", "user"], listings(people))

    def run(self, sql: str) -> Any:
        return self.connection.query(sql, "JSONCompactEachRow")

    def _fill(self, table: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        lines = "\n".join(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows)
        if lines:
            self.run(f"INSERT INTO {table} FORMAT JSONEachRow {lines}")

    def rows(self, sql: str) -> list[Any]:
        self.run(f"USE {self.database}")
        settings = ", ".join(f"{name} = {value}" for name, value in clickhouse.SETTINGS.items())
        return [json.loads(line) for line in self.run(f"{sql} SETTINGS {settings}").data().splitlines()]

    def answer(self, sql: str) -> set[str]:
        """The users a query gives; each once."""
        rows = [row[0] for row in self.rows(sql)]
        assert len(rows) == len(set(rows))
        return set(rows)

    def close(self) -> None:
        """The library has one place for all connections of a process, so the next test's is free only if ours is closed."""
        self.run(f"DROP DATABASE {self.database}")
        self.connection.close()


def _stored(kind: Kind | None, value: Any) -> Any:
    """A typed value in JSON: days as texts, lists as JSON texts, numbers exact."""
    if value is None:
        return None
    if kind is Kind.LIST:
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, bool | int) else str(value)


ANSWERING = ("duckdb", "postgres", "clickhouse")
"""The parameters of a fixture that takes each engine in turn."""


@contextmanager
def answering(request: pytest.FixtureRequest, people: Population) -> Iterator[tuple[Any, Columns]]:
    """The same people in the engine the fixture's parameter names, and where it keeps what."""
    if request.param == "duckdb":
        yield people, DuckColumns(TYPED)
    elif request.param == "postgres":
        fresh: Callable[[], str] = request.getfixturevalue("fresh_postgresql")
        with closing(InPostgres(fresh(), people.people, TYPED)) as engine:
            yield engine, postgresql.PostgresColumns(TYPED)
    else:
        with closing(InClickHouse(people.people, TYPED)) as engine:
            yield engine, clickhouse.ClickHouseColumns(TYPED)
