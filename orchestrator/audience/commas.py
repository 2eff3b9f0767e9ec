"""CSV files: rows of cells cut fast where all is well, and one by one where a line has something the matter with it."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from orchestrator.audience.texts import (
    Broken,
    FileError,
    Form,
    Slice,
    open_text,
    refuse_twins,
    shortened,
    undecodable,
)

_LONGEST_CELL = 1_000_000
_CHUNK = 16_000_000
"""Characters cut at once."""


def rows_of_csv(path: Path, form: Form) -> Iterator[Slice]:
    csv.field_size_limit(_LONGEST_CELL)
    raw, text, size = open_text(path, form)
    with raw, text:
        first = text.readline()
        if not first:
            raise FileError(f"{path}: the file is empty")
        cut = _cutter(form, first)
        lines = _Lines("" if form.header else first, text, 1 if form.header else 0)
        header = next(iter(cut([first])), [])
        if problem := undecodable(first):
            raise FileError(f"{path}:1: {problem}")
        names = (
            [name.strip() for name in header] if form.header else [str(place) for place in range(1, len(header) + 1)]
        )
        refuse_twins(path, names)
        if form.header:
            yield Slice(_table(names, [], []), names, [], 0.0)
        while taken := lines.take(_CHUNK):
            yield Slice(*_rows(taken, lines, names, cut), raw.tell() / size)


@dataclass(frozen=True, slots=True)
class _Commas:
    """Cuts lines at a separator, with quotes as in CSV."""

    separator: str

    def __call__(self, lines: Iterable[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.separator, strict=True)


def _cutter(form: Form, first: str) -> Callable[[Iterable[str]], Iterator[list[str]]]:
    """What cuts lines into rows of cells."""
    if form.separator == "whitespace":
        return lambda lines: map(str.split, lines)
    return _Commas({"tab": "\t"}.get(form.separator, form.separator) or max(",;\t|", key=first.count))


class _Lines:
    """The lines of a text, taken by the thousand or, where a row spans several, one by one; and how many were taken."""

    def __init__(self, begun: str, text: io.TextIOWrapper, before: int) -> None:
        self._begun = begun
        self._text = text
        self.taken = before

    def take(self, most: int) -> str:
        """Whole lines, about so many characters of them."""
        found, self._begun = self._begun + self._text.read(most), ""
        if found and found[-1] != "\n":
            found += self._text.readline()
        self.taken += len(_cut(found)) if _odd_ends(found) else found.count("\n") + (found[-1:] not in ("", "\n"))
        return found

    def after(self, lines: list[str]) -> Iterator[str]:
        """These lines, then those that follow."""
        yield from lines
        while line := self._text.readline():
            self.taken += 1
            yield line


def _odd_ends(text: str) -> bool:
    """Whether lines end otherwise than in all of today's files: in a carriage return alone."""
    return "\r" in text and text.count("\r") != text.count("\r\n")


def _cut(text: str) -> list[str]:
    return list(io.StringIO(text, newline=""))


def _rows(text: str, rest: _Lines, names: list[str], cut: Any) -> tuple[Any, list[str], list[Broken]]:
    """A slice of rows. When all is well, as nearly always, a line is a row and nothing is looked at one by one."""
    before = rest.taken
    # The careful way finds out which line it is that cannot be read.
    with suppress(csv.Error, UnicodeEncodeError, pa.ArrowInvalid):
        table = _at_once(text, names, cut)
        count = text.count("\n") + (text[-1] != "\n")
        if table.num_rows == count:
            numbers = pa.array(range(before - count + 1, before + 1), pa.int64())
            return table.add_column(0, "line", numbers), names, []
    good: list[list[str]] = []
    numbers = []
    broken: list[Broken] = []
    for line, row, problem in _carefully(_cut(text), rest, cut):
        wrong = problem or (f"{len(row)} cells where the header has {len(names)}" if len(row) != len(names) else "")
        if wrong and row:
            broken.append(Broken(line, shortened(",".join(row)), wrong))
        elif row:
            good.append(row)
            numbers.append(line)
    return _table(names, numbers, good), names, broken


def _at_once(text: str, names: list[str], cut: Any) -> Any:
    """The cells of lines that have nothing the matter with them; an error or fewer rows than lines if one has."""
    columns = {f"c{place}": pa.string() for place in range(len(names))}
    if _odd_ends(text):
        raise csv.Error
    if not isinstance(cut, _Commas):
        rows = list(cut(_cut(text)))
        if set(map(len, rows)) != {len(names)}:
            raise csv.Error
        return pa.table(
            {name: pa.array(column, pa.string()) for name, column in zip(columns, zip(*rows, strict=True), strict=True)}
        )
    return pa_csv.read_csv(
        pa.BufferReader(text.encode()),
        pa_csv.ReadOptions(column_names=list(columns), use_threads=False),
        pa_csv.ParseOptions(delimiter=cut.separator, newlines_in_values='"' in text),
        pa_csv.ConvertOptions(column_types=columns, strings_can_be_null=False, quoted_strings_can_be_null=False),
    )


def _carefully(lines: list[str], rest: _Lines, cut: Any) -> Iterator[tuple[int, list[str], str]]:
    """(line, cells, what is wrong) of every row that begins within `lines`; blank lines come as no cells."""
    first = rest.taken - len(lines) + 1
    last = rest.taken
    read = 0

    def feed() -> Iterator[str]:
        nonlocal read
        for line in rest.after(lines):
            read += 1
            yield line

    rows = cut(feed())
    while first + read <= last:
        start = first + read
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as problem:
            yield start, ["…"], f"the line cannot be read as CSV: {problem}"
            continue
        yield start, row, undecodable("".join(row))


def _table(names: list[str], numbers: Sequence[int], rows: list[list[str]]) -> Any:
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    arrays = {f"c{place}": pa.array(column, pa.string()) for place, column in enumerate(columns)}
    return pa.table({"line": pa.array(numbers, pa.int64()), **arrays})
