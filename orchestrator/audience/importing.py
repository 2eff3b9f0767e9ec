"""Importing files: people, what they did, their devices, what they agreed to, and addresses nothing may go to.

A file is read once, typed on a workbench, and lands in slices small enough that nobody waits for the audience file. An
empty cell changes nothing, `null` deletes the attribute, a row that is not there changes nothing; the same file a second
time changes nothing at all.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from orchestrator.audience import finishing
from orchestrator.audience.bench import Bench
from orchestrator.audience.cell import Cell
from orchestrator.audience.catalogue import Seen, attributes_in, events_in
from orchestrator.audience.cells import Asked, cells_of
from orchestrator.audience.encodings import encoding_of
from orchestrator.audience.files import kind_of, scan, slices
from orchestrator.audience.landing import Landing, Progress, land_devices, land_events, land_people
from orchestrator.audience.exports import Export, recognised
from orchestrator.audience.looking import Look, looked
from orchestrator.audience.mapping import ADDRESSES, STOPPED, Plan, What, agreeing
from orchestrator.audience.mapping_file import plan
from orchestrator.audience.proposing import Known, Proposal, Question, doubts, propose
from orchestrator.audience.reader import Reader
from orchestrator.audience.rejects import Conflict, conflicts, write_rejects
from orchestrator.audience.replacing import Devices, Events, Loss, People
from orchestrator.audience.spool import fill, fresh, home
from orchestrator.audience.store import Audience
from orchestrator.audience.texts import Broken, FileError, Form, Slice
from orchestrator.audience.words import Rows, Stop, Word
from orchestrator.core.segments.tree import Catalogue
from orchestrator.core.times import Instant


@dataclass(frozen=True, slots=True)
class Order:
    """What to import, and how. `mapping` is the content of the mapping file, `zone` the project's.

    Words and devices without a time count from when the file was written, but never from after `now`: the same file again
    says nothing new, and an old one does not undo what people said since.
    """

    what: What
    path: Path
    now: Instant
    catalogue: Catalogue = field(default_factory=Catalogue)
    zone: str = "UTC"
    mapping: Mapping[str, Any] | None = None
    replace: bool = False
    """The file is the whole truth: what is not in it is deleted, in one transaction that readers wait for."""
    approve: Callable[[Loss], None] = Loss.refuse_doubtful
    """Told what a replacement would take away before anything is written; whatever it raises, nothing was."""
    topics: frozenset[str] | None = None
    """What people can agree to; words on other topics are not taken. None takes any."""
    first: Callable[[Rows[Word] | None, Rows[Stop] | None], None] | None = None
    """Told what people said and which addresses are stopped, once, before anybody lands; whoever asks for it closes the rows."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: `rows` were read, `left_out` of them were not taken at all.

    `new` and `changed` count people (events are only ever new), `devices` people whose devices changed, `removed` the people
    or events that a replacement deleted (of a file of devices: the people who have none any more). `words` and `stops`
    are for the ledger; close them. `rejects` says why, row by row, in `rejected` entries, and `reasons` column by column.
    """

    rows: int
    new: int
    changed: int
    devices: int
    removed: int
    left_out: int
    rejected: int
    rejects: Path | None
    conflicts: tuple[Conflict, ...]
    seen: Seen
    words: Rows[Word] | None = None
    stops: Rows[Stop] | None = None
    reasons: tuple[Conflict, ...] = ()


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
            self._read()
        except BaseException:
            self._bench.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bench.__exit__(kind, error, at)

    def anew(self, audience: Reader, order: Order) -> None:
        """Read the same rows by another mapping or catalogue, to land in this audience."""
        self._audience, self.order = audience, order
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

        def asked(cell: Cell) -> bool:
            return cell.name in agreed or (cell.name not in self._told.columns and agreeing(cell.name))

        return doubts(self.order.what, looked(self._bench, None, asked), self.known, self.export)

    def propose(self) -> Proposal:
        """A mapping to be shown, asked about and saved; of a file that is read with `looked`."""
        # Lines of JSON name their own keys, and the next file may do without some.
        whole = self._names is not None
        return propose(self.order.what, self.look(), self.known, self.export, whole=whole)

    @property
    def known(self) -> Known:
        """What guesses are held against."""
        order = self.order
        return Known(tuple(sorted(order.topics or ())), frozenset(order.catalogue.attributes), order.zone)

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
        words, stops = _for_the_ledger(audience, bench, order, told)
        first = _First(order, words, stops)
        came = _Came()
        if isinstance(audience, Audience):
            loss = Loss(order.path, rows, set_aside.left_out, set_aside.path)
            came = _land(audience, bench, order, told, loss, self._progress, first)
        first()
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
            content = {"columns": self.export.columns, **self.export.more}
            self._told = plan(content, order.zone, where, order.topics)
        asked = Asked(order.what, self._told, order.catalogue, where, order.topics)
        cells, content = cells_of(bench, asked, self._names, json=kind_of(order.path) != "csv")
        bench.read(cells, content, texts=self._looked)


class _First:
    """Tells the ledger, once, what people said and which addresses are stopped: before anybody lands who may not be sent to."""

    def __init__(self, order: Order, words: Rows[Word] | None, stops: Rows[Stop] | None) -> None:
        self._order, self._words, self._stops = order, words, stops
        self._told = order.first is None or (words is None and stops is None)

    def __call__(self) -> None:
        if not self._told and self._order.first is not None:
            self._order.first(self._words, self._stops)
        self._told = True


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


def refuse_replacing(order: Order) -> None:
    """FileError where a file cannot be the whole truth."""
    if order.replace and order.what in (What.CONSENT, What.SUPPRESSIONS):
        raise FileError(
            f"{order.path}: people's words and stopped addresses are never replaced, only added to; drop --replace"
        )


def _written_at(order: Order) -> Instant:
    return Instant(min(order.now, order.path.stat().st_mtime_ns // 1000))


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
        bench.put(part.rows)
        progress("reading", bench.rows, round(bench.rows / max(part.done, 0.001)))
    bench.settle()
    if names is None:
        broken += [
            Broken(line, text.strip(), "no JSON object: a torn line?") for line, text in bench.refuse_torn_lines()
        ]
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


@dataclass(frozen=True, slots=True)
class _Came:
    new: int = 0
    changed: int = 0
    devices: int = 0
    removed: int = 0


def _land(
    audience: Audience,
    bench: Bench,
    order: Order,
    told: Plan,
    loss: Loss,
    progress: Progress,
    first: Callable[[], None],
) -> _Came:
    """Write everything into the audience file; of a replacement, once it is approved."""
    came = _Came()
    engine, declared = bench.engine, order.catalogue.attributes
    match order.what:
        case What.EVENTS:
            finishing.in_order(engine, finishing.events(bench, told.constants.get("event")))
            landing = _approved(Landing(audience, progress, Events() if order.replace else None), bench, order, loss)
            first()
            counts, share = landing.run(engine, land_events)
            came = _Came(new=sum(counts) - share.kept, removed=share.going)
        case What.PROFILES:
            engine.execute(f'CREATE TABLE ready AS {finishing.people(bench, declared)} ORDER BY "user"')
            columns = list(finishing.columns_of(bench, declared))
            landing = _approved(Landing(audience, progress, People() if order.replace else None), bench, order, loss)
            first()
            both, share = landing.run(engine, lambda to, source: land_people(to, source, columns))
            came = _Came(sum(new for new, _ in both), sum(changed for _, changed in both), removed=share.going)
        case _:
            pass
    if bench.number("device") is not None and order.what in (What.PROFILES, What.DEVICES):
        engine.execute(
            f"CREATE OR REPLACE TABLE ready AS {finishing.devices(bench, told.constants, _written_at(order))} "
            'ORDER BY "user"'
        )
        landing = Landing(audience, progress, Devices() if order.replace else None)
        if order.what is What.DEVICES:
            landing = _approved(landing, bench, order, loss)
        seen, share = landing.run(engine, land_devices)
        removed = share.going if order.what is What.DEVICES else came.removed
        came = replace(came, devices=sum(seen), removed=removed)
    return came


def _approved(landing: Landing, bench: Bench, order: Order, loss: Loss) -> Landing:
    """The same landing, if it takes nothing away or may do so."""
    if landing.whole is not None:
        share = landing.share(bench.engine)
        order.approve(replace(loss, noun=landing.whole.noun, share=share))
    return landing


def _for_the_ledger(
    audience: Reader, bench: Bench, order: Order, told: Plan
) -> tuple[Rows[Word] | None, Rows[Stop] | None]:
    words: Rows[Word] | None = None
    stops: Rows[Stop] | None = None
    stopped = ""
    said = finishing.consent(bench, told.constants, f"import:{order.path.name}", _written_at(order), order.topics or ())
    if said:
        words = Rows(fill(bench.engine, said, fresh(audience.spools)), Word)
    if order.what is What.SUPPRESSIONS or bench.number(STOPPED) is not None:
        whose = ADDRESSES if order.what is What.SUPPRESSIONS else {"email"}
        stopped = finishing.suppressions(bench, told.constants, _written_at(order), addresses=whose)
    if stopped:
        stops = Rows(fill(bench.engine, stopped, fresh(audience.spools)), Stop)
    return words, stops


def _seen(bench: Bench, what: What) -> Seen:
    if what is What.PROFILES:
        return Seen(attributes=attributes_in(bench))
    if what is What.EVENTS:
        return Seen(events=events_in(bench.engine, "ready"))
    return Seen()
