"""Reasons in the words of a campaign; and schedules as the head of a plan says them."""

import pytest

from orchestrator.core.campaigns import Campaign, Cron, Once, Policy, Repeat, Schedule
from orchestrator.core.nouns import Channel
from orchestrator.core.plain_reasons import say_reason
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY
from orchestrator.core.timetables import every, say_schedule

CAMPAIGN = Campaign(
    "winback", (Channel.PUSH, Channel.EMAIL), Policy("UTC", topic="offers"), repeat=Repeat(after=90 * DAY)
)
MAIL = "templates/winback/_default/email.mjml:14"


@pytest.mark.parametrize(
    ("reason", "detail", "words", "where"),
    [
        (Reason.NO_CONSENT, "offers", "no consent for offers", ""),
        (Reason.NO_ADDRESS, "", "no push and no e-mail address", ""),
        (Reason.CAPPED, "1 message per week", "capped, 1 message per week", ""),
        (Reason.MISSING_DATA, f"latest.add_to_cart.image ({MAIL})", "missing latest.add_to_cart.image", MAIL),
        (Reason.MISSING_DATA, "latest", "missing latest", ""),
        (Reason.TEMPLATE_ERROR, f"'x' is not a number ({MAIL})", "the template fails", f"{MAIL}: 'x' is not a number"),
        (Reason.REPEAT, "", "had it in the last 90 days", ""),
        (Reason.NOT_A_SEED, "", "not a seed", ""),
        (Reason.ADDRESS_GONE, "", "address gone", ""),
    ],
)
def test_a_reason_is_said_in_the_words_of_the_campaign(reason, detail, words, where):
    assert say_reason(reason, detail, CAMPAIGN) == (words, where)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason):
    words, _ = say_reason(reason, "", CAMPAIGN)
    assert words
    assert "_" not in words


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (Schedule(every("day at 10:00"), "Europe/Vienna", recipient=True), "each at 10:00 in their own zone"),
        (Schedule(every("monday at 08:00"), "America/New_York"), "every monday at 08:00 New York"),
        (Schedule(every("monday at 08:00"), "UTC", recipient=True), "every monday at 08:00 on everybody's own clock"),
        (Schedule(every("15 minutes"), "Europe/Vienna"), "every 15 minutes Vienna"),
        (Schedule(Once("2026-03-02T10:00"), "Europe/Vienna"), "once, 2026-03-02 10:00 Vienna"),
        (Schedule(Cron("0 9 * * 1-5"), "UTC"), "cron 0 9 * * 1-5 UTC"),
    ],
)
def test_a_schedule_is_said_in_words(schedule, said):
    assert say_schedule(schedule) == said
