"""What people ask about segments: how many, which of them overlap, who came and went and why, whom messages can reach."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations_with_replacement
from typing import Any

from sqlglot import exp

from orchestrator.audience.compiling import funnel, lists, members, predicate, steps
from orchestrator.audience.sql_columns import Columns, column
from orchestrator.audience.tongue import number
from orchestrator.core.mirrors import ADDRESSED
from orchestrator.core.segments import Moment, Segment, parse
from orchestrator.core.segments.tree import Kind
from orchestrator.core.times import Instant

Ask = Callable[[exp.Select, Sequence[str]], list[tuple[Any, ...]]]
"""Runs a query with these lists at hand, and gives its rows."""
MOST_COMMON = 8
_USER = column("profile", "user")
_MEASURED = {Kind.NUMBER, Kind.DATE, Kind.TIME}


@dataclass(frozen=True, slots=True)
class Step:
    """One condition of a funnel: how many pass it alone, how many are left after it, how many have no value for it."""

    alone: int
    left: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Change:
    """One condition between two moments: of those who entered, how many it let in; of those who left, how many it let go."""

    let_in: int
    let_go: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Who entered and who left between two moments, some of each, and the part each condition had in it."""

    before: int
    after: int
    entered: int
    left: int
    who_entered: tuple[str, ...]
    who_left: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """How an attribute's values spread over members: how many have one, its ends where it is measured, its commonest values."""

    known: int
    lowest: Any
    highest: Any
    commonest: tuple[tuple[Any, int], ...]


