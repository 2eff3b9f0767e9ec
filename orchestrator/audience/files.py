"""Reading the files people bring: CSV, JSON lines and Parquet, a slice at a time, with the number of every line.

What cannot be a row at all (a torn line, a cell too many, bytes that are no text) is set aside with its reason; the rest
goes on.
"""

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.core.errors import OrchestratorError

SLICE = 50_000
"""Rows read at a time."""
_LONGEST_CELL = 1_000_000
_ENDINGS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet", ".pq": "parquet"}  # fmt: skip


class FileError(OrchestratorError):
    """A file that cannot be imported as a whole; nothing of it was."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is no row: its number (from 1), what it said (shortened), and why."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Form:
    """How a text file is written. A blank separator means: find out; `whitespace` is any run of blanks."""

    separator: str = ""
    header: bool = True
    encoding: str = ""


@dataclass(slots=True)
class Slice:
    """Some rows of a file: an Arrow table of `line` and c0, c1, … (or `json`), the columns' names (None for JSON lines), lines
    that are no rows, and the share of the file read so far.
    """

    rows: Any
    names: list[str] | None
    broken: list[Broken]
    done: float


def kind_of(path: Path) -> str:
    """`csv`, `jsonl` or `parquet`, by the file's ending; `.gz` may follow it."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    found = _ENDINGS.get(suffixes[-1] if suffixes else "")
    if found is None:
        raise FileError(
            f"{path}: what kind of file is it? Name it .csv, .jsonl or .parquet (text files may end in .gz)"
        )
    return found


def slices(path: Path, form: Form) -> Iterator[Slice]:
    """The file's rows. JSON lines have one column, `json`; Parquet's columns hold JSON text."""
    try:
        match kind_of(path):
            case "csv":
                yield from _csv(path, form)
            case "jsonl":
                yield from _jsonl(path, form)
            case _:
                yield from _parquet(path)
    except FileNotFoundError:
        raise FileError(f"{path}: there is no such file") from None
    except (gzip.BadGzipFile, EOFError) as problem:
        raise FileError(f"{path}: the compressed file is damaged ({problem}); fetch it again") from problem
    except pa.ArrowInvalid as problem:
        raise FileError(f"{path}: this is no Parquet file ({str(problem).splitlines()[0]})") from problem
    except OSError as problem:
        raise FileError(f"{path}: cannot be read ({problem.strerror or problem})") from problem


def _text(path: Path, form: Form) -> tuple[IO[bytes], io.TextIOWrapper, int]:
    """The file as bytes on disk (for progress) and as text. Bytes that are no text become lone surrogates, found later."""
    raw: IO[bytes] = path.open("rb")
    size = max(path.stat().st_size, 1)
    plain: Any = gzip.GzipFile(fileobj=raw) if path.suffix.lower() == ".gz" else raw
    buffered = io.BufferedReader(plain) if plain is not raw else raw
    encoding = form.encoding or _encoding(buffered)
    return raw, io.TextIOWrapper(buffered, encoding=encoding, errors="surrogateescape", newline=""), size


def _encoding(file: Any) -> str:
    """UTF-8 unless the file begins with the mark of UTF-16, as spreadsheets write it."""
    start = file.peek(2)[:2]
    return "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _csv(path: Path, form: Form) -> Iterator[Slice]:
    csv.field_size_limit(_LONGEST_CELL)
    raw, text, size = _text(path, form)
    with raw, text:
        lines = _rows(text, form)
        first = next(lines, None)
        if first is None:
            raise FileError(f"{path}: the file is empty")
        line, header, problem = first
        if problem:
            raise FileError(f"{path}:{line}: the first line cannot be read: {problem}")
        names = (
            [name.strip() for name in header] if form.header else [str(place) for place in range(1, len(header) + 1)]
        )
        _refuse_twins(path, names)
        width = len(names)
        good: list[list[str]] = [] if form.header else [header]
        numbers: list[int] = [] if form.header else [line]
        broken: list[Broken] = []
        for line, row, problem in lines:
            wrong = problem or (f"{len(row)} cells where the header has {width}" if len(row) != width else "")
            if wrong and row:
                broken.append(Broken(line, _short(",".join(row)), wrong))
            elif row:
                good.append(row)
                numbers.append(line)
            if len(good) >= SLICE:
                yield Slice(_table(names, numbers, good), names, broken, raw.tell() / size)
                good, numbers, broken = [], [], []
        yield Slice(_table(names, numbers, good), names, broken, 1.0)


