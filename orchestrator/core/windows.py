"""Windows of time a condition looks at: `last 30 days`, `previous month`, `since 2026-01-01`, `between … and …`."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from orchestrator.core.phrases import UNITS, PhraseError, duration, part_of, say_duration, words
from orchestrator.core.times import Instant
from orchestrator.core.timetables import wall_time
from orchestrator.core.zones import at_wall, wall_at, zone_of

BEGINNING = Instant(-(2**62))
"""Earlier than every moment there is; fits a signed 64-bit column."""

_NOUN = "a window of time"
_ALLOWED = (
    "`last 30 days`, `previous month` (day, week, month, quarter, year), `this month`, `since 2026-01-01`, "
    "`before 2026-01-01` or `between 2026-01-01 and 2026-01-31`; of an attribute also `next 7 days`"
)


class Unit(StrEnum):
    """A stretch of the calendar, in the project's zone; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Last:
    """The last `by` microseconds."""

    by: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """The present stretch of the calendar as far as it has come (`back` 0), or the whole one before it (1)."""

    unit: Unit
    back: int = 1


@dataclass(frozen=True, slots=True)
class Since:
    """From this wall time on (`2026-01-01`, `2026-01-01T10:00`)."""

    start: str


@dataclass(frozen=True, slots=True)
class Before:
    """Until just before this wall time."""

    end: str


@dataclass(frozen=True, slots=True)
class Between:
    """From one wall time to another; a date at the end counts with its whole day, a time is itself left out."""

    start: str
    end: str


Window = Last | Calendar | Since | Before | Between


def window(text: str) -> Window:
    """Read a window; words with two readings (`last month`) are refused with both."""
    phrase = words(text)
    first, _, rest = phrase.partition(" ")
    if first in {"previous", "this"} and rest in set(Unit):
        return Calendar(unit=Unit(rest), back=1 if first == "previous" else 0)
    if first == "last" and rest not in _MEANT:
        with part_of(text, _NOUN, _ALLOWED, "last {}"):
            return Last(by=duration(rest))
    if first in {"since", "before"}:
        wall = _wall(text, rest)
        return Since(wall) if first == "since" else Before(wall)
    if first == "between" and " and " in rest:
        start, _, end = rest.partition(" and ")
        found = Between(_wall(text, start), _wall(text, end))
        if found.start <= found.end:
            return found
        raise PhraseError(text, _NOUN, _ALLOWED, [f"between {end} and {start}"])
    raise PhraseError(text, _NOUN, _ALLOWED, _meant(phrase))


def say_window(window: Window) -> str:
    """The phrase of a window; `window` reads it back."""
    match window:
        case Last(by):
            return f"last {say_duration(by)}"
        case Calendar(unit, back):
            return f"{'previous' if back else 'this'} {unit}"
        case Since(start):
            return f"since {start}"
        case Before(end):
            return f"before {end}"
        case Between(start, end):
            return f"between {start} and {end}"


def bounds(window: Window, at: Instant, zone: str) -> tuple[Instant, Instant]:
    """The window as [from, until) for the moment `at`; calendar and wall times in the project's zone, nothing after `at`."""
    clock = zone_of(zone, "")
    match window:
        case Last(by):
            return Instant(at - by), at
        case Calendar(unit, back):
            first = _first_day(unit, wall_at(clock, at).date())
            start = _first_day(unit, first - timedelta(days=1)) if back else first
            return at_wall(clock, _midnight(start)), at_wall(clock, _midnight(first)) if back else at
        case Since(start_wall):
            return at_wall(clock, datetime.fromisoformat(start_wall)), at
        case Before(end):
            return BEGINNING, min(at, at_wall(clock, datetime.fromisoformat(end)))
        case Between(start_wall, end):
            last = datetime.fromisoformat(end)
            until = last if "T" in end else last + timedelta(days=1)
            return at_wall(clock, datetime.fromisoformat(start_wall)), min(at, at_wall(clock, until))


def _first_day(unit: Unit, day: date) -> date:
    """The first day of the stretch of the calendar a day lies in."""
    match unit:
        case Unit.DAY:
            return day
        case Unit.WEEK:
            return day - timedelta(days=day.weekday())
        case Unit.MONTH:
            return day.replace(day=1)
        case Unit.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case Unit.YEAR:
            return day.replace(month=1, day=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall time has no zone


def _wall(text: str, part: str) -> str:
    with part_of(text, _NOUN, _ALLOWED, "{}"):
        return wall_time(part)


_MEANT = {
    "day": ("previous day", "last 24 hours"),
    "week": ("previous week", "last 7 days"),
    "month": ("previous month", "last 30 days"),
    "quarter": ("previous quarter", "last 90 days"),
    "year": ("previous year", "last 365 days"),
}
"""`last` or `past` before these: the calendar's, or the rolling one."""


def _meant(phrase: str) -> tuple[str, ...]:
    """What somebody who wrote `last month`, `30 days`, `yesterday` or `past 3 days` may have meant."""
    if phrase in {"yesterday", "today"}:
        return ("previous day",) if phrase == "yesterday" else ("this day",)
    bare = re.sub(r"^(?:in |within |for )?(?:the )?(?:last |past |previous )?", "", phrase)
    if bare in _MEANT:
        return _MEANT[bare]
    if bare in UNITS:
        return (f"last 1 {bare}",)
    try:
        return (f"last {say_duration(duration(bare))}",)
    except PhraseError as error:
        return tuple(f"last {meant}" for meant in error.meant)
