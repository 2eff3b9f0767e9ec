"""The loader against the engine's own insert of the same rows, in turn, in one run; where its time goes; and `import events` beside it.

`python -m benchmarks.loader [EVENTS] [RUNS]`: 700,000 events in three runs unless said otherwise. The inbox is SQLite, as the web
face writes it. The roofline gets the very tables that the loader lands, opens and closes the file for as many of them as the loader
does, and has nothing to look up.
"""

import csv
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.audience.columns import EVENT
from orchestrator.audience.importing import Order, import_file
from orchestrator.audience.loading import BATCH, prepare
from orchestrator.audience.mapping import What
from orchestrator.audience.store import Audience
from orchestrator.audience.visiting import land
from orchestrator.core.segments import Catalogue, Declared, Kind
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, arrivals
from orchestrator.ledger.arrivals import Incoming
from orchestrator.pipeline.learn import AT_ONCE, VISIT, learn

AT = Instant(1_772_449_200_000_000)
CATALOGUE = Catalogue(
    {"country": Declared(Kind.TEXT)},
    {
        "app_open": {},
        "view": {"sku": Declared(Kind.TEXT)},
        "purchase": {"amount": Declared(Kind.NUMBER), "currency": Declared(Kind.TEXT)},
    },
)


def incoming(count: int) -> Iterator[Incoming]:
    """Events as the door keeps them: three in eight without properties, four views, one purchase."""
    dice = random.Random(42)
    for number in range(count):
        name, body = "app_open", "{}"
        if number % 8 == 7:
            name, body = "purchase", f'{{"amount":{dice.randrange(9000) / 100},"currency":"EUR"}}'
        elif number % 8 > 2:
            name, body = "view", f'{{"sku":"s{dice.randrange(1000)}","page":{number % 8}}}'
        user = f"u{dice.randrange(100_000):08d}"
        payload = f'{{"at":{AT + number * 1000},"name":"{name}","body":{body}}}'
        yield Incoming("event", user, f"node-next-{number}-{dice.getrandbits(64):016x}", payload)


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall and of processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


class Shop:
    """A ledger whose inbox is full, and an audience that is empty."""

    def __init__(self, root: Path, count: int) -> None:
        self.ledger = Ledger.open("sqlite:ledger.db", root)
        self.audience = Audience.open("duckdb:audience.duckdb", root, CATALOGUE.attributes)
        with self.audience.writing():
            pass
        arrivals.put(self.ledger.store, incoming(count), AT)

    def load(self) -> None:
        """Load until nothing waits."""
        while learn(self.ledger, self.audience, CATALOGUE, "UTC", AT) is not None:
            pass

    def tables(self) -> list[pa.Table]:
        """What the loader lands."""
        begun = arrivals.next_batches(self.ledger.store, BATCH, 10_000, AT)
        rows = (arrivals.rows_of(self.ledger.store, batch) for batch in begun)
        return [prepare(self.audience, one, CATALOGUE, "UTC").events for one in rows]

    def stages(self) -> dict[str, tuple[float, float]]:
        """The loader's steps for the first batches, one after the other."""
        store, found = self.ledger.store, []
        begun = arrivals.next_batches(store, BATCH, AT_ONCE, AT)
        rows: list[Any] = []
        told = {"read from the inbox": timed(lambda: rows.extend(arrivals.rows_of(store, one) for one in begun))}
        told["check, type, columns"] = timed(
            lambda: found.extend(prepare(self.audience, one, CATALOGUE, "UTC") for one in rows)
        )
        ready = [(batch.number, prepared) for batch, prepared in zip(begun, found, strict=True)]
        told["land, open and close"] = timed(
            lambda: [land(self.audience, ready[at : at + VISIT]) for at in range(0, len(ready), VISIT)]
        )
        told["delete from the inbox"] = timed(lambda: arrivals.finish(store, [one.number for one in begun]))
        return told


def plain(path: Path, tables: list[pa.Table]) -> None:
    """The same rows by the engine's own insert, the file closed after as many tables as the loader lands in a full visit."""
    for start in range(0, len(tables), VISIT):
        with duckdb.connect(path) as engine:
            engine.execute(EVENT)
            engine.register("incoming", pa.concat_tables(tables[start : start + VISIT]).combine_chunks())
            engine.execute("INSERT INTO event SELECT *, 0 FROM incoming").fetchall()
            engine.unregister("incoming")


def imported(root: Path, table: pa.Table, kind: str) -> float:
    """Seconds an import of these events takes."""
    path = root / f"events.{kind}"
    named = table.rename_columns(["user_id", "event", "time", "message_id", "properties"])
    if kind == "parquet":
        pq.write_table(named, path)
    else:
        with path.open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(named.column_names)
            out.writerows(zip(*(column.to_pylist() for column in named.columns), strict=True))
    audience = Audience.open(f"duckdb:{kind}.duckdb", root, CATALOGUE.attributes)
    return timed(lambda: import_file(audience, Order(What.EVENTS, path, AT, CATALOGUE)))[0]


def main() -> None:
    """Fill, load, compare, print."""
    words = sys.argv[1:3]
    count, runs = (int(word) for word in [*words, *("700000", "3")[len(words) :]])
    ours, theirs = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            shop = Shop(Path(folder), count)
            tables = shop.tables()
            theirs.append(timed(lambda: plain(Path(folder) / "plain.duckdb", tables)))  # noqa: B023 - called at once
            ours.append(timed(shop.load))
    print(f"{count:,} events, {runs} runs in turn (median)")
    for name, figures in (("loader", ours), ("plain insert of the same rows", theirs)):
        wall, cpu = (median(column) for column in zip(*figures, strict=True))
        print(f"  {name:<34}{count / wall:>10,.0f} events/s   {1e6 * cpu / count:5.1f} µs of CPU an event")
    ratio = median(loader[0] / floor[0] for loader, floor in zip(ours, theirs, strict=True))
    print(f"  {'the loader takes':<34}{ratio:>10.1f} times as long")
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder), BATCH * AT_ONCE)
        table = pa.concat_tables(shop.tables())
        print("step by step, nothing at once")
        for name, (wall, cpu) in shop.stages().items():
            per = BATCH * AT_ONCE / 1e6
            print(f"  {name:<34}{wall / per:>10.1f} µs an event  {cpu / per:5.1f} of CPU")
        for kind in ("parquet", "csv"):
            print(
                f"  {'import events from ' + kind:<34}{table.num_rows / imported(Path(folder), table, kind):>10,.0f} events/s"
            )


if __name__ == "__main__":
    main()
