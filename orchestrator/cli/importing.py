"""The verb that brings people and what they did into the project, and codes into pools of coupons."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from orchestrator.cli.asking import ask_for
from orchestrator.cli.desk import USAGE, WRONG, Desk, fail, honest, no_such
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator import app as parts
    from orchestrator.audience import Loss
    from orchestrator.audience.reader import Reader


COUPONS = "coupons"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("import")(bring)


@honest
def bring(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="profiles, events, consent, suppressions, devices, or coupons.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="CSV, JSONL or Parquet files; for coupons, the pool's name first.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="What each column is; default: config/imports/<file's name>.yaml, or guessed.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The file is the whole truth: what is not in it goes.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="With --replace: do not ask, and take a file with rows left out, or with none."),
    ] = False,
    none: Annotated[
        bool, typer.Option("--none", help="With suppressions: there are none, so a live environment may send.")
    ] = False,
) -> None:
    """Import files. The same file again changes nothing; rows that cannot be taken are set aside, with the reason for each."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.audience.mapping import What  # noqa: PLC0415
    from orchestrator.cli.telling import tell_the_audience  # noqa: PLC0415

    desk: Desk = context.obj
    if what == COUPONS:
        _coupons(desk, files or [], more=bool(mapping or replace or yes or none))
        return
    if what not in list(What):
        no_such("kind of file", what, [*What, COUPONS])
    if none:
        _none(desk, what, files)
        return
    if not files:
        fail(f"import {what}: which files? CSV, JSONL or Parquet", USAGE)
    if replace and len(files) > 1:
        fail("--replace takes one file: each would delete what the one before it brought; put them together", USAGE)
    opened = desk.open()
    # Words of consent and stopped addresses go to the ledger, whoever has the audience.
    for_the_ledger = what in (What.CONSENT, What.SUPPRESSIONS)
    audience = app.audience(opened) if for_the_ledger else app.own_audience(opened)
    told = [land(desk, opened, audience, Wish(what, file, mapping, replace, yes)) for file in files]
    if what == What.CONSENT:
        tell_the_audience(desk, opened)

    def tell() -> None:
        for one in told:
            more = [f"{one[name]:,} {name}" for name in _CAME if one[name]]
            aside = f" · {one['rejected']:,} rejected, reasons in {one['rejects']}" if one["rejected"] else ""
            typer.echo(f" {one['file']} · {one['rows']:,} rows · {' · '.join(more) or 'nothing new'}{aside}")

    desk.show(told, tell)
    if any(one["rejected"] for one in told) and all(one["left_out"] == one["rows"] for one in told):
        raise typer.Exit(WRONG)


_CAME = ("new", "changed", "removed", "devices", "consent", "suppressed")
"""What came of a file, in the order in which a person is told."""


def _coupons(desk: Desk, words: list[Path], *, more: bool) -> None:
    """Add the codes of files to a pool; those it has already change nothing."""
    from orchestrator.core.coupons import codes_in  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import coupons  # noqa: PLC0415

    if len(words) < 2 or more:
        fail("import coupons NAME FILE …: the pool's name, then files of codes, one a line; it has no options", USAGE)
    name, files = str(words[0]), words[1:]
    pools = desk.project().settings.coupons
    if name not in pools:
        no_such("pool of coupons", name, pools)
    read: dict[Path, list[str]] = {}
    for file in files:
        try:
            read[file] = codes_in(file.read_bytes())
        except OSError as problem:
            fail(f"{file}: cannot be read: {problem.strerror}", USAGE)
        except ValueError as problem:
            fail(f"{file}: {problem}")
    with desk.ledger() as ledger:
        told = [
            {"file": str(file), "codes": len(codes), "new": coupons.load(ledger.store, name, codes)}
            for file, codes in read.items()
        ]
        left = coupons.stock(ledger.store, name).left

    def tell() -> None:
        for one in told:
            typer.echo(f" {one['file']} · {one['codes']:,} codes · {one['new']:,} new")
        typer.echo(f" coupons {name}: {left:,} left")

    desk.show({"pool": name, "files": told, "left": left}, tell)


