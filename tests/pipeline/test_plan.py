"""Planning: every member gets a row on every channel, in shards of one wave, with the variant the draw gives."""

from collections import Counter

from orchestrator.core.assignment import assign
from orchestrator.core.campaigns import Campaign, Every, Experiment, Policy, Schedule
from orchestrator.core.nouns import Address, Channel, OnAmbiguous, Person
from orchestrator.core.times import HOUR
from orchestrator.ledger import NewRun, RunState, planning, runs
from orchestrator.pipeline import PEOPLE_A_SHARD, Cast, plan
from tests.ledger.builders import NOW

CHANNELS = (Channel.PUSH, Channel.EMAIL)


def a_campaign(**over):
    return Campaign("winback", over.pop("channels", CHANNELS), Policy(time_zone="UTC"), **over)


def people(count, zone="", **over):
    return [
        Person(f"u{n:06}", "vips", zone, addresses={Channel.EMAIL: (Address(f"u{n}@shop.example"),)}, **over)
        for n in range(count)
    ]


def planned(ledger, campaign, members, occurrence="2026-03-02T10:00", hold=""):
    run, _ = ledger.fire(NewRun("winback", occurrence, "v", NOW, OnAmbiguous.HOLD), NOW)
    assert planning.begin_planning(ledger.store, run.id, ledger.boot)
    assert plan(ledger, run, campaign, Cast(members, hold), NOW) == len(members)
    return runs.find(ledger.store, run.id)


def test_every_member_has_one_row_on_each_channel_with_or_without_an_address(ledger):
    run = planned(ledger, a_campaign(), people(3))
    rows = ledger.store.rows("SELECT user_id, channel, state FROM delivery WHERE run = ? ORDER BY 1, 2", (run.id,))
    assert rows == [(f"u{n:06}", channel, "planned") for n in range(3) for channel in ("email", "push")]
    assert (run.state, run.audience) == (RunState.WORKING, 3)


def test_a_large_audience_is_cut_into_shards(ledger):
    planned(ledger, a_campaign(channels=(Channel.EMAIL,)), people(PEOPLE_A_SHARD * 2 + 1))
    assert [row[0] for row in ledger.store.rows("SELECT members FROM shard ORDER BY number")] == [
        PEOPLE_A_SHARD,
        PEOPLE_A_SHARD,
        1,
    ]


def test_the_draw_is_stored_with_every_row(ledger):
    campaign = a_campaign(
        channels=(Channel.EMAIL,), experiment=Experiment({"reminder": 50, "discount": 50}, holdout=10)
    )
    planned(ledger, campaign, people(500))
    stored = {
        user: (variant, bool(holdout))
        for user, variant, holdout in ledger.store.rows("SELECT user_id, variant, holdout FROM delivery")
    }
    assert stored == {person.user: assign(campaign, person.user) for person in people(500)}
    assert set(Counter(variant for variant, _ in stored.values())) == {"reminder", "discount"}


def test_a_recipients_zone_schedule_opens_each_wave_at_their_own_hour(ledger):
    schedule = Schedule(Every(10 * 60), "Europe/Vienna", recipient=True)
    members = [*people(2, "Asia/Tokyo"), *people(2, "Europe/Vienna"), *people(1, "America/New_York")]
    members = [Person(f"{person.zone}-{n}", "all", person.zone) for n, person in enumerate(members)]
    planned(ledger, a_campaign(schedule=schedule), members)
    opens = [row[0] for row in ledger.store.rows("SELECT opens_at FROM shard ORDER BY number")]
    assert [(at - NOW) // HOUR for at in opens] == [-8, 0, 6]  # 01:00, 09:00 and 15:00 UTC; NOW is 09:00
    assert ledger.claim(NOW).people[0].zone == "Asia/Tokyo"


def test_a_plan_that_must_wait_for_a_person_waits(ledger):
    run = planned(ledger, a_campaign(), people(3), hold="3 people, expected 2000 to 60000")
    assert (run.state, run.reason) == (RunState.WAITING, "3 people, expected 2000 to 60000")
    assert ledger.claim(NOW) is None
