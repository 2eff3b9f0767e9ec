"""What keeps the clock from sending a campaign: a run that waits for a person, a schedule that is over."""

from collections.abc import Iterator, Mapping

from orchestrator.core.campaigns import Campaign, CampaignState, HoldIf, Once, Schedule
from orchestrator.core.occurrences import next_occurrence
from orchestrator.core.phrases import say_duration
from orchestrator.core.times import Instant
from orchestrator.core.zones import MOST_EAST, MOST_WEST


def reason_to_hold(hold_if: HoldIf, audience: int, newest: Mapping[str, Instant], now: Instant) -> str:
    """Every reason why a run of this size waits for a person, empty if it need not. `newest` are the latest events by name."""
    return in_one(*_late(hold_if, newest, now), _odd(hold_if, audience), too_large(hold_if, audience))


def in_one(*reasons: str) -> str:
    """Reasons to wait as one text: whoever approves the run waives them all, so each is named; empty if there is none."""
    return "; ".join(filter(None, reasons))


def _late(hold_if: HoldIf, newest: Mapping[str, Instant], now: Instant) -> Iterator[str]:
    """Events that are missing for longer than they ever should be."""
    for event, within in hold_if.no_recent.items():
        if newest.get(event, Instant(0)) < now - within:
            yield f"no {event} in the last {say_duration(within)}: the data is late"


def _odd(hold_if: HoldIf, audience: int) -> str:
    if hold_if.audience_outside is None:
        return ""
    low, high = hold_if.audience_outside
    return "" if low <= audience <= high else f"{audience:,} people, expected {low:,} to {high:,}"


def too_large(hold_if: HoldIf, audience: int) -> str:
    """Why so many people need a person's approval, empty if they do not."""
    if hold_if.approve_over is None or audience <= hold_if.approve_over:
        return ""
    return f"{audience:,} people, more than {hold_if.approve_over:,} need approval"


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
