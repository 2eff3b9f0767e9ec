"""Verbs about segments: who is in one, condition by condition, a few of them, and why somebody is in or not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli import screen
from orchestrator.cli.desk import USAGE, Desk, fail, honest, no_such
from orchestrator.cli.screen import Column, Line
from orchestrator.cli.times import moment_of, when

if TYPE_CHECKING:
    from orchestrator.audience.questions import Questions, Spread
    from orchestrator.audience.reader import Reader
    from orchestrator.core.segments import Declared, Moment, Segment

segment = typer.Typer(help="Who is in a segment, and why.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The segment.")]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        help="Ask another engine: postgresql://…, clickhouse://…, clickhouse:FOLDER or spark:MASTER, its tables as config/warehouse.yaml"
        " maps them, or shaped like ours.",
    ),
]
Run = Annotated[
    int | None,
    typer.Option(
        "--run", help="As this run had it: everybody whom its campaign counted to the segment, by the ledger."
    ),
]
At = Annotated[str | None, typer.Option("--at", help="At another moment: 2026-03-02T10:00+01:00.")]


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    from orchestrator.cli import comparing, counting, discovering  # noqa: PLC0415 - they stand on this module

    for verb in (
        show,
        counting.count,
        sample,
        explain,
        comparing.funnel,
        comparing.overlap,
        comparing.diff,
        discovering.discover,
    ):
        segment.command()(verb)
    app.add_typer(segment, name="segment")


@dataclass(frozen=True, slots=True)
class Around:
    """A moment with all segments of the project, and the engine to ask about them."""

    moment: "Moment"
    zone: str
    declared: "Mapping[str, Declared]"
    source: "Reader"

    @property
    def questions(self) -> "Questions":
        """Questions at the moment."""
        from orchestrator.audience.questions import Questions  # noqa: PLC0415 - keeps `--help` fast

        return Questions(self.source.ask, self.source.columns, self.moment)


@dataclass(frozen=True, slots=True)
class Asked(Around):
    """A segment, and what it takes to ask about it."""

    name: str
    segment: "Segment"

    def lists(self) -> tuple[str, ...]:
        """The lists the segment looks into."""
        from orchestrator.audience.compiling import lists  # noqa: PLC0415 - keeps `--help` fast

        return lists(self.segment, self.moment)


def asked_about(desk: Desk, name: str, at: str | None, engine: str | None = None) -> Asked:
    """A segment of the project and the engine to ask: the project's own, or the one named."""
    found = around(desk, [name], at, engine)
    return Asked(found.moment, found.zone, found.declared, found.source, name, found.moment.segments[name])


def around(desk: Desk, names: Iterable[str], at: str | None, engine: str | None = None) -> Around:
    """All segments and the engine to ask; ends with a word if one of these names is none of theirs."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.audience.engines.by_url import open_audience  # noqa: PLC0415
    from orchestrator.core.segments import Moment  # noqa: PLC0415

    opened = desk.open()
    project = opened.project
    for name in names:
        if name not in project.segments:
            no_such("segment", name, project.segments)
    zone, declared = project.settings.time_zone, project.catalogue.known.attributes
    moment = Moment(moment_of(at, zone), zone, project.segments)
    if engine is None:
        source = app.audience(opened)
    else:
        source = open_audience(engine, desk.root, project.catalogue.known, project.warehouse)
    return Around(moment, zone, declared, source)


@honest
def show(
    context: typer.Context,
    name: Name,
    at: At = None,
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", "-a", help="How this attribute's values spread; may be repeated.")
    ] = None,
    engine: Engine = None,
) -> None:
    """Show a segment in words: each condition alone and what it leaves, whom messages reach, some members, values."""
    from orchestrator.core.segments.sentence import sentences  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    asked = asked_about(desk, name, at, engine)
    for one in attribute or ():
        if one not in asked.declared:
            no_such("attribute", one, asked.declared)
    questions = asked.questions
    everybody, steps = questions.funnel(asked.segment)
    reach = questions.reachable(asked.segment)
    some = questions.sample(asked.segment, 3)
    spreads = {one: questions.spread(asked.segment, one, asked.declared[one].kind) for one in attribute or ()}
    said = sentences(asked.segment, asked.zone)
    people = steps[-1].left if steps else everybody

    def tell() -> None:
        share = f"{100 * people / everybody:.1f} % of {everybody:,}" if everybody else "nobody is known yet"
        screen.say(f" {name}   {people:,} people, {share}   at {when(asked.moment.at, asked.zone)}", screen.BOLD)
        screen.say(f" {asked.segment.about}")
        unknown = [f" (unknown: {step.unknown:,})" if step.unknown else "" for step in steps]
        rows = [
            [words + more, f"{step.alone:,}", f"{step.left:,}"]
            for words, more, step in zip(said, unknown, steps, strict=True)
        ]
        tell_conditions(("alone", "left"), rows)
        screen.say(" reachable   " + " · ".join(f"{channel} {many:,}" for channel, many in reach.items()), hang=12)
        if some:
            screen.say(f" for example {' · '.join(some)}", hang=12)
            screen.show(screen.leading(" try:", f"orchestrator segment explain {name} {some[0]}", screen.width()))
        for one, spread in spreads.items():
            tell_spread(one, spread, people)

    conditions = [
        {"sentence": words, "alone": step.alone, "left": step.left, "unknown": step.unknown}
        for words, step in zip(said, steps, strict=True)
    ]
    found = {
        "segment": name, "people": people, "everybody": everybody, "at": asked.moment.at, "conditions": conditions, "reachable": reach,
        "sample": some, "attributes": {one: plain_spread(spread) for one, spread in spreads.items()},
    }  # fmt: skip
    desk.show(found, tell)


def tell_conditions(numbers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Conditions in words, with what was counted for each under these heads."""
    columns = [Column("", wraps=True, hang=2), *(Column(name, right=True) for name in numbers)]
    screen.show(screen.table(columns, rows, screen.width(), indent="   ").lines)


