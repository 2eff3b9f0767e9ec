"""Linked data: rows of tables beside the audience, found by a value of each person, for templates that read `linkedData`."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.config import Source
from orchestrator.core.errors import StoreError

USER = "user"
"""The word for a person's id, where a source names the attribute it is looked up by."""

Row = Mapping[str, Any]


class Linked:
    """The sources that some templates read, in memory for as long as a run is planned."""

    def __init__(self, root: Path, sources: Mapping[str, Source], touched: Iterable[tuple[str, ...]]) -> None:
        """Read the files of the sources in use; StoreError for one that cannot be read, unless the source says to skip."""
        names = {path[1] for path in touched if path[0] == "linkedData" and len(path) > 1}
        self._sources = [sources[name] for name in sorted(names & set(sources))]
        self._tables = {source.name: _table(root, source) for source in self._sources}

    def attributes(self) -> set[tuple[str, ...]]:
        """The attributes that people are looked up by, as paths of a template."""
        return {("userAttribute", source.by) for source in self._sources if source.by != USER}

    def of(self, user: str, attributes: Mapping[str, Any]) -> dict[str, Row]:
        """What the sources say of a person; a source that does not know them is left out."""
        found = {}
        for source in self._sources:
            value = user if source.by == USER else attributes.get(source.by)
            row = None if value is None else self._tables[source.name].get(str(value))
            if row is not None:
                found[source.name] = row
        return found


def _table(root: Path, source: Source) -> dict[str, Row]:
    """A source's rows by key; empty if it cannot be read and says to skip."""
    try:
        return _read(root, source)
    except (OSError, ValueError, TypeError, csv.Error, StoreError) as problem:
        if source.skips:
            return {}
        text = f"source {source.name}: {source.file} cannot be read ({problem}); mend it, or write `on_error: skip`"
        raise StoreError(text) from problem


def _read(root: Path, source: Source) -> dict[str, Row]:
    path = root / source.file
    if not path.resolve().is_relative_to(root.resolve()):
        raise StoreError("it leads out of the project")
    found: dict[str, Row] = {}
    for place, row in _rows(path, source):
        key = row.get(source.key)
        if key is None:
            raise StoreError(f"{place} has no {source.key}, by which rows are found")
        if str(key) in found:
            raise StoreError(f"{place}: {key} stands there twice")
        found[str(key)] = row
    return found


def _rows(path: Path, source: Source) -> Iterator[tuple[str, Row]]:
    """The rows of a file, each with its place in words. In CSV an empty cell is no value."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            for row in lines:
                yield f"line {lines.line_num}", {key: cell for key, cell in row.items() if key is not None and cell}
        return
    told = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(told, dict):
        told = [{source.key: key, **row} for key, row in told.items() if isinstance(row, dict)]
    if not isinstance(told, list):
        raise TypeError("neither a list nor an object of rows")
    for number, row in enumerate(told, 1):
        if not isinstance(row, dict):
            raise TypeError(f"row {number} is no object")
        yield f"row {number}", row
