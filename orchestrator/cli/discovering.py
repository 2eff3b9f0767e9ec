"""The verb that looks for segments: which readable rules have members who reach a goal more often than the rest."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from orchestrator.cli import screen
from orchestrator.cli.desk import Desk, honest, no_such
from orchestrator.cli.screen import Line
from orchestrator.cli.segments import At
from orchestrator.cli.times import length, moment_of
from orchestrator.core.changes import say_value

_TWINS = 3
"""So many rules for the same people are named."""


@honest
def discover(
    context: typer.Context,
    goal: Annotated[str, typer.Option("--goal", help="The event to be reached.")],
    within: Annotated[str, typer.Option("--within", help="How soon: 30 days, or in short 30d, 12h, 2w.")] = "30d",
    at: At = None,
    number: Annotated[int, typer.Option("--number", "-n", min=1, max=60, help="Show so many rules.")] = 5,
) -> None:
    """Look for rules of one to three conditions whose members reach a goal more often than the rest, as segments to paste.

    Rules are chosen on one half of people and judged on the other; of those shown at most one in twenty is expected to be false.
    Of rules about the same people the simplest is shown, and the others are named beside it.
    """
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.audience import discovering  # noqa: PLC0415
    from orchestrator.audience.questions import Questions  # noqa: PLC0415
    from orchestrator.core.phrases import say_duration  # noqa: PLC0415
    from orchestrator.core.segments import Moment  # noqa: PLC0415
    from orchestrator.core.times import DAY  # noqa: PLC0415

    desk: Desk = context.obj
    opened = desk.open()
    known = opened.project.catalogue.known
    if goal not in known.events:
        no_such("event", goal, known.events)
    soon = length("--within", within)
    audience = app.audience(opened)
    zone = opened.project.settings.time_zone
    columns, moment = audience.columns, Moment(moment_of(at, zone), zone)
    questions = Questions(audience.ask, columns, moment)
    rules, judged = discovering.discover(questions, columns, moment, known, goal, soon)
    shown, said = rules[:number], say_duration(soon)
    days = soon / DAY if soon % DAY else soon // DAY

    def tell() -> None:
        if not rules:
            screen.say(
                f" No rule holds: of {judged} judged, none has members who {goal} more than chance would have it."
            )
        for rule in shown:
            told = (
                f"{rule.people:,} held-out people · {100 * rule.rate:.1f} % against {100 * rule.rest:.1f} % of the rest · lift"
                f" {rule.lift:.2f} (95 %: {rule.low:.2f} to {rule.high:.2f}) · false finds {100 * rule.q:.2g} %"
            )
            room = screen.width()
            for comment in (told, _twins(rule.same)):
                screen.show(Line(f"# {one}") for one in screen.fitted(comment, room and room - 2) if one)
            screen.show(_yaml(discovering.as_segment(rule, goal, said), room))

    found = [
        {
            "segment": discovering.as_segment(rule, goal, said), "people": rule.people, "converted": rule.converted, "rate": rule.rate,
            "rest": rule.rest, "lift": rule.lift, "low": rule.low, "high": rule.high, "q": rule.q,
            "same_people": [list(one) for one in rule.same],
        }
        for rule in shown
    ]  # fmt: skip
    desk.show({"goal": goal, "within": days, "at": moment.at, "judged": judged, "rules": found}, tell)


def _twins(same: Sequence[Sequence[dict[str, Any]]]) -> str:
    """The other rules that are about the same people, a few of them by their conditions."""
    if not same:
        return ""
    said = [" and ".join(say_value(one) for one in conditions) for conditions in same[:_TWINS]]
    more = f" · and {len(same) - _TWINS:,} more rules" if len(same) > _TWINS else ""
    return f"the same people as {' · '.join(said)}{more}"


def _yaml(segment: dict[str, Any], room: int | None) -> Iterator[Line]:
    """A segment's file, one condition a line; where the terminal ends a line goes on in the next, which YAML allows."""
    import json  # noqa: PLC0415 - JSON in braces is YAML

    lines = [f"about: {json.dumps(segment['about'], ensure_ascii=False)}", "all:"]
    for line in [*lines, *(f"  - {json.dumps(one, ensure_ascii=False)}" for one in segment["all"]), ""]:
        # Where a value has two blanks side by side, a line that ends there would lose one.
        whole = "  " in line.strip()
        yield from (Line(one) for one in screen.fitted(line, None if whole else room, 4))