def tell_spread(name: str, spread: "Spread", people: int) -> None:
    """An attribute's values: how many have one, its ends, and the commonest as bars."""
    ends = f", from {spread.lowest} to {spread.highest}" if spread.lowest is not None else ""
    screen.say(f" {name}   known of {spread.known:,}{ends}")
    rows = [[str(value), f"{many:,}", bar(many, people)] for value, many in spread.commonest]
    columns = [Column("", wraps=True, hang=2), Column("", right=True), Column("", gives_way=1)]
    screen.show(screen.table(columns, rows, screen.width(), indent="   ").lines)


def plain_spread(spread: "Spread") -> dict[str, Any]:
    """The same for JSON."""
    commonest = [{"value": plain(value), "people": many} for value, many in spread.commonest]
    ends = {"lowest": plain(spread.lowest), "highest": plain(spread.highest)}
    return {"known": spread.known, **ends, "commonest": commonest}


def plain(value: Any) -> Any:
    """A value of an engine as JSON has it."""
    return value if isinstance(value, str | int | float | bool | list | None) else str(value)


def bar(part: int, whole: int) -> str:
    """A share as a picture of up to 30 blocks, of fewer on a narrow terminal."""
    room = screen.width()
    longest = 30 if room is None else min(30, room // 6)
    return "█" * round(longest * part / whole) if whole else ""


@honest
def sample(
    context: typer.Context,
    name: Name,
    at: At = None,
    number: Annotated[int, typer.Option("--number", "-n", min=1, max=10_000, help="So many.")] = 10,
    engine: Engine = None,
    run: Run = None,
) -> None:
    """Name some members, the same ones at every call: those with the smallest draw, or of a run the first by their ids."""
    desk: Desk = context.obj
    if run is not None:
        from orchestrator.cli.remembering import remembered  # noqa: PLC0415 - keeps `--help` fast

        some = remembered(desk, name, run, at, engine)[:number]
        desk.show({"segment": name, "users": some, "run": run}, lambda: _name(desk, some))
        return
    asked = asked_about(desk, name, at, engine)
    users = asked.questions.sample(asked.segment, number)
    desk.show({"segment": name, "users": users, "at": asked.moment.at}, lambda: _name(desk, users))


def _name(desk: Desk, users: Sequence[str]) -> None:
    """An id a line, and nothing else: whatever reads them takes each line for one."""
    for user in users:
        typer.echo(user)
    if not users:
        desk.note("nobody is in it")


@honest
def explain(
    context: typer.Context,
    name: Name,
    person: Annotated[str, typer.Argument(help="A user's id, e-mail address or phone number.")],
    at: At = None,
    engine: Engine = None,
) -> None:
    """Tell why somebody is in the segment or is not: every condition, true or false, with the value it was judged by."""
    from orchestrator.audience.finding import known_as  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.audience.person import AskedCrowd, read_person  # noqa: PLC0415
    from orchestrator.cli.conditions import conditions_of, tree_of  # noqa: PLC0415
    from orchestrator.cli.explaining import whom  # noqa: PLC0415
    from orchestrator.core.segments import explain as explained  # noqa: PLC0415

    desk: Desk = context.obj
    asked = asked_about(desk, name, at, engine)
    user = whom(known_as(asked.source, person), person, f"orchestrator segment explain {name}").user
    known = read_person(asked.source, user, asked.declared, asked.lists())
    if known is None:
        fail(f"nobody is known by the id {user}", USAGE)  # gone since they were found
    crowd = AskedCrowd(asked.source, asked.moment, asked.lists())
    found = explained(asked.segment, known, replace(asked.moment, crowd=crowd))

    def tell() -> None:
        screen.say(
            f" {user} is {'in' if found.holds else 'not in'} {name}   at {when(asked.moment.at, asked.zone)}",
            screen.BOLD,
        )
        for depth, holds, text in conditions_of(found, asked.zone):
            style = screen.GREEN if holds else screen.RED
            left = [Line("   " * depth), Line("yes  " if holds else "no   ", style)]
            screen.show(screen.beside(left, text, screen.width()))

    desk.show(
        {"segment": name, "user": user, "in": found.holds, "at": asked.moment.at, "tree": tree_of(found, asked.zone)},
        tell,
    )
