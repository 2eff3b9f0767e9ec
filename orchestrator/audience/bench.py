"""The workbench of an import: rows as they came on one side, typed values and what was wrong with them on the other.

It is an engine of our own in memory, so nothing of this keeps anybody from the audience file.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from orchestrator.audience import allowed, coercion, guessing, mailable, opening, subscribing
from orchestrator.audience.cell import Cell, json_of, raw_of, reason_of, texts_of, value_of
from orchestrator.audience.columns import literal, pointer
from orchestrator.audience.texts import MOST_BROKEN
from orchestrator.core.segments.tree import Kind

INSIDE = "inside"
"""The column of what was taken out of `properties`, in the order of the cells with a place there."""

_AT_ONCE = 200_000
"""Rows that go into the raw table at once, at least."""

_NOTHING_WRONG = "SELECT 0 AS line, '' AS \"column\", '' AS value, '' AS reason, FALSE AS left_out, 0 AS place LIMIT 0"


class Bench:
    """Rows go in with `put`; `read` turns them into the table `read`: line, and for every cell v (value), x (to be deleted), o
    (value as JSON) if it is written as such, and t (text) where it has no value; each with the cell's number. Events without a
    message id have a hash of their row.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = TemporaryDirectory(prefix="import-", dir=folder)
        self.engine = opening.private(Path(self._folder.name))
        self.cells: tuple[Cell, ...] = ()
        self.naive: frozenset[int] = frozenset()
        """The numbers of cells with times that name no zone."""
        self.rows = 0
        self._begun = False
        self._waiting: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with closing(self.engine):
            pass
        self._folder.cleanup()

    def put(self, rows: Any) -> None:
        """Add an Arrow table of raw rows: `line` and the file's columns, all text. Every call brings the same columns."""
        self._waiting.append(rows)
        self.rows += rows.num_rows
        if not self._begun or sum(table.num_rows for table in self._waiting) >= _AT_ONCE:
            self.settle()

    def settle(self) -> None:
        """Bring the rows that were put into the raw table: many at once, for the engine packs each lot anew."""
        if not self._waiting:
            return
        self.engine.register("slice", pa.concat_tables(self._waiting))
        self._insert("SELECT * FROM slice")
        self.engine.unregister("slice")
        self._waiting = []

    def take(self, rows: str, count: int) -> None:
        """The same with the rows of a query, `count` of them."""
        self._insert(rows)
        self.rows += count

    def clear(self) -> None:
        """Forget the rows that were put or taken."""
        self.engine.execute("DROP TABLE IF EXISTS raw")
        self._begun, self._waiting, self.rows = False, [], 0

    def _insert(self, rows: str) -> None:
        self.engine.execute(f"INSERT INTO raw BY NAME {rows}" if self._begun else f"CREATE TABLE raw AS {rows}")
        self._begun = True

    def refuse_torn_lines(self) -> list[tuple[int, str]]:
        """Take lines that are no JSON object out of the raw table: (line, text), of hopelessly many just more than can be borne."""
        torn = "CASE WHEN json_valid(json) THEN json_type(json) <> 'OBJECT' ELSE TRUE END"
        first = f"SELECT line, left(trim(json), 200) FROM raw WHERE {torn} ORDER BY line LIMIT {MOST_BROKEN + 1}"
        found = self.engine.sql(first).fetchall()
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

    def types(self) -> dict[str, str]:
        """The columns of the rows as they came, and the engine's types."""
        return dict(self.engine.sql("SELECT name, type FROM pragma_table_info('raw')").fetchall())

    def read(self, cells: Sequence[Cell], content: str, *, texts: bool = False) -> None:
        """Type every cell. `content` is SQL for the text of a whole row: rows with the same text are the same; empty if nobody
        asks. With `texts`, what was read keeps its text too, and the rows stay, to be read anew.
        """
        self.naive = frozenset()
        self._show(cells)
        self.cells = tuple(guessing.guessed(self.engine, cells))
        if any(cell.decimal for cell in self.cells):
            self._show(self.cells)
        for number, cell in enumerate(self.cells):
            if cell.form == mailable.FORM:
                mailable.sort_out(self.engine, number)
            elif cell.form == subscribing.FORM:
                subscribing.sort_out(self.engine, number)
        listed = [(n, cell.kind, cell.allowed) for n, cell in enumerate(self.cells) if cell.kind and cell.allowed]
        for n, kind, words in listed:
            allowed.prepare(self.engine, n, kind, words)
        bare = [n for n, cell in enumerate(self.cells) if cell.form or cell.allowed or cell.kind is Kind.TIME]
        trimmed = [f"trim(t{n}) AS s{n}" for n in bare]
        walls = [f"{coercion.wall(raw_of(n, cell), cell.clock, cell.stored)} AS w{n}" for n, cell in self._timed()]
        self.engine.execute(
            f"CREATE VIEW walled AS SELECT {', '.join(['*', *walls])} FROM (SELECT {', '.join(['*', *trimmed])} FROM texts)"
        )
        found = [f"{self._moment(n, cell)} AS m{n}" for n, cell in self._timed()]
        values = [f"{value_of(n, cell)} AS v{n}" for n, cell in enumerate(self.cells)]
        inner = f"SELECT {', '.join(['*', *found])} FROM walled"
        inner = f"SELECT {', '.join(['*', *values])} FROM ({inner})"
        if listed:
            event = self.column("event")
            taken = [f"{allowed.member(n, kind, words, event)} AS v{n}" for n, kind, words in listed]
            inner = f"SELECT * REPLACE ({', '.join(taken)}) FROM ({inner})"
        self.engine.execute(
            f"CREATE OR REPLACE TABLE read AS SELECT {', '.join(self._kept(content, texts))} FROM ({inner})"
        )
        for n, _, words in listed:
            allowed.explain(self.engine, n, words, self.column("event"))
        self.engine.execute("DROP VIEW walled")
        self.engine.execute("DROP VIEW texts")
        if not texts:
            self.engine.execute("DROP TABLE raw")

    def _show(self, cells: Sequence[Cell]) -> None:
        """Make the view `texts` of the rows and the texts of these cells."""
        # A name for each value before anything is asked of it: the engine would take it out of its JSON for every question.
        raws = [f"{cell.raw} AS r{number}" for number, cell in enumerate(cells)]
        picked = [text for number, cell in enumerate(cells) for text in texts_of(number, cell)]
        self.engine.execute(
            f"CREATE OR REPLACE VIEW texts AS SELECT {', '.join(['*', *picked])} FROM (SELECT {', '.join(['*', *raws])} FROM {self._opened(cells)})"
        )

    def _opened(self, cells: Sequence[Cell]) -> str:
        """The rows as they came, with what is asked of the inside of `properties` taken out of it at once."""
        asked = [literal(cell.place) for cell in cells if cell.place]
        if not asked:
            return "raw"
        whole = next(cell.raw for cell in cells if cell.to == "properties")
        return f"(SELECT *, json_extract(CASE WHEN json_valid({whole}) THEN {whole} END, [{', '.join(asked)}]) AS {INSIDE} FROM raw)"

    def _kept(self, content: str, texts: bool) -> Iterator[str]:
        """The columns of what was read. Texts of values that fit are the bulk of it, and nobody reads them again."""
        yield "line"
        for n, cell in enumerate(self.cells):
            yield from (f"v{n}", f"x{n}")
            yield f"t{n}" if texts else f"CASE WHEN v{n} IS NULL THEN t{n} END AS t{n}"
            if not (cell.owned or cell.declared):
                yield f"{json_of(n, cell)} AS o{n}"
        if content:
            yield f"CASE WHEN {self.column('message_id')} IS NULL THEN md5({content}) END AS hash"

    def number(self, to: str) -> int | None:
        """The number of the cell that goes to `to`, None without one."""
        return next((number for number, cell in enumerate(self.cells) if cell.to == to), None)

    def column(self, to: str, default: str = "NULL") -> str:
        """The value column of the cell that goes to `to`."""
        number = self.number(to)
        return default if number is None else f"v{number}"

    def wrong(self) -> str:
        """SQL for what could not be read: line, column, value, reason, left_out (the whole row), and the column's place."""
        parts = []
        for number, cell in enumerate(self.cells):
            column, text = literal(cell.name), f"t{number}"
            if cell.kind is not None:
                parts.append(
                    f"SELECT line, {column} AS \"column\", replace({text}, {coercion.STRUCTURE}, '') AS value, "
                    f"{reason_of(number, cell, self.column('event'))} AS reason, {cell.required} AS left_out, {number} AS place "
                    f"FROM read WHERE {text} IS NOT NULL AND v{number} IS NULL"
                )
            if cell.required:
                parts.append(
                    f'SELECT line, {column} AS "column", NULL AS value, {literal(f"no {cell.to}")} AS reason, '
                    f"TRUE AS left_out, {number} AS place FROM read WHERE {text} IS NULL AND v{number} IS NULL"
                )
        return " UNION ALL ".join(parts) or _NOTHING_WRONG

    def _timed(self) -> list[tuple[int, Cell]]:
        return [(number, cell) for number, cell in enumerate(self.cells) if cell.kind is Kind.TIME]

    def _moment(self, number: int, cell: Cell) -> str:
        low, high = self.engine.sql(f"SELECT min(w{number}), max(w{number}) FROM walled").fetchall()[0]
        if low is not None and not any("%z" in form for form in cell.clock.formats):
            self.naive |= {number}
        return coercion.moment_of(raw_of(number, cell), f"w{number}", cell.clock, low, high, cell.stored)
