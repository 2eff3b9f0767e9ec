"""The same people in a Spark of this machine; only `make segments-spark` asks it, for it takes a Java and its time."""

import os
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pyspark.sql import SparkSession

from orchestrator.audience.columns import home
from orchestrator.audience.engines.spark import TYPES, register
from orchestrator.core.segments import OraclePerson
from orchestrator.core.segments.tree import Declared
from tests.audience.population import happenings, listings, profiles

_TEXTS = ("user", "devices", "rest", "zone", "locale", "email", "phone")


class InSpark:
    """People as views of one session, in a database of their own."""

    dialect = "spark"

    def __init__(self, people: Sequence[OraclePerson], declared: Mapping[str, Declared]) -> None:
        os.environ["PYSPARK_PYTHON"] = sys.executable  # its workers read JSON with our own code
        self.session: Any = (
            SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.session.timeZone", "America/New_York").config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1").config("spark.sql.autoBroadcastJoinThreshold", "10m").getOrCreate()
        )  # fmt: skip
        self.session.sparkContext.setLogLevel("OFF")
        register(self.session)
        self.views: dict[str, Any] = {}
        names, rows = profiles(people, declared)
        types = {home(name): TYPES[what.kind] for name, what in declared.items()}
        shape = ", ".join(f"`{name}` {types.get(name, 'string')}" for name in names)
        decimal = {place for place, name in enumerate(names) if types.get(name) == "decimal(18,4)"}
        typed = [
            [Decimal(v) if place in decimal and v is not None else v for place, v in enumerate(row)] for row in rows
        ]
        self._view("profile", typed, shape)
        self._view(
            "event",
            happenings(people),
            "`time` bigint, message_id string, `user` string, name string, properties string",
        )
        self._view("list_member", listings(people), "list string, `user` string")

    def _view(self, name: str, rows: Sequence[Any], shape: str) -> None:
        self.views[name] = self.session.createDataFrame([tuple(row) for row in rows], shape).cache()

    def rows(self, sql: str) -> list[Any]:
        for name, view in self.views.items():
            view.createOrReplaceTempView(name)
        return [tuple(row) for row in self.session.sql(sql).collect()]

    def answer(self, sql: str) -> set[str]:
        """The users a query gives; each once."""
        rows = [row[0] for row in self.rows(sql)]
        assert len(rows) == len(set(rows))
        return set(rows)

    def close(self) -> None:
        for view in self.views.values():
            view.unpersist()
