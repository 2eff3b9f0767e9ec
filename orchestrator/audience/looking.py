"""A file as it would be imported, column by column: what was guessed, and what its cells say."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from orchestrator.audience.bench import Bench
from orchestrator.audience.catalogue import Seen
from orchestrator.audience.cell import Cell
from orchestrator.audience.columns import literal
from orchestrator.audience.mapping import agreeing
from orchestrator.audience.oddities import Odd, odd
from orchestrator.audience.yes_no import AGREED, DECLINED, SPOKEN
from orchestrator.core.segments.tree import Kind

MOST_WORDS = 8
"""Different values of a column of words that are worth showing; one with more holds no yes and no, unless most of its cells do."""
_SOME = 5_000
"""Cells of a column with another name that are looked at for words of consent."""
_WORDY = (None, Kind.TEXT, Kind.NUMBER)
"""Kinds of columns that may say yes and no in words of their own."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One column as it would be imported: its target, its kind as the catalogue would say, and how many of its cells fit.

    `to` is empty for a column that is ignored. `example` is the first value that fits. `naive`: its times name no zone.
    `decimal` is the decimal sign of its numbers, if that is no plain point. `words` are the values of a column that may be
    people's yes and no, with their numbers, the commonest first; none if there are too many others. `odd`: it is a
    text for the sake of a few cells.
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
    odd: Odd | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """A file as it would be imported; nothing was. `seen` makes the catalogue to import it with; Parquet has no encoding."""

    rows: int
    left_out: int
    columns: tuple[Looked, ...]
    seen: Seen
    encoding: str = ""


def looked(
    bench: Bench, names: Sequence[str] | None, asked: Callable[[int, Cell], bool] = lambda *_: True
) -> tuple[Looked, ...]:
    """The columns of what was read that are asked for, in the order of the file; those that are ignored come where they stand."""
    found = {cell.name: _looked(bench, number, cell) for number, cell in enumerate(bench.cells) if asked(number, cell)}
    ordered = [*(names or ()), *(name for name in found if name not in set(names or ()))]
    return tuple(found.get(name) or Looked(name, "", "", 0, 0, "") for name in ordered)


def _looked(bench: Bench, number: int, cell: Cell) -> Looked:
    filled, rejected, example, empty = bench.engine.sql(
        f"SELECT count(v{number}), count(*) FILTER (t{number} IS NOT NULL AND v{number} IS NULL), "
        f"arg_min(t{number}, line) FILTER (v{number} IS NOT NULL), "
        f"count(*) FILTER (t{number} IS NULL AND v{number} IS NULL) FROM read"
    ).fetchall()[0]
    words = _words(bench, number, cell) if cell.kind is Kind.BOOLEAN or worded(bench, number, cell) else ()
    return Looked(
        cell.name, cell.to, cell.kind or "json", filled, rejected, example or "", empty, number in bench.naive,
        cell.decimal, words, None if words else odd(bench, number, cell),
    )  # fmt: skip


def worded(bench: Bench, number: int, cell: Cell) -> bool:
    """Whether a column may say yes and no in words: by its name, or because its first cells speak of a subscription."""
    if cell.owned or cell.kind not in (*_WORDY, Kind.BOOLEAN):
        return False
    if agreeing(cell.name):
        return True
    if cell.kind not in (None, Kind.TEXT):
        return False
    some = f"SELECT {_word(number, cell)} AS word FROM read LIMIT {_SOME}"
    return bool(bench.engine.sql(f"SELECT bool_or(word IN {_among(SPOKEN)}) FROM ({some})").fetchall()[0][0])


def _words(bench: Bench, number: int, cell: Cell) -> tuple[tuple[str, int], ...]:
    word = _word(number, cell)
    found = bench.engine.sql(
        f"SELECT {word} AS word, count(*) FROM read WHERE word IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_WORDS + 1}"
    ).fetchall()
    if len(found) <= MOST_WORDS:
        return tuple(found)
    most = f"SELECT 2 * count(*) FILTER (word IN {_among(AGREED | DECLINED)}) >= count(word) FROM (SELECT {word} AS word FROM read)"
    return tuple(found[:MOST_WORDS]) if bench.engine.sql(most).fetchall()[0][0] else ()


def _word(number: int, cell: Cell) -> str:
    """SQL: what a cell says, in small letters, however it came."""
    value = f"CAST(v{number} AS VARCHAR)"
    if cell.kind is Kind.NUMBER:
        value = f"regexp_replace({value}, '[.]?0+$', '')"
    said = f"coalesce(t{number}, {value})"
    if cell.kind is None:
        said = f"json_extract_string({said}, '$')"
    return f"nullif(lower(trim({said})), '')"


def _among(words: Collection[str]) -> str:
    return f"({', '.join(map(literal, sorted(words)))})"
