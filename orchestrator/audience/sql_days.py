"""Calendar days in SQL, cut by the project's zone with plain arithmetic: no engine's own table of zones takes part."""

from collections.abc import Sequence

from sqlglot import exp

from orchestrator.audience.tongue import Tongue
from orchestrator.core.segments.moments import LATEST, shifts
from orchestrator.core.times import DAY, Instant, moment

_DAYS_UP = 2_000_000
"""Days added and taken off again, because engines divide negative numbers in different directions."""


def event_day(tongue: Tongue, time: exp.Expr, start: Instant, until: Instant, zone: str) -> exp.Expr:
    """The calendar day of an event inside [start, until), as days since 1970-01-01. Events before 1970 have its offset."""
    since = min(moment(start).year, LATEST) if start > 0 else 1970
    return _day(tongue, time, shifts(zone, since, min(moment(until).year, LATEST)))


def local_month_day(tongue: Tongue, time: exp.Expr, zone: str) -> exp.Expr:
    """The month and day of the calendar day of any moment, as four digits."""
    table = shifts(zone, 1970, LATEST)
    return tongue.once(time, lambda at: tongue.month_day_since(_day(tongue, at, table)))


def _day(tongue: Tongue, time: exp.Expr, table: Sequence[tuple[int, int]]) -> exp.Expr:
    up = exp.Add(
        this=exp.Add(this=time, expression=_offset(time, table)), expression=exp.Literal.number(_DAYS_UP * DAY)
    )
    return exp.paren(exp.Sub(this=tongue.divided(up, DAY), expression=exp.Literal.number(_DAYS_UP)), copy=False)


def _offset(time: exp.Expr, table: Sequence[tuple[int, int]]) -> exp.Expr:
    """How far the zone is ahead at a moment: halves of the table, so that a row meets few comparisons."""
    if len(table) == 1:
        return exp.Literal.number(table[0][1])
    middle = len(table) // 2
    before = exp.LT(this=time.copy(), expression=exp.Literal.number(table[middle][0]))
    earlier, later = _offset(time, table[:middle]), _offset(time, table[middle:])
    return exp.Case().when(before, earlier, copy=False).else_(later, copy=False)
