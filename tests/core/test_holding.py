"""A campaign has ended when the clock can start no run of it any more, not even one it slept through."""

import pytest

from orchestrator.core.campaigns import Campaign, CampaignState, Every, Once, Policy, Schedule, Trigger
from orchestrator.core.holding import ended
from orchestrator.core.nouns import Channel
from orchestrator.core.times import DAY, HOUR, Instant

NOON = Instant(1_772_452_800_000_000)
"""2 March 2026, 12:00 UTC."""


def a_campaign(when=None, end="", state=CampaignState.LIVE, **more):
    schedule = Schedule(when, "UTC", end=end, recipient=more.pop("recipient", False), grace=6 * HOUR) if when else None
    return Campaign("spring", (Channel.EMAIL,), Policy("UTC"), schedule=schedule, state=state, **more)


@pytest.mark.parametrize(
    ("campaign", "after", "why"),
    [
        (a_campaign(Every(12 * 60)), 0, ""),
        (a_campaign(Every(12 * 60), "2026-03-02"), 5 * HOUR, ""),
        (a_campaign(Every(12 * 60), "2026-03-02"), 7 * HOUR, "end: 2026-03-02"),
        (a_campaign(Every(12 * 60), "2026-03-02", recipient=True), 7 * HOUR, ""),
        (a_campaign(Every(12 * 60), "2026-03-02", recipient=True), 2 * DAY, "end: 2026-03-02"),
        (a_campaign(Once("2026-03-02T12:00")), 7 * HOUR, "once: 2026-03-02T12:00"),
        (a_campaign(Once("2026-03-03T12:00")), 7 * HOUR, ""),
        (a_campaign(), DAY, ""),
        (a_campaign(state=CampaignState.ENDED), 0, "state: ended"),
        (a_campaign(Every(12 * 60), "2026-03-02", trigger=Trigger("purchase")), DAY, ""),
    ],
)
def test_when_a_campaign_has_ended_and_why(campaign, after, why):
    assert ended(campaign, Instant(NOON + after)) == why
