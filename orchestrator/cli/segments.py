"""Verbs about segments: who is in one, condition by condition, a few of them, and why somebody is in or not."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import USAGE, Desk, fail, honest, no_such, when
from orchestrator.cli.times import moment_of
from orchestrator.core.times import Instant

if TYPE_CHECKING:
    from orchestrator.audience.questions import Questions, Spread
    from orchestrator.audience.reader import Reader
    from orchestrator.core.segments import Declared, Finding, Moment, Segment

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
    moment = Moment(moment_of(at), zone, project.segments)
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
        typer.echo(f" {name}   {people:,} people, {share}        at {when(asked.moment.at)}")
        typer.echo(f" {asked.segment.about}\n {'':<84}{'alone':>9}{'left':>9}")
        for words, step in zip(said, steps, strict=True):
            unknown = f" (unknown: {step.unknown:,})" if step.unknown else ""
            typer.echo(f"   {words + unknown:<82}{step.alone:>9,}{step.left:>9,}")
        typer.echo(" reachable   " + " · ".join(f"{channel} {many:,}" for channel, many in reach.items()))
        if some:
            typer.echo(f" for example {' · '.join(some)}      try: segment explain {name} {some[0]}")
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


def tell_spread(name: str, spread: "Spread", people: int) -> None:
    """An attribute's values: how many have one, its ends, and the commonest as bars."""
    ends = f", from {spread.lowest} to {spread.highest}" if spread.lowest is not None else ""
    typer.echo(f" {name}   known of {spread.known:,}{ends}")
    for value, many in spread.commonest:
        typer.echo(f"   {str(value)[:30]:<30}{many:>9,} {bar(many, people)}")


def plain_spread(spread: "Spread") -> dict[str, Any]:
    """The same for JSON."""
    commonest = [{"value": plain(value), "people": many} for value, many in spread.commonest]
    ends = {"lowest": plain(spread.lowest), "highest": plain(spread.highest)}
    return {"known": spread.known, **ends, "commonest": commonest}


def plain(value: Any) -> Any:
    """A value of an engine as JSON has it."""
    return value if isinstance(value, str | int | float | bool | list | None) else str(value)


def bar(part: int, whole: int) -> str:
    """A share as a picture of up to 30 blocks."""
    return "█" * round(30 * part / whole) if whole else ""


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
        desk.show({"segment": name, "users": some, "run": run}, lambda: typer.echo("\n".join(some)))
        return
    asked = asked_about(desk, name, at, engine)
    users = asked.questions.sample(asked.segment, number)
    desk.show({"segment": name, "users": users, "at": asked.moment.at}, lambda: typer.echo("\n".join(users)))


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
        typer.echo(f" {user} is {'in' if found.holds else 'not in'} {name}   at {when(asked.moment.at)}")
        for depth, node in _lines(found, 1):
            value = "" if node.value is None else f"   ({said_value(node)})"
            typer.echo(f"{'   ' * depth}{'yes' if node.holds else 'no ':<4} {_say(node, asked.zone)}{value}")

    desk.show(
        {"segment": name, "user": user, "in": found.holds, "at": asked.moment.at, "tree": tree_of(found, asked.zone)},
        tell,
    )


def said_value(found: "Finding") -> str:
    """The value a node was judged by, as people read it."""
    from orchestrator.core.segments import Place  # noqa: PLC0415 - keeps `--help` fast

    value = found.value
    if isinstance(value, Place):
        return f"at or above {100 * value.below / value.of:.1f} % of {value.of:,}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {'–' if one is None else one}" for name, one in value.items()) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(plain_value(found))


def plain_value(found: "Finding") -> Any:
    """The same for JSON: moments as ISO 8601, numbers as such, a place as its two numbers."""
    from decimal import Decimal  # noqa: PLC0415 - keeps `--help` fast

    from orchestrator.core.segments import Place  # noqa: PLC0415
    from orchestrator.core.segments.tree import Event, Measure  # noqa: PLC0415

    value = found.value
    if isinstance(value, Place):
        return value._asdict()
    dated = isinstance(found.node, Event) and found.node.measure in {Measure.FIRST, Measure.LAST}
    if dated and isinstance(value, int):
        return when(Instant(value))
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _lines(found: "Finding", depth: int) -> Iterator[tuple[int, "Finding"]]:
    """The nodes from the top, each with its depth; a group's own line is left out where it says nothing new."""
    yield depth, found
    for part in found.parts:
        yield from _lines(part, depth + 1)


def _say(found: "Finding", zone: str) -> str:
    from orchestrator.core.segments.sentence import say  # noqa: PLC0415 - keeps `--help` fast

    return say(found.node, zone)


def tree_of(found: "Finding", zone: str) -> dict[str, Any]:
    """An explanation as JSON has it: every node in words, whether it holds, the value it was judged by, its parts."""
    return {
        "sentence": _say(found, zone),
        "holds": found.holds,
        "value": plain_value(found),
        "parts": [tree_of(part, zone) for part in found.parts],
    }
