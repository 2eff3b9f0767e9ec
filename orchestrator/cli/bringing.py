"""Importing one file for whoever asks: read, agreed on, landed, and what came of it in numbers."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from orchestrator.cli.asking import ask_for
from orchestrator.cli.desk import USAGE, Desk, fail
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator import app as parts
    from orchestrator.audience import Loss, Seen
    from orchestrator.audience.reader import Reader
    from orchestrator.audience.words import Rows, Stop, Word


@dataclass(frozen=True, slots=True)
class Wish:
    """One file to import: what it tells, where it is, and how it is read. `asks`: a person sits there and can be asked."""

    what: str
    file: Path
    mapping: Path | None = None
    replace: bool = False
    yes: bool = False
    asks: bool = False


def land(desk: Desk, opened: "parts.Opened", audience: "Reader", wish: Wish) -> dict[str, Any]:
    """Import one file; what came of it, in numbers. Nothing is asked, and no file people review is written."""
    return _bring(desk, opened, audience, wish)[0]


def brought(desk: Desk, opened: "parts.Opened", audience: "Reader", wish: Wish) -> dict[str, Any]:
    """The same, and what a file says of attributes and events goes into the catalogue, if somebody said so."""
    from orchestrator import config  # noqa: PLC0415 - keeps `--help` fast

    told, seen = _bring(desk, opened, audience, wish)
    content = config.mapping_of(
        config.DATA, (desk.root / config.DATA).read_bytes() if (desk.root / config.DATA).exists() else b"{}"
    )
    new = config.news(content, seen.attributes, seen.events)
    writes = bool(new) and (wish.asks or wish.yes)
    if writes:
        config.extend_catalogue(desk.root, new)
    found: dict[str, Any] = {
        "attributes": dict(new.attributes),
        "events": {name: dict(it) for name, it in new.events.items()},
    }
    none: dict[str, Any] = {"attributes": {}, "events": {}}
    return {**told, "added": found if writes else none, "undeclared": none if writes else found}


def _bring(desk: Desk, opened: "parts.Opened", audience: "Reader", wish: Wish) -> "tuple[dict[str, Any], Seen]":
    from orchestrator.audience.mapping import What  # noqa: PLC0415
    from orchestrator.audience.orders import Order, refuse_replacing  # noqa: PLC0415
    from orchestrator.cli.agreeing import agree, opened_file, refuse_doubts, save  # noqa: PLC0415

    mapping = _mapping(desk, opened, wish)
    ledger = {"consent": 0, "suppressed": 0}
    with bar(desk, wish.file) as progress:

        def first(words: "Rows[Word] | None", stops: "Rows[Stop] | None") -> None:
            progress("writing consent and stopped addresses", 0, 0)
            ledger.update(_to_the_ledger(opened, words, stops))

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
            first,
        )
        refuse_replacing(order)
        saves = mapping is None and (wish.asks or wish.yes)
        saved = None
        with opened_file(audience, order, wish, progress, looked=saves) as reading:
            guesses = reading.guesses if mapping is None and not wish.asks else ()
            if wish.asks and mapping is None:
                with progress.aside():
                    saved = agree(desk, opened, reading, wish)
            else:
                refuse_doubts(reading, wish)
                if saves:
                    saved = save(desk, opened, reading, wish, reading.propose())
            came = reading.land()
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
        "reasons": [asdict(one) for one in came.reasons[:_REASONS]],
        **ledger,
        "export": reading.export.tool if reading.export else None,
        "notes": list(guesses),
        "saved": saved,
    }, came.seen


_REASONS = 5
"""Columns with rejected values that are told; the rest is in the file."""


def _approve(desk: Desk, loss: "Loss", progress: "bar") -> None:
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


def _to_the_ledger(opened: "parts.Opened", words: "Rows[Word] | None", stops: "Rows[Stop] | None") -> dict[str, int]:
    """What people said and which addresses are stopped belongs into the ledger."""
    from orchestrator.core.nouns import Channel  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import ConsentChange  # noqa: PLC0415 - keeps `--help` fast

    told = {"consent": 0, "suppressed": 0}
    ledger = opened.ledger()
    try:
        if stops is not None:
            addresses = ((Channel(it.channel), it.address, it.reason, it.at) for it in stops)
            told["suppressed"] = ledger.stop(addresses, "import")
            stops.close()
        if words is not None:
            changes = (
                ConsentChange(w.user, Channel(w.channel), w.topic, w.granted, w.at, w.source, w.proof) for w in words
            )
            told["consent"] = ledger.change_consent(changes)
            words.close()
    finally:
        ledger.close()
    return told


def _mapping(desk: Desk, opened: "parts.Opened", wish: Wish) -> dict[str, Any] | None:
    """The mapping's content: the file named, or the one in config/imports that is called like the data."""
    from orchestrator import checking  # noqa: PLC0415 - keeps `--help` fast

    path = wish.mapping or desk.root / "config" / "imports" / f"{stem(wish.file)}.yaml"
    if not path.is_file():
        if wish.mapping is not None:
            fail(f"--mapping {wish.mapping}: no such file", USAGE)
        return None
    name = path.relative_to(desk.root) if path.is_relative_to(desk.root) else path
    return checking.mapping(str(name), path.read_bytes(), opened.project.settings, opened.project.catalogue)


class bar:  # noqa: N801 - read as a phrase: with bar(...)
    """A progress bar on a terminal for as long as it takes, nothing elsewhere: what came of it is said in numbers."""

    def __init__(self, desk: Desk, file: Path) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, transient=True, disable=desk.as_json or not sys.stderr.isatty())
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
        self._progress.update(self._task, description=step, completed=done if total else None, total=total or None)


def stem(file: Path) -> str:
    """What a file is called without its endings."""
    return file.name.split(".")[0]