def _none(desk: Desk, what: str, files: list[Path] | None) -> None:
    """Write down that there is nobody whose address is stopped."""
    from orchestrator.audience.mapping import What  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import consent  # noqa: PLC0415

    if files or what != What.SUPPRESSIONS:
        fail("--none goes with `import suppressions` and no file: it says that there are none", USAGE)
    with desk.ledger() as ledger:
        consent.tell_no_suppressions(ledger.store, WallClock().now())
    desk.show(
        {"suppressions": "none"},
        lambda: typer.echo(" noted: there are no stopped addresses; import them later if there are"),
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """One file to import: what it tells, where it is, and how it is read."""

    what: str
    file: Path
    mapping: Path | None = None
    replace: bool = False
    yes: bool = False


def land(desk: Desk, opened: "parts.Opened", audience: "Reader", wish: Wish) -> dict[str, Any]:
    """Import one file; what came of it, in numbers."""
    from orchestrator.audience.importing import Order, import_file  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.audience.mapping import What  # noqa: PLC0415

    mapping = _mapping(desk, opened, wish)
    with _bar(desk, wish.file) as progress:
        order = Order(
            What(wish.what),
            wish.file,
            WallClock().now(),
            opened.project.catalogue.known,
            opened.project.settings.time_zone,
            mapping,
            wish.replace,
            lambda loss: None if wish.yes else _approve(desk, loss, progress),
            frozenset(opened.project.settings.topics),
        )
        came = import_file(audience, order, progress)
        ledger = {"consent": 0, "suppressed": 0}
        if came.words is not None or came.stops is not None:
            progress("writing consent and stopped addresses into the ledger", 0, 0)
            ledger = _to_the_ledger(opened, came)
    return {
        "file": str(wish.file),
        "rows": came.rows,
        "new": came.new,
        "changed": came.changed,
        "removed": came.removed,
        "devices": came.devices,
        "left_out": came.left_out,
        "rejected": came.rejected,
        "rejects": str(came.rejects) if came.rejects else None,
        **ledger,
    }


def _approve(desk: Desk, loss: "Loss", progress: "_bar") -> None:
    """Let a person at a terminal type how much goes; where nobody can be asked, more than half needs --yes."""

    loss.refuse_doubtful()
    going, there = loss.share.going, loss.share.there
    if not going:
        return
    if not desk.as_json and sys.stdin.isatty():
        with progress.aside():
            ask_for(going, f"{loss.noun} that are not in the file", "remove them", "nothing was changed")
    elif 2 * going > there:
        fail(
            f"{loss.file}: nothing was changed: {going:,} of {there:,} {loss.noun} are not in it and would go; say --yes if"
            " that is meant"
        )


def _to_the_ledger(opened: Any, came: Any) -> dict[str, int]:
    """What people said and which addresses are stopped belongs into the ledger."""
    from orchestrator.core.nouns import Channel  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import ConsentChange  # noqa: PLC0415 - keeps `--help` fast

    told = {"consent": 0, "suppressed": 0}
    ledger = opened.ledger()
    try:
        if came.words is not None:
            words = (
                ConsentChange(w.user, Channel(w.channel), w.topic, w.granted, w.at, w.source, w.proof)
                for w in came.words
            )
            told["consent"] = ledger.change_consent(words)
            came.words.close()
        if came.stops is not None:
            by_reason: dict[tuple[str, int], list[tuple[Channel, str]]] = {}
            for stop in came.stops:
                by_reason.setdefault((stop.reason, stop.at), []).append((Channel(stop.channel), stop.address))
            told["suppressed"] = sum(
                ledger.suppress(found, reason, "import", at) for (reason, at), found in by_reason.items()
            )
            came.stops.close()
    finally:
        ledger.close()
    return told


def _mapping(desk: Desk, opened: "parts.Opened", wish: Wish) -> dict[str, Any] | None:
    """The mapping's content: the file named, or the one in config/imports that is called like the data."""
    from orchestrator import checking  # noqa: PLC0415 - keeps `--help` fast

    path = wish.mapping or desk.root / "config" / "imports" / f"{wish.file.name.split('.')[0]}.yaml"
    if not path.is_file():
        if wish.mapping is not None:
            fail(f"--mapping {wish.mapping}: no such file", USAGE)
        return None
    name = path.relative_to(desk.root) if path.is_relative_to(desk.root) else path
    return checking.mapping(str(name), path.read_bytes(), opened.project.settings)


class _bar:  # noqa: N801 - read as a phrase: with _bar(...)
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self, desk: Desk, file: Path) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, disable=desk.as_json or not sys.stderr.isatty())
        self._task = self._progress.add_task(file.name, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Away while a person is asked something."""
        self._progress.stop()
        yield
        self._progress.start()

    def __call__(self, step: str, done: int, total: int) -> None:
        self._progress.update(self._task, description=step, completed=done, total=total or None)
