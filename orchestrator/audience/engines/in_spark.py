"""Asking Spark: one session for this process, by its master (`spark:local[2]`) or, over the network, by Spark Connect (`spark:sc://host`)."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any

import pyarrow as pa
from sqlglot import exp

from orchestrator.audience.engines.engine import needed
from orchestrator.audience.engines.spark import TYPES, SparkColumns, register
from orchestrator.audience.engines.spark_tables import SparkShown
from orchestrator.audience.spool import BATCH
from orchestrator.audience.tongue import column
from orchestrator.core.errors import StoreError
from orchestrator.core.segments.tree import Declared

CONNECT = "sc://"


class SparkEngine:
    """A Spark by its master; its catalogue of tables is its own."""

    name = "spark"
    parts = None

    def __init__(self, master: str, declared: Mapping[str, Declared]) -> None:
        self._master = master
        self.columns = SparkColumns(declared)
        self.shown = SparkShown(self.columns, TYPES)

    @contextmanager
    def visit(self) -> Iterator["_Visit"]:
        """The session of this process; it begins with the first visit, and ends with the process."""
        yield _Visit(_session(self._master))


@cache
def _session(master: str) -> Any:
    sql = needed("pyspark.sql", "spark")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # its workers read JSON by our own code
    builder = sql.SparkSession.builder.appName("orchestrator").config("spark.sql.session.timeZone", "UTC")
    with _errors():
        made = (builder.remote(master) if master.startswith(CONNECT) else builder.master(master)).getOrCreate()
        register(made)
    return made


class _Visit:
    def __init__(self, session: Any) -> None:
        self._session = session

    def table(self, name: str, columns: Mapping[str, Sequence[str]]) -> exp.Select:
        """As a view of the session."""
        shape = ", ".join(f"`{one}` string" for one in columns)
        with _errors():
            rows = list(zip(*columns.values(), strict=True))
            self._session.createDataFrame(rows, shape).createOrReplaceTempView(f"told_{name}")
        return exp.select(*(column(f"told_{name}", one) for one in columns)).from_(f"told_{name}")

    def batches(self, sql: str) -> Iterator[Any]:
        """A partition at a time."""
        with _errors():
            found = self._session.sql(sql)
            rows = found.toLocalIterator()
            while some := list(islice(rows, BATCH)):
                columns = [pa.array(values) for values in zip(*some, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, names=found.columns)

    def fields(self, table: str) -> list[str]:
        """By a question without rows."""
        query = exp.select(exp.Star()).from_(exp.to_table(table, dialect="spark")).limit(0)
        with _errors():
            return list(self._session.sql(query.sql("spark")).columns)

    def unfit(self) -> str:
        """Never: the version comes with the extra."""
        return ""


@contextmanager
def _errors() -> Iterator[None]:
    errors = needed("pyspark.errors", "spark")
    py4j = needed("py4j.protocol", "spark")
    try:
        yield
    except (errors.PySparkException, py4j.Py4JError, OSError) as problem:
        said = str(problem).strip().splitlines() or [repr(problem)]
        # The bridge to Java says first which of its own calls it was, and then what went wrong.
        cause = next((line[2:] for line in said if line.startswith(": ")), said[0])
        raise StoreError(f"spark: {cause}") from problem
