"""The workbench of an import: rows as they came on one side, typed values and what was wrong with them on the other.

It is an engine of our own in memory, so nothing of this keeps anybody from the audience file.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from orchestrator.audience import coercion, mailable, opening
from orchestrator.audience.coercion import Clock
from orchestrator.audience.columns import literal, pointer
from orchestrator.core.mirrors import FAMILIES, MARK
from orchestrator.core.nouns import Channel
from orchestrator.core.segments.tree import Kind

GUESSED = (Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.TIME, Kind.VERSION)
"""Kinds a column may turn out to have, the first that fits all its values."""

FORMS = {
    "user": "[^\\x00-\\x1f\\x7f]{1,128}",
    "email": mailable.FORM,
    "channel": f"(?i)({'|'.join(Channel)})",
    "phone": "[+]?[0-9][0-9 ()./-]{3,30}",
}
FORMS_IN_WORDS = {
    "user": "an id of 1 to 128 characters",
    "phone": "a phone number",
    "channel": f"a channel ({', '.join(Channel)})",
}

RESERVED = {"event": FAMILIES, "message_id": (MARK,)}
"""How the names and message ids of our own events begin: the ledger tells of those, no file does."""

_NOTHING_WRONG = "SELECT 0 AS line, '' AS \"column\", '' AS value, '' AS reason, FALSE AS left_out LIMIT 0"


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of the rows as they came: what the file calls it, where it goes, and how it is read.

    `raw` is SQL over the raw table; `json` says that it yields JSON text (`null` deletes, absent changes nothing) instead of
    a CSV cell (`null` deletes, empty changes nothing). Without a kind it is guessed.
    """

    name: str
    to: str
    raw: str
    json: bool = False
    kind: Kind | None = None
    clock: Clock = field(default_factory=Clock)
    required: bool = False
    """Without a value here, the row is left out."""
    owned: bool = False
    """One of our own fields, not an attribute or a property."""
    form: str = ""
    """A pattern that a text must match as a whole; blanks around it are dropped."""


class Bench:
    """Rows go in with `put`; `read` turns them into the table `read`: line, hash, and for every cell t (text), v (value),
    o (value as JSON), x (to be deleted), each with the cell's number.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = TemporaryDirectory(prefix="import-", dir=folder)
        self.engine = opening.private(Path(self._folder.name))
        self.cells: tuple[Cell, ...] = ()
        self.rows = 0
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with closing(self.engine):
            pass
        self._folder.cleanup()

    def put(self, rows: Any) -> None:
        """Add an Arrow table of raw rows: `line` and the file's columns, all text. Every call brings the same columns."""
        self.engine.register("slice", rows)
        self.engine.execute(
            "INSERT INTO raw BY NAME SELECT * FROM slice" if self._begun else "CREATE TABLE raw AS SELECT * FROM slice"
        )
        self.engine.unregister("slice")
        self._begun = True
        self.rows += rows.num_rows

    def refuse_torn_lines(self) -> list[tuple[int, str]]:
        """Take lines that are no JSON object out of the raw table: (line, text)."""
        torn = "CASE WHEN json_valid(json) THEN json_type(json) <> 'OBJECT' ELSE TRUE END"
        found = self.engine.sql(f"SELECT line, left(trim(json), 200) FROM raw WHERE {torn} ORDER BY line").fetchall()
        if found:
            self.engine.execute(f"DELETE FROM raw WHERE {torn}")
            self.rows -= len(found)
        return found

    def keys_of(self, inside: str = "") -> list[str]:
        """Every key of the JSON lines, or of the object under the key `inside`, in order of appearance."""
        whole = f"json_extract(json, {literal(pointer(inside))})" if inside else "json"
        found = self.engine.sql(
            f"SELECT key FROM (SELECT line, unnest(json_keys({whole})) AS key FROM raw "
            f"WHERE json_type({whole}) = 'OBJECT') GROUP BY key ORDER BY min(line), key"
        ).fetchall()
        return [key for (key,) in found]

    def read(self, cells: Sequence[Cell], content: str) -> None:
        """Type every cell. `content` is SQL for the text of a whole row: rows with the same text are the same."""
        picked = [f"line, md5({content}) AS hash"]
        for number, cell in enumerate(cells):
            picked += _texts(number, cell)
        self.engine.execute(f"CREATE VIEW texts AS SELECT {', '.join(picked)} FROM raw")
        self.cells = tuple(self._guessed(cells))
        for number, cell in enumerate(self.cells):
            if cell.form == mailable.FORM:
                mailable.sort_out(self.engine, number)
        walls = [f"{coercion.wall(f't{n}', cell.clock)} AS w{n}" for n, cell in self._timed()]
        self.engine.execute(f"CREATE VIEW walled AS SELECT {', '.join(['*', *walls])} FROM texts")
        found = [f"{self._moment(n, cell)} AS m{n}" for n, cell in self._timed()]
        values = [f"{_value(n, cell)} AS v{n}" for n, cell in enumerate(self.cells)]
        written = [f"{_json(n, cell)} AS o{n}" for n, cell in enumerate(self.cells) if not cell.owned]
        inner = f"SELECT {', '.join(['*', *found])} FROM walled"
        inner = f"SELECT {', '.join(['*', *values])} FROM ({inner})"
        self.engine.execute(f"CREATE TABLE read AS SELECT {', '.join(['*', *written])} FROM ({inner})")
        self.engine.execute("DROP VIEW walled")
        self.engine.execute("DROP VIEW texts")
        self.engine.execute("DROP TABLE raw")

    def number(self, to: str) -> int | None:
        """The number of the cell that goes to `to`, None without one."""
        return next((number for number, cell in enumerate(self.cells) if cell.to == to), None)

    def column(self, to: str, default: str = "NULL") -> str:
        """The value column of the cell that goes to `to`."""
        number = self.number(to)
        return default if number is None else f"v{number}"

    def wrong(self) -> str:
        """SQL for what could not be read: line, column, value, reason, left_out (the whole row)."""
        parts = []
        for number, cell in enumerate(self.cells):
            column, text = literal(cell.name), f"t{number}"
            if cell.kind is not None:
                parts.append(
                    f"SELECT line, {column} AS \"column\", replace({text}, {coercion.STRUCTURE}, '') AS value, "
                    f"{_reason(number, cell)} AS reason, {cell.required} AS left_out "
                    f"FROM read WHERE {text} IS NOT NULL AND v{number} IS NULL"
                )
            if cell.required:
                parts.append(
                    f'SELECT line, {column} AS "column", NULL AS value, {literal(f"no {cell.to}")} AS reason, '
                    f"TRUE AS left_out FROM read WHERE {text} IS NULL"
                )
        return " UNION ALL ".join(parts) or _NOTHING_WRONG

    def _timed(self) -> list[tuple[int, Cell]]:
        return [(number, cell) for number, cell in enumerate(self.cells) if cell.kind is Kind.TIME]

    def _moment(self, number: int, cell: Cell) -> str:
        low, high = self.engine.sql(f"SELECT min(w{number}), max(w{number}) FROM walled").fetchall()[0]
        return coercion.moment_of(f"t{number}", f"w{number}", cell.clock, low, high)

    def _guessed(self, cells: Sequence[Cell]) -> list[Cell]:
        """The cells with a kind each; JSON values that nobody declared keep their own types."""
        unknown = [number for number, cell in enumerate(cells) if cell.kind is None and not cell.json]
        found: dict[int, Kind] = {}
        for kind in GUESSED:
            # Most kinds fall at the first few rows; only what is left is worth a look at all of them.
            fitting = self._fitting("(SELECT * FROM texts LIMIT 5000)", [n for n in unknown if n not in found], kind)
            found |= dict.fromkeys(self._fitting("texts", fitting, kind), kind)
        return [replace(cell, kind=found.get(n, Kind.TEXT)) if n in unknown else cell for n, cell in enumerate(cells)]

    def _fitting(self, table: str, numbers: Sequence[int], kind: Kind) -> list[int]:
        """Which of these cells have values, all of which fit."""
        if not numbers:
            return []
        asked = [
            f"coalesce(bool_and({coercion.fits(kind, f't{number}')}) FILTER (t{number} IS NOT NULL), FALSE)"
            for number in numbers
        ]
        answers = self.engine.sql(f"SELECT {', '.join(asked)} FROM {table}").fetchall()[0]
        return [number for number, fit in zip(numbers, answers, strict=True) if fit]


