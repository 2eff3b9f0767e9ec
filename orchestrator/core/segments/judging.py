"""Whether one value passes one test: the rules of segments for texts, numbers, versions, dates, lists and missing values."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from orchestrator.core.segments.moments import days_of_year, local_day, span_of_days, span_of_time
from orchestrator.core.segments.regex import read_regex
from orchestrator.core.segments.tree import (
    Anniversary,
    Band,
    Comparison,
    During,
    How,
    IsEmpty,
    IsSet,
    Kind,
    ListTest,
    OneOf,
    Op,
    PointTest,
    Share,
    Test,
    TextTest,
)
from orchestrator.core.segments.values import Value, version
from orchestrator.core.times import Instant

_EPOCH = date(1970, 1, 1).toordinal()
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def holds(test: Test, kind: Kind | None, value: Value | None, at: Instant, zone: str) -> bool:
    """Whether a value, read as its kind, passes the test at this moment. A missing one passes none but `is_set: false`."""
    if value is None or isinstance(test, IsSet):
        return isinstance(test, IsSet) and (value is not None) is test.known
    match test:
        case OneOf():
            passed = _is(test, kind, value) is not test.negated
        case TextTest():
            passed = any(_fits(test, str(value), wanted) for wanted in test.values) is not test.negated
        case Comparison():
            passed = compare(test, value)
        case PointTest() | During():
            passed = lies(test, value, at, zone)
        case Anniversary():
            day = value if isinstance(value, date) else date.fromordinal(local_day(_instant(value), zone) + _EPOCH)
            passed = day.month * 100 + day.day in days_of_year(test, at, zone)
        case ListTest(share, wanted_texts):
            passed = _contains(share, wanted_texts, value)
        case IsEmpty(empty):
            passed = (value in {"", ()}) is empty
        case Band():
            raise TypeError(test)  # a place among others cannot be told from one value
    return passed


def _is(test: OneOf, kind: Kind | None, value: Value) -> bool:
    if kind is Kind.VERSION:
        return value in {version(wanted) for wanted in test.values}
    if kind is Kind.TEXT and test.ignore_case:
        return small(str(value)) in {small(str(wanted)) for wanted in test.values}
    return value in test.values


def small(text: str) -> str:
    """A text without case, which is promised for the letters A to Z only."""
    return text.translate(_SMALL)


_TEXT: dict[How, Callable[[str, str], bool]] = {
    How.CONTAINS: lambda text, wanted: wanted in text,
    How.STARTS_WITH: str.startswith,
    How.ENDS_WITH: str.endswith,
    How.MATCHES: lambda text, wanted: re.fullmatch(_pattern(wanted), text, re.DOTALL) is not None,
}


def _fits(test: TextTest, text: str, wanted: str) -> bool:
    if test.how is How.REGEX:
        pattern = read_regex(wanted, ignore_case=test.ignore_case).anchored(r"\A", r"\Z")
        return re.search(pattern, small(text) if test.ignore_case else text, re.DOTALL) is not None
    return _TEXT[test.how](small(text), small(wanted)) if test.ignore_case else _TEXT[test.how](text, wanted)


def _pattern(glob: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in glob)


def compare(test: Comparison, value: Any) -> bool:
    """A number or a version (as `version` writes it) against the test's value or values."""
    wanted, upto = (version(edge) if isinstance(edge, str) else edge for edge in (test.value, test.upto))
    return _COMPARE[test.op](value, wanted, upto)


_COMPARE: dict[Op, Callable[[Any, Any, Any], bool]] = {
    Op.OVER: lambda value, wanted, _: value > wanted,
    Op.UNDER: lambda value, wanted, _: value < wanted,
    Op.AT_LEAST: lambda value, wanted, _: value >= wanted,
    Op.AT_MOST: lambda value, wanted, _: value <= wanted,
    Op.EXACTLY: lambda value, wanted, _: value == wanted,
    Op.BETWEEN: lambda value, wanted, upto: wanted <= value <= upto,
}


def compare_average(test: Comparison, total: Decimal, count: int) -> bool:
    """An average without dividing: sum against value times count, exact on every engine."""
    edges = [None if edge is None or isinstance(edge, str) else edge * count for edge in (test.value, test.upto)]
    return _COMPARE[test.op](total, *edges)


def lies(test: PointTest | During, value: Value, at: Instant, zone: str) -> bool:
    """Whether a day or a moment lies where the test wants it."""
    if isinstance(value, date):
        low, high = span_of_days(test, at, zone)
        place = value.toordinal()
    else:
        low, high = span_of_time(test, at, zone)
        place = _instant(value)
    return (low is None or place >= low) and (high is None or place < high)


def _instant(value: Value) -> Instant:
    if not isinstance(value, int):
        raise TypeError(value)
    return Instant(value)


def _contains(share: Share, wanted: tuple[str, ...], value: Value) -> bool:
    here = set(value) if isinstance(value, tuple) else set()
    match share:
        case Share.ANY:
            return not here.isdisjoint(wanted)
        case Share.ALL:
            return here.issuperset(wanted)
        case Share.NONE:
            return here.isdisjoint(wanted)
