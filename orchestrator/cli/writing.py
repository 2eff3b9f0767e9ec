"""Verbs for people who write the files: check them, and teach the editor their words."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import WRONG, Desk, fail, honest
from orchestrator.cli.screen import say

if TYPE_CHECKING:
    from orchestrator.core.errors import Mistake


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    app.command()(check)
    app.command()(schema)


@honest
def check(
    context: typer.Context,
    online: Annotated[
        bool,
        typer.Option(
            "--online",
            help="Also ask the audience, where it is not ours: are its tables and columns there, each person once?",
        ),
    ] = False,
) -> None:
    """Read every file and name every mistake at once, and what is none but worth knowing. Needs no store, secret or network."""
    from orchestrator import checking  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    loaded = desk.load()
    files, mistakes = checking.examined(desk.root, loaded)
    if online and not mistakes:
        mistakes = _of_the_audience(desk)
    notes = checking.notes(loaded) if not mistakes else ()

    def tell() -> None:
        for mistake in mistakes:
            say(str(mistake))
        for note in notes:
            say(f"note: {note}")
        number = len(mistakes)
        say(
            f"{number} mistake{'' if number == 1 else 's'} in {files} files" if number else f"{files} files, no mistake"
        )

    def told(found: "tuple[Mistake, ...]") -> list[dict[str, Any]]:
        return [asdict(one) for one in found]

    desk.show({"files": files, "mistakes": told(mistakes), "notes": told(notes)}, tell)
    if mistakes:
        raise typer.Exit(WRONG)


def _of_the_audience(desk: Desk) -> "tuple[Mistake, ...]":
    """What the mapping names and the audience does not have; where it has all, whether somebody stands there twice."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast

    audience = app.audience(desk.open())
    return tuple(audience.mistakes() or audience.doubled())


@honest
def schema(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help="Where to write them; default: .schemas in the project.")
    ] = None,
) -> None:
    """Write a JSON Schema for each kind of file, for completion in the editor."""
    desk: Desk = context.obj
    target = folder or desk.root / ".schemas"
    try:
        written = write_schemas(target)
    except OSError as problem:
        fail(f"{target}: cannot be written: {problem.strerror}")
    desk.show(written, lambda: typer.echo("\n".join(written.values())))


def write_schemas(folder: Path) -> dict[str, str]:
    """Write the schema of each kind of file; where, by name."""
    from orchestrator.config import schemas  # noqa: PLC0415 - keeps `--help` fast

    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, content in schemas().items():
        path = folder / name
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written[name] = str(path)
    return written
