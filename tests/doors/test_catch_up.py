"""The clock: an occurrence becomes one run, whoever rings, however often, and whatever was slept through."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orchestrator.core.campaigns import Campaign, CampaignState, Every, Misfire, Policy, Schedule
from orchestrator.core.nouns import Channel
from orchestrator.core.times import DAY, HOUR, MINUTE, Instant, instant
from orchestrator.daemon.bells import Edition, NextOccurrence, catch_up
from orchestrator.ledger import RunState, runs

START = instant(datetime(2026, 3, 2, 6, tzinfo=UTC))  # 07:00 in Vienna
DAILY = Schedule(Every(10 * 60), "Europe/Vienna")


def a_campaign(schedule=DAILY, state=CampaignState.LIVE):
    return Campaign("winback", (Channel.EMAIL,), Policy(time_zone="Europe/Vienna"), state=state, schedule=schedule)


def caught_up(ledger, at, campaign=None, version="v1"):
    campaign = campaign or a_campaign()
    return catch_up(ledger, Edition(version, {campaign.name: campaign}), campaign, Instant(at))


def occurrences(ledger):
    return [(run.occurrence, run.state) for run in reversed(runs.listed(ledger.store))]


def test_a_new_campaign_owes_nothing_of_the_past(ledger):
    assert caught_up(ledger, START + 5 * HOUR) == []
    assert occurrences(ledger) == []


def test_an_occurrence_fires_once_however_often_the_bell_rings(ledger, open_ledger):
    caught_up(ledger, START)
    assert len(caught_up(ledger, START + 3 * HOUR)) == 1
    other = open_ledger()
    for at in (3 * HOUR, 3 * HOUR + 1, 4 * HOUR, 2 * HOUR):
        assert caught_up(other, START + at, version="v2") == []
    assert occurrences(ledger) == [("2026-03-02T10:00[Europe/Vienna]", RunState.DUE)]
    assert runs.listed(ledger.store)[0].version == "v1"


def test_two_daemons_with_two_versions_make_one_run(ledger, open_ledger):
    other = open_ledger()
    caught_up(ledger, START)
    seen = other.looked_at("winback")
    made = caught_up(ledger, START + 3 * HOUR, version="v1")
    # The second daemon read what was owed before the first one wrote it down.
    other.store.change("UPDATE meta SET value = ? WHERE name = 'looked:winback'", (str(seen),))
    assert (len(made), caught_up(other, START + 3 * HOUR, version="v2")) == (1, [])


def test_after_a_sleep_the_latest_fires_and_the_others_are_rows_that_say_missed(ledger):
    caught_up(ledger, START)
    caught_up(ledger, START + 2 * DAY + 3 * HOUR + 30 * MINUTE)
    assert [state for _, state in occurrences(ledger)] == [RunState.MISSED, RunState.MISSED, RunState.DUE]


def test_beyond_its_grace_nothing_fires(ledger):
    caught_up(ledger, START)
    caught_up(ledger, START + 3 * HOUR + DAILY.grace + MINUTE)
    assert [state for _, state in occurrences(ledger)] == [RunState.MISSED]


def test_skip_means_only_on_time(ledger):
    skipping = a_campaign(replace(DAILY, misfire=Misfire.SKIP))
    caught_up(ledger, START, skipping)
    caught_up(ledger, START + 3 * HOUR + 2 * MINUTE, skipping)
    assert [state for _, state in occurrences(ledger)] == [RunState.MISSED]


@pytest.mark.parametrize("state", [CampaignState.DRAFT, CampaignState.ENDED])
def test_only_a_live_campaign_fires(ledger, state):
    caught_up(ledger, START, a_campaign(state=state))
    assert caught_up(ledger, START + 3 * HOUR, a_campaign(state=state)) == []


@pytest.mark.parametrize("state", [CampaignState.DRAFT, CampaignState.ENDED])
def test_what_comes_due_while_it_is_not_live_is_not_owed_once_it_is(ledger, state):
    caught_up(ledger, START)
    caught_up(ledger, START + 3 * HOUR, a_campaign(state=state))
    assert caught_up(ledger, START + 4 * HOUR) == [], "within the grace of 10:00, when it was no live campaign"
    assert occurrences(ledger) == []
    assert len(caught_up(ledger, START + DAY + 3 * HOUR)) == 1


def test_a_run_is_of_the_commit_that_holds_when_it_is_fired(ledger):
    said = iter(["commit one", "commit two"])
    edition = Edition("v1", {}, lambda: next(said))
    for day in range(3):
        catch_up(ledger, edition, a_campaign(), Instant(START + day * DAY))
    assert [run.source for run in reversed(runs.listed(ledger.store))] == ["commit one", "commit two"]


def test_the_bell_rings_at_the_occurrence():
    bell = NextOccurrence(DAILY)
    first = bell.get_next_fire_time(None, datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert first == datetime(2026, 3, 29, 8, tzinfo=UTC)  # summer time has begun
    assert bell.get_next_fire_time(first, first) == datetime(2026, 3, 30, 8, tzinfo=UTC)
