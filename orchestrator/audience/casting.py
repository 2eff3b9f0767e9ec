"""Who a campaign is for: the first segment each person matches, without the excluded, with what the templates touch of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from orchestrator.audience.behaviours import behaviours
from orchestrator.audience.columns import OWN, home
from orchestrator.audience.compiling import lists, members
from orchestrator.audience.sql_columns import Columns
from orchestrator.audience.tongue import column, number
from orchestrator.core.segments import Moment, Segment
from orchestrator.core.segments.tree import Declared
from orchestrator.core.variables import Told, attributes_read, behaviours_read

REACHED = "reached"
"""The column that says who is in `Wish.reached`."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of the engine for one run. `touched` are the paths the templates read.

    `told` is what the catalogue says of revenue and sessions. With `reached` the answer says of everybody whether they
    belong to that segment too (those who reached the campaign's goal, when it asks again).
    """

    audience: Sequence[Segment]
    exclude: Sequence[Segment]
    moment: Moment
    declared: Mapping[str, Declared]
    touched: Iterable[tuple[str, ...]] = ()
    told: Told = field(default_factory=Told)
    reached: Segment | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """The query to hand to `Reader.cast`: the profile's columns it wants beside its own, and where each value goes.

    `behaviours` maps a column to its path: `{"b0": ("lastOccurrenceOf", "purchase")}`.
    """

    query: exp.Select
    columns: tuple[str, ...]
    lists: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    behaviours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def question(wish: Wish, columns: Columns) -> Question:
    """Put one run's question together, for an engine that keeps things in these columns."""
    attributes = attributes_read(wish.touched, wish.declared)
    events = behaviours(behaviours_read(wish.touched, wish.declared), wish.told, wish.moment.at, columns)
    query = _cast(wish, columns)
    if events.values or wish.reached is not None:
        user = column("c", "user")
        # Named anew, for some engines call a column of a join by its table too.
        named = [exp.alias_(column("c", name), name, quoted=True) for name in ("user", "place")]
        query = exp.select(*named, *events.values).from_(query.subquery("c"))
        for name, of in events.joins.items():
            query = query.join(of.subquery(name), on=exp.EQ(this=column(name, "user"), expression=user.copy()), join_type="left")  # fmt: skip
        if wish.reached is not None:
            met = members(wish.reached, wish.moment, columns).subquery("met")
            query = query.join(met, on=exp.EQ(this=column("met", "user"), expression=user.copy()), join_type="left")
            there = exp.Not(this=exp.Is(this=column("met", "user"), expression=exp.null()))
            query = query.select(exp.alias_(there, REACHED, quoted=True))
    undeclared = any(name not in wish.declared for name in attributes)
    wanted = [
        *OWN,
        "devices",
        *(home(name) for name in attributes if name in wish.declared),
        *(["rest"] if undeclared else []),
    ]
    found = [name for segment in (*wish.audience, *wish.exclude) for name in lists(segment, wish.moment)]
    if wish.reached is not None:
        found += lists(wish.reached, wish.moment)
    return Question(query, tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(found)), attributes, events.paths)


def _cast(wish: Wish, columns: Columns) -> exp.Select:
    """Everybody of the audience, once, with the place of the first segment they match."""
    matches = [
        members(segment, wish.moment, columns).select(exp.alias_(number(place), "place", quoted=True), copy=False)
        for place, segment in enumerate(wish.audience)
    ]
    together: exp.Query = matches[0] if len(matches) == 1 else exp.union(*matches, distinct=False)
    user = column("m", "user")
    first = exp.alias_(exp.Min(this=column("m", "place")), "place", quoted=True)
    query = exp.select(user, first).from_(together.subquery("m")).group_by(user.copy())
    for segment in wish.exclude:
        inside = exp.In(this=user.copy(), query=members(segment, wish.moment, columns).subquery(copy=False))
        query = query.where(columns.tongue.not_among(inside), copy=False)
    return query
