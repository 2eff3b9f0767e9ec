"""A segment's condition on events in SQL: one late, selective scan of its own, giving users."""

from collections.abc import Sequence
from decimal import Decimal

from sqlglot import exp

from orchestrator.audience.sql_columns import Columns, column, text
from orchestrator.audience.sql_days import event_day
from orchestrator.audience.sql_values import compared, decimal, lies, passes
from orchestrator.core.segments.judging import compare
from orchestrator.core.segments.oracle import Moment
from orchestrator.core.segments.tree import NOTHING_IS_ZERO, Comparison, Event, Kind, Measure, Op, Property, Step
from orchestrator.core.times import Instant
from orchestrator.core.windows import BEGINNING, bounds

_USER = column("event", "user")
_TIME = column("event", "time")
_NAME = column("event", "name")
_MESSAGE = column("event", "message_id")


def users(condition: Event, moment: Moment, columns: Columns) -> tuple[exp.Select, bool]:
    """Users by their events, and whether these are the members (True) or everybody else is (False).

    Where nothing counts as 0 and 0 passes ("at most 2 purchases"), most members have no event at all: the query then
    finds those who fail.
    """
    members = not (
        condition.measure in NOTHING_IS_ZERO
        and isinstance(condition.test, Comparison)
        and compare(condition.test, Decimal(0))
    )
    start, until = bounds(condition.window, moment.at, moment.zone) if condition.window else (BEGINNING, moment.at)
    found = _starts(condition, start, until, moment, columns) if condition.then or condition.then_not else None
    if found is None:
        within = _happened(condition.name, condition.where, moment, columns, start, until)
        found = exp.select().from_("event").where(within, copy=False)
    test = _measured(condition, start, until, moment, columns)
    grouped = found.select(_USER.copy(), copy=False).group_by(_USER.copy(), copy=False)
    if members and _once(condition):
        return grouped, True
    return grouped.having(test if members else exp.Not(this=exp.paren(test)), copy=False), members


def _once(condition: Event) -> bool:
    """Whether one event is enough."""
    return condition.measure is Measure.COUNT and condition.test == Comparison(Op.AT_LEAST, Decimal(1))


def _measured(  # noqa: PLR0911 - one answer per measure
    condition: Event, start: Instant, until: Instant, moment: Moment, columns: Columns
) -> exp.Expr:
    """The measure of one user's events against the test."""
    test = condition.test
    if not isinstance(test, Comparison):
        edge = exp.Min(this=_TIME.copy()) if condition.measure is Measure.FIRST else exp.Max(this=_TIME.copy())
        return lies(test, Kind.TIME, edge, moment)
    value: exp.Expr = column("event", "value")  # a sequence has read it already
    if condition.property and not (condition.then or condition.then_not):
        value = columns.property(condition.property, Kind.NUMBER)
    match condition.measure:
        case Measure.DISTINCT:
            days = exp.Distinct(expressions=[event_day(_TIME.copy(), start, until, moment.zone)])
            return _compare(test, exp.Count(this=days))
        case Measure.SUM:
            return _compare(test, exp.Coalesce(this=exp.Sum(this=value), expressions=[exp.Literal.number(0)]))
        case Measure.AVERAGE:
            count = exp.Count(this=value.copy())
            edges = [exp.Mul(this=decimal(edge), expression=count.copy()) for edge in (test.value, test.upto)]
            return compared(test.op, exp.Sum(this=value), edges[0], edges[1])
        case Measure.MIN:
            return _compare(test, exp.Min(this=value))
        case Measure.MAX:
            return _compare(test, exp.Max(this=value))
        case _:
            return _compare(test, exp.Count(this=exp.Star()))


def _compare(test: Comparison, value: exp.Expr) -> exp.Expr:
    return compared(test.op, value, decimal(test.value), decimal(test.upto))


def _happened(
    name: str, where: Sequence[Property], moment: Moment, columns: Columns, start: Instant, until: Instant
) -> exp.Expr:
    """Events of a name inside [start, until) with these properties."""
    parts = [exp.EQ(this=_NAME.copy(), expression=text(name)), *_inside(start, until)]
    parts += [passes(one.test, one.kind, columns.property(one.name, one.kind), moment) for one in where]
    return exp.and_(*parts)


