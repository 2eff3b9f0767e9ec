"""The verb that tests campaigns: personas live through them on a fixed clock, and every difference from what was expected is shown."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import WRONG, Desk, fail, honest, no_such

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.config.personas import Personas
    from orchestrator.core.personas import Persona
    from orchestrator.personas import Tested


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("test")(hold)


@honest
def hold(
    context: typer.Context,
    persona: Annotated[list[str] | None, typer.Argument(help="Only these personas; none for all.")] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Also write the results to this file, as JUnit XML.")
    ] = None,
) -> None:
    """Test campaigns: each persona of personas/ must get what its file expects. Needs no store, secret or network."""
    from orchestrator import config, personas  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.telling_tests import Page  # noqa: PLC0415
    from orchestrator.core.errors import ConfigError  # noqa: PLC0415

    desk: Desk = context.obj
    loaded = desk.load()
    project = loaded.sound()
    known = config.load_personas(desk.root, loaded)
    if known.mistakes:
        raise ConfigError(known.mistakes)
    chosen = _chosen(known, persona or ())
    page = Page(project.settings.time_zone, [it.name for it in chosen])
    stage = personas.Stage(project, loaded.files)
    found: list[Tested] = []
    for one in _tested(stage, chosen):
        found.append(one)
        if not desk.as_json:
            page.tell(one)
    if junit is not None:
        _write(junit, found, Page(project.settings.time_zone, screen=False))
    failed = [one for one in found if not one.well]
    desk.show(_told(found, page), lambda: page.sum_up(found))
    if failed:
        raise typer.Exit(WRONG)


def _tested(stage: Any, chosen: "Sequence[Persona]") -> "Iterator[Tested]":
    from orchestrator import personas  # noqa: PLC0415 - keeps `--help` fast

    for one in chosen:
        yield personas.tested(stage, one)


def _chosen(known: "Personas", names: "Sequence[str]") -> "Sequence[Persona]":
    """The personas that were asked for, by name or by file; ends if there is no such one."""
    if not names:
        return known.found
    by_name = {one.name: one for one in known.found}
    wanted = [name.rpartition("/")[2].removesuffix(".yaml") for name in names]
    for name in wanted:
        if name not in by_name:
            no_such("persona", name, by_name)
    return [by_name[name] for name in dict.fromkeys(wanted)]


def _write(file: Path, found: "Sequence[Tested]", page: Any) -> None:
    from orchestrator.cli.junit import report  # noqa: PLC0415 - only who asks for it waits for it

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(report(found, page))
    except OSError as problem:
        fail(f"--junit {file}: cannot be written: {problem.strerror}")


def _told(found: "Sequence[Tested]", page: Any) -> dict[str, Any]:
    failed = sum(not one.well for one in found)
    return {
        "personas": [page.plain(one) for one in found],
        "passed": len(found) - failed,
        "failed": failed,
    }
