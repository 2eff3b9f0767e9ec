"""Conditions that must hold together: one that is dear per event is asked of those alone whom its cheap siblings let through."""

from collections.abc import Sequence

from orchestrator.audience.sql_events import finds_members
from orchestrator.core.segments.tree import Band, Event, Node, Not, Picked


def host(parts: Sequence[Node], *, negated: bool) -> tuple[int, tuple[int, ...]] | None:
    """The place of the part that takes others in, and the places of those; None where nothing is won. `negated` holds for each part.

    The host finds members by their events, and reads properties or goes through sequences. What it takes in looks at names and
    times alone, and need not be asked again outside, for nobody else is found.
    """
    told = [_event(part, negated) for part in parts]
    hosts = [place for place, one in enumerate(told) if one and _dear(one[0]) and finds_members(one[0]) is not one[1]]
    guests = tuple(place for place, one in enumerate(told) if one and _cheap(one[0]))
    return (hosts[0], guests) if hosts and guests else None


def _event(part: Node, negated: bool) -> tuple[Event, bool] | None:
    """A part that is a condition on events, and whether it is negated; places among everybody are none, whoever is left out changes them."""
    while isinstance(part, Not):
        part, negated = part.part, not negated
    return (part, negated) if isinstance(part, Event) and not isinstance(part.test, Band) else None


def _sequence(condition: Event) -> bool:
    return bool(condition.then or condition.then_not)


def _dear(condition: Event) -> bool:
    return _sequence(condition) or bool(condition.property) or isinstance(condition.test, Picked)


def _cheap(condition: Event) -> bool:
    return not (_dear(condition) or condition.where)