def _texts(number: int, cell: Cell) -> list[str]:
    """SQL columns t and x of one cell."""
    raw = f"({cell.raw})"
    if not cell.json:
        gone = f"{raw} IN ('null', 'NULL')"
        return [
            f"CASE WHEN NOT {gone} THEN nullif({raw}, '') END AS t{number}",
            f"coalesce({gone}, FALSE) AS x{number}",
        ]
    text = f"json_extract_string({raw}, '$')"
    if cell.kind is not Kind.TEXT:
        text = f"nullif({text}, '')"
    if cell.kind is None:
        text = raw
    elif cell.kind is not Kind.LIST:
        # A structure is no value of a plain kind: it stays visible in the rejects, and fits nothing.
        text = f"CASE WHEN json_type({raw}) IN ('OBJECT', 'ARRAY') THEN {coercion.STRUCTURE} || {raw} ELSE {text} END"
    return [f"CASE WHEN {raw} <> 'null' THEN {text} END AS t{number}", f"coalesce({raw} = 'null', FALSE) AS x{number}"]


def _value(number: int, cell: Cell) -> str:
    if cell.form == mailable.FORM:
        return mailable.value(number)
    if cell.form:
        trimmed = f"trim(t{number})"
        return f"CASE WHEN regexp_full_match({trimmed}, {literal(cell.form)}) THEN nfc_normalize({trimmed}) END"
    value = coercion.value(cell.kind, f"t{number}", f"m{number}") if cell.kind else f"t{number}"
    taken = _taken(number, cell)
    return f"CASE WHEN NOT ({taken}) THEN {value} END" if taken else value


def _taken(number: int, cell: Cell) -> str:
    """SQL: whether a text is kept for our own events; empty where none is."""
    begins = RESERVED.get(cell.to, ()) if cell.owned else ()
    return " OR ".join(f"starts_with(t{number}, {literal(one)})" for one in begins)


def _json(number: int, cell: Cell) -> str:
    if cell.kind is None:
        return f"t{number}"
    return coercion.as_json(cell.kind, f"t{number}", f"v{number}")


def _reason(number: int, cell: Cell) -> str:
    if cell.form == mailable.FORM:
        return mailable.reason(number)
    if cell.form and cell.kind:
        return literal(f"not {FORMS_IN_WORDS.get(cell.to, 'as it should be')}")
    reason = coercion.reason(cell.kind or Kind.TEXT, f"t{number}")
    taken = _taken(number, cell)
    return (
        f"CASE WHEN {taken} THEN 'kept for our own events; call yours otherwise' ELSE {reason} END" if taken else reason
    )
