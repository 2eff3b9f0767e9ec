"""Tables of linked data: rows by key, read from a file of the project or from the answer of a service."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.config import Source
from orchestrator.core.errors import StoreError

UNREADABLE = (OSError, ValueError, TypeError, RecursionError, csv.Error, StoreError)
"""What reading a table may raise."""

Row = Mapping[str, Any]


def content_of(root: Path, source: Source) -> bytes:
    """The bytes of a source's file; StoreError if it is not the project's own."""
    path = root / source.file
    if not path.resolve().is_relative_to(root.resolve()):
        raise StoreError("it leads out of the project")
    return path.read_bytes()


def table(content: bytes, source: Source, *, is_csv: bool) -> dict[str, Row]:
    """Rows by key; StoreError for a row without one, and for a key that stands there twice."""
    found: dict[str, Row] = {}
    for place, row in _rows(content, source, is_csv=is_csv):
        key = row.get(source.key)
        if key is None:
            raise StoreError(f"{place} has no {source.key}, by which rows are found")
        if str(key) in found:
            raise StoreError(f"{place}: {key} stands there twice")
        found[str(key)] = row
    return found


def _rows(content: bytes, source: Source, *, is_csv: bool) -> Iterator[tuple[str, Row]]:
    """The rows, each with its place in words. In CSV an empty cell is no value."""
    if is_csv:
        lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        for row in lines:
            yield f"line {lines.line_num}", {key: cell for key, cell in row.items() if key is not None and cell}
        return
    told = json.loads(content.decode("utf-8"))
    if isinstance(told, dict):
        told = [{source.key: key, **row} for key, row in told.items() if isinstance(row, dict)]
    if not isinstance(told, list):
        raise TypeError("neither a list nor an object of rows")
    for number, row in enumerate(told, 1):
        if not isinstance(row, dict):
            raise TypeError(f"row {number} is no object")
        yield f"row {number}", row