def _rows(text: io.TextIOWrapper, form: Form) -> Iterator[tuple[int, list[str], str]]:
    """(line, cells, what is wrong) of every row; blank lines come as no cells."""
    if form.separator == "whitespace":
        for line, written in enumerate(text, 1):
            yield line, written.split(), "" if written.isascii() else _undecodable(written)
        return
    first = text.readline()
    if not first:
        return
    separator = {"tab": "\t"}.get(form.separator, form.separator) or max(",;\t|", key=first.count)
    reader = csv.reader(_again(first, text), delimiter=separator, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield start, ["…"], f"the line cannot be read as CSV: {problem}"
            continue
        joined = "".join(row)
        yield start, row, "" if joined.isascii() else _undecodable(joined)


def _again(first: str, rest: io.TextIOWrapper) -> Iterator[str]:
    yield first
    yield from rest


def _undecodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "bytes that are no UTF-8; save the file as UTF-8, or name its encoding in the mapping"
    return ""


def _short(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= 200 else clean[:200] + "…"


def _refuse_twins(path: Path, names: list[str]) -> None:
    for number, name in enumerate(names, 1):
        if not name:
            raise FileError(f"{path}:1: column {number} has no name; give every column one, or say `header: false`")
        if [other.lower() for other in names].count(name.lower()) > 1:
            raise FileError(f"{path}:1: two columns are called {name}; rename one of them")


def _table(names: list[str], numbers: list[int], rows: list[list[str]]) -> Any:
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    arrays = {f"c{place}": pa.array(column, pa.string()) for place, column in enumerate(columns)}
    return pa.table({"line": pa.array(numbers, pa.int64()), **arrays})


def _jsonl(path: Path, form: Form) -> Iterator[Slice]:
    raw, text, size = _text(path, form)
    with raw, text:
        good: list[str] = []
        numbers: list[int] = []
        broken: list[Broken] = []
        line = 0
        for line, written in enumerate(text, 1):
            wrong = "" if written.isascii() else _undecodable(written)
            if wrong:
                broken.append(Broken(line, _short(written.rstrip()), wrong))
            elif not written.isspace():
                good.append(written)
                numbers.append(line)
            if len(good) >= SLICE:
                yield Slice(_lines(numbers, good), None, broken, raw.tell() / size)
                good, numbers, broken = [], [], []
        if not line:
            raise FileError(f"{path}: the file is empty")
        yield Slice(_lines(numbers, good), None, broken, 1.0)


def _lines(numbers: list[int], lines: list[str]) -> Any:
    return pa.table({"line": pa.array(numbers, pa.int64()), "json": pa.array(lines, pa.string())})


def _parquet(path: Path) -> Iterator[Slice]:
    file = pq.ParquetFile(path)
    total = max(file.metadata.num_rows, 1)
    names = file.schema_arrow.names
    _refuse_twins(path, names)
    done = 0
    for batch in file.iter_batches(SLICE):
        table = pa.Table.from_batches([batch]).rename_columns([f"c{place}" for place in range(len(names))])
        numbers = pa.array(range(done + 1, done + batch.num_rows + 1), pa.int64())
        done += batch.num_rows
        yield Slice(table.add_column(0, "line", numbers), names, [], done / total)
    if not done:
        raise FileError(f"{path}: the file has no rows")
