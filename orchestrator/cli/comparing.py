"""Verbs that compare: what each condition of a segment leaves, which segments overlap, who came and went since a moment."""

from typing import Annotated

import typer

from orchestrator.cli import screen
from orchestrator.cli.desk import Desk, honest, no_such
from orchestrator.cli.screen import Column
from orchestrator.cli.segments import At, Engine, Name, asked_about, bar, tell_conditions
from orchestrator.cli.times import moment_of, wall, when


@honest
def funnel(context: typer.Context, name: Name, at: At = None, engine: Engine = None) -> None:
    """Show how many people each condition removes, one after the other, as a picture."""
    from orchestrator.core.segments.sentence import sentences  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    asked = asked_about(desk, name, at, engine)
    everybody, steps = asked.questions.funnel(asked.segment)
    said = sentences(asked.segment, asked.zone)
    before = [everybody, *(step.left for step in steps)]

    def tell() -> None:
        screen.say(f" {name}   at {when(asked.moment.at, asked.zone)}", screen.BOLD)
        columns = [Column("removed", right=True), Column("left", right=True), Column("", gives_way=1)]
        rows = [["", f"{everybody:,}", bar(everybody, everybody), "everybody"]]
        for words, step, had in zip(said, steps, before, strict=False):
            rows.append([f"{had - step.left:,}", f"{step.left:,}", bar(step.left, everybody), words])
        columns.append(Column("", wraps=True, hang=2))
        screen.show(screen.table(columns, rows, screen.width()).lines)

    removed = [
        {"sentence": words, "removed": had - step.left, "left": step.left, "alone": step.alone, "unknown": step.unknown}
        for words, step, had in zip(said, steps, before, strict=False)
    ]
    desk.show({"segment": name, "everybody": everybody, "at": asked.moment.at, "conditions": removed}, tell)


@honest
def overlap(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Two segments or more.")],
    at: At = None,
    engine: Engine = None,
) -> None:
    """Show how many people every two of these segments share: a matrix, each row in per cent of its own segment."""
    desk: Desk = context.obj
    names = list(dict.fromkeys(names))
    asked = asked_about(desk, names[0], at, engine)
    known = asked.moment.segments
    for one in names:
        if one not in known:
            no_such("segment", one, known)
    found = asked.questions.overlap({one: known[one] for one in names})

    def tell() -> None:
        wide = max(len(f"{many:,}") for many in found.values())
        columns = [Column(""), Column("people", right=True), *(Column(one, right=True) for one in names)]
        rows = [
            [one, f"{found[one, one]:,}", *(_shade(found[one, other], found[one, one], wide) for other in names)]
            for one in names
        ]
        screen.show(screen.table(columns, rows, screen.width()).lines)

    pairs = [
        {"segments": [one, other], "people": found[one, other]}
        for place, one in enumerate(names)
        for other in names[place + 1 :]
    ]
    desk.show({"sizes": {one: found[one, one] for one in names}, "overlaps": pairs, "at": asked.moment.at}, tell)


def _shade(shared: int, size: int, wide: int) -> str:
    """A share as a shade, a number of so many signs, and per cent."""
    share = shared / size if size else 0.0
    return f"{' ░▒▓█'[min(4, -(-int(400 * share) // 100))]} {shared:>{wide},} {100 * share:3.0f} %"


@honest
def diff(
    context: typer.Context,
    name: Name,
    between: Annotated[
        tuple[str, str], typer.Option("--between", help="Two moments: 2026-03-01T10:00+01:00 2026-03-02T10:00+01:00.")
    ],
    number: Annotated[int, typer.Option("--number", "-n", min=0, max=10_000, help="Name so many of each.")] = 5,
    engine: Engine = None,
) -> None:
    """Show who entered a segment and who left it between two moments, and which condition let them in or go.

    Events are taken as they stood at either moment; attributes, lists and addresses are today's.
    """
    from orchestrator.core.segments.sentence import sentences  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    zone = desk.zone()
    moments = {moment_of(one, zone, "--between"): one for one in between}
    since, until = min(moments), max(moments)
    asked = asked_about(desk, name, moments[until], engine)
    found = asked.questions.difference(asked.segment, since, number)
    said = sentences(asked.segment, asked.zone)

    def tell() -> None:
        moved = f"{found.before:,} → {found.after:,} people"
        screen.say(f" {name}   {moved}   from {wall(since, asked.zone)} to {when(until, asked.zone)}", screen.BOLD)
        for many, who in ((f"+{found.entered:,}", found.who_entered), (f"−{found.left:,}", found.who_left)):
            screen.show(screen.beside([screen.Line(f" {many}  ")], " · ".join(who), screen.width()))
        rows = [
            [words, f"{change.let_in:,}", f"{change.let_go:,}"]
            for words, change in zip(said, found.changes, strict=True)
        ]
        tell_conditions(("let in", "let go"), rows)
        screen.say(" Attributes, lists and addresses are today's at both moments; events are as they stood.")

    changes = [
        {"sentence": words, "let_in": change.let_in, "let_go": change.let_go}
        for words, change in zip(said, found.changes, strict=True)
    ]
    desk.show(
        {
            "segment": name, "from": since, "to": until, "before": found.before, "after": found.after, "entered": found.entered,
            "left": found.left, "who_entered": found.who_entered, "who_left": found.who_left, "conditions": changes,
        },
        tell,
    )  # fmt: skip
