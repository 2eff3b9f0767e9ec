"""What a dry run says of people is what the ledger says of their rows afterwards."""

from collections import Counter
from dataclasses import replace

import pytest

from orchestrator.cli.occasions import next_of
from orchestrator.core.assignment import ramp_at
from orchestrator.core.campaigns import CampaignState, Cap, Experiment, Mode, QuietHours, Schedule
from orchestrator.core.facts import RunFacts
from orchestrator.core.nouns import Address
from orchestrator.core.reasons import Reason, furthest
from orchestrator.core.times import DAY, HOUR, Instant
from orchestrator.core.timetables import every
from orchestrator.ledger import ConsentChange, deliveries, figures, standing
from orchestrator.pipeline import Asked
from tests.ledger.builders import NOW, a_person, a_run
from tests.pipeline.forecasts import forecast
from tests.pipeline.test_work import MAIL, PUSH, Stage, a_campaign, people


def mixed():
    """600 people: of each six two have both addresses, two only mail, one only a device, one none."""
    found = []
    for number, person in enumerate(people(600)):
        has = (MAIL, PUSH), (MAIL, PUSH), (MAIL,), (MAIL,), (PUSH,), ()
        found.append(replace(person, addresses={it: person.addresses[it] for it in has[number % 6]}))
    return found


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("lasts", [1, 7])
async def test_the_numbers_of_a_plan_are_those_of_the_ledger(ledger, mode, lasts):
    """A ramp that keeps most out, for longer than messages live or for less; some have no consent for push, some for none."""
    steps = ((30.0, lasts * DAY), (60.0, DAY))
    campaign = replace(
        a_campaign(mode, expires=2 * DAY), experiment=Experiment({"a": 50, "b": 50}, holdout=10, ramp=steps)
    )
    members = mixed()
    stage = Stage(ledger, campaign, members)
    refuse = [(person.user, PUSH) for person in members[::3]] + [(person.user, MAIL) for person in members[::9]]
    ledger.change_consent([ConsentChange(*who, "offers", False, NOW, "test") for who in refuse])
    ramp, grows_at = ramp_at(campaign, NOW, NOW)
    found = forecast(ledger, campaign, members, RunFacts(0, NOW, NOW, ramp=ramp, ramp_grows_at=grows_at), NOW)
    await stage.drain(Instant(NOW))

    rows = {}
    for row in deliveries.listed(ledger.store, deliveries.Asked(run=stage.run.id, limit=9999)):
        rows.setdefault(row.key.user, []).append(row)
    assert found.people == len(rows) == len(members)
    kept = {state: _people(rows, state) for state in ("accepted", "held")}
    assert found.reached == len(kept["accepted"]) > 50
    held = kept["held"] - kept["accepted"]
    assert found.held.total() == len(held)
    assert bool(held) == (lasts == 1)
    over = [rows[user] for user in rows.keys() - kept["accepted"] - held]
    ended = Counter(furthest(Reason(row.reason) for row in theirs) for theirs in over)
    assert ended.pop(Reason.HOLDOUT) == found.holdout > 5
    assert ended == Counter({reason: people for (reason, _), people in found.nothing.items()})
    people = standing.people(ledger.store, stage.run.id)
    assert (people.people, people.reached, people.waiting) == (found.people, found.reached, found.held.total())
    assert (people.holdout, people.failed, people.in_doubt) == (found.holdout, 0, 0)
    assert people.nothing == ended
    outside = {user for user, theirs in rows.items() if any(row.reason == "ramp" for row in theirs)}
    assert len(outside) == found.held[Reason.RAMP] + found.nothing[Reason.RAMP, ""] > 200


@pytest.mark.parametrize(("recipient", "without"), [(True, 3), (False, 0)])
def test_people_without_a_zone_we_know_are_counted_where_everybody_is_sent_to_in_their_own(ledger, recipient, without):
    zones = ["Europe/Vienna", "", "Mars/Base", "Asia/Tokyo", "localtime"]
    members = [replace(person, zone=zone) for person, zone in zip(people(5), zones, strict=True)]
    campaign = replace(a_campaign(), schedule=Schedule(every("day at 10:00"), "Europe/Vienna", recipient=recipient))
    assert forecast(ledger, campaign, members, RunFacts(0, NOW, NOW), NOW).zoneless == without


@pytest.mark.parametrize(
    ("states", "counted"),
    [
        (("failed", "accepted"), "reached"),
        (("bounced", "held"), "waiting"),
        (("unknown", "failed"), "in_doubt"),
        (("render_failed", "skipped"), "failed"),
    ],
)
def test_of_a_persons_rows_the_best_counts(ledger, states, counted):
    run = a_run(ledger, a_person("u1"), a_person("u2"))
    with ledger.store.transaction():
        for channel, state in zip((MAIL, PUSH), states, strict=True):
            set_state = "UPDATE delivery SET state = ? WHERE user_id = 'u1' AND channel = ?"
            ledger.store.change(set_state, (state, channel))
        ledger.store.change("UPDATE delivery SET state = 'skipped', reason = 'late' WHERE user_id = 'u2'", ())
    people = standing.people(ledger.store, run.id)
    assert (people.people, getattr(people, counted), people.nothing) == (2, 1, {Reason.LATE: 1})


