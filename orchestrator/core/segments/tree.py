"""A segment as a tree: conditions on what people are and did, joined by all, any and not. Nouns, and the one walk through them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.core.campaigns import Goal
from orchestrator.core.segments.value_tests import (
    Anniversary,
    Band,
    Comparison,
    Day,
    During,
    FromNow,
    How,
    IsEmpty,
    IsSet,
    Kind,
    ListTest,
    Next,
    OneOf,
    Op,
    Point,
    PointTest,
    Share,
    Side,
    Test,
    TextTest,
    Today,
)
from orchestrator.core.windows import Window

__all__ = [
    "NOTHING_IS_ZERO", "NUMBERED", "All", "Anniversary", "AnyOf", "Attribute", "Band", "Bucket", "Catalogue", "Comparison", "Condition", "Day", "Declared", "During", "Event", "FromNow", "How", "IsEmpty", "IsSet", "Kind", "ListTest", "Listed", "Measure", "Member", "Next", "Node", "Not", "OneOf", "Op", "Picked", "Point", "PointTest", "Property", "Reach", "Rfm", "Sample", "Segment", "Share", "Side", "Step", "Test", "TextTest", "Today", "leaves",
]  # fmt: skip


class Measure(StrEnum):
    """What is computed over a person's events."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    DISTINCT = "distinct"
    """Distinct days of the calendar in the project's zone."""
    EARLIEST = "earliest"
    LATEST = "latest"
    """What the first or the last of the events was like: its properties."""


NUMBERED = frozenset({Measure.SUM, Measure.AVERAGE, Measure.MIN, Measure.MAX})
"""Measures of a numeric property."""
NOTHING_IS_ZERO = frozenset({Measure.COUNT, Measure.SUM, Measure.DISTINCT})
"""Measures that are 0 for somebody without such events; the others are missing, which makes a condition false."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A condition on what a person is. `kind` is None where any kind of value will do (`is_set` without a catalogue).

    `own`: a profile knows it by itself (see `mirrors.OWN`), nobody declared it.
    """

    name: str
    kind: Kind | None
    test: Test
    own: bool = False


@dataclass(frozen=True, slots=True)
class Property:
    """A condition on a property of an event (`where:`)."""

    name: str
    kind: Kind | None
    test: Test


@dataclass(frozen=True, slots=True)
class Step:
    """What follows, or must not follow, an event: `within` microseconds of it (None: at any time up to the planned moment).

    It lies later in (time, message id) and earlier than the event's time + within; of `without`, nothing lies between.
    `window` says when it happened itself (None: whenever).
    """

    event: str
    within: int | None = None
    where: tuple[Property, ...] = ()
    then: "Step | None" = None
    then_not: "Step | None" = None
    without: "tuple[Step, ...]" = ()
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Picked:
    """What one event was like: every one of these conditions on its properties holds."""

    where: tuple[Property, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """A condition on what a person did: a measure over the events that fit, and one test of it.

    For FIRST and LAST the test is a PointTest or During, for EARLIEST and LATEST a Picked, for every other measure a
    Comparison; for all but the average and those two it may be a Band, among everybody with at least one such event.
    `window` says when the events happened (None: ever). `property` is what NUMBERED measures are taken of.
    """

    name: str
    test: Comparison | PointTest | During | Picked | Band
    measure: Measure = Measure.COUNT
    property: str = ""
    window: Window | None = None
    where: tuple[Property, ...] = ()
    then: Step | None = None
    then_not: Step | None = None


@dataclass(frozen=True, slots=True)
class Rfm:
    """Scores from 1 to 5 among everybody who did `event` in the window: fifths by latest time, by count, by sum of `property`.

    5 is best. Each of the three names the scores that are in; empty, it takes no part.
    """

    event: str
    property: str
    recency: tuple[int, ...] = ()
    frequency: tuple[int, ...] = ()
    monetary: tuple[int, ...] = ()
    window: Window | None = None
    where: tuple[Property, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """There is an address for this channel: an e-mail address, a phone number, a device."""

    channel: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The person stands on an uploaded list."""

    name: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """The person's draw under `salt` falls into the buckets `first` to `last` (both included) of `of`, counted from 0."""

    first: int
    last: int
    of: int
    salt: str = "bucket"


@dataclass(frozen=True, slots=True)
class Sample:
    """The person is one of the `number` with the smallest draws under `salt` among those who are `of` (None: everybody)."""

    number: int
    of: "Node | None"
    salt: str = "sample"


@dataclass(frozen=True, slots=True)
class Member:
    """The person is a member of another segment."""

    segment: str


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold: its exact complement."""

    part: "Node"


Condition = Attribute | Event | Rfm | Reach | Listed | Bucket | Sample | Member
Node = Condition | All | AnyOf | Not


def leaves(node: Node) -> Iterator[Condition]:
    """Every condition of a tree in its order, through samples, but not into the segments it refers to."""
    match node:
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case Sample(of=of) if of is not None:
            yield node
            yield from leaves(of)
        case _:
            yield node


@dataclass(frozen=True, slots=True)
class Segment:
    """A named predicate over attributes and events. `formerly` keeps its memory through a rename."""

    about: str
    root: Node
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """An attribute or property of the catalogue; `values` is every text allowed, `numbers` every number, both empty for any."""

    kind: Kind
    values: tuple[str, ...] = ()
    numbers: tuple[int | float, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the project knows about its data: attributes, events with their properties, and the names of its segments."""

    attributes: Mapping[str, Declared] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, Declared]] = field(default_factory=dict)
    segments: frozenset[str] | None = None
    campaigns: frozenset[str] | None = None
    topics: frozenset[str] | None = None
    """None where nobody has looked yet; references are then not checked."""
    goals: Mapping[str, Goal | None] = field(default_factory=dict)
    """What counts as a conversion, by campaign; None for one without a goal. One that cannot be read is missing."""
