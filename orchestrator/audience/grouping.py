"""Conditions on events of one name measured together: one pass over them for all their windows, one row a user, a column a measure."""

from collections.abc import Hashable, Iterable

from sqlglot import exp

from orchestrator.audience.compiling import leaves
from orchestrator.audience.sql_columns import Columns, column, text
from orchestrator.audience.sql_events import fitting, inside, judged, span
from orchestrator.core.segments.oracle import Moment
from orchestrator.core.segments.tree import Attribute, Band, Condition, Event, Picked, Rfm, Sample, Segment

_TIME = column("event", "time")


def groupable(condition: Event) -> bool:
    """Whether a condition is a measure of one name's events: sequences, bands and what one event was like are queries of their own."""
    return not (condition.then or condition.then_not or isinstance(condition.test, Picked | Band))


def of_a_crowd(segment: Segment, moment: Moment) -> bool:
    """Whether a segment asks for a place among everybody: a band, a score or a sample."""
    return any(_of_a_crowd(one) for one in leaves(segment.root, moment))


def alone(segment: Segment, moment: Moment) -> bool:
    """Whether a segment holds a condition that is a query of its own, so that nothing is won by asking others with it."""
    return any(
        _of_a_crowd(one) or (isinstance(one, Event) and not groupable(one)) for one in leaves(segment.root, moment)
    )


def _of_a_crowd(condition: Condition) -> bool:
    banded = isinstance(condition, Attribute | Event) and isinstance(condition.test, Band)
    return banded or isinstance(condition, Rfm | Sample)


def measured(segment: Segment, moment: Moment) -> tuple[Event, ...]:
    """The conditions of a segment that can be grouped."""
    found = (one for one in leaves(segment.root, moment) if isinstance(one, Event) and groupable(one))
    return tuple(dict.fromkeys(found))


class Passes:
    """One grouped query for every name of event, joined to `profile`; and the test of each condition over their columns."""

    def __init__(self, conditions: Iterable[Event], moment: Moment, columns: Columns) -> None:
        """All of them have to be groupable."""
        by_name: dict[str, list[Event]] = {}
        for condition in dict.fromkeys(conditions):
            by_name.setdefault(condition.name, []).append(condition)
        self._passes = {
            name: _Pass(f"g{place}", of, moment, columns) for place, (name, of) in enumerate(by_name.items())
        }

    def test(self, condition: Event) -> exp.Expr | None:
        """A condition's test beside a row of `profile`; None for one that is not here."""
        found = self._passes.get(condition.name)
        test = found.tests.get(condition) if found else None
        return None if test is None else test.copy()

    def joined(self, query: exp.Select) -> exp.Select:
        """A query of `profile` with the columns that the tests read; nobody is left out, nobody stands twice."""
        for one in self._passes.values():
            key = one.columns.key
            same = exp.EQ(this=column(one.alias, key), expression=column("profile", key))
            query = query.join(one.query().subquery(one.alias, copy=False), on=same, join_type="left", copy=False)
        return query


class _Pass:
    """The events of one name that at least one of the conditions may count, and what is measured of them."""

    def __init__(self, alias: str, conditions: list[Event], moment: Moment, columns: Columns) -> None:
        self.alias = alias
        self._name = conditions[0].name
        self.columns = columns
        spans = [span(condition, moment) for condition in conditions]
        self._start, self._until = min(start for start, _ in spans), max(until for _, until in spans)
        self._rows: dict[str, exp.Expr] = {}
        self._measures: dict[str, exp.Expr] = {}
        self._named: dict[Hashable, int] = {}
        self.tests = {condition: self._judge(condition, moment) for condition in conditions}

    def query(self) -> exp.Select:
        """The grouped query. What conditions read of an event is read once a row, below it."""
        whose = column("event", self.columns.key)
        named = exp.EQ(this=column("event", "name"), expression=text(self._name))
        events = exp.select().from_("event").where(named, *inside(self._start, self._until), copy=False)
        if self._rows:
            read = [
                exp.alias_(value, f"v{place}", quoted=True, copy=False)
                for place, value in enumerate(self._rows.values())
            ]
            events = exp.select().from_(
                events.select(whose.copy(), _TIME.copy(), *read, copy=False).subquery("event", copy=False)
            )
        made = [
            exp.alias_(value, f"m{place}", quoted=True, copy=False)
            for place, value in enumerate(self._measures.values())
        ]
        return events.select(whose, *made, copy=False).group_by(whose.copy(), copy=False)

    def _judge(self, condition: Event, moment: Moment) -> exp.Expr:
        counted = (*span(condition, moment), condition.where)

        def aggregate(of: type[exp.AggFunc], value: exp.Expr | None) -> exp.Expr:
            # Many segments ask for the same measure, and to write it takes long.
            what = (of, condition.measure, condition.property, *counted)
            if what not in self._named:
                self._named[what] = self._place(self._measures, self._aggregated(of, value, condition, moment))
            there = column(self.alias, f"m{self._named[what]}")
            return exp.Coalesce(this=there, expressions=[exp.Literal.number(0)]) if of is exp.Count else there

        return judged(condition, moment, self.columns, aggregate)

    def _aggregated(self, of: type[exp.AggFunc], value: exp.Expr | None, condition: Event, moment: Moment) -> exp.Expr:
        guards = self._guards(condition, moment)
        if isinstance(value, exp.Distinct):
            [each] = value.expressions
            return of(this=exp.Distinct(expressions=[_guarded(guards, each)]))
        if value is None:
            return _filtered(guards, of(this=exp.Star()))
        return of(this=_guarded(guards, value if value == _TIME else self._read(value)))

    def _guards(self, condition: Event, moment: Moment) -> list[exp.Expr]:
        """What tells the events of a condition from the others of the pass."""
        start, until = span(condition, moment)
        guards: list[exp.Expr] = []
        if start > self._start:
            guards.append(exp.GTE(this=_TIME.copy(), expression=exp.Literal.number(start)))
        if until < self._until:
            guards.append(exp.LT(this=_TIME.copy(), expression=exp.Literal.number(until)))
        if condition.where:
            guards.append(self._read(exp.and_(*fitting(condition.where, moment, self.columns), copy=False)))
        return guards

    def _read(self, value: exp.Expr) -> exp.Expr:
        return column("event", f"v{self._place(self._rows, value)}")

    def _place(self, among: dict[str, exp.Expr], value: exp.Expr) -> int:
        """The place of the same expression, told by its text."""
        written = value.sql(self.columns.dialect)
        among.setdefault(written, value)
        return list(among).index(written)


def _filtered(guards: list[exp.Expr], many: exp.Expr) -> exp.Expr:
    """A count of the events for which all of these hold; of a value it would not do, as ClickHouse finds 0 where there is none."""
    if not guards:
        return many
    where = exp.Where(this=exp.and_(*(guard.copy() for guard in guards), copy=False))
    return exp.Filter(this=many, expression=where)


def _guarded(guards: list[exp.Expr], value: exp.Expr) -> exp.Expr:
    """A value of the events that a condition counts; NULL for others, which no aggregate takes."""
    if not guards:
        return value
    return exp.Case().when(exp.and_(*(guard.copy() for guard in guards), copy=False), value, copy=False)
