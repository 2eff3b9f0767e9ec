"""For whom numbers, money and moments are written: the person's language, the clock on their wall, and the moment now."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from jinja2.runtime import Context

from orchestrator.core.times import MILLISECOND, SECOND, Instant, instant, moment
from orchestrator.core.zones import at_wall

READER = " reader"
"""Where a message's context keeps its reader: no template can write this name."""

_SECONDS_BELOW, _MILLISECONDS_BELOW = 10**11, 10**14
"""Whole numbers below are seconds and milliseconds since 1970 (until the year 5138), else they are microseconds."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a message, and when it was first judged: every `now` of a template."""

    locale: str
    zone: ZoneInfo
    now: Instant


def reader_of(context: Context) -> Reader:
    """The reader of the message that is being written."""
    found: Reader = context.parent[READER]
    return found


@lru_cache(maxsize=1024)
def known_locale(*wanted: str) -> str:
    """The first of these locales that has rules for numbers and dates, or whose language has; English if none."""
    for name in wanted:
        parts = name.replace("_", "-").split("-")
        while parts:
            try:
                return str(Locale.parse("-".join(parts), sep="-"))
            except (UnknownLocaleError, ValueError, TypeError):
                parts.pop()
    return "en"


def a_number(value: Any) -> int | Decimal:
    """A number as exact arithmetic wants it; ValueError for what is none."""
    if value.__class__ is int:
        return value
    if not isinstance(value, bool) and isinstance(value, int | float | str | Decimal):
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and abs(number.adjusted()) < 100:
            return number
    raise ValueError(f"{shown(value)} is not a number")


def plain(number: int | Decimal) -> int | float:
    """A number as templates know it: whole if it is."""
    if isinstance(number, Decimal):
        return int(number) if number == number.to_integral_value() else float(number)
    return number


def a_moment(value: Any, reader: Reader) -> datetime:
    """A moment on the reader's clock; ValueError for what is none.

    Known are ISO 8601 (without a zone: the reader's own clock; a date is its first minute), microseconds since 1970 in
    UTC as the ledger writes them, and seconds or milliseconds as many systems do.
    """
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"{shown(value)} is not a date (2026-03-02) or moment (2026-03-02T10:00:00Z)") from None
    elif isinstance(value, datetime):
        if value.tzinfo is not None:
            return value  # a filter has put it on a clock of its choice
        found = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a wall time has no zone
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53:
        unit = SECOND if abs(value) < _SECONDS_BELOW else MILLISECOND if abs(value) < _MILLISECONDS_BELOW else 1
        found = moment(Instant(int(value * unit)))
    else:
        raise ValueError(f"{shown(value)} is not a moment")
    at = at_wall(reader.zone, found) if found.tzinfo is None else instant(found)
    return moment(at).astimezone(reader.zone)


def shown(value: Any) -> str:
    """A value in an error: not too long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
