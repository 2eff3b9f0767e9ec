"""Who a campaign is for: the first segment each person matches, without the excluded, with what the templates touch of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.audience.behaviours import Told, behaviours, is_behaviour
from orchestrator.audience.columns import OWN, home
from orchestrator.audience.compiling import lists, members_sql
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.segments import Moment, Segment
from orchestrator.core.segments.tree import Declared

DEVICE = frozenset({"country", "region", "city", "appVersion", "deviceModel", "systemName", "systemVersion"})
"""Variables of templates that are attributes by another way of writing, declared or not."""

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
    """The query to hand to `Audience.members`: its columns beside "user", and where each value goes.

    `behaviours` maps a column to its path: `{"b0": ("lastOccurrenceOf", "purchase")}`.
    """

    sql: str
    columns: tuple[str, ...]
    lists: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    behaviours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def question(wish: Wish) -> Question:
    """Put one run's question together; every part of it is SQL that the compiler wrote."""
    columns = DuckColumns(wish.declared)
    matches = [
        f'SELECT "user", {place} AS place FROM ({members_sql(segment, wish.moment, columns)})'
        for place, segment in enumerate(wish.audience)
    ]
    without = [f'"user" NOT IN ({members_sql(segment, wish.moment, columns)})' for segment in wish.exclude]
    where = f" WHERE {' AND '.join(without)}" if without else ""
    cast = f'SELECT "user", min(place) AS place FROM ({" UNION ALL ".join(matches)}){where} GROUP BY "user"'
    attributes = _attributes(wish)
    events = behaviours((path for path in sorted(wish.touched) if _of_events(path, wish)), wish.told, wish.moment.at)
    more = events.select
    if wish.reached is not None:
        more += f', c."user" IN ({members_sql(wish.reached, wish.moment, columns)}) AS {REACHED}'
    sql = f'SELECT c."user", c.place{more} FROM ({cast}) AS c{events.joins}' if more else cast
    undeclared = any(name not in wish.declared for name in attributes)
    wanted = [
        *OWN,
        "devices",
        *(home(name) for name in attributes if name in wish.declared),
        *(["rest"] if undeclared else []),
    ]
    found = [name for segment in (*wish.audience, *wish.exclude) for name in lists(segment, wish.moment)]
    return Question(sql, tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(found)), attributes, events.paths)


def _attributes(wish: Wish) -> tuple[str, ...]:
    """The attributes that templates read, by name or as variables of their own."""
    found: dict[str, None] = {}
    for path in sorted(wish.touched):
        if path[0] == "userAttribute" and len(path) > 1:
            found[path[1]] = None
        elif path[0] in wish.declared or path[0] in DEVICE:
            found[path[0]] = None
    return tuple(found)


def _of_events(path: tuple[str, ...], wish: Wish) -> bool:
    """Whether a variable is read from events: a declared attribute of the same name wins."""
    return is_behaviour(path) and path[0] not in wish.declared
