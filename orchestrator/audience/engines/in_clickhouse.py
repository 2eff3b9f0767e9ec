"""Asking ClickHouse inside this process, over a folder of its own: one folder at a time, as the library has it, and only while asked."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlglot import exp

from orchestrator.audience.engines.clickhouse import SETTINGS, TYPES, ClickHouseColumns
from orchestrator.audience.engines.clickhouse_tables import ClickHouseShown
from orchestrator.audience.engines.engine import Parts, needed
from orchestrator.audience.spool import BATCH
from orchestrator.audience.tongue import column, template
from orchestrator.core.errors import StoreError
from orchestrator.core.segments.tree import Declared


def _in_part(user: exp.Expr, part: int, of: int) -> exp.Expr:
    """By a hash of its own, which is no draw: it decides nothing but when somebody is read."""
    return template("clickhouse", f"cityHash64(u) % {of} = {part}", u=user)


class ClickHouseEngine:
    """A folder with ClickHouse's tables."""

    name = "clickhouse"
    # Every thread holds blocks and tables of its own.
    parts = Parts(_in_part, f" SETTINGS max_threads = 1, max_block_size = {BATCH}")

    def __init__(self, folder: Path, declared: Mapping[str, Declared]) -> None:
        self._folder = folder
        self.columns = ClickHouseColumns(declared)
        self.shown = ClickHouseShown(self.columns, TYPES)

    @contextmanager
    def visit(self) -> Iterator["_Visit"]:
        """Open the folder; the library would make one that is not there."""
        driver = needed("chdb", "clickhouse")
        if not self._folder.is_dir():
            raise StoreError(f"clickhouse:{self._folder}: there is no such folder")
        with _errors(driver):
            connection = driver.connect(str(self._folder))
        try:
            with _errors(driver):
                for name, value in SETTINGS.items():
                    connection.query(f"SET {name} = {value}")
            yield _Visit(driver, connection)
        finally:
            connection.close()


class _Visit:
    def __init__(self, driver: ModuleType, connection: Any) -> None:
        self._driver = driver
        self._connection = connection

    def table(self, name: str, columns: Mapping[str, Sequence[str]]) -> exp.Select:
        """As a temporary table."""
        shape = ", ".join(f'"{one}" String' for one in columns)
        rows = "\n".join(
            json.dumps(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)
        )
        with _errors(self._driver):
            self._connection.query(f"CREATE OR REPLACE TEMPORARY TABLE told_{name} ({shape})")
            if rows:
                self._connection.query(f"INSERT INTO told_{name} FORMAT JSONEachRow {rows}")
        return exp.select(*(column(f"told_{name}", one) for one in columns)).from_(f"told_{name}")

    def batches(self, sql: str) -> Iterator[Any]:
        """As the engine streams them."""
        with _errors(self._driver):
            for batch in self._connection.send_query(sql, "Arrow").record_batch(BATCH):
                if batch.num_rows:
                    yield batch

    def fields(self, table: str) -> list[str]:
        """As the engine describes it."""
        named = exp.to_table(table, dialect="clickhouse").sql("clickhouse")
        with _errors(self._driver):
            told = self._connection.query(f"DESCRIBE TABLE {named}", "JSONCompactEachRow").data()
        return [json.loads(line)[0] for line in told.splitlines()]

    def unfit(self) -> str:
        """Never: the version comes with the extra."""
        return ""


@contextmanager
def _errors(driver: ModuleType) -> Iterator[None]:
    try:
        yield
    except (driver.ChdbError, RuntimeError, OSError) as problem:
        # Where rows break off, Arrow complains of what came instead, upon what the engine says.
        said = str(problem.__context__ if isinstance(problem, OSError) and problem.__context__ else problem)
        raise StoreError(f"clickhouse: {said.strip().splitlines()[0]}") from problem
