"""Which moments a schedule fires: every day, a crontab line, every so often, or once; in one zone or in everybody's own.

One law for all kinds: a wall time fires at most once. A wall time the clocks skip fires at the first moment after the
gap, several of them there fire as one, and one they show twice fires the first time. A calendar day that never
happened does not fire at all. So a tick computed twice, by two daemons, or after a clock jump is the same occurrence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import groupby

from cronsim import CronSim

from orchestrator.core.campaigns import Cron, Every, Interval, Misfire, Occurrence, Once, Schedule
from orchestrator.core.times import MINUTE, Instant, instant
from orchestrator.core.zones import MOST_EAST, MOST_WEST, at_wall, day_exists, wall_at, zone_of

ON_TIME = MINUTE
"""A tick this much after its moment (microseconds) is not late, whatever the misfire rule says."""

_FIRST_WALL = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall time has no zone
_LAST_WALL = datetime(9999, 12, 31)  # noqa: DTZ001 - a wall time has no zone
_ONE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What to do about the moments since the last look: start `fire`, and write down that `missed` were not started."""

    fire: Occurrence | None = None
    missed: tuple[Occurrence, ...] = ()


def next_occurrence(schedule: Schedule, after: Instant) -> Occurrence | None:
    """The first occurrence due later than `after`, None if there is none.

    A recipient's-zone schedule is due when its wall time begins anywhere on earth; `wave` tells each person's moment.
    """
    return next(_from(schedule, after), None)


def occurrences(schedule: Schedule, after: Instant, until: Instant) -> Iterator[Occurrence]:
    """Every occurrence due in (after, until], in order of time."""
    for occurrence in _from(schedule, after):
        if occurrence.at > until:
            return
        yield occurrence


def wave(schedule: Schedule, key: str, zone: str) -> Instant:
    """When an occurrence of a recipient's-zone schedule begins for somebody in this zone (the project's, if unknown).

    ValueError if the key is not one of this schedule's: a wall time, or `once`.
    """
    wall = schedule.when.wall if isinstance(schedule.when, Once) else key
    return at_wall(zone_of(zone, schedule.zone), parse_wall(wall))


def missed(schedule: Schedule, last_seen: Instant, now: Instant) -> CatchUp:
    """What to start now, given that every occurrence up to `last_seen` has been dealt with.

    An occurrence is late if its moment (the last wave's, in everybody's own zone) passed more than a minute ago.
    run_once: the latest one starts if it is late by no more than the grace; skip: only if it is not late.
    """
    due = tuple(occurrences(schedule, last_seen, now))
    if not due:
        return CatchUp()
    tolerance = ON_TIME if schedule.misfire is Misfire.SKIP else max(schedule.grace, ON_TIME)
    over = due[-1].at + (MOST_EAST - MOST_WEST if schedule.recipient else 0)
    if now - over > tolerance:
        return CatchUp(missed=due)
    return CatchUp(fire=due[-1], missed=due[:-1])


def parse_wall(text: str) -> datetime:
    """A wall time as the files and the keys write it (`2026-03-02T10:00`, `2026-03-02`); ValueError if it is none."""
    wall = datetime.fromisoformat(text)
    if wall.tzinfo is not None:
        raise ValueError(f"'{text}' is a moment with an offset; write the wall time alone, the zone stands beside it")
    return wall


def _from(schedule: Schedule, after: Instant) -> Iterator[Occurrence]:
    """Occurrences due later than `after`, without end if the schedule has none."""
    if isinstance(schedule.when, Once):
        at = _due(schedule, parse_wall(schedule.when.wall))
        if at > after:
            yield Occurrence(key="once", at=at)
        return
    for at, walls in groupby(_walls(schedule, after), key=lambda wall: _due(schedule, wall)):
        wall = _name(schedule, at, tuple(walls))
        if at > after and wall:
            shown = wall.isoformat(timespec="minutes")
            yield Occurrence(key=shown if schedule.recipient else f"{shown}[{schedule.zone}]", at=at)


def _due(schedule: Schedule, wall: datetime) -> Instant:
    """When a wall time begins: in the schedule's zone, or in the first zone on earth to see it."""
    if schedule.recipient:
        return Instant(instant(wall.replace(tzinfo=UTC)) - MOST_EAST)
    return at_wall(zone_of(schedule.zone, ""), wall)


def _name(schedule: Schedule, at: Instant, walls: tuple[datetime, ...]) -> datetime | None:
    """Which of the wall times that fall on one moment names it.

    The one the clock then really shows; else all lie in a gap, and the first whose day happened does; else none fires.
    """
    zone = zone_of(schedule.zone, "")
    if schedule.recipient or wall_at(zone, at) == walls[-1]:
        return walls[-1]
    return next((wall for wall in walls if day_exists(zone, wall)), None)


def _walls(schedule: Schedule, after: Instant) -> Iterator[datetime]:
    """The schedule's wall times in order, from about `after` on, between its start and its end."""
    if schedule.recipient:
        now = wall_at(zone_of("UTC", ""), Instant(after + MOST_EAST))
    else:
        now = wall_at(zone_of(schedule.zone, ""), after)
    start = parse_wall(schedule.start) if schedule.start else _FIRST_WALL
    end = _last_wall(schedule.end)
    for wall in _ticks(schedule, max(start - _ONE, now)):
        if wall > end:
            return
        yield wall


def _last_wall(end: str) -> datetime:
    """The last wall time a schedule may fire at; a date counts with its whole day."""
    if not end:
        return _LAST_WALL
    wall = parse_wall(end)
    return datetime.combine(wall, time.max) if "T" not in end and " " not in end else wall


def _ticks(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """The wall times later than `after` that the schedule names."""
    when = schedule.when
    if isinstance(when, Interval):
        anchor = parse_wall(schedule.start) if schedule.start else _FIRST_WALL
        step = timedelta(microseconds=when.by)
        wall = anchor + ((after - anchor) // step + 1) * step
        while True:
            yield wall
            wall += step
    elif isinstance(when, Every):
        yield from CronSim(_crontab(when), after)
    elif isinstance(when, Cron):
        yield from CronSim(when.expression, after)


def _crontab(every: Every) -> str:
    """The crontab line of a phrase; there 0 is Sunday, here 0 is Monday, and L is the last day of a month (-1 here)."""
    days = ",".join("L" if day == -1 else str(day) for day in every.month_days or ()) or "*"
    weekdays = ",".join(str((day + 1) % 7) for day in every.weekdays or ()) or "*"
    return f"{every.minute % 60} {every.minute // 60} {days} * {weekdays}"
