"""Asking PostgreSQL: one connection a visit, in transactions that only read, so a replica will do."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pyarrow as pa
from sqlglot import exp

from orchestrator.audience.engines.engine import needed
from orchestrator.audience.engines.postgresql import TYPES, PostgresColumns
from orchestrator.audience.engines.postgresql_tables import PostgresShown
from orchestrator.audience.spool import BATCH
from orchestrator.audience.tongue import call, column, text
from orchestrator.core.errors import StoreError
from orchestrator.core.segments.tree import Declared

WAITS = 10
"""Seconds for a connection, unless the URL says otherwise."""

OLDEST = 16
"""The first version with `pg_input_is_valid`, by which a value of another kind is missing and ends no question."""


class PostgresEngine:
    """A database by its URL."""

    name = "postgresql"
    parts = None

    def __init__(self, url: str, declared: Mapping[str, Declared]) -> None:
        self._url = url
        self.columns = PostgresColumns(declared)
        self.shown = PostgresShown(self.columns, TYPES)

    @contextmanager
    def visit(self) -> Iterator["_Visit"]:
        """Connect; everything is read in UTC."""
        driver = needed("psycopg", "postgresql")
        with _errors(driver):
            told = {"connect_timeout": WAITS, "application_name": "orchestrator"}
            told |= needed("psycopg.conninfo", "postgresql").conninfo_to_dict(self._url)
            connection = driver.connect(**told, autocommit=True)
        try:
            with _errors(driver):
                # A cursor is planned for its first rows unless one says that all are wanted.
                for setting in ("default_transaction_read_only = on", "timezone = 'UTC'", "cursor_tuple_fraction = 1"):
                    connection.execute(f"SET {setting}")
            yield _Visit(driver, connection)
        finally:
            connection.close()


class _Visit:
    def __init__(self, driver: ModuleType, connection: Any) -> None:
        self._driver = driver
        self._connection = connection

    def table(self, name: str, columns: Mapping[str, Sequence[str]]) -> exp.Select:
        """By arrays inside the question: a replica knows no temporary tables."""
        arrays = [exp.cast(text(_array(values)), "TEXT[]") for values in columns.values()]
        names = [exp.to_identifier(one, quoted=True) for one in columns]
        rows = exp.Table(
            this=call("unnest", *arrays), alias=exp.TableAlias(this=exp.to_identifier(name), columns=names)
        )
        return exp.select(*(column(name, one) for one in columns)).from_(rows)

    def batches(self, sql: str) -> Iterator[Any]:
        """Through a cursor of the server."""
        connection = self._connection
        with _errors(self._driver), connection.transaction(), connection.cursor(name="answer") as cursor:
            cursor.execute(sql.encode())
            names = [one.name for one in cursor.description or ()]
            while rows := cursor.fetchmany(BATCH):
                yield pa.RecordBatch.from_arrays([pa.array(values) for values in zip(*rows, strict=True)], names=names)

    def fields(self, table: str) -> list[str]:
        """By a question without rows."""
        query = exp.select(exp.Star()).from_(exp.to_table(table, dialect="postgres")).limit(0)
        with _errors(self._driver):
            return [one.name for one in self._connection.execute(query.sql("postgres")).description or ()]

    def unfit(self) -> str:
        """By the version that the server told when it was connected to."""
        version = self._connection.info.server_version
        if version >= OLDEST * 10_000:
            return ""
        return f"PostgreSQL {version // 10_000} is too old: segments need {OLDEST} or newer"


@contextmanager
def _errors(driver: ModuleType) -> Iterator[None]:
    try:
        yield
    except driver.Error as problem:
        said = str(problem).strip().splitlines()
        raise StoreError(f"postgresql: {said[0] if said else repr(problem)}") from problem


def _array(values: Sequence[str]) -> str:
    """Texts as PostgreSQL writes an array of them."""
    return "{" + ",".join('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in values) + "}"
