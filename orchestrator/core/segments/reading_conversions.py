"""What `message: converted` asks: a message of ours, and its campaign's goal reached in the goal's time after it was sent.

A conversion is no event of its own: it is read as `message.sent` followed by the goal, so it means the same on every engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.core.campaigns import Goal
from orchestrator.core.mirrors import Deed
from orchestrator.core.phrases import say_duration
from orchestrator.core.segments.mistakes import Path, Reading, remedy
from orchestrator.core.segments.reading_events import COUNT_KEYS, DATED, MEASURES, read_event
from orchestrator.core.segments.reading_messages import MESSAGE_KEYS
from orchestrator.core.segments.reading_steps import read_step, read_where
from orchestrator.core.segments.reading_values import one_number, read_phrase
from orchestrator.core.segments.tree import (
    AnyOf,
    Catalogue,
    Comparison,
    Event,
    Kind,
    Node,
    OneOf,
    Op,
    Property,
    Step,
)
from orchestrator.core.segments.values import nfc
from orchestrator.core.windows import window

_OF_THE_MESSAGE = ("message", *MESSAGE_KEYS, "where")
_OF_THE_GOAL = ("when", "then", "then_not")
"""Keys about the reaching of the goal: when it was, and what followed."""


@dataclass(frozen=True, slots=True)
class _Reached:
    """A goal as a segment reads it; campaigns with the same one are counted together."""

    event: str
    within: int
    where: tuple[Property, ...]


def read_conversion(reading: Reading, keys: Mapping[str, Any], path: Path) -> Node:
    """The condition `message: converted`. Messages that led to the goal are counted; `when` is when it was reached."""
    before = len(reading.mistakes)
    measures = [key for key in keys if key in MEASURES]
    for measure in measures:
        reading.wrong(
            (*path, measure),
            f"a conversion has no `{measure}`",
            "Messages that led to the goal are counted, `at_least: 2`; ask for all else of the goal's event itself.",
            at_key=True,
        )
    compared = () if measures else COUNT_KEYS  # what stands beside a measure is compared with that
    others = {key: value for key, value in keys.items() if not measures or key not in (*MEASURES, *COUNT_KEYS, *DATED)}
    keys = others = reading.keys(others, path, (*_OF_THE_MESSAGE, *compared, *_OF_THE_GOAL))
    plain = {key: value for key, value in others.items() if key in (*_OF_THE_MESSAGE, *compared)}
    sent = reading.attempt(lambda: read_event(reading, {**plain, "message": str(Deed.SENT)}, path))
    last = Step("")
    if "when" in keys:
        last = replace(
            last, window=reading.attempt(lambda: read_phrase(reading, window, keys["when"], (*path, "when")))
        )
    then = reading.attempt(lambda: read_step(reading, keys, path, "then"))
    then_not = reading.attempt(lambda: read_step(reading, keys, path, "then_not"))
    last = replace(last, then=then, then_not=then_not)
    campaigns = _campaigns(sent) if sent is not None and "campaign" in keys else None
    if sent is None or campaigns == ():
        raise reading.again()
    goals = _goals(reading, campaigns, path)
    if len(reading.mistakes) > before:
        raise reading.again()
    if len(goals) > 1 and sent.test != Comparison(Op.AT_LEAST, one_number(reading, 1, path)):
        told = "; ".join(f"{', '.join(names)}: {_said(goal)}" for goal, names in goals.items())
        counted = next((key for key in keys if key in COUNT_KEYS), "message")
        raise reading.wrong(
            (*path, counted),
            f"campaigns with different goals are not counted together ({told})",
            "Name one `campaign`, or ask for at least one conversion; `not:` asks for people without any.",
            at_key=True,
        )
    found = [_condition(sent, goal, names, last, given=campaigns is not None) for goal, names in goals.items()]
    return found[0] if len(found) == 1 else AnyOf(tuple(found))


def _campaigns(sent: Event) -> tuple[str, ...]:
    """The campaigns that were named: the first of the conditions on the message; none if they cannot be read."""
    first = next(iter(sent.where), None)
    if first is None or first.name != "campaign" or not isinstance(first.test, OneOf):
        return ()
    return tuple(str(value) for value in first.test.values)


def _condition(sent: Event, goal: _Reached, names: list[str], last: Step, *, given: bool) -> Event:
    where = (Property("campaign", Kind.TEXT, OneOf(tuple(names))), *sent.where[1 if given else 0 :])
    return replace(sent, where=where, then=replace(last, event=goal.event, within=goal.within, where=goal.where))


def _goals(reading: Reading, campaigns: tuple[str, ...] | None, path: Path) -> dict[_Reached, list[str]]:
    """The goals of these campaigns (None: of all that have one), each with the campaigns it is the goal of."""
    known = reading.catalogue
    if known is None or known.campaigns is None:
        raise reading.unsure()
    names = dict.fromkeys(sorted(known.campaigns) if campaigns is None else campaigns)
    if any(name not in known.goals for name in names):
        raise reading.unsure()
    found: dict[_Reached, list[str]] = {}
    for name in names:
        goal = known.goals[name]
        if goal is not None:
            found.setdefault(_reached(reading, known, goal), []).append(name)
        elif campaigns is not None:
            others = [other for other, its in known.goals.items() if its is not None]
            reading.wrong(
                (*path, "campaign"),
                f"campaign '{name}' has no goal, so none of its messages converts",
                f"Give it a `goal: {{event: …, within: …}}`. {remedy(name, sorted(others))}".strip(),
            )
    if not found:
        raise (
            reading.again()
            if campaigns
            else reading.wrong(
                (*path, "message"), "no campaign has a goal", "Add `goal: {event: …, within: …}` to a campaign's file."
            )
        )
    return found


def _reached(reading: Reading, known: Catalogue, goal: Goal) -> _Reached:
    """A goal, read as a segment would read it. Its mistakes are told where it stands, in the campaign's file."""
    event, inner = nfc(goal.event), Reading(known)
    if event not in known.events:
        raise reading.unsure()
    where = inner.attempt(lambda: read_where(inner, goal.where, (), event, known.events[event]))
    if where is None or inner.mistakes:
        raise reading.unsure()
    return _Reached(event, goal.within, where)


def _said(goal: _Reached) -> str:
    return f"{goal.event} within {say_duration(goal.within)}{' with conditions' if goal.where else ''}"
