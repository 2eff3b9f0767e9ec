"""What templates may ask of a person's attributes and events: which variables there are, and what each comes to, in memory.

The audience engine computes the same for a whole audience at once; it is held against this.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from orchestrator.core.mirrors import ours
from orchestrator.core.segments.measuring import Happened
from orchestrator.core.segments.values import number
from orchestrator.core.times import MINUTE, Instant

Path = tuple[str, ...]

PAUSE = 30 * MINUTE
"""After so long without an event a session is over."""

DEVICE = frozenset({"country", "region", "city", "appVersion", "deviceModel", "systemName", "systemVersion"})
"""Variables of templates that are attributes by another way of writing, declared or not."""

AMOUNTS = frozenset({"valueOf", "lifetimeValue"})
"""Sums of amounts; all the others but `latest` are whole numbers."""

NOTHING_IS_ZERO = frozenset({"occurrencesOf", "numPriorSessions", "minutesSpentInApp"}) | AMOUNTS
"""Without any event these are 0; the others are missing."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the catalogue says of events. `revenue` is (event, property), None if the project names none.

    A session begins with each event called `session`; if that is empty, with every event after a pause.
    """

    revenue: tuple[str, str] | None = None
    session: str = ""


_Events = Sequence[Happened]

_OCCURRENCES: Mapping[str, Callable[[_Events], Any]] = {
    "latest": lambda events: dict(events[-1].properties) if events else None,
    "lastOccurrenceOf": lambda events: int(events[-1].time) if events else None,
    "firstOccurrenceOf": lambda events: int(events[0].time) if events else None,
    "occurrencesOf": len,
}
"""Variables that are read from a person's events of one name, in their order."""

_SESSIONS: Mapping[str, Callable[[Sequence[tuple[int, int]]], Any]] = {
    "numPriorSessions": len,
    "firstRun": lambda stretches: stretches[0][0] if stretches else None,
    "lastActive": lambda stretches: stretches[-1][1] if stretches else None,
    "minutesSpentInApp": lambda stretches: sum(end - begin for begin, end in stretches) // MINUTE,
}
"""Variables that are read from a person's sessions, each from its first to its last event, in microseconds."""

OCCURRENCES, SESSIONS = frozenset(_OCCURRENCES), frozenset(_SESSIONS)


def is_behaviour(path: Path) -> bool:
    """Whether a variable is read from events; those by event name the event."""
    return path[0] in SESSIONS or path[0] == "lifetimeValue" or (_by_event(path[0]) and len(path) > 1)


def variable_of(path: Path) -> Path:
    """The variable of a path: `latest.purchase.amount` is read as `latest.purchase`."""
    return path[:2] if _by_event(path[0]) else path[:1]


def _by_event(root: str) -> bool:
    return root in OCCURRENCES or root == "valueOf"


def behaviours_read(touched: Iterable[Path], declared: Collection[str]) -> tuple[Path, ...]:
    """The variables of these paths that are read from events: a declared attribute of the same name wins."""
    return tuple(path for path in sorted(touched) if is_behaviour(path) and path[0] not in declared)


def attributes_read(touched: Iterable[Path], declared: Collection[str]) -> tuple[str, ...]:
    """The attributes that templates read, by name or as variables of their own."""
    found: dict[str, None] = {}
    for path in sorted(touched):
        if path[0] == "userAttribute" and len(path) > 1:
            found[path[1]] = None
        elif path[0] in declared or path[0] in DEVICE:
            found[path[0]] = None
    return tuple(found)


def money_of(path: Path, told: Told) -> tuple[str, str] | None:
    """The event and its property that a sum of amounts adds up; None if nobody can know it."""
    if path[0] == "valueOf" and (told.revenue is None or path[1] != told.revenue[0]):
        return path[1], "value"  # what Leanplum's SDKs call an event's value
    return told.revenue


def behaviours(paths: Iterable[Path], told: Told, events: Iterable[Happened], at: Instant) -> dict[Path, Any]:
    """What these variables come to from one person's events before `at`; what is missing is left out."""
    past = sorted(event for event in events if event.time < at)
    found = {}
    for path in dict.fromkeys(map(variable_of, paths)):
        value = _value(path, told, past)
        if value is not None:
            found[path] = value
    return found


def placed(values: Mapping[Path, Any]) -> dict[str, Any]:
    """These variables where templates look for them: `latest.purchase` under `purchase` of `latest`."""
    found: dict[str, Any] = {}
    for path, value in values.items():
        if len(path) == 1:
            found[path[0]] = value
        else:
            found.setdefault(path[0], {})[path[1]] = value
    return found


def _value(path: Path, told: Told, past: _Events) -> Any:
    if path[0] in AMOUNTS:
        money = money_of(path, told)
        return None if money is None else _sum(past, *money)
    if path[0] in SESSIONS:
        return _SESSIONS[path[0]](_stretches(told.session, past))
    return _OCCURRENCES[path[0]]([event for event in past if event.name == path[1]])


def _sum(past: _Events, event: str, name: str) -> int | float:
    amounts = [number(one.properties.get(name)) for one in past if one.name == event]
    return plain(sum((amount for amount in amounts if amount is not None), Decimal(0)))


def plain(amount: Decimal) -> int | float:
    """A number as JSON has it, and so templates."""
    whole = int(amount)
    return whole if whole == amount else float(amount)


def _stretches(session: str, past: _Events) -> list[tuple[int, int]]:
    """Every session as its first and its last moment; a message that was sent is no visit.

    Where an event begins sessions, what was done without one is none.
    """
    found: list[list[int]] = []
    opened: list[bool] = []
    for event in past:
        if ours(event.name):
            continue
        opens = bool(session) and event.name == session
        if opens or not found or event.time - found[-1][1] >= PAUSE:
            found.append([event.time, event.time])
            opened.append(opens)
        else:
            found[-1][1] = event.time
    return [(begin, end) for (begin, end), well in zip(found, opened, strict=True) if well or not session]
