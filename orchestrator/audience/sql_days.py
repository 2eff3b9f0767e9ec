"""Calendar days in SQL, cut by the project's zone with plain arithmetic: no engine's own table of zones takes part."""

from collections.abc import Sequence
from datetime import date

from sqlglot import exp

from orchestrator.core.segments.moments import LATEST, shifts
from orchestrator.core.times import DAY, Instant, moment

_DAYS_UP = 2_000_000
"""Days added and taken off again, because engines divide negative numbers in different directions."""
_EPOCH = date(1970, 1, 1).toordinal()


def date_of(ordinal: int) -> exp.Expr:
    """A day as a literal; beyond the calendar, its last or first day."""
    inside = min(max(ordinal, date(1, 1, 1).toordinal()), date.max.toordinal())
    return exp.cast(exp.Literal.string(date.fromordinal(inside).isoformat()), "DATE")


def event_day(time: exp.Expr, start: Instant, until: Instant, zone: str) -> exp.Expr:
    """The calendar day of an event inside [start, until), as days since 1970-01-01. Events before 1970 have its offset."""
    since = min(moment(start).year, LATEST) if start > 0 else 1970
    return _day(time, shifts(zone, since, min(moment(until).year, LATEST)))


def local_date(time: exp.Expr, zone: str) -> exp.Expr:
    """The calendar day of any moment, as a date."""
    number = exp.cast(_day(time, shifts(zone, 1970, LATEST)), "INT")
    return exp.paren(exp.Add(this=date_of(_EPOCH), expression=number))


def _day(time: exp.Expr, table: Sequence[tuple[int, int]]) -> exp.Expr:
    up = exp.Add(
        this=exp.Add(this=time, expression=_offset(time, table)), expression=exp.Literal.number(_DAYS_UP * DAY)
    )
    number = exp.IntDiv(this=exp.paren(up), expression=exp.Literal.number(DAY))
    return exp.paren(exp.Sub(this=number, expression=exp.Literal.number(_DAYS_UP)))


def _offset(time: exp.Expr, table: Sequence[tuple[int, int]]) -> exp.Expr:
    """How far the zone is ahead at a moment: halves of the table, so that a row meets few comparisons."""
    if len(table) == 1:
        return exp.Literal.number(table[0][1])
    middle = len(table) // 2
    before = exp.LT(this=time.copy(), expression=exp.Literal.number(table[middle][0]))
    return exp.Case().when(before, _offset(time, table[:middle])).else_(_offset(time, table[middle:]))
