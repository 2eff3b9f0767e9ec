"""What templates may ask of a person's events: occurrences, what they are worth, sessions in the app; one join for each."""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.audience.columns import literal, pointer
from orchestrator.core.times import MINUTE, Instant

Path = tuple[str, ...]

PAUSE = 30 * MINUTE
"""After so long without an event a session is over."""

_OCCURRENCES = {
    "latest": 'arg_max(properties, ("time", message_id))',
    "lastOccurrenceOf": 'max("time")',
    "firstOccurrenceOf": 'min("time")',
    "occurrencesOf": "count(*)",
}
"""Variables that are read from a person's events of one name, and the aggregate of each."""

_SESSIONS = {
    "numPriorSessions": "count(*)",
    "firstRun": 'min("begin")',
    "lastActive": 'max("end")',
    "minutesSpentInApp": f'CAST(sum("end" - "begin") AS BIGINT) // {MINUTE}',
}
"""Variables that are read from a person's sessions, and the aggregate of each."""

_NOTHING_IS_ZERO = frozenset({"occurrencesOf", "valueOf", "lifetimeValue", "numPriorSessions", "minutesSpentInApp"})
"""Without any event these are 0; the others are missing."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the catalogue says of events. `revenue` is (event, property), None if the project names none.

    A session begins with each event called `session`; if that is empty, with every event after a pause.
    """

    revenue: tuple[str, str] | None = None
    session: str = ""


@dataclass(frozen=True, slots=True)
class Behaviours:
    """SQL for the values of some variables: a select list, the joins it needs, and the variable of each column."""

    select: str
    joins: str
    paths: dict[str, Path]


def behaviours(paths: Iterable[Path], told: Told, at: Instant) -> Behaviours:
    """The SQL to join to a table `c` of users, for all of these variables that are read from events before `at`."""
    select, joins, found = [], [], {}
    sessions = False
    for number, path in enumerate(dict.fromkeys(map(_name, paths))):
        column = f"b{number}"
        if path[0] in _SESSIONS:
            sessions, value = True, f's."{path[0]}"'
        else:
            query = _occurrences(path, told, at)
            if query is None:
                continue
            value = f"{column}.value"
            joins.append(f' LEFT JOIN ({query}) AS {column} ON {column}."user" = c."user"')
        found[column] = path
        select.append(
            f", coalesce({value}, 0) AS {column}" if path[0] in _NOTHING_IS_ZERO else f", {value} AS {column}"
        )
    if sessions:
        joins.append(f' LEFT JOIN ({_sessions(told.session, at)}) AS s ON s."user" = c."user"')
    return Behaviours("".join(select), "".join(joins), found)


def is_behaviour(path: Path) -> bool:
    """Whether a variable is read from events; those by event name the event."""
    return path[0] in _SESSIONS or path[0] == "lifetimeValue" or (_by_event(path[0]) and len(path) > 1)


def _by_event(root: str) -> bool:
    return root in _OCCURRENCES or root == "valueOf"


def _name(path: Path) -> Path:
    """The variable of a path: `latest.purchase.amount` is read as `latest.purchase`."""
    return path[:2] if _by_event(path[0]) else path[:1]


def _occurrences(path: Path, told: Told, at: Instant) -> str | None:
    """One value a person from their events of one name; None if nobody can know it."""
    if path[0] in _OCCURRENCES:
        event, value = path[1], _OCCURRENCES[path[0]]
    else:
        if path[0] == "valueOf" and (told.revenue is None or path[1] != told.revenue[0]):
            event, name = path[1], "value"  # what Leanplum's SDKs call an event's value
        elif told.revenue is None:
            return None
        else:
            event, name = told.revenue
        amount = f"json_extract_string(properties, {literal(pointer(name))})"
        value = f"coalesce(sum(TRY_CAST({amount} AS DECIMAL(18, 4))), 0)"
    return f'SELECT "user", {value} AS value FROM event WHERE name = {literal(event)} AND "time" < {int(at)} GROUP BY "user"'


def _sessions(event: str, at: Instant) -> str:
    """Every session variable of everybody with a session: stretches of events without a pause, cut where one begins anew."""
    order = '(PARTITION BY "user" ORDER BY "time", message_id)'
    begins = f"name = {literal(event)}" if event else "FALSE"
    opened = f" HAVING bool_or({begins})" if event else ""
    values = ", ".join(f'{aggregate} AS "{name}"' for name, aggregate in _SESSIONS.items())
    return f"""SELECT "user", {values} FROM (
        SELECT "user", min("time") AS "begin", max("time") AS "end" FROM (
            SELECT *, count(*) FILTER (anew) OVER (PARTITION BY "user" ORDER BY "time", message_id ROWS UNBOUNDED PRECEDING) AS stretch
            FROM (SELECT "user", name, "time", message_id,
                {begins} OR coalesce("time" - lag("time") OVER {order} >= {PAUSE}, TRUE) AS anew
                FROM event WHERE "time" < {int(at)})
        ) GROUP BY "user", stretch{opened}
    ) GROUP BY "user" """
