"""The rejects file of an import: every row and every value that was not taken, with the reason, in the order of the file."""

import csv
import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from orchestrator.audience.bench import Bench
from orchestrator.audience.texts import Broken

HEADER = ("line", "column", "value", "reason", "row")
LEFT_OUT, KEPT = "left out", "kept without this value"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A column with values that do not fit what it is declared to be: how many, and the first of them.

    The column is empty for lines that are no rows.
    """

    column: str
    count: int
    line: int
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rejects:
    """What was not taken: rows left out, entries in the file, the file (None if all is well), and why, column by column."""

    left_out: int
    entries: int
    path: Path | None
    reasons: tuple[Conflict, ...] = ()


def write_rejects(bench: Bench, broken: Sequence[Broken], folder: Path, name: str) -> Rejects:
    """Write `folder`/NAME-N.csv with the next free N; nothing if there is nothing to say."""
    wrong = bench.wrong()
    entries, lines = bench.engine.sql(
        f"SELECT count(*), count(DISTINCT line) FILTER (left_out) FROM ({wrong})"
    ).fetchall()[0]
    if not entries and not broken:
        return Rejects(0, 0, None)
    folder.mkdir(parents=True, exist_ok=True)
    path = _next(folder, name)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        torn = (_Entry(one.line, "", one.text, one.reason, LEFT_OUT) for one in sorted(broken, key=_line_of))
        told: Iterator[_Entry] = heapq.merge(torn, _misread(bench, wrong), key=_line_of)
        columns: dict[str, Conflict] = {}
        out.writerows(_counted(told, columns))
    reasons = tuple(sorted(columns.values(), key=lambda one: -one.count))
    return Rejects(lines + len(broken), entries + len(broken), path, reasons)


def _counted(entries: "Iterable[_Entry]", columns: dict[str, Conflict]) -> "Iterator[_Entry]":
    """The same entries; how many each column has, and the first of them, is counted on the way."""
    for one in entries:
        seen = columns.get(one.column) or Conflict(one.column, 0, one.line, one.value or "", one.reason)
        columns[one.column] = replace(seen, count=seen.count + 1)
        yield one


class _Entry(NamedTuple):
    line: int
    column: str
    value: str
    reason: str
    row: str


def _line_of(entry: Broken | _Entry) -> int:
    return entry.line


def _misread(bench: Bench, wrong: str) -> Iterator[_Entry]:
    """The entries of what was a row, in the order of the file."""
    for batch in bench.engine.sql(f"SELECT * FROM ({wrong}) ORDER BY line, place").to_arrow_reader(50_000):
        for line, column, value, reason, left_out in zip(
            *(batch.column(place).to_pylist() for place in range(5)), strict=True
        ):
            yield _Entry(line, column, value, reason, LEFT_OUT if left_out else KEPT)


def _next(folder: Path, name: str) -> Path:
    """A new file, ours alone: rejects hold what people said about themselves."""
    number = 1
    while True:
        path = folder / f"{name}-{number}.csv"
        try:
            path.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return path


def conflicts(bench: Bench) -> tuple[Conflict, ...]:
    """Columns with values of another kind than declared, in rows that were kept without them."""
    rows = bench.engine.sql(
        f"""SELECT "column", count(*), min(line), arg_min(value, line), arg_min(reason, line)
        FROM ({bench.wrong()}) WHERE NOT left_out GROUP BY "column" ORDER BY min(line), "column" """
    ).fetchall()
    return tuple(Conflict(*row) for row in rows)
