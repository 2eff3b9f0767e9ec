"""Whether one person belongs to a segment, worked out in memory: what `segment explain` tells and all SQL is held against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from orchestrator.core.draw import bucket
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.segments.judging import holds
from orchestrator.core.segments.measuring import Happened, measure
from orchestrator.core.segments.tree import (
    All,
    AnyOf,
    Attribute,
    Bucket,
    Condition,
    Event,
    Listed,
    Member,
    Node,
    Not,
    Segment,
)
from orchestrator.core.segments.values import read
from orchestrator.core.times import Instant


@dataclass(frozen=True, slots=True)
class OraclePerson:
    """All that is known of one person, as JSON has it: days and moments are text in ISO 8601. `lists` are names of lists."""

    user: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Happened, ...] = ()
    lists: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Moment:
    """What a segment is evaluated against besides the person: the planned moment, the project's zone, all segments by name."""

    at: Instant
    zone: str
    segments: Mapping[str, Segment] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One node of an explanation: whether it holds, the value it was judged by (None: missing, or a group), its parts."""

    node: Node
    holds: bool
    value: Any = None
    parts: "tuple[Finding, ...]" = ()


def member(segment: Segment, person: OraclePerson, moment: Moment) -> bool:
    """Whether the person belongs to the segment at that moment."""
    return explain(segment, person, moment).holds


def explain(segment: Segment, person: OraclePerson, moment: Moment) -> Finding:
    """Every node of the segment for this person, true or false, with its value."""
    return _find(segment.root, person, moment, ())


def _find(node: Node, person: OraclePerson, moment: Moment, within: tuple[str, ...]) -> Finding:
    find = partial(_find, person=person, moment=moment, within=within)
    match node:
        case All(nodes):
            parts = tuple(find(part) for part in nodes)
            return Finding(node, all(part.holds for part in parts), None, parts)
        case AnyOf(nodes):
            parts = tuple(find(part) for part in nodes)
            return Finding(node, any(part.holds for part in parts), None, parts)
        case Not(inner):
            found = find(inner)
            return Finding(node, not found.holds, None, (found,))
        case Member(name):
            found = _find(referred(name, moment.segments, within).root, person, moment, (*within, name))
            return Finding(node, found.holds, None, (found,))
        case _:
            return _judge(node, person, moment)


def _judge(node: Condition, person: OraclePerson, moment: Moment) -> Finding:
    value: Any
    match node:
        case Attribute(name, kind, test):
            value = read(kind, person.attributes.get(name))
            return Finding(node, holds(test, kind, value, moment.at, moment.zone), person.attributes.get(name))
        case Event():
            found = measure(node, person.events, moment.at, moment.zone)
            return Finding(node, found.holds, found.value)
        case Listed(name):
            return Finding(node, name in person.lists, name in person.lists)
        case Bucket(first, last, of, salt):
            value = bucket(salt, person.user, of)
            return Finding(node, first <= value <= last, value)
        case Member():
            raise TypeError(node)


def referred(name: str, segments: Mapping[str, Segment], within: tuple[str, ...]) -> Segment:
    """The segment a condition refers to; an error for one that does not exist or refers back to itself."""
    if name in within:
        raise OrchestratorError(
            f"segment {name} refers to itself: {' → '.join((*within, name))}. Take one of them out."
        )
    if name not in segments:
        raise OrchestratorError(f"no segment '{name}'. Segments are files under config/segments.")
    return segments[name]
