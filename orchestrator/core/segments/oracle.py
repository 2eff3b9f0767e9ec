"""Whether one person belongs to a segment, worked out in memory: what `segment explain` tells and all SQL is held against."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any

from orchestrator.core.draw import bucket, draw
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.segments.crowd import Crowd, Place, score_events
from orchestrator.core.segments.judging import holds, small
from orchestrator.core.segments.measuring import Happened, counted_events, measure, value_of
from orchestrator.core.segments.tree import (
    All,
    AnyOf,
    Attribute,
    Band,
    Bucket,
    Comparison,
    Condition,
    Event,
    Listed,
    Member,
    Node,
    Not,
    Op,
    Reach,
    Rfm,
    Sample,
    Segment,
)
from orchestrator.core.segments.values import read
from orchestrator.core.times import Instant


@dataclass(frozen=True, slots=True)
class OraclePerson:
    """All that is known of one person, as JSON has it: days and moments are text in ISO 8601. `lists` are names of lists.

    `addresses` are the channels there is an address for.
    """

    user: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Happened, ...] = ()
    lists: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Moment:
    """What a segment is evaluated against besides the person: the planned moment, the project's zone, all segments by name.

    `crowd` is everybody else; only bands, scores and samples ask for it.
    """

    at: Instant
    zone: str
    segments: Mapping[str, Segment] = field(default_factory=dict)
    crowd: Crowd | None = field(default=None, compare=False)

    def others(self) -> Crowd:
        """Everybody else; whoever evaluates a condition that needs them must have brought them."""
        if self.crowd is None:
            raise OrchestratorError("a band, a score or a sample is a place among everybody: one person alone has none")
        return self.crowd


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


def _judge(node: Condition, person: OraclePerson, moment: Moment) -> Finding:  # noqa: PLR0911 - one answer per condition
    value: Any
    match node:
        case Attribute():
            return _judge_attribute(node, person, moment)
        case Event(test=Band() as band):
            place = moment.others().place(node, person.user)
            return Finding(node, place is not None and place.within(band), place)
        case Event():
            found = measure(node, person.events, moment.at, moment.zone)
            return Finding(node, found.holds, found.value)
        case Rfm():
            return _judge_scores(node, person, moment)
        case Reach(channel):
            return Finding(node, channel in person.addresses, channel in person.addresses)
        case Listed(name):
            return Finding(node, name in person.lists, name in person.lists)
        case Bucket(first, last, of, salt):
            value = bucket(salt, person.user, of)
            return Finding(node, first <= value <= last, value)
        case Sample():
            drawn = moment.others().sampled(node, person.user)
            return Finding(node, drawn, drawn)
        case Member():
            raise TypeError(node)


def _judge_attribute(node: Attribute, person: OraclePerson, moment: Moment) -> Finding:
    raw = attribute_of(node, person)
    if isinstance(node.test, Band):
        place = moment.others().place(node, person.user)
        return Finding(node, place is not None and place.within(node.test), raw)
    return Finding(node, holds(node.test, node.kind, read(node.kind, raw), moment.at, moment.zone), raw)


def attribute_of(node: Attribute, person: OraclePerson) -> Any:
    """The value as it is stored, None if there is none; what a profile knows by itself may come of something else."""
    if node.own and node.name == "user":
        return person.user
    if node.own and node.name == "language":
        locale = person.attributes.get("locale")
        return small(locale.replace("_", "-").partition("-")[0]) if isinstance(locale, str) else None
    return person.attributes.get(node.name)


def _judge_scores(node: Rfm, person: OraclePerson, moment: Moment) -> Finding:
    places = {
        name: (moment.others().place(event, person.user), scores)
        for name, (event, scores) in score_events(node).items()
    }
    found = {name: place.score if place else None for name, (place, _) in places.items()}
    return Finding(node, all(place is not None and place.score in scores for place, scores in places.values()), found)


class Everybody:
    """A crowd of people held in memory."""

    def __init__(self, people: Iterable[OraclePerson], moment: Moment) -> None:
        self._people = {person.user: person for person in people}
        self._moment = replace(moment, crowd=self)
        self._values: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._samples: dict[Sample, frozenset[str]] = {}

    @property
    def moment(self) -> Moment:
        """The moment with this crowd in it."""
        return self._moment

    def place(self, of: Attribute | Event, user: str) -> Place | None:
        """Where a person stands by the value that a condition measures."""
        values = self._values_of(of)
        if user not in values:
            return None
        return Place(sum(value <= values[user] for value in values.values()), len(values))

    def sampled(self, sample: Sample, user: str) -> bool:
        """Whether a person is one of a sample."""
        if sample not in self._samples:
            of = sample.of
            inside = [one.user for one in self._people.values() if of is None or _find(of, one, self._moment, ()).holds]
            self._samples[sample] = frozenset(
                sorted(inside, key=lambda one: (draw(sample.salt, one), one))[: sample.number]
            )
        return user in self._samples[sample]

    def _values_of(self, of: Attribute | Event) -> dict[str, Any]:
        key = (of.name, of.kind, of.own) if isinstance(of, Attribute) else (replace(of, test=_ANY),)
        if key not in self._values:
            values = {user: self._value_of(of, person) for user, person in self._people.items()}
            self._values[key] = {user: value for user, value in values.items() if value is not None}
        return self._values[key]

    def _value_of(self, of: Attribute | Event, person: OraclePerson) -> Any:
        if isinstance(of, Attribute):
            return read(of.kind, attribute_of(of, person))
        moment = self._moment
        return value_of(of, counted_events(of, person.events, moment.at, moment.zone), moment.zone)


_ANY = Comparison(Op.AT_LEAST, Decimal(1))


def referred(name: str, segments: Mapping[str, Segment], within: tuple[str, ...]) -> Segment:
    """The segment a condition refers to; an error for one that does not exist or refers back to itself."""
    if name in within:
        raise OrchestratorError(
            f"segment {name} refers to itself: {' → '.join((*within, name))}. Take one of them out."
        )
    if name not in segments:
        raise OrchestratorError(f"no segment '{name}'. Segments are files under config/segments.")
    return segments[name]
