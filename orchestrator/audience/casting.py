"""Who a campaign is for: the first segment each person matches, without the excluded, with what the templates touch of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.audience.columns import OWN, home, literal
from orchestrator.audience.compiling import lists, members_sql
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.segments import Moment, Segment
from orchestrator.core.segments.tree import Declared

BEHAVIOUR = {
    "latest": 'arg_max(properties, ("time", message_id))',
    "lastOccurrenceOf": 'max("time")',
    "firstOccurrenceOf": 'min("time")',
    "occurrencesOf": "count(*)",
}
"""Variables of templates that are read from a person's events of one name, and the aggregate of each."""

REACHED = "reached"
"""The column that says who is in `Wish.reached`."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of the engine for one run. `touched` are the paths the templates read.

    `revenue` is (event, property) of what lifetimeValue and valueOf add up, None if the project names none. With `reached`
    the answer says of everybody whether they belong to that segment too (a campaign's goal, for whom it asks again).
    """

    audience: Sequence[Segment]
    exclude: Sequence[Segment]
    moment: Moment
    declared: Mapping[str, Declared]
    touched: Iterable[tuple[str, ...]] = ()
    revenue: tuple[str, str] | None = None
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
    attributes, behaviours, joins = _touched(wish)
    more = "".join(f", {column}.value AS {column}" for column in behaviours)
    if wish.reached is not None:
        more += f', c."user" IN ({members_sql(wish.reached, wish.moment, columns)}) AS {REACHED}'
    sql = f'SELECT c."user", c.place{more} FROM ({cast}) AS c{joins}' if more else cast
    undeclared = any(name not in wish.declared for name in attributes)
    wanted = [
        *OWN,
        "devices",
        *(home(name) for name in attributes if name in wish.declared),
        *(["rest"] if undeclared else []),
    ]
    found = [name for segment in (*wish.audience, *wish.exclude) for name in lists(segment, wish.moment)]
    return Question(sql, tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(found)), attributes, behaviours)


def _touched(wish: Wish) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]], str]:
    """The attributes to fetch, the behaviours by column, and the joins that compute them."""
    attributes: dict[str, None] = {}
    paths: dict[tuple[str, ...], None] = {}
    for path in sorted(wish.touched):
        root = path[0]
        if root == "userAttribute" and len(path) > 1:
            attributes[path[1]] = None
        elif (root in BEHAVIOUR or root == "valueOf") and len(path) > 1:
            paths[path[0], path[1]] = None
        elif root == "lifetimeValue" and root not in wish.declared:
            paths[(root,)] = None
        elif root in wish.declared:
            attributes[root] = None
    behaviours, joins = {}, []
    for number, path in enumerate(paths):
        query = _behaviour(path, wish)
        if query is not None:
            column = f"b{number}"
            behaviours[column] = path
            joins.append(f' LEFT JOIN ({query}) AS {column} ON {column}."user" = c."user"')
    return tuple(attributes), behaviours, "".join(joins)


def _behaviour(path: tuple[str, ...], wish: Wish) -> str | None:
    """One value a person from their events before the planned moment."""
    if path[0] in BEHAVIOUR:
        event, value = path[1], BEHAVIOUR[path[0]]
    else:
        if wish.revenue is None:
            return None
        event, name = wish.revenue
        if path[0] == "valueOf" and path[1] != event:
            return None
        pointer = literal("/" + name.replace("~", "~0").replace("/", "~1"))
        value = f"sum(TRY_CAST(json_extract_string(properties, {pointer}) AS DECIMAL(18, 4)))"
    return (
        f'SELECT "user", {value} AS value FROM event WHERE name = {literal(event)} AND "time" < {int(wish.moment.at)}'
        ' GROUP BY "user"'
    )
