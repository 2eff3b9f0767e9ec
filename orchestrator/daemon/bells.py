"""The clock: bells that ring at each occurrence, and what is fired when one rings.

APScheduler only rings the bell. What is due is read from the schedule itself, and a unique row in the ledger decides who
fires it, so a bell that rings twice, late or in two daemons at once makes one run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from orchestrator.core.campaigns import Campaign, CampaignState, Schedule
from orchestrator.core.holding import by_clock
from orchestrator.core.occurrences import missed, next_occurrence
from orchestrator.core.times import Clock, Instant, instant, moment
from orchestrator.ledger import Ledger, NewRun, RunState
from orchestrator.logs import Log
from orchestrator.pipeline import LedgerThread

log = Log("daemon")


@dataclass(frozen=True, slots=True)
class Edition:
    """The configuration in force: campaigns of one whole tree, its version, and which commit that is when a run is fired."""

    version: str
    campaigns: Mapping[str, Campaign]
    source: Callable[[], object] = str


class NextOccurrence(BaseTrigger):  # type: ignore[misc] # APScheduler ships no types
    """Rings at each occurrence of a schedule."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next moment after the last one, or after now."""
        after = instant(now if previous_fire_time is None else max(previous_fire_time, now))
        found = next_occurrence(self.schedule, after)
        return None if found is None else moment(found.at)


def catch_up(ledger: Ledger, edition: Edition, campaign: Campaign, now: Instant) -> list[int]:
    """Fire what a campaign's schedule owes up to now; returns the runs this call made.

    A campaign nobody has seen before owes nothing of the past, nor does one of the time it was a draft. Missed
    occurrences become rows too, in state missed.
    """
    if campaign.schedule is None:
        return []
    seen = ledger.looked_at(campaign.name)
    if campaign.state is not CampaignState.LIVE:
        if seen is not None:
            ledger.look(campaign.name, now)
        return []
    made = []
    if seen is not None:
        owed = missed(campaign.schedule, seen, now)
        due = [(occurrence, RunState.MISSED) for occurrence in owed.missed]
        due += [(owed.fire, RunState.DUE)] if owed.fire else []
        source = str(edition.source()) if due else ""
        for occurrence, state in due:
            new = NewRun(
                campaign.name,
                occurrence.key,
                edition.version,
                occurrence.at,
                campaign.policy.on_ambiguous,
                source,
                state,
            )
            run, fired = ledger.fire(new, now)
            if fired:
                made.append(run.id)
                log.info("run.fired", run=run.id, campaign=campaign.name, occurrence=occurrence.key, state=state)
    ledger.look(campaign.name, now)
    return made


class Bells:
    """The clock of all live campaigns; `ring` is called with a campaign's name at each of its occurrences."""

    def __init__(self, ring: Callable[[str], None]) -> None:
        self._ring = ring
        self._scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True})

    def start(self) -> None:
        """Begin to ring."""
        self._scheduler.start()

    def set(self, campaigns: Mapping[str, Campaign]) -> None:
        """Ring for these campaigns from now on, and for no others."""
        self._scheduler.remove_all_jobs()
        for name, campaign in campaigns.items():
            if (schedule := by_clock(campaign)) is not None:
                self._scheduler.add_job(self._ring, NextOccurrence(schedule), args=[name], id=name)

    def stop(self) -> None:
        """Ring no more."""
        self._scheduler.shutdown(wait=False)


async def tick(ledger: LedgerThread, edition: Edition, clock: Clock) -> list[int]:
    """Catch up on every campaign; the runs that were made."""
    made: list[int] = []
    for campaign in edition.campaigns.values():
        made += await ledger(lambda held, campaign=campaign: catch_up(held, edition, campaign, clock.now()))  # type: ignore[misc] # bound now
    return made
