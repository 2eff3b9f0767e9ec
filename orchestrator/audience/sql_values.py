"""A segment's test of one value in SQL: true, false, or NULL where the value is missing."""

from decimal import Decimal

from sqlglot import exp

from orchestrator.audience.sql_days import local_month_day
from orchestrator.audience.tongue import Tongue, text
from orchestrator.core.segments.judging import small
from orchestrator.core.segments.moments import days_of_year, span_of_days, span_of_time
from orchestrator.core.segments.oracle import Moment
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
    Test,
    TextTest,
)
from orchestrator.core.segments.values import version


def passes(  # noqa: PLR0911 - one answer per test
    test: Test, kind: Kind | None, value: exp.Expr, moment: Moment, tongue: Tongue
) -> exp.Expr:
    """Whether the value passes the test at this moment."""
    match test:
        case IsSet(known):
            found = exp.Is(this=tongue.version(value) if kind is Kind.VERSION else value, expression=exp.null())
            return exp.Not(this=found) if known else found
        case OneOf():
            return _one_of(test, kind, value, tongue)
        case TextTest():
            return _text(test, value, tongue)
        case Comparison():
            if kind is Kind.VERSION:
                return compared(test.op, tongue.by_code_point(tongue.version(value)), _key(test.value), _key(test.upto))
            return compared(test.op, value, tongue.decimal(test.value), tongue.decimal(test.upto))
        case PointTest() | During():
            return lies(test, kind, value, moment, tongue)
        case Anniversary():
            dated = kind is Kind.DATE
            written = tongue.month_day(value) if dated else local_month_day(tongue, value, moment.zone)
            wanted = [text(f"{one:04}") for one in days_of_year(test, moment.at, moment.zone)]
            return exp.In(this=written, expressions=wanted)
        case ListTest(share, values):
            return tongue.shares(value, share, values)
        case IsEmpty(empty):
            sides = (tongue.list_size(value), exp.Literal.number(0)) if kind is Kind.LIST else (value, text(""))
            return (exp.EQ if empty else exp.NEQ)(this=sides[0], expression=sides[1])
        case Band():
            raise TypeError(test)  # a place among others is a query of its own


_COMPARED = {
    Op.OVER: exp.GT,
    Op.UNDER: exp.LT,
    Op.AT_LEAST: exp.GTE,
    Op.AT_MOST: exp.LTE,
    Op.EXACTLY: exp.EQ,
}


def compared(op: Op, value: exp.Expr, wanted: exp.Expr, upto: exp.Expr) -> exp.Expr:
    """A value against one or two others."""
    if op is Op.BETWEEN:
        return exp.Between(this=value, low=wanted, high=upto)
    return _COMPARED[op](this=value, expression=wanted)


def lies(test: PointTest | During, kind: Kind | None, value: exp.Expr, moment: Moment, tongue: Tongue) -> exp.Expr:
    """Whether a day or a moment lies where the test wants it."""
    edge = tongue.day if kind is Kind.DATE else exp.Literal.number
    low, high = (span_of_days if kind is Kind.DATE else span_of_time)(test, moment.at, moment.zone)
    parts: list[exp.Expr] = []
    if low is not None:
        parts.append(exp.GTE(this=value, expression=edge(low)))
    if high is not None:
        parts.append(exp.LT(this=value.copy(), expression=edge(high)))
    return exp.and_(*parts, copy=False)


def _one_of(test: OneOf, kind: Kind | None, value: exp.Expr, tongue: Tongue) -> exp.Expr:
    wanted: list[exp.Expr] = []
    for one in test.values:
        if isinstance(one, bool):
            wanted.append(exp.convert(one))
        elif isinstance(one, Decimal):
            wanted.append(tongue.decimal(one))
        elif kind is Kind.VERSION:
            wanted.append(_key(one))
        else:
            wanted.append(text(small(one) if test.ignore_case else one))
    if kind is Kind.VERSION:
        value = tongue.version(value)
    elif test.ignore_case:
        value = tongue.without_case(value)
    found = exp.In(this=value, expressions=wanted)
    return exp.Not(this=found) if test.negated else found


def _text(test: TextTest, value: exp.Expr, tongue: Tongue) -> exp.Expr:
    if test.ignore_case:
        value = tongue.without_case(value)
    fits = [_fits(test, value.copy(), one, tongue) for one in test.values]
    found = exp.paren(exp.or_(*fits, copy=False), copy=False)
    return exp.Not(this=found) if test.negated else found


def _fits(test: TextTest, value: exp.Expr, wanted: str, tongue: Tongue) -> exp.Expr:
    if test.how is How.REGEX:
        return tongue.regex(value, read_regex(wanted, ignore_case=test.ignore_case))
    said = {
        How.CONTAINS: tongue.contains, How.STARTS_WITH: tongue.starts_with, How.ENDS_WITH: tongue.ends_with, How.MATCHES: tongue.like,
    }[test.how]  # fmt: skip
    return said(value, small(wanted) if test.ignore_case else wanted)


def _key(value: Decimal | str | None) -> exp.Expr:
    """A version of the segment as core writes it, so that texts compare like versions."""
    return exp.null() if value is None else text(version(value) or "")
