"""Reading the files people bring: CSV, JSON lines and Parquet, a slice at a time, with the number of every line.

What cannot be a row at all (a torn line, a cell too many, bytes that are no text) is set aside with its reason; the rest
goes on.
"""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.audience.bench import Bench
from orchestrator.audience.columns import literal, quoted
from orchestrator.audience.commas import rows_of_csv
from orchestrator.audience.encodings import open_text
from orchestrator.audience.landing import Progress
from orchestrator.audience.texts import (
    LONGEST_LINE,
    SLICE,
    Broken,
    FileError,
    Form,
    Slice,
    refuse_twins,
    shortened,
    too_long,
    undecodable,
)

_SCANNED = 500_000
"""Rows of a Parquet file read between two words about the progress."""

_ENDINGS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet", ".pq": "parquet"}  # fmt: skip


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


def scan(bench: Bench, path: Path, progress: Progress) -> list[str] | None:
    """Let the engine read a Parquet file by itself onto the bench; its columns, or None if it cannot."""
    with _told(path):
        file = pq.ParquetFile(path)
        names: list[str] = file.schema_arrow.names
        total = file.metadata.num_rows
    refuse_twins(path, names)
    if not total or set(str(path)) & set("*?[{"):  # the engine takes these for a pattern of names
        return None
    columns = ", ".join(f"{quoted(name)} AS c{place}" for place, name in enumerate(names))
    rows = (
        f"SELECT file_row_number + 1 AS line, {columns} FROM read_parquet({literal(str(path))}, file_row_number = true)"
    )
    try:
        for start in range(0, total, _SCANNED):
            end = min(start + _SCANNED, total)
            bench.take(f"{rows} WHERE file_row_number >= {start} AND file_row_number < {end}", end - start)
            progress("reading", end, total)
    except duckdb.Error:
        bench.clear()
        return None
    return names


def slices(path: Path, form: Form) -> Iterator[Slice]:
    """The file's rows. JSON lines have one column, `json`; Parquet's columns hold JSON text."""
    with _told(path):
        match kind_of(path):
            case "csv":
                yield from rows_of_csv(path, form)
            case "jsonl":
                yield from _jsonl(path, form)
            case _:
                yield from _parquet(path)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What goes wrong with a file, in words."""
    try:
        yield
    except FileNotFoundError:
        raise FileError(f"{path}: there is no such file") from None
    except (gzip.BadGzipFile, EOFError) as problem:
        raise FileError(f"{path}: the compressed file is damaged ({problem}); fetch it again") from problem
    except pa.ArrowInvalid as problem:
        raise FileError(f"{path}: this is no Parquet file ({str(problem).splitlines()[0]})") from problem
    except OSError as problem:
        raise FileError(f"{path}: cannot be read ({problem.strerror or problem})") from problem


def _jsonl(path: Path, form: Form) -> Iterator[Slice]:
    raw, text, size = open_text(path, form)
    with raw, text:
        good: list[str] = []
        numbers: list[int] = []
        broken: list[Broken] = []
        line = 0
        for line, written in enumerate(iter(lambda: text.readline(LONGEST_LINE), ""), 1):
            if len(written) == LONGEST_LINE and written[-1] != "\n":
                raise too_long(str(path), line, "JSON object on a line of its own")
            wrong = undecodable(written)
            if wrong:
                broken.append(Broken(line, shortened(written.rstrip()), wrong))
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
    refuse_twins(path, names)
    done = 0
    for batch in file.iter_batches(SLICE):
        table = pa.Table.from_batches([batch]).rename_columns([f"c{place}" for place in range(len(names))])
        numbers = pa.array(range(done + 1, done + batch.num_rows + 1), pa.int64())
        done += batch.num_rows
        yield Slice(table.add_column(0, "line", numbers), names, [], done / total)
    if not done:
        raise FileError(f"{path}: the file has no rows")
