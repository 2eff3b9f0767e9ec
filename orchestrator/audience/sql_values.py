"""A segment's test of one value in SQL: true, false, or NULL where the value is missing."""

from decimal import Decimal
from string import ascii_lowercase, ascii_uppercase

from sqlglot import exp

from orchestrator.audience.sql_columns import DECIMAL, text
from orchestrator.audience.sql_days import date_of, local_date
from orchestrator.core.segments.moments import days_of_year, span_of_days, span_of_time
from orchestrator.core.segments.oracle import Moment
from orchestrator.core.segments.tree import (
    Anniversary,
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
from orchestrator.core.segments.values import PARTS, VERSION_PATTERN, version

_ESCAPE = "\\"


def passes(test: Test, kind: Kind | None, value: exp.Expr, moment: Moment) -> exp.Expr:  # noqa: PLR0911 - one answer per test
    """Whether the value passes the test at this moment."""
    match test:
        case IsSet(known):
            found = exp.Is(this=_version(value) if kind is Kind.VERSION else value, expression=exp.null())
            return exp.Not(this=found) if known else found
        case OneOf():
            return _one_of(test, kind, value)
        case TextTest():
            return _text(test, value)
        case Comparison():
            if kind is Kind.VERSION:
                return compared(test.op, _version(value), _key(test.value), _key(test.upto))
            return compared(test.op, value, decimal(test.value), decimal(test.upto))
        case PointTest() | During():
            return lies(test, kind, value, moment)
        case Anniversary():
            day = value if kind is Kind.DATE else local_date(value, moment.zone)
            written = exp.TimeToStr(this=day, format=text("%m%d"))
            wanted = [text(f"{one:04}") for one in days_of_year(test, moment.at, moment.zone)]
            return exp.In(this=written, expressions=wanted)
        case ListTest(share, values):
            wanted_texts = exp.Array(expressions=[text(one) for one in values])
            if share is Share.ALL:
                return exp.ArrayContainsAll(this=value, expression=wanted_texts)
            common = exp.ArrayOverlaps(this=value, expression=wanted_texts)
            return exp.Not(this=exp.paren(common)) if share is Share.NONE else common
        case IsEmpty(empty):
            sides = (exp.ArraySize(this=value), exp.Literal.number(0)) if kind is Kind.LIST else (value, text(""))
            return (exp.EQ if empty else exp.NEQ)(this=sides[0], expression=sides[1])


def decimal(value: Decimal | str | int | None) -> exp.Expr:
    """A number as a literal of the type all numbers have; NULL for none."""
    if value is None:
        return exp.null()
    return exp.cast(exp.Literal.number(f"{Decimal(value):f}"), DECIMAL)


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


def lies(test: PointTest | During, kind: Kind | None, value: exp.Expr, moment: Moment) -> exp.Expr:
    """Whether a day or a moment lies where the test wants it."""
    edge = date_of if kind is Kind.DATE else exp.Literal.number
    low, high = (span_of_days if kind is Kind.DATE else span_of_time)(test, moment.at, moment.zone)
    parts: list[exp.Expr] = []
    if low is not None:
        parts.append(exp.GTE(this=value, expression=edge(low)))
    if high is not None:
        parts.append(exp.LT(this=value.copy(), expression=edge(high)))
    return exp.and_(*parts)


def _one_of(test: OneOf, kind: Kind | None, value: exp.Expr) -> exp.Expr:
    wanted: list[exp.Expr] = []
    for one in test.values:
        if isinstance(one, bool):
            wanted.append(exp.convert(one))
        elif isinstance(one, Decimal):
            wanted.append(decimal(one))
        elif kind is Kind.VERSION:
            wanted.append(_key(one))
        else:
            wanted.append(text(_small(one) if test.ignore_case else one))
    if kind is Kind.VERSION:
        value = _version(value)
    elif test.ignore_case:
        value = _without_case(value)
    found = exp.In(this=value, expressions=wanted)
    return exp.Not(this=found) if test.negated else found


def _text(test: TextTest, value: exp.Expr) -> exp.Expr:
    if test.ignore_case:
        value = _without_case(value)
    fits = [_fits(test.how, value, _small(one) if test.ignore_case else one) for one in test.values]
    found = exp.paren(exp.or_(*fits))
    return exp.Not(this=found) if test.negated else found


def _fits(how: How, value: exp.Expr, wanted: str) -> exp.Expr:
    length = exp.Literal.number(len(wanted))
    match how:
        case How.CONTAINS:
            place = exp.StrPosition(this=value.copy(), substr=text(wanted))
            return exp.GT(this=place, expression=exp.Literal.number(0))
        case How.STARTS_WITH:
            return exp.EQ(this=exp.Left(this=value.copy(), expression=length), expression=text(wanted))
        case How.ENDS_WITH:
            return exp.EQ(this=exp.Right(this=value.copy(), expression=length), expression=text(wanted))
        case How.MATCHES:
            return _like(value.copy(), wanted)


def _like(value: exp.Expr, glob: str) -> exp.Expr:
    """A glob as LIKE; its own signs are escaped where the pattern has them."""
    pattern = "".join(
        _ESCAPE + letter if letter in "%_\\" else {"*": "%", "?": "_"}.get(letter, letter) for letter in glob
    )
    found = exp.Like(this=value, expression=text(pattern))
    return exp.Escape(this=found, expression=text(_ESCAPE)) if _ESCAPE in pattern else found


def _small(wanted: str) -> str:
    return wanted.translate(str.maketrans(ascii_uppercase, ascii_lowercase))


def _without_case(value: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="translate", expressions=[value, text(ascii_uppercase), text(ascii_lowercase)])


def _key(value: Decimal | str | None) -> exp.Expr:
    """A version of the segment as core writes it, so that texts compare like versions."""
    return exp.null() if value is None else text(version(value) or "")


def _version(value: exp.Expr) -> exp.Expr:
    """A stored version as core writes it: nine digits a part; NULL where it is none."""
    numbers = exp.Nullif(
        this=exp.RegexpExtract(this=value, expression=text("(?s)" + VERSION_PATTERN), group=exp.Literal.number(1)),
        expression=text(""),
    )
    parts: list[exp.Expr] = []
    for number in range(1, PARTS + 1):
        part = exp.SplitPart(this=numbers.copy(), delimiter=text("."), part_index=exp.Literal.number(number))
        parts.append(exp.Anonymous(this="lpad", expressions=[part, exp.Literal.number(9), text("0")]))
    joined = parts[0]
    for part_text in parts[1:]:
        joined = exp.DPipe(this=joined, expression=part_text, safe=True)
    return exp.paren(joined)
