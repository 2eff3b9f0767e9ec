"""An engine inside this process is asked for a run's people in parts, each of so many users: what it joins and groups stays small.

Each part comes in order, and the parts are merged on their way from disk to disk.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from orchestrator.audience import spool
from orchestrator.audience.tongue import column

PEOPLE_A_PART = 25_000
PARTS = 100
"""At most so many: each reads every table once. Beyond two and a half million people, parts are larger."""
AT_ONCE = 20_000
"""Rows in memory while parts are merged, twice so many at most."""
_HEAP = pa.system_memory_pool()
"""The C library's, which gives back what is free; the default one keeps some 50 MB of it."""
_TABLES = ("profile", "event")

Test = Callable[[exp.Expr], exp.Expr]
"""Whether a user (an expression) belongs to a part."""


def parts(people: int) -> int:
    """In how many parts to ask about so many people."""
    return max(1, min(PARTS, -(-people // PEOPLE_A_PART)))


def of_everybody(query: exp.Expr) -> bool:
    """Whether somebody's answer hangs on who else there is (bands, scores, samples), so that people cannot be asked in parts."""
    ranked = any(not window.args.get("partition_by") for window in query.find_all(exp.Window))
    return ranked or query.find(exp.Limit) is not None


def part_of(query: exp.Select, test: Test) -> tuple[exp.Select, dict[str, exp.Select]]:
    """The same question of tables that hold a part of the users, and the queries of these tables by their names."""
    narrow = query.copy()
    found: dict[str, exp.Select] = {}
    for table in list(narrow.find_all(exp.Table)):
        if table.name not in _TABLES:
            continue
        name = f"part_{table.name}"
        found[name] = exp.select(exp.Star()).from_(table.name).where(test(column(table.name, "user")))
        table.replace(exp.alias_(exp.to_table(name), table.alias_or_name, copy=False))
    return narrow, found


@contextmanager
def in_order(answers: Iterable[Iterator[Any]], parts: int, schema: Any, order: Sequence[str], folder: Path) -> Iterator[Iterator[Any]]:  # fmt: skip
    """The batches of so many answers as one, in the order each of them has; they are kept in `folder` meanwhile."""
    ends = [0]

    def pieces() -> Iterator[Any]:
        rows = max(1, AT_ONCE // parts)  # one piece of each part can be in memory
        for batches in answers:
            ends.append(ends[-1])
            for batch in batches:
                for start in range(0, batch.num_rows, rows):
                    ends[-1] += 1
                    yield batch.slice(start, rows)

    with spool.keep(pieces(), schema, spool.fresh(folder)) as kept:
        yield merged([kept.some(first, after, _HEAP) for first, after in pairwise(ends)], schema, order)


def merged(runs: Sequence[Iterator[Any]], schema: Any, order: Sequence[str]) -> Iterator[Any]:
    """The batches of many answers of this `pyarrow.Schema` as one, in the order each of them has: by these columns, missing ones last.

    Whatever comes before the last row at hand of every answer that has more can go on its way.
    """
    keys = [(name, "ascending") for name in order]
    heads = [pa.Table.from_batches([], schema)] * len(runs)
    going = dict(enumerate(runs))
    while True:
        for part in list(going):
            while heads[part].num_rows < max(1, AT_ONCE // len(runs)):
                if (batch := next(going[part], None)) is None:
                    del going[part]
                    break
                heads[part] = pa.concat_tables([heads[part], pa.Table.from_batches([batch])], memory_pool=_HEAP)
        table = pa.concat_tables(heads)
        if not table.num_rows:
            return
        places = pc.sort_indices(table, sort_keys=keys)  # missing ones last
        whose = pa.concat_arrays([pa.array([part] * head.num_rows, pa.int32()) for part, head in enumerate(heads)])
        if going:
            ends = [sum(head.num_rows for head in heads[: part + 1]) - 1 for part in going]
            at_an_end = pc.is_in(places, value_set=pa.array(ends, places.type))
            places = places[: pc.index(at_an_end, True).as_py() + 1]
        yield from pc.take(table, places, memory_pool=_HEAP).combine_chunks(_HEAP).to_batches()
        for gone in pc.value_counts(whose.take(places)).to_pylist():
            heads[gone["values"]] = heads[gone["values"]][gone["counts"] :]
