"""The verb that counts: one segment as a number, several or all of the project as a table, in as few questions as will do."""

from collections.abc import Mapping
from typing import Annotated

import typer

from orchestrator.cli.desk import USAGE, Desk, fail, honest, table
from orchestrator.cli.screen import say
from orchestrator.cli.segments import At, Engine, Run, around, asked_about
from orchestrator.cli.times import when


@honest
def count(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="The segment, or several.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every segment of the project.")] = False,
    at: At = None,
    engine: Engine = None,
    run: Run = None,
) -> None:
    """Count the members of a segment, of several or of all. Several are counted together: each name of event is read once for them."""
    desk: Desk = context.obj
    wanted = list(dict.fromkeys(names or ()))
    if every and wanted:
        fail("--all counts every segment: leave the names away, or --all", USAGE)
    if not every and not wanted:
        fail("name a segment, several, or write --all for every one of the project", USAGE)
    if run is not None:
        if len(wanted) != 1:
            fail("--run tells of one segment at a time: name it", USAGE)
        _of_a_run(desk, wanted[0], run, at, engine)
    elif len(wanted) == 1:
        _one(desk, wanted[0], at, engine)
    else:
        _several(desk, wanted, at, engine)


def _of_a_run(desk: Desk, name: str, run: int, at: str | None, engine: str | None) -> None:
    from orchestrator.cli.remembering import remembered  # noqa: PLC0415 - keeps `--help` fast

    users = remembered(desk, name, run, at, engine)
    desk.show({"segment": name, "people": len(users), "run": run}, lambda: typer.echo(f"{len(users):,}"))


def _one(desk: Desk, name: str, at: str | None, engine: str | None) -> None:
    asked = asked_about(desk, name, at, engine)
    people = asked.questions.count(asked.segment)
    desk.show({"segment": name, "people": people, "at": asked.moment.at}, lambda: typer.echo(f"{people:,}"))


def _several(desk: Desk, names: list[str], at: str | None, engine: str | None) -> None:
    """Those named, or all; in the order they were named or stand in the folder."""
    from orchestrator.audience.counting import counts  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.progress import waiting  # noqa: PLC0415

    asked = around(desk, names, at, engine)
    known = asked.moment.segments
    segments = {name: known[name] for name in names or known}
    with waiting(desk) as wait:
        wait("counting everybody")
        everybody = asked.questions.everybody() if segments else 0
        found = counts(asked.questions, segments, lambda done, of: wait(f"counting segments: {done:,} of {of:,}"))

    def tell() -> None:
        _tell(found, everybody, when(asked.moment.at, asked.zone))

    rows = [
        {"segment": name, "people": people, "share": round(people / everybody, 6) if everybody else None}
        for name, people in found.items()
    ]
    desk.show({"everybody": everybody, "at": asked.moment.at, "segments": rows}, tell)


def _tell(found: Mapping[str, int], everybody: int, at: str) -> None:
    if not found:
        say(" There is no segment yet: segments are files in config/segments.")
        return
    rows = [
        (name, f"{people:,}", f"{100 * people / everybody:.1f} %" if everybody else "–")
        for name, people in found.items()
    ]
    say(f" {everybody:,} people are known   at {at}\n")
    table("", {"segment": "left", "people": "right", "share": "right"}, rows)
