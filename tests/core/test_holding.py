"""Why a run waits for a person, every reason of it; and when a campaign has ended: the clock can start no run of it any more."""

import pytest

from orchestrator.core.campaigns import Campaign, CampaignState, Every, HoldIf, Once, Policy, Schedule, Trigger
from orchestrator.core.holding import ended, in_one, reason_to_hold
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


ODD = "192 people, expected 2,000 to 60,000"
LARGE = "192 people, more than 100 need approval"
LATE = "no purchase in the last 3 hours: the data is late"
LATER = "no visit in the last 1 hour: the data is late"


@pytest.mark.parametrize(
    ("rules", "last_purchase", "why"),
    [
        ({}, 0, ""),
        ({"approve_over": 192, "audience_outside": (192, 192), "no_recent": {"purchase": 3 * HOUR}}, 3 * HOUR, ""),
        ({"approve_over": 100}, 0, LARGE),
        ({"audience_outside": (2000, 60_000), "approve_over": 100}, 0, f"{ODD}; {LARGE}"),
        (
            {"audience_outside": (2000, 60_000), "approve_over": 100, "no_recent": {"purchase": 3 * HOUR, "visit": HOUR}},
            4 * HOUR,
            f"{LATE}; {LATER}; {ODD}; {LARGE}",
        ),
    ],
)  # fmt: skip
def test_a_run_names_every_rule_it_breaks_for_one_approval_waives_them_all(rules, last_purchase, why):
    newest = {"purchase": Instant(NOON - last_purchase)}
    assert reason_to_hold(HoldIf(**rules), 192, newest, NOON) == why


def test_reasons_of_several_kinds_are_one_text_and_none_is_no_text():
    assert (in_one("", ODD, "", "no word"), in_one("", "")) == (f"{ODD}; no word", "")
