"""Verbs for people who write the files: check them, and teach the editor their words."""

import json
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.desk import WRONG, Desk, fail, honest


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    app.command()(check)
    app.command()(schema)


@honest
def check(context: typer.Context) -> None:
    """Read every file and name every mistake at once. Needs no store, no secret and no network."""
    from orchestrator import checking  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    loaded = desk.load()
    files = len(loaded.files)
    mistakes = checking.mistakes(loaded)

    def tell() -> None:
        for mistake in mistakes:
            typer.echo(str(mistake))
        number = len(mistakes)
        typer.echo(
            f"{number} mistake{'' if number == 1 else 's'} in {files} files" if number else f"{files} files, no mistake"
        )

    told = [{"file": m.file, "line": m.line, "column": m.column, "text": m.text, "remedy": m.remedy} for m in mistakes]
    desk.show({"files": files, "mistakes": told}, tell)
    if mistakes:
        raise typer.Exit(WRONG)


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
