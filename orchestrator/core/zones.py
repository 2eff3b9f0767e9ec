"""What the clock on the wall shows, anywhere on earth: time zones, their shifts, and the moment of a wall time."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from orchestrator.core.times import HOUR, SECOND, Instant, instant, moment

MOST_EAST = 14 * HOUR
"""No clock on earth is further ahead of UTC (Kiritimati), in microseconds."""
MOST_WEST = -12 * HOUR
"""No clock on earth is further behind UTC (Baker Island), in microseconds."""

_MACHINES_OWN = ("localtime", "posixrules", "posix/", "right/")
"""Names that zoneinfo may find on a disk and that mean another clock on every machine, or count leap seconds."""


@lru_cache(maxsize=2048)
def find_zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, None for a blank or unknown one."""
    if not name or name.startswith(_MACHINES_OWN):
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):  # no such file, a folder of zones, a name that climbs out of them
        return None


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """Every name that `find_zone` knows, in order of the alphabet."""
    return tuple(sorted(name for name in available_timezones() if not name.startswith(_MACHINES_OWN)))


@lru_cache(maxsize=4096)
def zone_of(name: str, fallback: str) -> ZoneInfo:
    """A person's zone, or the fallback (the project's) if theirs is blank or unknown; UTC if neither is known."""
    return find_zone(name) or find_zone(fallback) or ZoneInfo("UTC")


def _ask(zone: ZoneInfo, at: int) -> int:
    """The zone's offset at a moment, straight from the tables."""
    shift = moment(Instant(at)).astimezone(zone).utcoffset()
    return shift // timedelta(microseconds=1) if shift else 0


def _turn(zone: ZoneInfo, low: int, high: int) -> int:
    """The one moment in (low, high] at which the zone's offset changes; zones change at whole seconds."""
    before = _ask(zone, low)
    low, high = low // SECOND, -(-high // SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if _ask(zone, middle * SECOND) == before:
            low = middle
        else:
            high = middle
    return high * SECOND


@lru_cache(maxsize=16384)
def _hour(zone: ZoneInfo, hour: int) -> tuple[int, int, int]:
    """(turn, offset before it, offset from it on) for one hour of UTC; without a change, turn is the hour's end."""
    start, end = hour * HOUR, (hour + 1) * HOUR
    before, after = _ask(zone, start), _ask(zone, end)
    return (end if before == after else _turn(zone, start, end)), before, after


def offset(zone: ZoneInfo, at: Instant) -> int:
    """How far the zone's clocks are ahead of UTC at this moment, in microseconds; exact to the second of a shift."""
    turn, before, after = _hour(zone, at // HOUR)
    return before if at < turn else after


def next_shift(zone: ZoneInfo, after: Instant, until: Instant) -> Instant | None:
    """The first moment in (after, until] at which the clocks are moved, None if they are not. For spans of a day or so."""
    for hour in range(after // HOUR, until // HOUR + 1):
        turn, before, then = _hour(zone, hour)
        if before != then and after < turn <= until:
            return Instant(turn)
    return None


def wall_at(zone: ZoneInfo, at: Instant) -> datetime:
    """What the clock shows at this moment, as a datetime without a zone."""
    return moment(at).astimezone(zone).replace(tzinfo=None)


def at_wall(zone: ZoneInfo, wall: datetime) -> Instant:
    """The moment the clock shows this wall time.

    Shown twice (clocks go back): the first time. Never shown (clocks go forward): the first moment after the gap.
    """
    first = instant(wall.replace(tzinfo=zone, fold=0).astimezone(UTC))
    if wall_at(zone, first) == wall:
        return first
    # PEP 495: inside a gap, fold 0 reads the offset before it and fold 1 the one after, which swaps early and late.
    early = instant(wall.replace(tzinfo=zone, fold=1).astimezone(UTC))
    return Instant(_turn(zone, early, first))


def day_exists(zone: ZoneInfo, wall: datetime) -> bool:
    """Whether this calendar day happened there: Samoa had no 30 December 2011."""
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    return wall_at(zone, at_wall(zone, midnight)).date() == wall.date()