class Questions:
    """Questions about segments at one moment, asked of one engine."""

    def __init__(self, ask: Ask, columns: Columns, moment: Moment) -> None:
        self._ask = ask
        self.columns = columns
        self.moment = moment

    def ask(self, query: exp.Select, names: Sequence[str]) -> list[tuple[Any, ...]]:
        """The rows of a question, with these lists at hand."""
        return self._ask(query, names)

    def everybody(self) -> int:
        """How many people are known."""
        return everybody(self._ask)

    def count(self, segment: Segment) -> int:
        """How many members a segment has."""
        inner = members(segment, self.moment, self.columns).subquery("members")
        return int(self._rows(exp.select(exp.Count(this=exp.Star())).from_(inner), segment)[0][0])

    def funnel(self, segment: Segment) -> tuple[int, tuple[Step, ...]]:
        """How many there are at all, and what each condition at the top leaves of them."""
        [row] = self._rows(funnel(segment, self.moment, self.columns), segment)
        return int(row[0]), tuple(Step(*row[1 + 3 * n : 4 + 3 * n]) for n in range(len(steps(segment))))

    def sample(self, segment: Segment, size: int) -> list[str]:
        """Some members, the same ones at every call: those with the smallest draw."""
        drawn = self.columns.tongue.draw("sample", _USER.copy())
        order = [exp.Ordered(this=self.columns.tongue.by_code_point(key)) for key in (drawn, _USER.copy())]
        query = members(segment, self.moment, self.columns).order_by(*order).limit(size)
        return [str(row[0]) for row in self._rows(query, segment)]

    def reachable(self, segment: Segment) -> dict[str, int]:
        """How many members have an address and did not say no, by channel."""
        shown = {channel: parse({"about": "reachable", "all": [{"reachable": str(channel)}]}) for channel in ADDRESSED}
        flags = [self._flag(one, self.moment, str(channel)) for channel, one in shown.items()]
        counts = [how_many(column("flags", str(channel)), str(channel)) for channel in shown]
        inner = members(segment, self.moment, self.columns).select(*flags, copy=False).subquery("flags")
        [row] = self._rows(exp.select(*counts).from_(inner), segment)
        return {str(channel): int(many) for channel, many in zip(shown, row, strict=True)}

    def overlap(self, segments: Mapping[str, Segment]) -> dict[tuple[str, str], int]:
        """How many are in both, for every two of these segments; a name with itself is the segment's own size."""
        names = list(segments)
        flags = [self._flag(segment, self.moment, f"c{place}") for place, segment in enumerate(segments.values())]
        pairs = list(combinations_with_replacement(range(len(names)), 2))
        counts = [
            how_many(exp.and_(column("flags", f"c{one}"), column("flags", f"c{other}")), f"n{number_}")
            for number_, (one, other) in enumerate(pairs)
        ]
        query = exp.select(*counts).from_(exp.select(*flags).from_("profile").subquery("flags"))
        needed = [name for segment in segments.values() for name in lists(segment, self.moment)]
        [row] = self._ask(query, tuple(dict.fromkeys(needed)))
        found = {(names[one], names[other]): int(many) for (one, other), many in zip(pairs, row, strict=True)}
        return {**found, **{(other, one): many for (one, other), many in found.items()}}

    def spread(self, segment: Segment, name: str, kind: Kind) -> Spread:
        """How an attribute's values spread over the members."""
        value = self.columns.attribute(name, kind)
        known = exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
        inside = members(segment, self.moment, self.columns).where(known)
        valued = inside.select(exp.alias_(value, "value", quoted=True), copy=False)
        of = column("members", "value")
        ends = [exp.Min(this=of.copy()), exp.Max(this=of.copy())] if kind in _MEASURED else [exp.null(), exp.null()]
        query = exp.select(exp.Count(this=exp.Star()), *ends).from_(valued.subquery("members"))
        [(many, lowest, highest)] = self._rows(query, segment)
        common = (
            exp.select(of.copy(), exp.alias_(exp.Count(this=exp.Star()), "many", quoted=True))
            .from_(valued.copy().subquery("members"))
            .group_by(of.copy())
            .order_by(exp.Ordered(this=exp.Count(this=exp.Star()), desc=True), exp.Ordered(this=of.copy()))
            .limit(MOST_COMMON)
        )
        rows = self._rows(common, segment)
        return Spread(int(many), lowest, highest, tuple((one, int(count)) for one, count in rows))

    def difference(self, segment: Segment, since: Instant, some: int = 5) -> Difference:
        """What changed since an earlier moment. Events are as they were then; attributes, lists and addresses are today's."""
        earlier = replace(self.moment, at=since)
        parts = [Segment("a part", node) for node in steps(segment)]
        flags = [self._flag(segment, earlier, "before"), self._flag(segment, self.moment, "after")]
        for place, part in enumerate(parts):
            flags += [self._flag(part, earlier, f"b{place}"), self._flag(part, self.moment, f"a{place}")]
        inner = exp.select(_USER.copy(), *flags).from_("profile").subquery("flags")
        before, after = column("flags", "before"), column("flags", "after")
        entered, left = exp.and_(after, exp.Not(this=before.copy())), exp.and_(before, exp.Not(this=after.copy()))
        named = {"n_before": before, "n_after": after, "n_entered": entered, "n_left": left}
        counts = [how_many(condition.copy(), name) for name, condition in named.items()]
        for place in range(len(parts)):
            held, holds = exp.Not(this=column("flags", f"b{place}")), exp.Not(this=column("flags", f"a{place}"))
            counts += [how_many(exp.and_(entered, held), f"i{place}"), how_many(exp.and_(left, holds), f"o{place}")]
        [row] = self._rows(exp.select(*counts).from_(inner), segment)
        who = partial(self._some, inner, segment, some)
        changes = tuple(Change(int(row[4 + 2 * n]), int(row[5 + 2 * n])) for n in range(len(parts)))
        numbers = [int(one) for one in row[:4]]
        return Difference(numbers[0], numbers[1], numbers[2], numbers[3], who(entered), who(left), changes)

    def _some(self, inner: exp.Subquery, segment: Segment, size: int, condition: exp.Expr) -> tuple[str, ...]:
        user = self.columns.tongue.by_code_point(column("flags", "user"))
        query = exp.select(column("flags", "user")).from_(inner.copy()).where(condition.copy())
        return tuple(str(row[0]) for row in self._rows(query.order_by(exp.Ordered(this=user)).limit(size), segment))

    def _flag(self, segment: Segment, moment: Moment, name: str) -> exp.Expr:
        held = exp.paren(predicate(segment.root, moment, self.columns), copy=False)
        return exp.alias_(exp.Coalesce(this=held, expressions=[exp.false()]), name, quoted=True)

    def _rows(self, query: exp.Select, segment: Segment) -> list[tuple[Any, ...]]:
        return self._ask(query, lists(segment, self.moment))


def everybody(ask: Ask) -> int:
    """How many people are known."""
    return int(ask(exp.select(exp.Count(this=exp.Star())).from_("profile"), ())[0][0])


def how_many(condition: exp.Expr, name: str) -> exp.Expr:
    """For how many rows a condition holds, as a column of this name."""
    return exp.alias_(exp.Count(this=exp.Case().when(condition, number(1), copy=False)), name, quoted=True)
