"""Importing files: people, what they did, their devices, what they agreed to, and addresses nothing may go to.

A file is read once, typed on a workbench, and lands in slices small enough that nobody waits for the audience file. An
empty cell changes nothing, `null` deletes the attribute, a row that is not there changes nothing; the same file a second
time changes nothing at all.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.audience import finishing
from orchestrator.audience.bench import Bench
from orchestrator.audience.catalogue import Seen, attributes_in, events_in
from orchestrator.audience.cell import Cell
from orchestrator.audience.cells import Asked, cells_of
from orchestrator.audience.files import kind_of, scan, slices
from orchestrator.audience.landing import Landing, Progress, land_devices, land_events, land_people
from orchestrator.audience.mapping import Plan, What
from orchestrator.audience.mapping_file import plan
from orchestrator.audience.reader import Reader
from orchestrator.audience.rejects import Conflict, conflicts, write_rejects
from orchestrator.audience.replacing import Devices, Events, Loss, People
from orchestrator.audience.spool import fill, fresh, home
from orchestrator.audience.store import Audience
from orchestrator.audience.texts import Broken, FileError, Slice
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


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: `rows` were read, `left_out` of them were not taken at all.

    `new` and `changed` count people (events are only ever new), `devices` people whose devices changed, `removed` the people
    or events that a replacement deleted (of a file of devices: the people who have none any more). `words` and `stops`
    are for the ledger; close them. `rejects` says why, row by row, in `rejected` entries.
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


@dataclass(frozen=True, slots=True)
class Looked:
    """One column as it would be imported: its target, its kind as the catalogue would say, and how many of its cells fit.

    `to` is empty for a column that is ignored. `example` is the first value that fits.
    """

    name: str
    to: str
    kind: str
    filled: int
    rejected: int
    example: str


@dataclass(frozen=True, slots=True)
class Look:
    """A file as it would be imported; nothing was. `seen` makes the catalogue to import it with."""

    rows: int
    left_out: int
    columns: tuple[Looked, ...]
    seen: Seen


def look(audience: Reader, order: Order, progress: Progress = lambda *_: None) -> Look:
    """Say what an import of this file would do: guesses to be shown, asked about and written into the mapping file."""
    with Bench(home(audience.spools)) as bench:
        told, broken, names = _read(bench, order, progress, texts=True)
        if order.what is What.EVENTS:
            bench.engine.execute(f"CREATE VIEW ready AS {finishing.events(bench, told.constants.get('event'))}")
        lines = bench.engine.sql(f"SELECT count(DISTINCT line) FROM ({bench.wrong()}) WHERE left_out").fetchall()[0][0]
        columns = [_looked(bench, number, cell) for number, cell in enumerate(bench.cells)]
        ignored = [name for name in names or () if name not in {cell.name for cell in bench.cells}]
        columns += [Looked(name, "", "", 0, 0, "") for name in ignored]
        return Look(bench.rows + len(broken), lines + len(broken), tuple(columns), _seen(bench, order.what))


def _looked(bench: Bench, number: int, cell: Cell) -> Looked:
    filled, rejected, example = bench.engine.sql(
        f"SELECT count(v{number}), count(*) FILTER (t{number} IS NOT NULL AND v{number} IS NULL), "
        f"arg_min(t{number}, line) FILTER (v{number} IS NOT NULL) FROM read"
    ).fetchall()[0]
    return Looked(cell.name, cell.to, cell.kind or "json", filled, rejected, example or "")


def import_file(audience: Reader, order: Order, progress: Progress = lambda *_: None) -> Imported:
    """Import one file; FileError if it cannot be imported at all. What landed before a crash stands; do it again to finish.

    What is for the ledger (consent, suppressions) can be imported beside an audience that is only read.
    """
    if order.replace and order.what in (What.CONSENT, What.SUPPRESSIONS):
        raise FileError(
            f"{order.path}: people's words and stopped addresses are never replaced, only added to; drop --replace"
        )
    with Bench(home(audience.spools)) as bench:
        told, broken, _ = _read(bench, order, progress)
        set_aside = write_rejects(bench, broken, audience.root / "data" / "rejects", _stem(order.path))
        rows = bench.rows + len(broken)
        came = _Came()
        if isinstance(audience, Audience):
            loss = Loss(order.path, rows, set_aside.left_out, set_aside.path)
            came = _land(audience, bench, order, told, loss, progress)
        words, stops = _for_the_ledger(audience, bench, order, told)
        return Imported(
            rows=rows, new=came.new, changed=came.changed, devices=came.devices, removed=came.removed,
            left_out=set_aside.left_out, rejected=set_aside.entries, rejects=set_aside.path, conflicts=conflicts(bench), seen=_seen(bench, order.what),
            words=words, stops=stops,
        )  # fmt: skip


def _read(
    bench: Bench, order: Order, progress: Progress, *, texts: bool = False
) -> tuple[Plan, list[Broken], list[str] | None]:
    """Put the file on the bench and type it: the plan, what was no row, and the columns' names."""
    where = str(order.path)
    told = plan(order.mapping, order.zone, f"the mapping of {where}", order.topics)
    broken, names = _put(bench, order.path, told, progress)
    asked = Asked(order.what, told, order.catalogue, where, order.topics)
    cells, content = cells_of(bench, asked, names, json=kind_of(order.path) != "csv")
    bench.read(cells, content, texts=texts)
    return told, broken, names


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


def _land(audience: Audience, bench: Bench, order: Order, told: Plan, loss: Loss, progress: Progress) -> _Came:
    """Write everything into the audience file; of a replacement, once it is approved."""
    came = _Came()
    engine, declared = bench.engine, order.catalogue.attributes
    match order.what:
        case What.EVENTS:
            finishing.in_order(engine, finishing.events(bench, told.constants.get("event")))
            landing = _approved(Landing(audience, progress, Events() if order.replace else None), bench, order, loss)
            counts, share = landing.run(engine, land_events)
            came = _Came(new=sum(counts) - share.kept, removed=share.going)
        case What.PROFILES:
            engine.execute(f'CREATE TABLE ready AS {finishing.people(bench, declared)} ORDER BY "user"')
            columns = list(finishing.columns_of(bench, declared))
            landing = _approved(Landing(audience, progress, People() if order.replace else None), bench, order, loss)
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
    said = finishing.consent(bench, told.constants, f"import:{order.path.name}", _written_at(order))
    if said:
        words = Rows(fill(bench.engine, said, fresh(audience.spools)), Word)
    if order.what is What.SUPPRESSIONS:
        stopped = finishing.suppressions(bench, told.constants, _written_at(order))
        stops = Rows(fill(bench.engine, stopped, fresh(audience.spools)), Stop)
    return words, stops


def _seen(bench: Bench, what: What) -> Seen:
    if what is What.PROFILES:
        return Seen(attributes=attributes_in(bench))
    if what is What.EVENTS:
        return Seen(events=events_in(bench.engine, "ready"))
    return Seen()
