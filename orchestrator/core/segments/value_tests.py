"""What can be asked of one value: the kinds of values there are, and the tests of each. Nouns only, no work."""

from dataclasses import dataclass
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
    REGEX = "regex"
    """A regular expression of the subset that every engine reads alike, found anywhere in the text."""


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
class Band:
    """A value's place among everybody's: above `over` and up to `upto` per cent of those who have one stand at or below it.

    That is the cume_dist of SQL: equal values stand together, at the upper end, so bands side by side share nobody.
    """

    over: Decimal
    upto: Decimal


@dataclass(frozen=True, slots=True)
class IsSet:
    """There is a value (an empty text is one), or there is none."""

    known: bool


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """A known text or list is empty, or is not."""

    empty: bool


Test = OneOf | TextTest | Comparison | PointTest | During | Anniversary | ListTest | IsSet | IsEmpty | Band
