"""Verbs about segments: who is in one, condition by condition, how many, a few of them, and why somebody is in or not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import USAGE, Desk, fail, honest, no_such, when
from orchestrator.core.times import Instant

if TYPE_CHECKING:
    from orchestrator.audience.sql_columns import DuckColumns
    from orchestrator.audience.store import Audience
    from orchestrator.core.segments import Finding, Moment, Segment

segment = typer.Typer(help="Who is in a segment, and why.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The segment.")]
At = Annotated[str | None, typer.Option("--at", help="At another moment: 2026-03-02T10:00+01:00.")]


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    for verb in (show, count, sample, explain):
        segment.command()(verb)
    app.add_typer(segment, name="segment")


@dataclass(frozen=True, slots=True)
class _Question:
    """A segment, and what it takes to ask the store about it."""

    name: str
    segment: "Segment"
    moment: "Moment"
    columns: "DuckColumns"
    audience: "Audience"
    zone: str
    about: str


@contextmanager
def _asked(desk: Desk, name: str, at: str | None) -> Iterator[_Question]:
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.audience.sql_columns import DuckColumns  # noqa: PLC0415
    from orchestrator.cli.sending import moment_of  # noqa: PLC0415
    from orchestrator.core.segments import Moment  # noqa: PLC0415

    opened = desk.open()
    project = opened.project
    if name not in project.segments:
        no_such("segment", name, project.segments)
    zone, known = project.settings.time_zone, project.catalogue.known
    moment = Moment(moment_of(at), zone, project.segments)
    found = project.segments[name]
    yield _Question(name, found, moment, DuckColumns(known.attributes), app.audience(opened), zone, found.about)


@honest
def show(context: typer.Context, name: Name, at: At = None) -> None:
    """Show a segment in words: how many each condition lets in alone, and how many are left after it."""
    from orchestrator.audience import compiling  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.segments.sentence import sentences  # noqa: PLC0415

    desk: Desk = context.obj
    with _asked(desk, name, at) as asked:
        sql = compiling.funnel(asked.segment, asked.moment, asked.columns).sql(asked.columns.dialect)
        [row] = asked.audience.rows(sql, lists=compiling.lists(asked.segment, asked.moment))
        said = sentences(asked.segment, asked.zone)
    everybody, steps = row[0], [row[1 + 3 * n : 4 + 3 * n] for n in range(len(said))]
    people = steps[-1][1] if steps else everybody

    def tell() -> None:
        share = f"{100 * people / everybody:.1f} % of {everybody:,}" if everybody else "nobody is known yet"
        typer.echo(f" {name}   {people:,} people, {share}        at {when(asked.moment.at)}")
        typer.echo(f" {asked.about}\n {'':<84}{'alone':>9}{'left':>9}")
        for words, (alone, left, unknown) in zip(said, steps, strict=True):
            typer.echo(f"   {words + (f' (unknown: {unknown:,})' if unknown else ''):<82}{alone:>9,}{left:>9,}")

    conditions = [
        {"sentence": words, "alone": alone, "left": left, "unknown": unknown}
        for words, (alone, left, unknown) in zip(said, steps, strict=True)
    ]
    desk.show(
        {"segment": name, "people": people, "everybody": everybody, "at": asked.moment.at, "conditions": conditions},
        tell,
    )


@honest
def count(context: typer.Context, name: Name, at: At = None) -> None:
    """Count the members."""
    desk: Desk = context.obj
    with _asked(desk, name, at) as asked:
        [[people]] = asked.audience.rows(f"SELECT count(*) FROM ({_members(asked)})", lists=_lists(asked))  # noqa: S608 - sqlglot wrote it
    desk.show({"segment": name, "people": people, "at": asked.moment.at}, lambda: typer.echo(f"{people:,}"))


@honest
def sample(
    context: typer.Context,
    name: Name,
    at: At = None,
    number: Annotated[int, typer.Option("--number", "-n", min=1, max=10_000, help="So many.")] = 10,
) -> None:
    """Name some members, the same ones at every call: those with the smallest draw."""
    desk: Desk = context.obj
    with _asked(desk, name, at) as asked:
        drawn = f'SELECT "user" FROM ({_members(asked)}) ORDER BY md5(\'sample:\' || "user"), "user" LIMIT {number}'  # noqa: S608 - sqlglot wrote it
        users = [row[0] for row in asked.audience.rows(drawn, lists=_lists(asked))]
    desk.show({"segment": name, "users": users, "at": asked.moment.at}, lambda: typer.echo("\n".join(users)))


@honest
def explain(
    context: typer.Context, name: Name, user: Annotated[str, typer.Argument(help="The user's id.")], at: At = None
) -> None:
    """Tell why somebody is in the segment or is not: every condition, true or false, with the value it was judged by."""
    from orchestrator.audience.person import AskedCrowd, read_person  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.segments import explain as explained  # noqa: PLC0415

    desk: Desk = context.obj
    with _asked(desk, name, at) as asked:
        person = read_person(asked.audience, user, asked.columns.declared, _lists(asked))
        if person is None:
            fail(f"nobody is known by the id {user}", USAGE)
        crowd = AskedCrowd(asked.audience, asked.moment, asked.columns, _lists(asked))
        found = explained(asked.segment, person, replace(asked.moment, crowd=crowd))

    def tell() -> None:
        typer.echo(f" {user} is {'in' if found.holds else 'not in'} {name}   at {when(asked.moment.at)}")
        for depth, node in _lines(found, 1):
            value = "" if node.value is None else f"   ({said_value(node)})"
            typer.echo(f"{'   ' * depth}{'yes' if node.holds else 'no ':<4} {_say(node, asked.zone)}{value}")

    desk.show(
        {"segment": name, "user": user, "in": found.holds, "at": asked.moment.at, "tree": _tree(found, asked.zone)},
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


def _members(asked: _Question) -> str:
    from orchestrator.audience import compiling  # noqa: PLC0415 - keeps `--help` fast

    return compiling.members_sql(asked.segment, asked.moment, asked.columns)


def _lists(asked: _Question) -> tuple[str, ...]:
    from orchestrator.audience import compiling  # noqa: PLC0415 - keeps `--help` fast

    return compiling.lists(asked.segment, asked.moment)


def _lines(found: "Finding", depth: int) -> Iterator[tuple[int, "Finding"]]:
    """The nodes from the top, each with its depth; a group's own line is left out where it says nothing new."""
    yield depth, found
    for part in found.parts:
        yield from _lines(part, depth + 1)


def _say(found: "Finding", zone: str) -> str:
    from orchestrator.core.segments.sentence import say  # noqa: PLC0415 - keeps `--help` fast

    return say(found.node, zone)


def _tree(found: "Finding", zone: str) -> dict[str, Any]:
    return {
        "sentence": _say(found, zone),
        "holds": found.holds,
        "value": plain_value(found),
        "parts": [_tree(part, zone) for part in found.parts],
    }
