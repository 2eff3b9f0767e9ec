"""Tests of single values in words: `is not DE`, `is over 200`, `was in the last 30 days`, `contains any of a, b`."""

from collections.abc import Sequence
from decimal import Decimal

from orchestrator.core.segments.reading_points import say_anniversary, say_point, say_when
from orchestrator.core.segments.tree import (
    Anniversary,
    Band,
    Comparison,
    Day,
    During,
    How,
    IsEmpty,
    IsSet,
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
from orchestrator.core.windows import Last, Window

_TEXT = {
    How.CONTAINS: ("contains", "does not contain"),
    How.STARTS_WITH: ("starts with", "does not start with"),
    How.ENDS_WITH: ("ends with", "does not end with"),
    How.MATCHES: ("matches", "does not match"),
    How.REGEX: ("matches the expression", "is known and does not match the expression"),
}
_LIST = {Share.ANY: "contains any of", Share.ALL: "contains all of", Share.NONE: "is known and contains none of"}
_OP = {Op.OVER: "over", Op.UNDER: "under", Op.AT_LEAST: "at least", Op.AT_MOST: "at most", Op.EXACTLY: "exactly"}
_SIDE = {
    Side.AFTER: "is after", Side.NOT_AFTER: "is not after", Side.BEFORE: "is before", Side.NOT_BEFORE: "is not before",
}  # fmt: skip


def say_test(test: Test, zone: str) -> str:
    """A test as the end of a sentence that begins with the value's name."""
    match test:
        case IsSet(known):
            said = "is known" if known else "is not known"
        case IsEmpty(empty):
            said = "is empty" if empty else "is not empty"
        case OneOf():
            said = ("is known and is not " if test.negated else "is ") + _listed(test.values) + _case(test)
        case TextTest():
            said = f"{_TEXT[test.how][test.negated]} {_listed(test.values)}{_case(test)}"
        case Comparison():
            said = f"is {say_comparison(test)}"
        case PointTest():
            said = _point(test, zone)
        case During(window):
            said = f"is {say_within(window, zone)}"
        case Anniversary():
            said = (
                f"comes round {_in_the(say_anniversary(test))} (days of {zone}; 29 February on the 28th in other years)"
            )
        case ListTest():
            said = f"{_LIST[test.share]} {_listed(test.values, 'and' if test.share is Share.ALL else 'or')}"
        case Band():
            said = f"is {say_band(test)} of everybody who has one"
    return said


def say_band(band: Band) -> str:
    """`among the highest 10%`; people with the same value stand together, as high as the highest of them."""
    if band.upto == 100:
        return f"among the highest {sayable(100 - band.over)}%"
    if band.over == 0:
        return f"among the lowest {sayable(band.upto)}%"
    return f"above the lowest {sayable(band.over)}% and within the lowest {sayable(band.upto)}%"


def say_comparison(test: Comparison) -> str:
    """`over 200`, `between 2 and 5`."""
    if test.op is Op.BETWEEN:
        return f"between {sayable(test.value)} and {sayable(test.upto)}"
    return f"{_OP[test.op]} {sayable(test.value)}"


def say_within(window: Window | Next, zone: str) -> str:
    """A window as part of a sentence, with the clock that cuts it."""
    clock = "" if isinstance(window, Last | Next) else f" (clock of {zone})" if zone else ""
    return f"{_in_the(say_when(window))}{clock}"


def sayable(value: object) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        short = f"{value:f}"
        return short.rstrip("0").rstrip(".") if "." in short else short
    return str(value) if value != "" else '""'


def _in_the(phrase: str) -> str:
    first = phrase.split(" ", 1)[0]
    return (
        f"in the {phrase}" if first in {"last", "previous", "next"} else f"in {phrase}" if first == "this" else phrase
    )


def _listed(values: Sequence[object], joint: str = "or") -> str:
    said = [sayable(value) for value in values]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} {joint} {said[-1]}"


def _case(test: OneOf | TextTest) -> str:
    return " in any case (A to Z only)" if test.ignore_case else ""


def _point(test: PointTest, zone: str) -> str:
    clock = f" (clock of {zone})" if any(_by_clock(point) for point in (test.point, test.upto)) else ""
    if test.side is not Side.BETWEEN or test.upto is None:
        return f"{_SIDE[test.side]} {say_point(test.point)}{clock}"
    if test.upto == test.point:
        return f"is {say_point(test.point)}{clock}"
    return f"is between {say_point(test.point)} and {say_point(test.upto)}{clock}"


def _by_clock(point: Point | None) -> bool:
    return isinstance(point, Day | Today)
