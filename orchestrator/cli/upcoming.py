"""When the clock starts a campaign next, and what keeps it from that."""

from dataclasses import dataclass

from orchestrator.core.campaigns import Campaign, CampaignState, Occurrence, Once, Schedule
from orchestrator.core.holding import ended
from orchestrator.core.occurrences import next_occurrence, parse_wall
from orchestrator.core.times import Instant
from orchestrator.core.zones import wall_at, zone_of


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The moment of the next run by the clock, None for none, and the words for it."""

    at: Instant | None
    text: str


def upcoming(campaign: Campaign, now: Instant) -> Upcoming:
    """When the clock starts the campaign next, on the wall of its schedule's zone.

    With everybody's own zone the moment is that of the first on earth.
    """
    if why := _idle(campaign, now):
        return Upcoming(None, why)
    schedule = campaign.schedule
    found = next_occurrence(schedule, now) if schedule is not None else None
    if schedule is None or found is None:
        return Upcoming(None, "never: its last moment has passed")
    return Upcoming(found.at, say_fire(schedule, found))


def say_fire(schedule: Schedule, found: Occurrence) -> str:
    """When an occurrence of a schedule is, on its own wall: the moment of the first on earth would name a time nobody wrote."""
    if schedule.recipient:
        wall = parse_wall(schedule.when.wall if isinstance(schedule.when, Once) else found.key)
        return f"{wall:%Y-%m-%d %H:%M} on everybody's own clock"
    return f"{wall_at(zone_of(schedule.zone, ''), found.at):%Y-%m-%d %H:%M} {schedule.zone}"


def _idle(campaign: Campaign, now: Instant) -> str:
    """Why the clock has nothing to do with a campaign, empty if it has."""
    by_hand = f"by hand: orchestrator send {campaign.name}"
    if campaign.state is CampaignState.DRAFT:
        return f"not by the clock, for it is a draft; {by_hand}"
    if why := ended(campaign, now):
        return f"never: it has ended ({why})"
    if campaign.trigger is not None:
        return f"not by itself, for triggers start nothing yet; {by_hand}"
    return by_hand if campaign.schedule is None else ""
