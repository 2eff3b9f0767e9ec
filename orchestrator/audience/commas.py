"""CSV files: rows of cells cut fast where all is well, and one by one where a line has something the matter with it."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from orchestrator.audience.encodings import open_text
from orchestrator.audience.texts import (
    LONGEST_LINE,
    Broken,
    FileError,
    Form,
    Slice,
    numbered,
    refuse_twins,
    shortened,
    too_long,
    undecodable,
)

_LONGEST_CELL = 1_000_000
_CHUNK = 16_000_000
"""Bytes cut at once."""
_LONGEST_ROW = 16_000_000
"""Characters of a row of several lines: quotes that are never right could make a whole file one."""
_PEEKED = 4096
_NO_CSV = "the line cannot be read as CSV"
_ENDLESS = "unexpected end of data"
"""How Python's reader says that a file ends within quotes."""
_ANY = "surrogateescape"
"""Bytes that are no text stand as lone surrogates until somebody asks what is wrong with their line."""


def rows_of_csv(path: Path, form: Form) -> Iterator[Slice]:
    csv.field_size_limit(_LONGEST_CELL)
    raw, text, size = open_text(path, form)
    with raw, text:
        lines = _Lines(text, str(path))
        first = lines.first()
        if not first:
            raise FileError(f"{path}: the file is empty")
        cut = _cutter(form, first)
        try:
            header = next(iter(cut([first])), [])
        except csv.Error as problem:
            raise FileError(f"{path}:1: {_NO_CSV}: {problem}") from problem
        if wrong := undecodable(first):
            raise FileError(f"{path}:1: {wrong}")
        names = (
            [name.strip() for name in header] if form.header else [str(place) for place in range(1, len(header) + 1)]
        )
        refuse_twins(path, names)
        if form.header:
            yield Slice(_table(names, [], []), names, [], 0.0)
        else:
            lines.back([first])
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
    """The lines of a text as UTF-8: many at a time or, where a row spans several, one by one; `taken` counts them."""

    def __init__(self, text: io.TextIOWrapper, where: str) -> None:
        self._text = text
        self._where = where
        self._bytes: Any = text.buffer if text.encoding.lower() == "utf-8" else None
        """UTF-8 need not become text first, nor bytes again."""
        self._begun = b""
        self.taken = 0

    def first(self) -> str:
        """The first line. One that ends in a carriage return alone says that others may."""
        start = self._bytes.peek(_PEEKED)[:_PEEKED] if self._bytes else b""
        if b"\r" in start.rstrip(b"\r").replace(b"\r\n", b""):
            self._bytes = None
        self.taken = 1
        return self._line()

    def back(self, lines: list[str]) -> None:
        """Give the last lines back."""
        self._begun, self.taken = "".join(lines).encode(errors=_ANY), self.taken - len(lines)

    def take(self, most: int) -> bytes:
        """Whole lines, about so many bytes of them; whoever cuts them says how many there were."""
        found = self._begun + (self._bytes.read(most) if self._bytes else self._text.read(most).encode(errors=_ANY))
        self._begun = b""
        if found and found[-1:] != b"\n":
            found += self._line(found.count(b"\n")).encode(errors=_ANY)
        return found

    def more(self) -> list[str]:
        """The next line, as several where a carriage return alone ends one; none at the end."""
        lines = _cut_lines(self._line())
        self.taken += len(lines)
        return lines

    def _line(self, further: int = 0) -> str:
        """The next line, or what is left of it; `further` lines were read and are not counted yet."""
        line: str = (
            self._bytes.readline(LONGEST_LINE).decode(errors=_ANY) if self._bytes else self._text.readline(LONGEST_LINE)
        )
        if len(line) == LONGEST_LINE and line[-1] != "\n":
            raise too_long(self._where, self.taken + further, "row")
        return line


def _rows(text: bytes, rest: _Lines, names: list[str], cut: Any) -> tuple[Any, list[str], list[Broken]]:
    """A slice of rows. When all is well, as nearly always, a line is a row and nothing is looked at one by one."""
    # The careful way finds out which line it is that cannot be read.
    with suppress(csv.Error, UnicodeDecodeError, pa.ArrowInvalid):
        table = _at_once(text, names, cut)
        rest.taken += table.num_rows
        return table.add_column(0, "line", numbered(rest.taken - table.num_rows + 1, table.num_rows)), names, []
    good: list[list[str]] = []
    numbers = []
    broken: list[Broken] = []
    for line, row, wrong in _carefully(_cut_lines(text.decode(errors=_ANY)), rest, cut, len(names)):
        if wrong:
            broken.append(Broken(line, shortened(",".join(row)), wrong))
        else:
            good.append(row)
            numbers.append(line)
    return _table(names, numbers, good), names, broken


