"""A segment as a tree: conditions on what people are and did, joined by all, any and not. Nouns only, no work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from orchestrator.core.windows import Window


class Kind(StrEnum):
    """What a value is. A value of another kind than asked for counts as missing."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    """A day on the calendar, like a birthday: no time, no zone."""
    TIME = "time"
    """A moment, like a signing up."""
    VERSION = "version"
    """Numbers between dots, compared part by part: 9.10 is above 9.9."""
    LIST = "list"
    """Several texts."""


class Op(StrEnum):
    """How a number or a version is compared."""

    OVER = "over"
    UNDER = "under"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXACTLY = "exactly"
    BETWEEN = "between"
    """Both ends belong to it."""


class How(StrEnum):
    """How a text is looked at."""

    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    MATCHES = "matches"
    """A pattern for the whole text: `*` is any run of characters, `?` is one."""


class Side(StrEnum):
    """How a moment lies to another one."""

    AFTER = "after"
    NOT_AFTER = "not_after"
    BEFORE = "before"
    NOT_BEFORE = "not_before"
    BETWEEN = "between"


class Share(StrEnum):
    """How much of what is asked for a list must hold."""

    ANY = "contains_any"
    ALL = "contains_all"
    NONE = "contains_none"


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


NUMBERED = frozenset({Measure.SUM, Measure.AVERAGE, Measure.MIN, Measure.MAX})
"""Measures of a numeric property."""
NOTHING_IS_ZERO = frozenset({Measure.COUNT, Measure.SUM, Measure.DISTINCT})
"""Measures that are 0 for somebody without such events; the others are missing, which makes a condition false."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """`is`, `is_not`: the value is one of these, or a known value that is none of them. Texts are NFC."""

    values: tuple[str | bool | Decimal, ...]
    negated: bool = False
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class TextTest:
    """A look into a text: any of `values` fits, or (negated) the text is known and none does."""

    how: How
    values: tuple[str, ...]
    negated: bool = False
    ignore_case: bool = False
    """The letters a to z only: what other letters do without case differs from engine to engine."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number or a version against one value, or two for `between`. Numbers have at most four decimals."""

    op: Op
    value: Decimal | str
    upto: Decimal | str | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A day or a wall time of the project's zone (`2026-01-01`, `2026-01-01T10:00`)."""

    wall: str


@dataclass(frozen=True, slots=True)
class FromNow:
    """A moment `by` microseconds from the planned one, negative for the past; against dates, whole days are calendar days."""

    by: int


@dataclass(frozen=True, slots=True)
class Today:
    """The calendar day of the planned moment."""


Point = Day | FromNow | Today


@dataclass(frozen=True, slots=True)
class PointTest:
    """A date or a moment against a point, or two for `between`."""

    side: Side
    point: Point
    upto: Point | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """The next `by` microseconds: the only window that looks ahead."""

    by: int


@dataclass(frozen=True, slots=True)
class During:
    """A date or a moment inside a window."""

    window: Window | Next


@dataclass(frozen=True, slots=True)
class Anniversary:
    """A date that comes round every year on one of `days` calendar days, the first of them `start` days from today."""

    start: int
    days: int = 1


@dataclass(frozen=True, slots=True)
class ListTest:
    """What a list of texts contains; a missing list contains not even nothing."""

    share: Share
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IsSet:
    """There is a value (an empty text is one), or there is none."""

    known: bool


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """A known text or list is empty, or is not."""

    empty: bool


Test = OneOf | TextTest | Comparison | PointTest | During | Anniversary | ListTest | IsSet | IsEmpty


@dataclass(frozen=True, slots=True)
class Attribute:
    """A condition on what a person is. `kind` is None where any kind of value will do (`is_set` without a catalogue)."""

    name: str
    kind: Kind | None
    test: Test


@dataclass(frozen=True, slots=True)
class Property:
    """A condition on a property of an event (`where:`)."""

    name: str
    kind: Kind | None
    test: Test


@dataclass(frozen=True, slots=True)
class Step:
    """What follows, or must not follow, an event: `within` microseconds of it (None: at any time up to the planned moment).

    It lies later in (time, message id) and earlier than the event's time + within.
    """

    event: str
    within: int | None = None
    where: tuple[Property, ...] = ()
    then: "Step | None" = None
    then_not: "Step | None" = None


@dataclass(frozen=True, slots=True)
class Event:
    """A condition on what a person did: a measure over the events that fit, and one test of it.

    For FIRST and LAST the test is a PointTest or During; for every other measure a Comparison, and `window` says when the
    events happened (None: ever). `property` is what NUMBERED measures are taken of.
    """

    name: str
    test: Comparison | PointTest | During
    measure: Measure = Measure.COUNT
    property: str = ""
    window: Window | None = None
    where: tuple[Property, ...] = ()
    then: Step | None = None
    then_not: Step | None = None


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


Condition = Attribute | Event | Listed | Bucket | Member
Node = Condition | All | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Segment:
    """A named predicate over attributes and events. `formerly` keeps its memory through a rename."""

    about: str
    root: Node
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """An attribute or property of the catalogue; `values` is every text allowed, empty for any."""

    kind: Kind
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the project knows about its data: attributes, events with their properties, and the names of its segments."""

    attributes: Mapping[str, Declared] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, Declared]] = field(default_factory=dict)
    segments: frozenset[str] | None = None
    """None where nobody has looked yet; references are then not checked."""
