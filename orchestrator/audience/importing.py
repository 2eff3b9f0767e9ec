"""Importing files: people, what they did, their devices, what they agreed to, and addresses nothing may go to.

A file is read once, typed on a workbench, and lands in slices small enough that nobody waits for the audience file. An
empty cell changes nothing, `null` deletes the attribute, a row that is not there changes nothing; the same file a second
time changes nothing at all.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from orchestrator.audience import finishing, opening
from orchestrator.audience.bench import Bench
from orchestrator.audience.bringing import Came, First, for_the_ledger, land
from orchestrator.audience.catalogue import Seen, attributes_in, events_in
from orchestrator.audience.cell import Cell
from orchestrator.audience.cells import Asked, cells_of, properties_of
from orchestrator.audience.encodings import IN_WORDS, encoding_of
from orchestrator.audience.exports import Export, recognised
from orchestrator.audience.files import kind_of, scan, slices
from orchestrator.audience.landing import Progress
from orchestrator.audience.looking import Look, looked, worded
from orchestrator.audience.mapping import Plan, What
from orchestrator.audience.mapping_file import plan
from orchestrator.audience.oddities import odd
from orchestrator.audience.orders import Imported, Order, refuse_replacing
from orchestrator.audience.proposing import Known, Proposal, Question, doubts, propose
from orchestrator.audience.reader import Reader
from orchestrator.audience.rejects import conflicts, write_rejects
from orchestrator.audience.replacing import Loss
from orchestrator.audience.spool import home
from orchestrator.audience.store import Audience
from orchestrator.audience.texts import Broken, FileError, Form, Slice, refuse_hopeless


class Reading:
    """A file that was read, and can be looked at before it lands. With `looked`, its rows stay and can be read anew."""

    def __init__(
        self, audience: Reader, order: Order, progress: Progress = lambda *_: None, *, looked: bool = False
    ) -> None:
        self._audience, self.order = audience, order
        self._progress, self._looked = progress, looked
        self._bench = Bench(home(audience.spools))
        self._form: Form | None = None
        self._broken: list[Broken] = []
        self._names: list[str] | None = None
        self.export: Export | None = None
        """Whose export the file is, where it is known by its columns and no mapping says otherwise."""

    def __enter__(self) -> Self:
        try:
            self._read_somehow()
        except BaseException:
            self.close()
            raise
        return self

    def _read_somehow(self) -> None:
        """Read the file, in as much memory as there is if it takes that; StoreError where nothing has room for it."""
        try:
            try:
                self._read()
            except duckdb.OutOfMemoryException:
                opening.unconfine(self._bench.engine)
                self._bench.clear()
                self._form = None
                self._read()
        except (duckdb.OutOfMemoryException, duckdb.IOException) as problem:
            raise opening.no_room(self.order.path, home(self._audience.spools), problem) from problem

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bench.__exit__(kind, error, at)

    def close(self) -> None:
        """Forget the rows."""
        self._bench.__exit__(None, None, None)

    def anew(self, order: Order) -> None:
        """Read the same rows by another mapping."""
        self.order = order
        self._bench.engine.execute("DROP VIEW IF EXISTS ready")
        self._read()

    def look(self) -> Look:
        """Say what an import would do: guesses to be shown, asked about and written into the mapping file."""
        bench, order = self._bench, self.order
        if order.what is What.EVENTS:
            named = finishing.events(bench, self._told.constants.get("event"))
            bench.engine.execute(f"CREATE OR REPLACE VIEW ready AS {named}")
        wrong = f"SELECT count(DISTINCT line) FROM ({bench.wrong()}) WHERE left_out"
        left_out = bench.engine.sql(wrong).fetchall()[0][0] + len(self._broken)
        columns = looked(bench, self._names)
        return Look(bench.rows + len(self._broken), left_out, columns, _seen(bench, order.what), self.encoding)

    def doubts(self) -> list[Question]:
        """The columns that look like people's yes or no and that no mapping describes."""
        agreed = self.export.agreed if self.export else {}

        def asked(number: int, cell: Cell) -> bool:
            return cell.name in agreed or (cell.name not in self._told.columns and worded(self._bench, number, cell))

        if self.order.what is not What.PROFILES:
            return []
        return doubts(self.order.what, looked(self._bench, None, asked), self.known, self.export)

    def propose(self) -> Proposal:
        """A mapping to be shown, asked about and saved; of a file that is read with `looked`."""
        # Lines of JSON name their own keys, and the next file may do without some.
        whole = self._names is not None
        proposal = propose(self.order.what, self.look(), self.known, self.export, whole=whole)
        said = dict(self.order.mapping or {})
        columns = said.pop("columns", {})
        return replace(proposal, columns={**columns, **proposal.columns}, more={**said, **proposal.more})

    @property
    def known(self) -> Known:
        """What guesses are held against."""
        order = self.order
        declared = {name: one.kind for name, one in order.catalogue.attributes.items()}
        return Known(tuple(sorted(order.topics or ())), declared, order.zone)

    @property
    def guesses(self) -> tuple[str, ...]:
        """What was found out about how a file nobody described is written, in words."""
        naive = [cell.name for number, cell in enumerate(self._bench.cells) if number in self._bench.naive]
        commas = [cell.name for cell in self._bench.cells if cell.decimal == ","]
        found = [f"looks like {self.export.name}"] if self.export else []
        found += self.export.notes if self.export else ()
        found += [f"read as {IN_WORDS[self.encoding]}"] if self.encoding in IN_WORDS else []
        found += [f"times without a zone are read as {self._told.zone}: {', '.join(naive)}"] if naive else []
        found += [f"numbers with a decimal comma: {', '.join(commas)}"] if commas else []
        declared = properties_of(self.order.catalogue) if self.order.what is What.EVENTS else {}
        unsure = [(number, cell) for number, cell in enumerate(self._bench.cells) if cell.to not in declared]
        return (*found, *filter(None, (self._oddity(number, cell) for number, cell in unsure)))

    def _oddity(self, number: int, cell: Cell) -> str:
        """Why a column that is nearly a time, a day or a number stays a text; empty for all others."""
        found = odd(self._bench, number, cell)
        if found is None:
            return ""
        told = ", ".join(
            f'{key}: "{value}"' if key == "decimal" else f"{key}: {value}" for key, value in found.entry.items()
        )
        return (
            f"{cell.name} stays a text: {found.count:,} of {found.filled:,} cells are no {found.kind}, like {found.example!r};"
            f" mend them, or say {cell.name}: {{to: {cell.to}, {told}}} in the mapping to set them aside"
        )

    @property
    def encoding(self) -> str:
        """What the file was read in; empty for Parquet."""
        if kind_of(self.order.path) == "parquet":
            return ""
        return encoding_of(self.order.path, self._told.form)

    def land(self) -> Imported:
        """Write everything where it belongs. What landed before a crash stands; do it again to finish."""
        audience, bench, order, told = self._audience, self._bench, self.order, self._told
        broken = self._broken
        set_aside = write_rejects(bench, broken, audience.root / "data" / "rejects", _stem(order.path))
        rows = bench.rows + len(broken)
        with ExitStack() as unless_all:  # what people said stays on disk for nobody
            words, stops = for_the_ledger(audience, bench, order, told, unless_all)
            first = First(order, words, stops)
            came = Came()
            if isinstance(audience, Audience):
                loss = Loss(order.path, rows, set_aside.left_out, set_aside.path)
                came = land(audience, bench, order, told, loss, self._progress, first)
            first()
            unless_all.pop_all()
        return Imported(
            rows=rows, new=came.new, changed=came.changed, devices=came.devices, removed=came.removed,
            left_out=set_aside.left_out, rejected=set_aside.entries, rejects=set_aside.path, conflicts=conflicts(bench),
            seen=_seen(bench, order.what), words=words, stops=stops, reasons=set_aside.reasons,
        )  # fmt: skip

    def _read(self) -> None:
        """Put the file on the bench, unless it lies there as the mapping says it is written, and type it."""
        bench, order, where = self._bench, self.order, str(self.order.path)
        self._told = plan(order.mapping, order.zone, f"the mapping of {where}", order.topics)
        if self._form != self._told.form:
            if self._form is not None:
                bench.clear()
            self._broken, self._names = _put(bench, order.path, self._told, self._progress)
            self._form = self._told.form
        self.export = recognised(order.what, self._names or ()) if order.mapping is None else None
        if self.export:
            if self.export.refusal:
                raise FileError(f"{where}: this looks like {self.export.name}: {self.export.refusal}")
            found = {"columns": self.export.columns, **self.export.more}
            self._told = plan(found, order.zone, where, order.topics)
        asked = Asked(order.what, self._told, order.catalogue, where, order.topics)
        cells, content = cells_of(bench, asked, self._names, json=kind_of(order.path) != "csv")
        bench.read(cells, content, texts=self._looked)