def _cut_lines(text: str) -> list[str]:
    """The lines of a text with their ends, whichever they are."""
    return list(io.StringIO(text, newline=""))


def _at_once(text: bytes, names: list[str], cut: Any) -> Any:
    """The cells of lines that have nothing the matter with them; an error if one has, or is not a row."""
    columns = {f"c{place}": pa.string() for place in range(len(names))}
    if not isinstance(cut, _Commas):
        rows = list(cut(io.StringIO(text.decode(), newline="")))
        if set(map(len, rows)) != {len(names)}:
            raise csv.Error
        return pa.table(
            {name: pa.array(column, pa.string()) for name, column in zip(columns, zip(*rows, strict=True), strict=True)}
        )
    # A carriage return alone ends a line too, and so can make up for one that a cell in quotes holds.
    if b"\r" in text and text.count(b"\r") != text.count(b"\r\n"):
        raise csv.Error
    if b'"' in text and not _well_quoted(text, cut.separator):
        raise csv.Error
    table = pa_csv.read_csv(
        pa.BufferReader(text),
        pa_csv.ReadOptions(column_names=list(columns), use_threads=False),
        pa_csv.ParseOptions(delimiter=cut.separator, newlines_in_values=b'"' in text),
        pa_csv.ConvertOptions(column_types=columns, strings_can_be_null=False, quoted_strings_can_be_null=False),
    )
    if table.num_rows != text.count(b"\n") + (text[-1:] != b"\n"):
        raise csv.Error
    return table


def _well_quoted(text: bytes, separator: str) -> bool:
    """Whether every cell is in quotes as a whole or has none: readers differ in what else they take."""
    mark = re.escape(separator)
    cell = f'"(?:[^"]|"")*"|[^"{mark}\\r\\n]*'
    rows = f"\\A(?:(?:{cell})(?:{mark}|\\r?\\n|\\z))*\\z"
    return bool(pc.match_substring_regex(pa.scalar(text, pa.large_binary()), rows).as_py())


def _carefully(lines: list[str], rest: _Lines, cut: Any, cells: int) -> Iterator[tuple[int, list[str], str]]:
    """(line, cells, what is wrong) of every row that begins within `lines`; blank lines are none.

    A row of several lines that is no row costs its first line alone, where a quote may have been opened by mistake: the next
    row begins at the next line. What was read too far is given back; a cell's and a row's largest size are how far that can be.
    """
    own, at, ahead = len(lines), 0, 0
    rest.taken += own
    before = rest.taken - own

    def feed() -> Iterator[str]:
        nonlocal at, ahead
        while True:
            if at == len(lines):
                lines.extend(rest.more())
                ahead += sum(map(len, lines[at:]))
            if ahead > _LONGEST_ROW:
                raise csv.Error("a row that goes on without end")
            if at == len(lines):
                return
            at += 1
            yield lines[at - 1]

    rows = cut(feed())
    while at < own:
        start = at
        try:
            row = next(rows)
        except csv.Error as problem:
            unclosed = "a quote opened in it is not closed: " if at - start > 1 or _ENDLESS in str(problem) else ""
            row, wrong, torn = [lines[start].rstrip("\r\n")], f"{_NO_CSV}: {unclosed}{problem}", True
        else:
            torn = at - start > 1 and len(row) != cells
            wrong = _wrong(row, cells, f", with what is in quotes up to line {before + at}" if torn else "")
        if row:
            yield before + start + 1, row, wrong
        if torn:
            at = start + 1
            rows = cut(feed())
    rest.back(lines[at:])


def _wrong(row: list[str], cells: int, more: str) -> str:
    """What is wrong with a row, nothing of one that can be taken."""
    return undecodable("".join(row)) or (
        f"{len(row)} cells where the header has {cells}{more}" if len(row) != cells else ""
    )


def _table(names: list[str], numbers: Sequence[int], rows: list[list[str]]) -> Any:
    if not rows:
        return pa.schema(
            [("line", pa.int64()), *((f"c{place}", pa.string()) for place in range(len(names)))]
        ).empty_table()
    columns = zip(*rows, strict=True)
    arrays = {f"c{place}": pa.array(column, pa.string()) for place, column in enumerate(columns)}
    return pa.table({"line": pa.array(numbers, pa.int64()), **arrays})
