"""Text files of any origin: opened whatever their encoding, and what can be said about a line that is no row."""

import gzip
import io
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from orchestrator.core.errors import OrchestratorError

SLICE = 50_000
"""Rows read at a time."""


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


def numbered(first: int, count: int) -> Any:
    """The numbers of so many lines, as an Arrow array; made of bare memory, for Arrow would ask whether they are a data frame's."""
    return pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(array("q", range(first, first + count)))])


def open_text(path: Path, form: Form) -> tuple[IO[bytes], io.TextIOWrapper, int]:
    """The file as bytes on disk (for progress) and as text. Bytes that are no text become lone surrogates, found later."""
    raw: IO[bytes] = path.open("rb")
    try:
        plain: Any = gzip.GzipFile(fileobj=raw) if path.suffix.lower() == ".gz" else raw
        buffered = io.BufferedReader(plain) if plain is not raw else raw
        encoding = form.encoding or _encoding(buffered)
        text = io.TextIOWrapper(buffered, encoding=encoding, errors="surrogateescape", newline="")
    except LookupError:
        raw.close()
        raise FileError(
            f"{path}: there is no encoding '{form.encoding}'; write one like utf-8 or latin-1 in the mapping"
        ) from None
    except BaseException:
        raw.close()
        raise
    return raw, text, max(path.stat().st_size, 1)


def _encoding(file: Any) -> str:
    """UTF-8, whose own mark is passed over, unless the file begins with the mark of UTF-16, as spreadsheets write it."""
    start = file.peek(3)[:3]
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if start == b"\xef\xbb\xbf":
        file.read(3)
    return "utf-8"


def undecodable(text: str) -> str:
    if text.isascii():
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "bytes that are no UTF-8; save the file as UTF-8, or name its encoding in the mapping"
    return ""


def shortened(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= 200 else clean[:200] + "…"


def refuse_twins(path: Path, names: list[str]) -> None:
    for number, name in enumerate(names, 1):
        if not name:
            raise FileError(f"{path}:1: column {number} has no name; give every column one, or say `header: false`")
        if [other.lower() for other in names].count(name.lower()) > 1:
            raise FileError(f"{path}:1: two columns are called {name}; rename one of them")
