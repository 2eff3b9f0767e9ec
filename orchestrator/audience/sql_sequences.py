"""Sequences in SQL: the events that are followed as a condition's steps say, in one scan and a pass for each step."""

from collections.abc import Callable, Sequence

from sqlglot import exp

from orchestrator.audience.sql_columns import Columns, column, text
from orchestrator.core.segments.oracle import Moment
from orchestrator.core.segments.tree import Event, Kind, Property, Step
from orchestrator.core.times import Instant
from orchestrator.core.windows import BEGINNING, bounds

_TIME = column("event", "time")
_NAME = column("event", "name")
_MESSAGE = column("event", "message_id")
Happened = Callable[[str, tuple[Property, ...], Instant, Instant], exp.Expr]
"""Whether a row of `event` is one of a name, with these properties, inside [start, until)."""


def starts(
    condition: Event, start: Instant, until: Instant, moment: Moment, columns: Columns, happened: Happened, among: Sequence[exp.Expr] = ()
) -> exp.Select:  # fmt: skip
    """The events of a condition that are followed as its steps say, as a table called `event` again.

    Every event that plays a part gets a mark for each part, in one scan; then, from the last step back to the first, a
    part is kept where the next kept event of its step comes in time.
    """
    start = max(start, _earliest(condition, moment))
    parts = _parts(condition)
    marked = exp.select(column("event", columns.key), _TIME.copy(), _MESSAGE.copy())
    if condition.property:
        value = columns.property(condition.property, Kind.NUMBER)
        marked = marked.select(exp.alias_(value, "value", quoted=True), copy=False)
    if _numbered(condition):
        marked = marked.select(exp.alias_(_row_number(columns), "place", quoted=True), copy=False)
    names: list[exp.Expr] = []
    for number, part in enumerate(parts):
        name = part.name if isinstance(part, Event) else part.event
        within = _span(part, start, moment) if isinstance(part, Step) else (start, until)
        mark = exp.Coalesce(this=happened(name, part.where, *within), expressions=[exp.false()])
        marked = marked.select(exp.alias_(mark, f"p{number}", quoted=True), copy=False)
        names.append(text(name))
    early = [] if start == BEGINNING else [exp.GTE(this=_TIME.copy(), expression=exp.Literal.number(start))]
    late = exp.LT(this=_TIME.copy(), expression=exp.Literal.number(moment.at))
    marked = marked.from_("event", copy=False).where(
        exp.and_(exp.In(this=_NAME.copy(), expressions=names), *early, late, *among), copy=False
    )
    for number, part in reversed(list(enumerate(parts))):
        if part.then or part.then_not:
            marked = _kept(marked, number, parts, moment, columns)
    return exp.select().from_(marked.subquery("event")).where(column("event", "p0"), copy=False)


def _span(step: Step, start: Instant, moment: Moment) -> tuple[Instant, Instant]:
    """[start, until) of a step's own events."""
    if step.window is None:
        return start, moment.at
    low, high = bounds(step.window, moment.at, moment.zone)
    return max(start, low), high


def _earliest(condition: Event, moment: Moment) -> Instant:
    """Before this no event is followed in time by what must lie in a window of its own: nobody need read it."""
    step = condition.then
    if step is None or step.window is None or step.within is None:
        return BEGINNING
    low, _ = bounds(step.window, moment.at, moment.zone)
    return Instant(max(BEGINNING, low - step.within))


def _parts(part: Event | Step) -> list[Event | Step]:
    """The condition or step and every step that hangs on it: first itself, then what may not lie before it, then what follows."""
    found: list[Event | Step] = [part]
    if isinstance(part, Step):
        found += part.without
    for step in (part.then, part.then_not):
        if step is not None:
            found += _parts(step)
    return found


def _numbered(condition: Event) -> bool:
    """Whether the rows of a person have to be numbered: what lies between two events is told by their places."""
    return any(isinstance(part, Step) and part.without for part in _parts(condition))


def _row_number(columns: Columns) -> exp.Expr:
    return exp.Window(this=exp.RowNumber(), partition_by=[column("event", columns.key)], order=_order(columns))


def _order(columns: Columns) -> exp.Order:
    message = columns.tongue.by_code_point(_MESSAGE.copy())
    return exp.Order(expressions=[exp.Ordered(this=_TIME.copy()), exp.Ordered(this=message)])


def _kept(marked: exp.Select, number: int, parts: list[Event | Step], moment: Moment, columns: Columns) -> exp.Select:
    """The same rows, the mark of one part kept only where what hangs on it holds."""
    part = parts[number]
    holds: list[exp.Expr] = [column("event", f"p{number}")]
    following = number + 1 + (len(part.without) if isinstance(part, Step) else 0)
    if part.then is not None:
        holds.append(_followed(following, part.then, columns))
        following += len(_parts(part.then))
    if part.then_not is not None:
        followed = exp.Coalesce(this=_followed(following, part.then_not, columns), expressions=[exp.false()])
        holds.append(exp.Not(this=exp.paren(followed, copy=False)))
        if part.then_not.within is not None:
            over = exp.Literal.number(moment.at - part.then_not.within)
            holds.append(exp.LTE(this=_TIME.copy(), expression=over))
    kept = exp.alias_(
        exp.Coalesce(this=exp.and_(*holds, copy=False), expressions=[exp.false()]), f"p{number}", quoted=True
    )
    others = [column("event", f"p{other}") for other in range(len(parts)) if other != number]
    first = parts[0]
    more = [column("event", "value")] if isinstance(first, Event) and first.property else []
    if isinstance(first, Event) and _numbered(first):
        more.append(column("event", "place"))
    rows = [column("event", columns.key), _TIME.copy(), _MESSAGE.copy(), *more, *others]
    return exp.select(*rows, kept).from_(marked.subquery("event"))


def _followed(number: int, step: Step, columns: Columns) -> exp.Expr:
    """Whether the next event with a mark comes in time and nothing unwanted before it.

    The earliest one decides: a later one comes later, and what lies before the earlier lies before it as well.
    """
    next_time = _next(number, _TIME, columns)
    parts: list[exp.Expr] = [exp.Not(this=exp.Is(this=next_time, expression=exp.null()))]
    if step.within is not None:
        deadline = exp.Add(this=_TIME.copy(), expression=exp.Literal.number(step.within))
        parts = [exp.LT(this=next_time, expression=deadline)]
    for place in range(number + 1, number + 1 + len(step.without)):
        here, there = (_next(one, column("event", "place"), columns) for one in (place, number))
        parts.append(
            exp.Coalesce(this=exp.paren(exp.GTE(this=here, expression=there), copy=False), expressions=[exp.true()])
        )
    return exp.and_(*parts, copy=False)


def _next(number: int, value: exp.Expr, columns: Columns) -> exp.Expr:
    """The least value among the later rows of a person that have a mark."""
    marked = exp.Case().when(column("event", f"p{number}"), value.copy())
    rows = exp.WindowSpec(
        kind="ROWS", start=exp.Literal.number(1), start_side="FOLLOWING", end="UNBOUNDED", end_side="FOLLOWING"
    )
    return exp.Window(
        this=exp.Min(this=marked), partition_by=[column("event", columns.key)], order=_order(columns), spec=rows
    )
