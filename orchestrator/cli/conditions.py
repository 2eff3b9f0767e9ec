"""Conditions that were judged for one person, as people and programs read them: in words, true or false, with what decided."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from orchestrator.cli.times import wall
from orchestrator.core.segments import Finding, Place, say
from orchestrator.core.segments.tree import All, AnyOf, Attribute, Event, Kind, Measure, Not
from orchestrator.core.times import Instant, instant, iso


def said_value(found: Finding, zone: str) -> str:
    """The value a node was judged by, as people read it; a moment is on the project's clock."""
    value = found.value
    if isinstance(value, Place):
        return f"at or above {100 * value.below / value.of:.1f} % of {value.of:,}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {'–' if one is None else one}" for name, one in value.items()) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if _dated(found) and isinstance(value, int):
        return wall(Instant(value), zone)
    if isinstance(found.node, Attribute) and found.node.kind is Kind.TIME and isinstance(value, str):
        return _on_the_wall(value, zone)
    return str(plain_value(found))


def _on_the_wall(value: str, zone: str) -> str:
    """A moment that an attribute holds; as it stands where it is none."""
    try:
        return wall(instant(datetime.fromisoformat(value)), zone)
    except ValueError:
        return value


def decided_by(found: Finding, zone: str) -> str:
    """What a condition was judged by; that of the inner one, where it is negated."""
    while found.value is None and isinstance(found.node, Not) and len(found.parts) == 1:
        found = found.parts[0]
    if found.value is None:
        return "" if found.parts else "–"
    return said_value(found, zone)


def plain_value(found: Finding) -> Any:
    """The same for JSON: moments as ISO 8601, numbers as such, a place as its two numbers."""
    value = found.value
    if isinstance(value, Place):
        return value._asdict()
    if _dated(found) and isinstance(value, int):
        return iso(Instant(value))
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _dated(found: Finding) -> bool:
    return isinstance(found.node, Event) and found.node.measure in {Measure.FIRST, Measure.LAST}


def tree_of(found: Finding, zone: str) -> dict[str, Any]:
    """An explanation as JSON has it: every node in words, whether it holds, the value it was judged by, its parts."""
    return {
        "sentence": say(found.node, zone),
        "holds": found.holds,
        "value": plain_value(found),
        "parts": [tree_of(part, zone) for part in found.parts],
    }


def conditions_of(found: Finding, zone: str) -> Iterator[tuple[int, bool, str]]:
    """Every condition with its depth, whether it holds, and its words; what a segment asks for at its top needs no line."""
    for part in found.parts if isinstance(found.node, All) else (found,):
        yield from _said(part, zone, 1)


def _said(found: Finding, zone: str, depth: int) -> Iterator[tuple[int, bool, str]]:
    """A condition, then those it is made of: a group is not told in a sentence that repeats them, and a `not` only once."""
    inner, negated, value = found, False, decided_by(found, zone)
    while isinstance(inner.node, Not):
        inner, negated = inner.parts[0], not negated
    match inner.node:
        case All():
            text = "not all of these" if negated else "all of these"
        case AnyOf():
            text = "none of these" if negated else "at least one of these"
        case _:
            text = say(found.node, zone) + (f"   ({value})" if value else "")
    yield depth, found.holds, text
    for part in inner.parts:
        yield from _said(part, zone, depth + 1)