def _people(rows, state):
    return {user for user, theirs in rows.items() if any(row.state == state for row in theirs)}


@pytest.mark.parametrize(
    ("reasons", "decides"),
    [
        (("no_consent", "ramp"), "ramp"),
        (("ramp", "no_consent"), "ramp"),
        (("no_consent", "no_address"), "no_address"),
        (("other_channel", "no_consent"), "no_consent"),
        (("other_channel", "other_channel"), "other_channel"),
        (("capped", "holdout"), "holdout"),
    ],
)
def test_the_row_that_came_furthest_decides(reasons, decides):
    assert furthest(map(Reason, reasons)) == decides


def test_everybody_is_judged_when_their_own_wave_opens(ledger):
    """Noon in UTC lies in the quiet hours of half of them; at ten in the morning of their own nobody sleeps."""
    zones = ["Europe/Vienna", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Auckland"]
    members = [replace(person, zone=zones[n % 4]) for n, person in enumerate(people(40))]
    ledger.change_consent([ConsentChange(it.user, PUSH, "offers", True, Instant(NOW - DAY), "test") for it in members])
    schedule = Schedule(every("day at 10:00"), "UTC", recipient=True)
    campaign = replace(a_campaign(quiet_hours=QuietHours(17 * 60, 9 * 60)), schedule=schedule)
    occasion = next_of(replace(campaign, state=CampaignState.LIVE), NOW)
    run, waves = occasion.facts(campaign, None)
    found = forecast(ledger, campaign, members, run, NOW, waves=waves)
    assert (found.reached, found.held.total()) == (40, 0)
    assert (found.first.zone, found.last.zone) == ("Pacific/Auckland", "America/Los_Angeles")
    assert found.last.at - found.first.at == 21 * HOUR
    at_once = forecast(ledger, campaign, members, RunFacts(0, NOW, NOW), NOW)
    assert 0 < at_once.held[Reason.QUIET_HOURS] < 40


def test_people_are_named_up_to_a_limit_and_those_of_one_reason_only(ledger):
    members = people(30)
    ledger.change_consent([ConsentChange(it.user, MAIL, "offers", True, NOW, "test") for it in members[::3]])
    found = forecast(
        ledger, a_campaign(channels=(MAIL,)), members, RunFacts(0, NOW, NOW), NOW, asked=Asked(Reason.NO_CONSENT, 5)
    )
    assert [it.user for it in found.named] == ["u00001", "u00002", "u00004", "u00005", "u00007"]
    assert {(it.reason, it.detail, it.segment) for it in found.named} == {(Reason.NO_CONSENT, "offers", "vips")}
    assert found.nothing[Reason.NO_CONSENT, "offers"] == 20


def test_who_waits_is_named_with_the_moment_their_message_may_leave(ledger):
    members = people(3)
    ledger.change_consent([ConsentChange(it.user, MAIL, "offers", True, NOW, "test") for it in members])
    asked = Asked(Reason.QUIET_HOURS, 5)
    night = a_campaign(channels=(MAIL,), quiet_hours=QuietHours(0, 23 * 60))
    found = forecast(ledger, night, members, RunFacts(0, NOW, NOW), NOW, asked=asked)
    midnight = NOW - NOW % DAY
    assert {(it.reason, it.until) for it in found.named} == {(Reason.QUIET_HOURS, midnight + 23 * HOUR)}
    assert len(found.named) == found.held[Reason.QUIET_HOURS] == 3


def test_addresses_that_several_share_are_counted_by_channel(ledger):
    members = [
        replace(person, addresses={MAIL: (Address("family@x.test" if n < 4 else f"{n}@x.test"),)})
        for n, person in enumerate(people(10))
    ]
    ledger.change_consent([ConsentChange(it.user, MAIL, "offers", True, NOW, "test") for it in members])
    found = forecast(ledger, a_campaign(channels=(MAIL,)), members, RunFacts(0, NOW, NOW), NOW)
    assert (found.reached, found.shared) == (10, 3)


async def test_a_cap_is_filled_by_the_campaign_of_the_newest_message_that_counts_for_it(ledger):
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(20))
    await stage.drain()
    capped = replace(a_campaign(channels=(MAIL,), caps=(Cap(1, DAY, PUSH), Cap(1, DAY, MAIL))), name="spring")
    found = forecast(ledger, capped, people(25), RunFacts(0, NOW, NOW), NOW)
    why = Reason.CAPPED, "1 email per day"
    assert found.nothing == {why: 20, (Reason.NO_CONSENT, "offers"): 5}
    assert found.capped_by == {why: {"winback": 20}}
    now = Instant(NOW + DAY)
    assert forecast(ledger, capped, people(20), RunFacts(0, now, now), now).reached == 20


async def test_the_rate_of_sending_is_known_after_a_run_and_counts_no_pauses(ledger):
    assert figures.sending_rate(ledger.store) is None
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(300))
    await stage.drain()
    assert figures.sending_rate(ledger.store) == 300
    with ledger.store.transaction():
        ledger.store.change("UPDATE delivery SET intent_at = intent_at + ? WHERE user_id >= 'u00150'", (HOUR,))
    assert figures.sending_rate(ledger.store) == 150
