"""Compiled segments against the best SQL written by hand, in one run on the same DuckDB tables: S1 to S5, and S5 streamed.

`python benchmarks/segments.py [PEOPLE] [EVENTS] [RUNS]`: one million people with twenty million events and fifteen
interleaved runs unless said otherwise. Prints medians and their ratio; the members must be the same.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb
from ruamel.yaml import YAML

from orchestrator.audience.columns import TABLES, home, quoted, typed
from orchestrator.audience.compiling import members_sql
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.segments import Catalogue, Declared, Kind, Moment, Segment, parse
from orchestrator.core.times import DAY, HOUR, Instant

AT = Instant(1_772_449_200_000_000)
ATTRIBUTES = {name: Declared(Kind.TEXT) for name in ("country", "os")} | {"age": Declared(Kind.NUMBER)}
CATALOGUE = Catalogue(
    ATTRIBUTES, {name: {"amount": Declared(Kind.NUMBER)} for name in ("app_open", "add_to_cart", "purchase", "view")}
)
SEGMENTS = """
S1: {about: x, all: [{attribute: country, is: [US, BR, DE]}, {attribute: os, is: ios}]}
S2: {about: x, all: [{event: app_open, at_least: 3, when: last 7 days}]}
S3: {about: x, all: [{event: purchase, sum: amount, at_least: 50, when: last 30 days}, {not: {event: app_open, when: last 14 days}}]}
S4: {about: x, all: [{event: add_to_cart, when: last 30 days, then: {event: purchase, within: 24 hours}}]}
S5: {about: x, all: [{segment: S1}, {any: [{segment: S2}, {segment: S3}]}, {not: {segment: S4}}]}
"""
_AMOUNT = "TRY_CAST(json_extract_string(properties, '/amount') AS DECIMAL(18, 4))"
S1 = """SELECT "user" FROM profile WHERE "a.country" IN ('US', 'BR', 'DE') AND "a.os" = 'ios'"""
S2 = f"""SELECT "user" FROM event WHERE name = 'app_open' AND "time" >= {AT - 7 * DAY} AND "time" < {AT}
    GROUP BY "user" HAVING count(*) >= 3"""
S3 = f"""SELECT "user" FROM event WHERE name = 'purchase' AND "time" >= {AT - 30 * DAY} AND "time" < {AT}
    AND "user" NOT IN (SELECT "user" FROM event WHERE name = 'app_open' AND "time" >= {AT - 14 * DAY} AND "time" < {AT})
    GROUP BY "user" HAVING sum({_AMOUNT}) >= 50"""
S4 = f"""SELECT DISTINCT "user" FROM (SELECT "user", name, "time",
        min(CASE WHEN name = 'purchase' THEN "time" END) OVER (PARTITION BY "user" ORDER BY "time", message_id
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS bought
    FROM event WHERE name IN ('add_to_cart', 'purchase') AND "time" >= {AT - 30 * DAY} AND "time" < {AT})
    WHERE name = 'add_to_cart' AND bought < "time" + {24 * HOUR}"""
S5 = f"""{S1} AND ("user" IN ({S2}) OR "user" IN ({S3})) AND "user" NOT IN ({S4})"""
BY_HAND = {"S1": S1, "S2": S2, "S3": S3, "S4": S4, "S5": S5}
SIX = ", ".join(f"p.{quoted(name)}" for name in ("a.country", "a.os", "a.age", "email", "zone", "locale"))


def streamed(sql: str) -> str:
    """A query's members with six columns of their profiles."""
    return f'SELECT m."user", {SIX} FROM ({sql}) AS m JOIN profile AS p USING ("user")'


def filled(path: Path, people: int, events: int) -> duckdb.DuckDBPyConnection:
    """The tables as the loader leaves them, events in the order of time, busy people busier."""
    engine = duckdb.connect(path)
    for table in TABLES:
        engine.execute(table)
    for name, kind in typed(ATTRIBUTES).items():
        engine.execute(f"ALTER TABLE profile ADD COLUMN {quoted(name)} {kind}")
    own = ", ".join(quoted(home(name)) for name in ATTRIBUTES)
    engine.execute("SELECT setseed(0.42)")
    engine.execute(f"""INSERT INTO profile ("user", zone, locale, email, {own})
        SELECT format('u{{:08d}}', n), 'Europe/Vienna', 'de-AT', format('u{{}}@shop.example', n),
            ['US','BR','DE','AT','FR','IN','JP','NL'][CAST(1 + hash(n) % 8 AS INT)], ['ios','android'][CAST(1 + hash(n * 7) % 2 AS INT)], 18 + hash(n * 13) % 60
        FROM range({people}) AS t(n)""")
    engine.execute(f"""INSERT INTO event SELECT format('u{{:08d}}', CAST(floor({people} * pow(random(), 3)) AS BIGINT)),
            ['app_open','app_open','app_open','view','view','view','add_to_cart','purchase'][CAST(1 + hash(n) % 8 AS INT)],
            {AT - 90 * DAY} + n * ({90 * DAY} // {events}), format('m{{}}', n),
            CASE WHEN hash(n) % 8 = 7 THEN format('{{{{"amount":{{}}.{{}}}}}}', 1 + hash(n * 3) % 90, hash(n * 5) % 10) ELSE '{{}}' END
        FROM range({events}) AS t(n)""")
    engine.execute("CHECKPOINT")
    return engine


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def drained(engine: duckdb.DuckDBPyConnection, sql: str) -> int:
    return sum(batch.num_rows for batch in engine.sql(sql).to_arrow_reader(50_000))


def main() -> None:
    """Fill, compare, print."""
    words = sys.argv[1:4]
    people, events, runs = (int(word) for word in [*words, *("1000000", "20000000", "15")[len(words) :]])
    segments: dict[str, Segment] = {
        name: parse(raw, CATALOGUE) for name, raw in YAML(typ="safe").load(SEGMENTS).items()
    }
    moment = Moment(AT, "Europe/Vienna", segments)
    compiled = {name: members_sql(segment, moment, DuckColumns(ATTRIBUTES)) for name, segment in segments.items()}
    pairs = {name: (compiled[name], BY_HAND[name]) for name in BY_HAND}
    pairs["S5 streamed"] = (streamed(compiled["S5"]), streamed(S5))
    with tempfile.TemporaryDirectory() as folder, filled(Path(folder) / "audience.duckdb", people, events) as engine:
        print(f"{people:,} people, {events:,} events, {runs} interleaved runs; seconds (median)")
        print(f"{'':<12}{'members':>10}{'compiled':>10}{'by hand':>10}{'ratio':>8}")
        for name, (ours, theirs) in pairs.items():
            count = drained(engine, ours)
            if count != drained(engine, theirs):
                raise SystemExit(f"{name}: the members differ")
            times = [
                (timed(lambda sql=ours: drained(engine, sql)), timed(lambda sql=theirs: drained(engine, sql)))
                for _ in range(runs)
            ]
            mine, hand = (median(column) for column in zip(*times, strict=True))
            print(f"{name:<12}{count:>10,}{mine:>10.3f}{hand:>10.3f}{mine / hand:>8.2f}")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak resident memory of this process, filling included: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
