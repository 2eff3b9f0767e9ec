"""What templates may ask of a person's events: occurrences, what they are worth, sessions in the app; one join for each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from sqlglot import exp

from orchestrator.audience.columns import literal
from orchestrator.audience.sql_columns import Columns
from orchestrator.audience.tongue import column, number, template
from orchestrator.core.mirrors import FAMILIES
from orchestrator.core.times import MINUTE, Instant
from orchestrator.core.variables import NOTHING_IS_ZERO, PAUSE, Path, Told, money_of, variable_of

_OCCURRENCES = {
    "latest": "latest",  # a word of each engine
    "lastOccurrenceOf": 'max(event."time")',
    "firstOccurrenceOf": 'min(event."time")',
    "occurrencesOf": "count(*)",
}
"""Variables that are read from a person's events of one name, and the aggregate of each."""

_SESSIONS = {
    "numPriorSessions": "count(*)",
    "firstRun": 'min(stretches."begin")',
    "lastActive": 'max(stretches."end")',
    "minutesSpentInApp": 'CAST(sum(stretches."end" - stretches."begin") AS BIGINT)',
}
"""Variables that are read from a person's sessions, and the aggregate of each; time is in microseconds."""

_SQL = "duckdb"
"""The dialect the texts here are read in; sqlglot writes them in the engine's."""


@dataclass(frozen=True, slots=True)
class Behaviours:
    """Values of some variables: each a column of its own, the queries they come from by the name to join each as, the variable of each column."""

    values: list[exp.Expr] = field(default_factory=list)
    joins: Mapping[str, exp.Query] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)


def behaviours(paths: Iterable[Path], told: Told, at: Instant, columns: Columns) -> Behaviours:
    """Queries to join to a table of users, for all of these variables that are read from events before `at`."""
    values: list[exp.Expr] = []
    joins: dict[str, exp.Query] = {}
    found: dict[str, Path] = {}
    for place, path in enumerate(dict.fromkeys(map(variable_of, paths))):
        name = f"b{place}"
        if path[0] in _SESSIONS:
            joins["s"] = _sessions(told.session, at, columns)
            value: exp.Expr = column("s", path[0])
        else:
            query = _occurrences(path, told, at, columns)
            if query is None:
                continue
            joins[name], value = query, column(name, "value")
        if path[0] in NOTHING_IS_ZERO:
            value = exp.Coalesce(this=value, expressions=[number(0)])
        found[name] = path
        values.append(exp.alias_(value, name, quoted=True))
    return Behaviours(values, joins, found)


def _occurrences(path: Path, told: Told, at: Instant, columns: Columns) -> exp.Query | None:
    """One value a person from their events of one name; None if nobody can know it."""
    tongue = columns.tongue
    parts: dict[str, exp.Expr] = {}
    if path[0] in _OCCURRENCES:
        event, value = path[1], _OCCURRENCES[path[0]]
        parts["latest"] = tongue.latest(column("event", "properties"), column("event", "time"), column("event", "message_id"))  # fmt: skip
    else:
        money = money_of(path, told)
        if money is None:
            return None
        event, name = money
        value, parts["amount"] = "coalesce(sum(amount), 0)", columns.amount(name)
    return _query(
        f"""SELECT event."user", {value} AS value FROM event
            WHERE event.name = {literal(event)} AND event."time" < {int(at)} GROUP BY event."user" """,
        **parts,
    )


def _ours(columns: Columns) -> exp.Expr:
    """Whether an event is of our own telling: a message that was sent is no visit."""
    named = [columns.tongue.starts_with(column("event", "name"), family) for family in FAMILIES]
    return exp.paren(exp.or_(*named), copy=False)


def _query(sql: str, **parts: exp.Expr) -> exp.Query:
    return cast("exp.Query", template(_SQL, sql, **parts))


def _sessions(event: str, at: Instant, columns: Columns) -> exp.Query:
    """Every session variable of everybody with a session: stretches of events without a pause, cut where one begins anew."""
    order = columns.tongue.by_code_point(column("event", "message_id"))
    window = 'PARTITION BY event."user" ORDER BY event."time", ordered'
    begins = f"event.name = {literal(event)}" if event else "FALSE"
    opened = " HAVING max(marked.opens) = 1" if event else ""
    values = ", ".join(f'{aggregate} AS "{name}"' for name, aggregate in _SESSIONS.items())
    # The time before is a maximum over one row, because engines disagree about `lag`; without one it is NULL, or 0.
    found = _query(
        f"""SELECT stretches."user", {values} FROM (
            SELECT marked."user", min(marked."time") AS "begin", max(marked."time") AS "end" FROM (
                SELECT timed."user", timed."time", timed.opens, sum(
                    CASE WHEN timed.opens = 1 OR coalesce(timed."time" - timed.before >= {PAUSE}, TRUE) THEN 1 ELSE 0 END
                ) OVER (PARTITION BY timed."user" ORDER BY timed."time", ordered_again ROWS UNBOUNDED PRECEDING) AS stretch
                FROM (
                    SELECT event."user", event."time", event.message_id, CASE WHEN {begins} THEN 1 ELSE 0 END AS opens,
                        max(event."time") OVER ({window} ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING) AS before
                    FROM event WHERE event."time" < {int(at)} AND NOT ours
                ) AS timed
            ) AS marked GROUP BY marked."user", marked.stretch{opened}
        ) AS stretches GROUP BY stretches."user" """,
        ordered=order,
        ours=_ours(columns),
        ordered_again=columns.tongue.by_code_point(column("timed", "message_id")),
    )
    for alias in found.find_all(exp.Alias):
        if alias.alias == "minutesSpentInApp":
            alias.set("this", columns.tongue.divided(alias.this, MINUTE))
    return found
