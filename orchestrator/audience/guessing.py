"""What the columns of a file hold where nobody said so: the kind that fits all their values, and whether commas are decimal ones."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import duckdb

from orchestrator.audience import coercion
from orchestrator.audience.cell import Cell
from orchestrator.core.segments.tree import Kind

GUESSED = (Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIME, Kind.VERSION)
"""Kinds a column may turn out to have, the first that fits all its values."""

_SOME = "(SELECT * FROM texts LIMIT 5000)"
"""Most guesses fall at the first few rows; only what is left is worth a look at all of them."""


def guessed(engine: duckdb.DuckDBPyConnection, cells: Sequence[Cell]) -> list[Cell]:
    """The cells of the view `texts` with a kind each; JSON values that nobody declared keep their own types."""
    unknown = [number for number, cell in enumerate(cells) if cell.kind is None and not cell.json]
    found: dict[int, Kind] = {}
    for kind in GUESSED:
        left = [n for n in unknown if n not in found]
        found |= dict.fromkeys(_all(engine, left, partial(coercion.fits, kind)), kind)
    left = [n for n in unknown if n not in found]
    parted = _parted(engine, cells, left)
    kinds = found | dict.fromkeys(parted, Kind.NUMBER)
    parted |= _declared(engine, cells)
    return [
        replace(cell, kind=kinds.get(n, Kind.TEXT) if n in unknown else cell.kind, decimal=parted.get(n, ""))
        for n, cell in enumerate(cells)
    ]


def _parted(engine: duckdb.DuckDBPyConnection, cells: Sequence[Cell], numbers: Iterable[int]) -> dict[int, str]:
    """Which of these columns are numbers once their decimal sign is known, and that sign."""
    found: dict[int, str] = {}
    for sign in (",", "."):
        asked = [n for n in numbers if cells[n].decimal == sign or (sign == "," and not cells[n].decimal)]
        fitting = _all(engine, asked, partial(coercion.fits_parted, decimal=sign))
        sure = _any(engine, "texts", [n for n in fitting if not cells[n].decimal], coercion.sure_comma)
        found |= {n: sign for n in fitting if cells[n].decimal or n in sure}
    return found


def _declared(engine: duckdb.DuckDBPyConnection, cells: Sequence[Cell]) -> dict[int, str]:
    """The decimal signs of columns that are numbers by what was told: as told, else a comma where one is sure and no point is one."""
    texts = [n for n, cell in enumerate(cells) if cell.kind is Kind.NUMBER and _written(cell)]
    found = {n: cells[n].decimal for n in texts if cells[n].decimal}
    asked = _any(engine, _SOME, [n for n in texts if n not in found], coercion.sure_comma)
    pointed = _any(engine, "texts", asked, coercion.sure_point)
    return found | dict.fromkeys([n for n in asked if n not in pointed], ",")


def _written(cell: Cell) -> bool:
    """Whether its numbers are written out, as people write them."""
    return not cell.json and cell.stored in ("", "VARCHAR")


def _all(engine: duckdb.DuckDBPyConnection, numbers: Sequence[int], fits: Callable[[str], str]) -> list[int]:
    """Which of these columns have values, all of which fit (SQL by text)."""
    for table in (_SOME, "texts"):
        asked = [f"coalesce(bool_and({fits(f't{n}')}) FILTER (t{n} IS NOT NULL), FALSE)" for n in numbers]
        numbers = _true(engine, table, numbers, asked)
    return list(numbers)


def _any(
    engine: duckdb.DuckDBPyConnection, table: str, numbers: Sequence[int], fits: Callable[[str], str]
) -> list[int]:
    """Which of these columns have a value that fits (SQL by text)."""
    return _true(engine, table, numbers, [f"coalesce(bool_or({fits(f't{n}')}), FALSE)" for n in numbers])


def _true(engine: duckdb.DuckDBPyConnection, table: str, numbers: Sequence[int], asked: Sequence[str]) -> list[int]:
    if not numbers:
        return []
    answers = engine.sql(f"SELECT {', '.join(asked)} FROM {table}").fetchall()[0]
    return [number for number, fit in zip(numbers, answers, strict=True) if fit]
