"""For which moment a plan is made: the next run by the clock, a run by hand, or the runs of a day to come."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from orchestrator.core.assignment import ramp_at
from orchestrator.core.campaigns import Campaign, Occurrence
from orchestrator.core.facts import RunFacts
from orchestrator.core.holding import by_clock
from orchestrator.core.occurrences import next_occurrence, occurrences, wave
from orchestrator.core.times import Instant, instant
from orchestrator.core.zones import MOST_EAST, at_wall, zone_of


@dataclass(frozen=True, slots=True)
class Occasion:
    """A run to be imagined. `at` is the moment as of which its audience is asked for, `now` the moment somebody asks.

    `fires` is the occurrence of the schedule; None for a run by hand, in which everybody is judged at `at`.
    """

    at: Instant
    now: Instant
    fires: Occurrence | None = None
    named: bool = False
    """Whether somebody named the moment."""

    @property
    def due_at(self) -> Instant:
        """When the run would be due."""
        return self.at if self.fires is None else self.fires.at

    def facts(self, campaign: Campaign, began: Instant | None) -> tuple[RunFacts, Callable[[str], RunFacts] | None]:
        """What the judge is told of the run; and of the waves of a schedule in everybody's own zone, by zone."""
        first = self._opening(campaign, began, self.due_at)
        schedule, fires = campaign.schedule, self.fires
        if fires is None or schedule is None or not schedule.recipient:
            return first, None

        @lru_cache(maxsize=2048)
        def opens(zone: str) -> RunFacts:
            return self._opening(campaign, began, wave(schedule, fires.key, zone))

        return first, opens

    def _opening(self, campaign: Campaign, began: Instant | None, opens_at: Instant) -> RunFacts:
        ramp, grows_at = ramp_at(campaign, began or self.due_at, opens_at)
        return RunFacts(0, self.due_at, opens_at, ramp=ramp, ramp_grows_at=grows_at)


def by_hand(at: Instant, now: Instant | None = None) -> Occasion:
    """As somebody would send it at this moment, whatever the schedule says."""
    return Occasion(at, at if now is None else now, named=now is not None)


def next_of(campaign: Campaign, now: Instant) -> Occasion:
    """The next run by the clock, for the audience of now; by hand now, if the clock starts none."""
    schedule = by_clock(campaign)
    if schedule is None:
        return by_hand(now)
    return Occasion(now, now, next_occurrence(schedule, now))


def on_day(campaign: Campaign, day: date, zone: str, now: Instant) -> list[Occasion]:
    """The runs the clock starts on a day of the project's calendar, each for its audience of then; those of a minute each apart too.

    In everybody's own zone, the day is everybody's own.
    """
    schedule = by_clock(campaign)
    if schedule is None:
        return []
    start, end = (
        (_first_on_earth(day), _first_on_earth(day + timedelta(days=1)))
        if schedule.recipient
        else (_midnight(day, zone), _midnight(day + timedelta(days=1), zone))
    )
    fires = occurrences(schedule, Instant(start - 1), Instant(end - 1))
    return [Occasion(it.at, now, it, named=True) for it in fires]


def _midnight(day: date, zone: str) -> Instant:
    return at_wall(zone_of(zone, ""), datetime.combine(day, time.min))


def _first_on_earth(day: date) -> Instant:
    return Instant(instant(datetime.combine(day, time.min, UTC)) - MOST_EAST)
