"""What keeps the clock from sending a campaign: a run that waits for a person, a schedule that is over."""

from collections.abc import Mapping

from orchestrator.core.campaigns import Campaign, CampaignState, HoldIf, Once, Schedule
from orchestrator.core.occurrences import next_occurrence
from orchestrator.core.phrases import say_duration
from orchestrator.core.times import Instant
from orchestrator.core.zones import MOST_EAST, MOST_WEST


def reason_to_hold(hold_if: HoldIf, audience: int, newest: Mapping[str, Instant], now: Instant) -> str:
    """Why a run of this size waits for a person, empty if it need not. `newest` are the latest events by name."""
    for event, within in hold_if.no_recent.items():
        if newest.get(event, Instant(0)) < now - within:
            return f"no {event} in the last {say_duration(within)}: the data is late"
    if hold_if.audience_outside is not None:
        low, high = hold_if.audience_outside
        if not low <= audience <= high:
            return f"{audience:,} people, expected {low:,} to {high:,}"
    if hold_if.approve_over is not None and audience > hold_if.approve_over:
        return f"{audience:,} people, more than {hold_if.approve_over:,} need approval"
    return ""


def by_clock(campaign: Campaign) -> Schedule | None:
    """The schedule by which the clock starts a campaign's runs; None if it starts none, as without one or while it is no live campaign."""
    return campaign.schedule if campaign.state is CampaignState.LIVE else None


def ended(campaign: Campaign, now: Instant) -> str:
    """Why the clock starts no run of a campaign any more (`end: 2026-06-30`), empty if it still may, or never did."""
    if campaign.state is CampaignState.ENDED:
        return "state: ended"
    schedule = campaign.schedule
    if schedule is None or campaign.trigger is not None:
        return ""
    # A moment that was slept through may be caught up with.
    late = schedule.grace + (MOST_EAST - MOST_WEST if schedule.recipient else 0)
    if next_occurrence(schedule, Instant(now - late)) is not None:
        return ""
    return f"once: {schedule.when.wall}" if isinstance(schedule.when, Once) else f"end: {schedule.end}"
