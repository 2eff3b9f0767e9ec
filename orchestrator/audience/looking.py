"""A file as it would be imported, column by column: what was guessed, and what its cells say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.audience.bench import Bench
from orchestrator.audience.catalogue import Seen
from orchestrator.audience.cell import Cell
from orchestrator.audience.mapping import agreeing
from orchestrator.core.segments.tree import Kind

MOST_WORDS = 8
"""Different values of a column of words that are worth showing; one with more holds no yes and no."""
_WORDY = (None, Kind.TEXT, Kind.NUMBER)
"""Kinds of columns that may say yes and no in words of their own."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One column as it would be imported: its target, its kind as the catalogue would say, and how many of its cells fit.

    `to` is empty for a column that is ignored. `example` is the first value that fits. `naive`: its times name no zone.
    `decimal` is the decimal sign of its numbers, if that is no plain point. `words` are all values of a column that may be
    people's yes and no, with their numbers, the commonest first; none if there are too many.
    """

    name: str
    to: str
    kind: str
    filled: int
    rejected: int
    example: str
    empty: int = 0
    naive: bool = False
    decimal: str = ""
    words: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """A file as it would be imported; nothing was. `seen` makes the catalogue to import it with; Parquet has no encoding."""

    rows: int
    left_out: int
    columns: tuple[Looked, ...]
    seen: Seen
    encoding: str = ""


def looked(
    bench: Bench, names: Sequence[str] | None, asked: Callable[[Cell], bool] = lambda _: True
) -> tuple[Looked, ...]:
    """The columns of what was read that are asked for, in the order of the file; those that are ignored come where they stand."""
    found = {cell.name: _looked(bench, number, cell) for number, cell in enumerate(bench.cells) if asked(cell)}
    ordered = [*(names or ()), *(name for name in found if name not in set(names or ()))]
    return tuple(found.get(name) or Looked(name, "", "", 0, 0, "") for name in ordered)


def _looked(bench: Bench, number: int, cell: Cell) -> Looked:
    filled, rejected, example, empty = bench.engine.sql(
        f"SELECT count(v{number}), count(*) FILTER (t{number} IS NOT NULL AND v{number} IS NULL), "
        f"arg_min(t{number}, line) FILTER (v{number} IS NOT NULL), "
        f"count(*) FILTER (t{number} IS NULL AND v{number} IS NULL) FROM read"
    ).fetchall()[0]
    words = (
        _words(bench, number)
        if cell.kind is Kind.BOOLEAN or (cell.kind in _WORDY and not cell.owned and agreeing(cell.name))
        else ()
    )
    return Looked(
        cell.name, cell.to, cell.kind or "json", filled, rejected, example or "", empty, number in bench.naive,
        cell.decimal, words,
    )  # fmt: skip


def _words(bench: Bench, number: int) -> tuple[tuple[str, int], ...]:
    found = bench.engine.sql(
        f"SELECT lower(trim(coalesce(t{number}, CAST(v{number} AS VARCHAR)))) AS word, count(*) FROM read "
        f"WHERE word IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_WORDS + 1}"
    ).fetchall()
    return () if len(found) > MOST_WORDS else tuple(found)