def _inside(start: Instant, until: Instant) -> list[exp.Expr]:
    late = exp.LT(this=_TIME.copy(), expression=exp.Literal.number(until))
    if start == BEGINNING:
        return [late]
    return [exp.GTE(this=_TIME.copy(), expression=exp.Literal.number(start)), late]


def _starts(condition: Event, start: Instant, until: Instant, moment: Moment, columns: Columns) -> exp.Select:
    """The events of a condition that are followed as its steps say, as a table called `event` again.

    Every event that plays a part gets a mark for each part, in one scan; then, from the last step back to the first, a
    part is kept where the next kept event of its step comes in time.
    """
    parts = _parts(condition)
    marked = exp.select(_USER.copy(), _TIME.copy(), _MESSAGE.copy())
    if condition.property:
        value = columns.property(condition.property, Kind.NUMBER)
        marked = marked.select(exp.alias_(value, "value", quoted=True), copy=False)
    names: list[exp.Expr] = []
    for number, part in enumerate(parts):
        name = condition.name if number == 0 else part.event  # type: ignore[union-attr]  # only the first is no Step
        within = (start, until) if number == 0 else (start, moment.at)
        mark = exp.Coalesce(this=_happened(name, part.where, moment, columns, *within), expressions=[exp.false()])
        marked = marked.select(exp.alias_(mark, f"p{number}", quoted=True), copy=False)
        names.append(text(name))
    marked = marked.from_("event", copy=False).where(
        exp.and_(exp.In(this=_NAME.copy(), expressions=names), *_inside(start, moment.at)), copy=False
    )
    for number, part in reversed(list(enumerate(parts))):
        if part.then or part.then_not:
            marked = _kept(marked, number, part, parts, moment)
    return exp.select().from_(marked.subquery("event")).where(column("event", "p0"), copy=False)


def _parts(condition: Event) -> list[Event | Step]:
    """The condition and every step that hangs on it, an event before its steps."""
    found: list[Event | Step] = []

    def walk(part: Event | Step) -> None:
        found.append(part)
        for step in (part.then, part.then_not):
            if step is not None:
                walk(step)

    walk(condition)
    return found


def _kept(marked: exp.Select, number: int, part: Event | Step, parts: list[Event | Step], moment: Moment) -> exp.Select:
    """The same rows, the mark of one part kept only where what hangs on it holds."""
    holds: list[exp.Expr] = [column("event", f"p{number}")]
    following = number + 1
    if part.then is not None:
        holds.append(_followed(following, part.then))
        following += len(_parts_of(part.then))
    if part.then_not is not None:
        holds.append(
            exp.Not(this=exp.paren(exp.Coalesce(this=_followed(following, part.then_not), expressions=[exp.false()])))
        )
        if part.then_not.within is not None:
            over = exp.Literal.number(moment.at - part.then_not.within)
            holds.append(exp.LTE(this=_TIME.copy(), expression=over))
    kept = exp.alias_(exp.Coalesce(this=exp.and_(*holds), expressions=[exp.false()]), f"p{number}", quoted=True)
    others = [column("event", f"p{other}") for other in range(len(parts)) if other != number]
    value = [column("event", "value")] if isinstance(parts[0], Event) and parts[0].property else []
    rows = [_USER.copy(), _TIME.copy(), _MESSAGE.copy(), *value, *others]
    return exp.select(*rows, kept).from_(marked.subquery("event"))


def _parts_of(step: Step) -> list[Step]:
    return [step, *(inner for hung in (step.then, step.then_not) if hung is not None for inner in _parts_of(hung))]


def _followed(number: int, step: Step) -> exp.Expr:
    """Whether the next event with a mark comes in time: the earliest one decides, for steps only have a latest time."""
    time = exp.Case().when(column("event", f"p{number}"), _TIME.copy())
    order = exp.Order(expressions=[exp.Ordered(this=_TIME.copy()), exp.Ordered(this=_MESSAGE.copy())])
    rows = exp.WindowSpec(
        kind="ROWS", start=exp.Literal.number(1), start_side="FOLLOWING", end="UNBOUNDED", end_side="FOLLOWING"
    )
    next_time = exp.Window(this=exp.Min(this=time), partition_by=[_USER.copy()], order=order, spec=rows)
    if step.within is None:
        return exp.Not(this=exp.Is(this=next_time, expression=exp.null()))
    deadline = exp.Add(this=_TIME.copy(), expression=exp.Literal.number(step.within))
    return exp.LT(this=next_time, expression=deadline)