def look(audience: Reader, order: Order, progress: Progress = lambda *_: None) -> Look:
    """Say what an import of this file would do; nothing lands."""
    with Reading(audience, order, progress, looked=True) as reading:
        return reading.look()


def import_file(audience: Reader, order: Order, progress: Progress = lambda *_: None) -> Imported:
    """Import one file; FileError if it cannot be imported at all.

    What is for the ledger (consent, suppressions) can be imported beside an audience that is only read.
    """
    refuse_replacing(order)
    with Reading(audience, order, progress) as reading:
        return reading.land()


def _stem(path: Path) -> str:
    return path.name.split(".")[0] or "import"


def _put(bench: Bench, path: Path, told: Plan, progress: Progress) -> tuple[list[Broken], list[str] | None]:
    """Read the file onto the bench; what was no row, and the names of the columns (None for JSON lines)."""
    if kind_of(path) == "parquet" and (columns := scan(bench, path, progress)):
        return [], columns
    broken: list[Broken] = []
    names: list[str] | None = None
    for part in _ahead(slices(path, told.form)):
        names = part.names
        broken += part.broken
        refuse_hopeless(str(path), broken)
        bench.put(part.rows)
        progress("reading", bench.rows, round(bench.rows / max(part.done, 0.001)))
    bench.settle()
    if names is None:
        broken += [
            Broken(line, text.strip(), "no JSON object: a torn line?") for line, text in bench.refuse_torn_lines()
        ]
        refuse_hopeless(str(path), broken)
        broken.sort(key=lambda one: one.line)
        if (bench.rows or broken) and not bench.keys_of():
            raise FileError(f"{path}: no line of it is a JSON object with keys; write one object a line")
    return broken, names


def _ahead(parts: Iterator[Slice]) -> Iterator[Slice]:
    """The same parts; the next is cut while the engine takes the one before."""
    with ThreadPoolExecutor(1, thread_name_prefix="cut") as thread:
        coming = thread.submit(next, parts, None)
        while (part := coming.result()) is not None:
            coming = thread.submit(next, parts, None)
            yield part


def _seen(bench: Bench, what: What) -> Seen:
    if what is What.PROFILES:
        return Seen(attributes=attributes_in(bench))
    if what is What.EVENTS:
        return Seen(events=events_in(bench.engine, "ready"))
    return Seen()
