"""Points in time of a segment turned into plain numbers for one planned moment: what `3 days ago` or `today` comes to."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from orchestrator.core.segments.tree import Anniversary, Day, During, FromNow, Next, Point, PointTest, Side, Today
from orchestrator.core.times import DAY, Instant, moment
from orchestrator.core.windows import BEGINNING, bounds
from orchestrator.core.zones import at_wall, offset, wall_at, zone_of

Span = tuple[int | None, int | None]
"""[from, until), None for an open side: microseconds for moments, proleptic ordinals for days."""


def span_of_time(test: PointTest | During, at: Instant, zone: str) -> Span:
    """The moments a test lets through, in microseconds."""
    if isinstance(test, During):
        if isinstance(test.window, Next):
            return at, at + test.window.by
        begin, until = bounds(test.window, at, zone)
        return None if begin == BEGINNING else begin, until
    start, end = _ends(test.point, at, zone)
    if test.upto is None:
        return _span(test.side, start, end, end)
    last = _ends(test.upto, at, zone)
    return _span(test.side, start, end, last[_is_day(test.upto)])


def span_of_days(test: PointTest | During, at: Instant, zone: str) -> Span:
    """The calendar days a test lets through, as ordinals. A day is inside a window if its first moment is."""
    clock = zone_of(zone, "")
    if isinstance(test, During):
        start, until = span_of_time(test, at, zone)
        return _first_day_from(clock, start), _first_day_from(clock, until)
    day = _day_of(test.point, at, clock)
    return _span(test.side, day, day + 1, (day if test.upto is None else _day_of(test.upto, at, clock)) + 1)


def days_of_year(test: Anniversary, at: Instant, zone: str) -> tuple[int, ...]:
    """The days an anniversary may fall on, as month · 100 + day. 29 February is kept on the 28th in years without one."""
    today = wall_at(zone_of(zone, ""), at).date() + timedelta(days=test.start)
    found = set()
    for number in range(min(test.days, 366)):
        day = today + timedelta(days=number)
        found.add(day.month * 100 + day.day)
        if (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3:
            found.add(229)
    return tuple(sorted(found))


LATEST = 2050
"""Clocks are known from 1970 to the end of this year; before and after, they stay as they are at its ends."""


def local_day(at: Instant, zone: str) -> int:
    """The calendar day of a moment in a zone, as days since 1970-01-01."""
    known = min(max(at, 0), _new_year(LATEST + 1) - 1)
    return (at + offset(zone_of(zone, ""), Instant(known))) // DAY


@lru_cache(maxsize=64)
def shifts(zone: str, since: int, until: int) -> tuple[tuple[int, int], ...]:
    """A zone's offsets from one year to another: (first moment, microseconds ahead of UTC), the first from the beginning on.

    Engines bring their own tables of zones, and they disagree; so days are cut by these numbers on every engine.
    """
    clock = zone_of(zone, "")
    step, end = DAY, _new_year(until + 1)
    here = _new_year(since)
    found = [(int(BEGINNING), offset(clock, Instant(here)))]
    while here < end:
        if _rough(clock, here + step) != found[-1][1]:
            low, high = here, here + step
            while high - low > 1_000_000:
                middle = (low + high) // 2_000_000 * 1_000_000
                low, high = (middle, high) if _rough(clock, middle) == found[-1][1] else (low, middle)
            found.append((high, _rough(clock, high)))
        here += step
    return tuple(found)


def _rough(clock: ZoneInfo, at: int) -> int:
    shift = moment(Instant(at)).astimezone(clock).utcoffset()
    return shift // timedelta(microseconds=1) if shift else 0


def _new_year(year: int) -> int:
    return (date(year, 1, 1).toordinal() - date(1970, 1, 1).toordinal()) * DAY


def _span(side: Side, start: int, end: int, upto: int) -> Span:
    match side:
        case Side.AFTER:
            return end, None
        case Side.NOT_AFTER:
            return None, end
        case Side.BEFORE:
            return None, start
        case Side.NOT_BEFORE:
            return start, None
        case Side.BETWEEN:
            return start, upto


def _ends(point: Point, at: Instant, zone: str) -> tuple[int, int]:
    """A point's first moment and the first one after it: a day lasts until midnight, a moment one microsecond."""
    clock = zone_of(zone, "")
    match point:
        case FromNow(by):
            return at + by, at + by + 1
        case Day(wall) if "T" in wall:
            start = at_wall(clock, datetime.fromisoformat(wall))
            return start, start + 1
        case Day(wall):
            day = date.fromisoformat(wall)
        case Today():
            day = wall_at(clock, at).date()
    return _midnight(clock, day), _midnight(clock, day + timedelta(days=1))


def _is_day(point: Point) -> bool:
    """Whether a point is a whole day, which at the end of a span belongs to it; a time at the end does not."""
    return isinstance(point, Today) or (isinstance(point, Day) and "T" not in point.wall)


def _day_of(point: Point, at: Instant, clock: ZoneInfo) -> int:
    """A point's day, as an ordinal."""
    match point:
        case Day(wall):
            return datetime.fromisoformat(wall).date().toordinal()
        case Today():
            return wall_at(clock, at).date().toordinal()
        case FromNow(by) if by % DAY == 0:
            return wall_at(clock, at).date().toordinal() + by // DAY
        case FromNow(by):
            return wall_at(clock, Instant(at + by)).date().toordinal()


def _first_day_from(clock: ZoneInfo, at: int | None) -> int | None:
    """The first day that begins at or after a moment, as an ordinal."""
    if at is None:
        return None
    day = wall_at(clock, Instant(at)).date()
    return day.toordinal() + (_midnight(clock, day) < at)


def _midnight(clock: ZoneInfo, day: date) -> int:
    return at_wall(clock, datetime(day.year, day.month, day.day))  # noqa: DTZ001 - a wall time has no zone
