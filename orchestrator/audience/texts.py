"""Text files of any origin: how they are written, and what can be said about a line that is no row."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from orchestrator.core.errors import OrchestratorError

SLICE = 50_000
"""Rows read at a time."""
LONGEST_LINE = 4_000_000
"""Bytes of one line; a longer one is no row but a damaged file, and nobody reads it to its end."""
MOST_COLUMNS = 500
"""Columns of one file."""

MOST_BROKEN = 1_000_000
"""Lines of one file that are no rows and are set aside; they are held in memory until the rejects are written."""


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


def undecodable(text: str) -> str:
    if text.isascii():
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "bytes that are no text; save the file as UTF-8, or name its encoding in the mapping"
    return ""


def shortened(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= 200 else clean[:200] + "…"


def refuse_twins(path: Path, names: list[str]) -> None:
    """FileError for too many columns, for one without a name, and for two of the same."""
    refuse_many(str(path), len(names))
    seen: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        if not name:
            raise FileError(f"{path}:1: column {number} has no name; give every column one, or say `header: false`")
        if (first := seen.get(name.lower())) is not None:
            raise FileError(f"{path}:1: two columns are called {first}; rename one of them")
        seen[name.lower()] = name


def refuse_many(where: str, columns: int) -> None:
    """FileError for more columns than anybody's file has."""
    if columns > MOST_COLUMNS:
        raise FileError(
            f"{where}: {columns:,} columns, and at most {MOST_COLUMNS:,} can be imported; leave out those nobody needs, or"
            " say the `separator` in the mapping if that is not how the lines are cut"
        )


def refuse_hopeless(where: str, broken: Sequence[Broken]) -> None:
    """FileError for more lines that are no rows than anybody would mend one by one: the file is written otherwise."""
    if len(broken) > MOST_BROKEN:
        first = broken[0]
        raise FileError(
            f"{where}: more than {MOST_BROKEN:,} lines of it are no rows, the first of them line {first.line}: {first.reason};"
            " nothing was imported: mend the file, or say in the mapping how it is written (separator, encoding, header)"
        )


def too_long(where: str, line: int, what: str) -> FileError:
    """What to say of a line nobody wants to read to its end; `what` is what it is not."""
    return FileError(
        f"{where}:{line}: a line of more than {LONGEST_LINE // 1_000_000} MB is no {what}; is the file damaged?"
    )
