"""A segment's condition on events in SQL: one late, selective scan of its own, giving whose they are."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeGuard

from sqlglot import exp

from orchestrator.audience.sql_columns import Columns, column, text
from orchestrator.audience.sql_days import event_day
from orchestrator.audience.sql_sequences import starts
from orchestrator.audience.sql_values import compared, lies, passes
from orchestrator.audience.tongue import number
from orchestrator.core.segments.judging import compare
from orchestrator.core.segments.oracle import Moment
from orchestrator.core.segments.tree import (
    NOTHING_IS_ZERO,
    Comparison,
    During,
    Event,
    Kind,
    Measure,
    Op,
    Picked,
    PointTest,
    Property,
)
from orchestrator.core.times import Instant
from orchestrator.core.windows import BEGINNING, bounds

_TIME = column("event", "time")
_NAME = column("event", "name")
_MESSAGE = column("event", "message_id")
_WHOLE = frozenset({Measure.COUNT, Measure.DISTINCT})
_SMALL = 2**31
Aggregate = Callable[[type[exp.AggFunc], exp.Expr | None], exp.Expr]
"""An aggregate over the events a condition counts, of a value of theirs (None: of the events themselves)."""


def users(
    condition: Event, moment: Moment, columns: Columns, among: Sequence[exp.Expr] = ()
) -> tuple[exp.Select, bool]:
    """Users (by `columns.key`) by their events, and whether these are the members (True) or everybody else is (False).

    `among` are tests of whose an event is: others' are not looked at. Where nothing counts as 0 and 0 passes ("at most 2 purchases"), most members have no event at all: the query then
    finds those who fail.
    """
    members = finds_members(condition)
    found = _counted(condition, moment, columns, among)
    if isinstance(condition.test, Picked):
        return _with_picked(condition, condition.test, found, moment, columns), True
    whose = column("event", columns.key)
    grouped = found.select(whose, copy=False).group_by(whose.copy(), copy=False)
    if members and _once(condition):
        return grouped, True
    test = judged(condition, moment, columns, _plainly)
    return grouped.having(test if members else exp.Not(this=exp.paren(test)), copy=False), members


def finds_members(condition: Event) -> bool:
    """Whether the members have such an event at least; else nothing counts as 0, and 0 passes."""
    return not (
        condition.measure in NOTHING_IS_ZERO
        and isinstance(condition.test, Comparison)
        and compare(condition.test, Decimal(0))
    )


def values(condition: Event, moment: Moment, columns: Columns) -> exp.Select:
    """Users with at least one such event, and the value measured (`value`, never NULL); what bands are made of."""
    value, whose = _value(condition, moment, columns), column("event", columns.key)
    found = _counted(condition, moment, columns).select(whose, exp.alias_(value, "value", quoted=True), copy=False)
    known = exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
    return found.group_by(whose.copy(), copy=False).having(known, copy=False)


def span(condition: Event, moment: Moment) -> tuple[Instant, Instant]:
    """[start, until) of the events a condition counts."""
    return bounds(condition.window, moment.at, moment.zone) if condition.window else (BEGINNING, moment.at)


def _counted(condition: Event, moment: Moment, columns: Columns, among: Sequence[exp.Expr] = ()) -> exp.Select:
    """The events a condition counts, as a table `event`; nothing is selected yet."""
    start, until = span(condition, moment)

    def happened(name: str, where: Sequence[Property], start: Instant, until: Instant) -> exp.Expr:
        return _happened(name, where, moment, columns, start, until)

    if condition.then or condition.then_not:
        return starts(condition, start, until, moment, columns, happened, among)
    here = happened(condition.name, condition.where, start, until)
    return exp.select().from_("event").where(here, *among, copy=False)


def _with_picked(condition: Event, test: Picked, found: exp.Select, moment: Moment, columns: Columns) -> exp.Select:
    """Users whose first or latest event is one with these properties."""
    latest, whose = condition.measure is Measure.LATEST, column("event", columns.key)
    order = exp.Order(
        expressions=[
            exp.Ordered(this=_TIME.copy(), desc=latest),
            exp.Ordered(this=columns.tongue.by_code_point(_MESSAGE.copy()), desc=latest),
        ]
    )
    place = exp.Window(this=exp.RowNumber(), partition_by=[whose], order=order)
    fits = [
        passes(one.test, one.kind, columns.property(one.name, one.kind), moment, columns.tongue) for one in test.where
    ]
    ranked = found.select(
        whose.copy(),
        exp.alias_(place, "place", quoted=True),
        exp.alias_(exp.and_(*fits, copy=False), "fits", quoted=True),
        copy=False,
    )
    first = exp.EQ(this=column("ranked", "place"), expression=exp.Literal.number(1))
    return (
        exp.select(column("ranked", columns.key))
        .from_(ranked.subquery("ranked"))
        .where(exp.and_(first, column("ranked", "fits")), copy=False)
    )


def _once(condition: Event) -> bool:
    """Whether one event is enough."""
    return condition.measure is Measure.COUNT and condition.test == Comparison(Op.AT_LEAST, Decimal(1))


def judged(condition: Event, moment: Moment, columns: Columns, aggregate: Aggregate) -> exp.Expr:
    """The measure of one user's events against the test; NULL where it is missing."""
    test = condition.test
    if isinstance(test, PointTest | During):
        return lies(test, Kind.TIME, _value(condition, moment, columns, aggregate), moment, columns.tongue)
    if not isinstance(test, Comparison):
        raise TypeError(test)
    if condition.measure is Measure.AVERAGE:
        value = _property(condition, columns)
        count = aggregate(exp.Count, value.copy())
        edges = [
            exp.Mul(this=columns.tongue.decimal(edge), expression=count.copy()) for edge in (test.value, test.upto)
        ]
        return compared(test.op, aggregate(exp.Sum, value), edges[0], edges[1])
    found = _value(condition, moment, columns, aggregate)
    if condition.measure is Measure.SUM:
        found = exp.Coalesce(this=found, expressions=[exp.Literal.number(0)])
    if condition.measure in _WHOLE and _small(test.value) and (test.upto is None or _small(test.upto)):
        upto = exp.null() if test.upto is None else number(int(test.upto))
        return compared(test.op, found, number(int(test.value)), upto)
    return compared(test.op, found, columns.tongue.decimal(test.value), columns.tongue.decimal(test.upto))


