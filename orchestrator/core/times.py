"""Moments and durations: whole microseconds since 1970 in UTC, so that they compare, store and add exactly."""

from datetime import UTC, datetime, timedelta
from typing import NewType, Protocol

Instant = NewType("Instant", int)
"""A moment: microseconds since 1970-01-01T00:00:00Z."""

MICROSECOND = 1
MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
"""24 hours, whatever the clocks do that day."""

NEVER = Instant(2**62)
"""Later than every moment there is; fits a signed 64-bit column."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Who tells the time. Only the doors own one; everybody else is handed a moment."""

    def now(self) -> Instant:
        """Return the present moment."""
        ...


def instant(moment: datetime) -> Instant:
    """Turn an aware datetime into an instant; ValueError for a naive one, whose zone nobody can know."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; add one, for example {moment.isoformat()}Z")
    # Integer arithmetic: a float of seconds loses microseconds after 2242.
    return Instant((moment - _EPOCH) // timedelta(microseconds=1))


def moment(at: Instant) -> datetime:
    """Turn an instant into an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=at)


def later(at: Instant, by: int) -> Instant:
    """The moment `by` microseconds after `at` (before it, if negative)."""
    return Instant(at + by)


def iso(at: Instant) -> str:
    """ISO 8601 in UTC, with the fraction only if there is one: `2026-03-02T09:00:00Z`."""
    return moment(at).isoformat().replace("+00:00", "Z")
