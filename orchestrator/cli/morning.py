"""The verb for every morning: what needs a person, the last 24 hours, the next ones, and whether the data is fresh."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import Desk, honest
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator import app as parts
    from orchestrator.audience.reader import Reader


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(today)


@honest
def today(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Every line, also those the terminal has no room for.")
    ] = False,
) -> None:
    """Show in one screen what needs a person, what happened in the last 24 hours, what comes in the next, and the data.

    People are counted as `report` counts them; a red line about the data comes first. Times are on the project's clock.
    """
    from orchestrator import checking  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli import screen  # noqa: PLC0415
    from orchestrator.cli.morning_lines import sections, told  # noqa: PLC0415
    from orchestrator.cli.progress import waiting  # noqa: PLC0415
    from orchestrator.pipeline.today import morning  # noqa: PLC0415

    desk: Desk = context.obj
    opened, now = desk.open(), WallClock().now()
    with waiting(desk) as wait:
        wait("looking at runs and data")
        ledger = opened.ledger()
        try:
            takers = partial(checking.takers, opened.project, opened.files)
            found = morning(ledger, opened.project, opened.files, _audience(opened), opened.root, now, takers)
        finally:
            ledger.close()
    head = heading(opened)

    def tell() -> None:
        room = None if everything else screen.height()
        drawn = screen.fit(sections(found, head, opened.project.settings.time_zone, now), room and room - 1)
        screen.show(drawn)

    source: dict[str, Any] = {"at": now, "environment": desk.environment, "source": str(opened.origin())}
    desk.show({**source, **told(found)}, tell)


def heading(opened: "parts.Opened") -> str:
    """The project, whom the environment reaches, and which tree this is."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast

    project = opened.project
    source = str(opened.origin())
    said: Sequence[str] = (
        project.settings.project,
        f"{project.environment.name}: {app.whom(opened)}",
        *([source] if source else []),
    )
    return " · ".join(said)


def _audience(opened: "parts.Opened") -> "Reader | str":
    """Whom to ask about people and events, or why nobody can be asked: the ledger tells the rest all the same."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.errors import StoreError  # noqa: PLC0415

    try:
        return app.audience(opened)
    except StoreError as problem:
        return str(problem)
