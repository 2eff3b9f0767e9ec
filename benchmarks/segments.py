"""Segments on one DuckDB file, three comparisons: compiled against the best SQL by hand, a hundred together against each alone, and
whose segments given people are in.

`python -m benchmarks.segments [--people N] [--events N] [--runs N] [compiled] [together] [membership]`: one million people with
twenty million events, fifteen interleaved runs (three of a hundred segments) and all three unless said otherwise. Prints medians and
their ratio; the answers must be the same.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import duckdb
from ruamel.yaml import YAML

from orchestrator.audience.columns import TABLES, home, quoted, typed
from orchestrator.audience.compiling import members_sql
from orchestrator.audience.counting import counts
from orchestrator.audience.membership import membership
from orchestrator.audience.questions import Questions
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.audience.store import Audience
from orchestrator.core.segments import Catalogue, Declared, Kind, Moment, Segment, parse
from orchestrator.core.times import DAY, HOUR, Instant

Answer = TypeVar("Answer")
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
_S2 = f"""SELECT who FROM event WHERE name = 'app_open' AND "time" >= {AT - 7 * DAY} AND "time" < {AT}
    GROUP BY who HAVING count(*) >= 3"""
_S3 = f"""SELECT who FROM event WHERE name = 'purchase' AND "time" >= {AT - 30 * DAY} AND "time" < {AT}
    AND who NOT IN (SELECT who FROM event WHERE name = 'app_open' AND "time" >= {AT - 14 * DAY} AND "time" < {AT})
    GROUP BY who HAVING sum({_AMOUNT}) >= 50"""
_S4 = f"""SELECT who FROM (SELECT who, name, "time",
        min(CASE WHEN name = 'purchase' THEN "time" END) OVER (PARTITION BY who ORDER BY "time", message_id
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS bought
    FROM event WHERE name IN ('add_to_cart', 'purchase') AND "time" >= {AT - 30 * DAY} AND "time" < {AT})
    WHERE name = 'add_to_cart' AND bought < "time" + {24 * HOUR}"""
S2, S3, S4 = (f'SELECT "user" FROM profile WHERE who IN ({one})' for one in (_S2, _S3, _S4))
S5 = f"""{S1} AND (who IN ({_S2}) OR who IN ({_S3})) AND who NOT IN ({_S4})"""
WINDOWS = (
    "last 24 hours", "last 3 days", "last 7 days", "last 14 days", "last 21 days", "last 30 days", "last 60 days", "last 90 days",
    "previous week", "previous month",
)  # fmt: skip
HUNDRED: dict[str, Segment] = {
    f"{event}, {window}, {number}": parse(
        {"about": "x", "all": [{"event": event, "at_least": number, "when": window}]}, CATALOGUE
    )
    for place, event in enumerate(CATALOGUE.events)
    for window in WINDOWS
    for number in ((2, 4) if place % 2 else (2, 3, 5))
}
"""A hundred that count events: four events, ten windows."""
PARTS = ("compiled", "together", "membership")
LONG = 3
"""Runs of what takes long."""
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
    engine.execute(f"""INSERT INTO profile ("user", who, zone, locale, email, {own})
        SELECT format('u{{:08d}}', n), n + 1, 'Europe/Vienna', 'de-AT', format('u{{}}@shop.example', n),
            ['US','BR','DE','AT','FR','IN','JP','NL'][CAST(1 + hash(n) % 8 AS INT)], ['ios','android'][CAST(1 + hash(n * 7) % 2 AS INT)], 18 + hash(n * 13) % 60
        FROM range({people}) AS t(n)""")
    engine.execute(f"""INSERT INTO event SELECT format('u{{:08d}}', m),
            ['app_open','app_open','app_open','view','view','view','add_to_cart','purchase'][CAST(1 + hash(n) % 8 AS INT)],
            {AT - 90 * DAY} + n * ({90 * DAY} // {events}), format('m{{}}', n),
            CASE WHEN hash(n) % 8 = 7 THEN format('{{{{"amount":{{}}.{{}}}}}}', 1 + hash(n * 3) % 90, hash(n * 5) % 10) ELSE '{{}}' END, m + 1
        FROM (SELECT n, CAST(floor({people} * pow(random(), 3)) AS BIGINT) AS m FROM range({events}) AS t(n))""")
    engine.execute("CHECKPOINT")
    return engine


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def asked(question: Callable[[], Answer]) -> tuple[Answer, tuple[float, float]]:
    """The answer, and its seconds by the clock and of the processor."""
    start, burnt = time.perf_counter(), time.process_time()
    answer = question()
    return answer, (time.perf_counter() - start, time.process_time() - burnt)


def drained(engine: duckdb.DuckDBPyConnection, sql: str) -> int:
    return sum(batch.num_rows for batch in engine.sql(sql).to_arrow_reader(50_000))


def compiled(engine: duckdb.DuckDBPyConnection, runs: int) -> None:
    """S1 to S5, and S5 streamed, against the SQL by hand."""
    segments: dict[str, Segment] = {
        name: parse(raw, CATALOGUE) for name, raw in YAML(typ="safe").load(SEGMENTS).items()
    }
    moment = Moment(AT, "Europe/Vienna", segments)
    written = {name: members_sql(segment, moment, DuckColumns(ATTRIBUTES)) for name, segment in segments.items()}
    pairs = {name: (written[name], BY_HAND[name]) for name in BY_HAND}
    pairs["S5 streamed"] = (streamed(written["S5"]), streamed(S5))
    print(f"{runs} interleaved runs; seconds (median)")
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


def together(engine: duckdb.DuckDBPyConnection, runs: int) -> None:
    """A hundred segments that count events, in one question, against the median of each alone."""
    moment = Moment(AT, "Europe/Vienna", HUNDRED)
    questions = Questions(
        lambda query, _: engine.execute(query.sql("duckdb")).fetchall(), DuckColumns(ATTRIBUTES), moment
    )
    singly: list[tuple[float, float]] = []
    jointly: list[tuple[float, float]] = []
    for _ in range(min(runs, LONG)):
        found: dict[str, int] = {}
        for name, segment in HUNDRED.items():
            found[name], took = asked(partial(questions.count, segment))
            singly.append(took)
        all_of_them, took = asked(partial(counts, questions, HUNDRED))
        jointly.append(took)
        if all_of_them != found:
            raise SystemExit("the counts differ")
    print(f"{len(HUNDRED)} segments that count events, {len(jointly)} interleaved runs (median)")
    print(f"{'':<12}{'alone':>10}{'together':>10}{'ratio':>8}")
    for what, one, many in zip(
        ("seconds", "processor"), zip(*singly, strict=True), zip(*jointly, strict=True), strict=True
    ):
        print(f"{what:<12}{median(one):>10.3f}{median(many):>10.3f}{median(many) / median(one):>8.1f}")


def whose(audience: Audience, people: int, runs: int) -> None:
    """The membership of a thousand people and of one in a hundred segments, opening the file included."""
    moment = Moment(AT, "Europe/Vienna", HUNDRED)
    thousand = [f"u{number * 7919 % people:08d}" for number in range(1000)]
    print(f"membership in {len(HUNDRED)} segments, {runs} runs; seconds (median), and of the processor")
    for users in (thousand[-1:], thousand):
        found = membership(audience, users, HUNDRED, moment)
        for name, segment in list(HUNDRED.items())[::25]:
            alone = {user for (user,) in audience.rows(members_sql(segment, moment, audience.columns))}
            if {user for user in users if name in found[user]} != alone & set(users):
                raise SystemExit(f"{name}: the members differ")
        times = [asked(partial(membership, audience, users, HUNDRED, moment))[1] for _ in range(runs)]
        wall, burnt = (median(column) for column in zip(*times, strict=True))
        print(f"{len(users):>6,} {'people' if len(users) > 1 else 'person'} {wall:>8.3f}{burnt:>8.3f}")


def main() -> None:
    """Fill, compare, print."""
    parser = argparse.ArgumentParser(description="Benchmarks of segments.")
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("what", nargs="*", metavar="|".join(PARTS))
    told = parser.parse_args()
    if unknown := set(told.what) - set(PARTS):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    what = told.what or PARTS
    with tempfile.TemporaryDirectory() as folder:
        with filled(Path(folder) / "audience.duckdb", told.people, told.events) as engine:
            print(f"{told.people:,} people, {told.events:,} events")
            if "compiled" in what:
                compiled(engine, told.runs)
            if "together" in what:
                together(engine, told.runs)
        if "membership" in what:
            whose(Audience.open("duckdb:audience.duckdb", Path(folder), ATTRIBUTES), told.people, told.runs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak resident memory of this process, filling included: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