def _small(value: object) -> TypeGuard[Decimal]:
    """Whether a number can be written as a whole one that every engine compares as such, without making decimals of what it counted."""
    return isinstance(value, Decimal) and value == int(value) and abs(value) < _SMALL


def _plainly(of: type[exp.AggFunc], value: exp.Expr | None) -> exp.Expr:
    return of(this=exp.Star() if value is None else value)


def _value(condition: Event, moment: Moment, columns: Columns, aggregate: Aggregate = _plainly) -> exp.Expr:
    """The measure of one user's events, but for averages."""
    match condition.measure:
        case Measure.FIRST:
            return aggregate(exp.Min, _TIME.copy())
        case Measure.LAST:
            return aggregate(exp.Max, _TIME.copy())
        case Measure.DISTINCT:
            days = event_day(columns.tongue, _TIME.copy(), *span(condition, moment), moment.zone)
            return aggregate(exp.Count, exp.Distinct(expressions=[days]))
        case Measure.COUNT:
            return aggregate(exp.Count, None)
    of = {Measure.SUM: exp.Sum, Measure.MIN: exp.Min, Measure.MAX: exp.Max}[condition.measure]
    return aggregate(of, _property(condition, columns))


def _property(condition: Event, columns: Columns) -> exp.Expr:
    """The measured property; a sequence has read it already."""
    if condition.then or condition.then_not:
        return column("event", "value")
    return columns.property(condition.property, Kind.NUMBER)


def _happened(
    name: str, where: Sequence[Property], moment: Moment, columns: Columns, start: Instant, until: Instant
) -> exp.Expr:
    """Events of a name inside [start, until) with these properties."""
    named = exp.EQ(this=_NAME.copy(), expression=text(name))
    return exp.and_(named, *inside(start, until), *fitting(where, moment, columns), copy=False)


def fitting(where: Sequence[Property], moment: Moment, columns: Columns) -> list[exp.Expr]:
    """That an event has these properties."""
    return [passes(one.test, one.kind, columns.property(one.name, one.kind), moment, columns.tongue) for one in where]


def inside(start: Instant, until: Instant) -> list[exp.Expr]:
    """That an event lies inside [start, until)."""
    late = exp.LT(this=_TIME.copy(), expression=exp.Literal.number(until))
    if start == BEGINNING:
        return [late]
    return [exp.GTE(this=_TIME.copy(), expression=exp.Literal.number(start)), late]
