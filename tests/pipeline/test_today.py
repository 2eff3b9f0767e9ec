"""What `today` tells, on both ledgers: the numbers of the report, a usual day of the same campaign, and data against its own past."""

import os
import re
from functools import partial

import pytest

from orchestrator import app, checking, planner
from orchestrator.audience.freshness import Fresh, freshness
from orchestrator.cli.following import told as told_people
from orchestrator.cli.morning_lines import _of_event, sections
from orchestrator.core.times import DAY, HOUR, MINUTE, Instant
from orchestrator.ledger import RunState, arrivals, pace, runs, standing
from orchestrator.ledger.arrivals import Incoming
from orchestrator.pipeline import Mirrors
from orchestrator.pipeline.today import Seen, morning
from tests.doors.shop import FILES, NOON, Shop, did

NO_DAEMON = "no daemon runs: nothing is sent by the clock"
SETTINGS = "config/orchestrator.yaml"
SPRING = "config/campaigns/spring.yaml"
TWO = {
    **FILES,
    SETTINGS: FILES[SETTINGS].replace("security: none}", "security: none, rate: 8 per day}"),
    "config/campaigns/autumn.yaml": FILES[SPRING]
    .replace("Spring", "Autumn")
    .replace("[austrians, swiss]", "[austrians]")
    .replace("12:00", "18:00")
    .replace("repeat: always", "repeat: always\nhold_if: {no_recent: {purchase: 3 hours}}"),
    "templates/autumn/_default/email.html": FILES["templates/spring/_default/email.html"],
}


@pytest.fixture
def shop(tmp_path, ledger_url, monkeypatch):
    """Two campaigns, three Austrians and a Swiss."""
    monkeypatch.setenv("SHOP_LEDGER", ledger_url)
    made = Shop(tmp_path, TWO)
    made.people(ada="Ada", bo="Bo", cy="Cy")
    made.people("CH", di="Di")
    yield made
    made.ledger.close()


@pytest.fixture
def daemon(shop, open_ledger):
    """One that lives."""
    open_ledger().begin_boot("supervisor", NOON)


def at(shop, moment):
    shop.clock.at = Instant(moment)


def sends(shop, campaign="spring", days_ago=0):
    """A run of the campaign, so many days ago, to its end; its number."""
    at(shop, NOON - days_ago * DAY)
    run = shop.fire(campaign, f"{campaign} {days_ago}")
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    shop.drain()
    return run.id


def look(shop, moment=NOON + HOUR):
    at(shop, moment)
    opened = shop.opened
    return morning(
        shop.ledger,
        opened.project,
        opened.files,
        shop.audience,
        shop.root,
        shop.clock.now(),
        partial(checking.takers, opened.project, opened.files),
    )


def whats(found):
    return [(one.campaign, one.what, one.people, one.command) for one in found.needs]


def test_the_people_of_the_last_day_are_those_of_the_report(shop):
    run = sends(shop)
    [lately] = look(shop).lately
    assert lately.runs == (run,)
    assert told_people(lately.people) == told_people(standing.people(shop.ledger.store, run))
    assert (lately.people.people, lately.people.reached, lately.usual, lately.goal) == (4, 4, None, 0)


def test_a_day_is_held_against_the_median_of_the_days_before(shop):
    for days, country in ((3, "AT"), (2, "XX"), (1, "XX")):
        shop.people(country, di="Di")
        shop.people("AT" if days > 1 else "XX", cy="Cy")
        sends(shop, days_ago=days)
    shop.people("CH", di="Di")
    shop.people("AT", cy="Cy")
    sends(shop)
    [lately] = look(shop).lately
    assert [standing.people(shop.ledger.store, number).reached for number in (1, 2, 3)] == [4, 3, 2]
    assert (lately.people.reached, lately.usual) == (4, 3.0)


def test_two_runs_of_a_day_are_added_up_and_an_older_one_is_no_longer_of_it(shop):
    sends(shop, days_ago=1)
    at(shop, NOON - 2 * HOUR)
    run = shop.fire("spring", "by hand")
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    shop.drain()
    sends(shop)
    [lately] = look(shop).lately
    assert (len(lately.runs), lately.people.people, lately.usual) == (2, 8, 4.0)


def test_who_reached_the_goal_after_the_message_is_counted(shop):
    sends(shop)
    mirrors = Mirrors(lambda *_: "offers")
    while mirrors.once(shop.ledger, lambda: shop.audience) is not None:
        pass
    shop.load(
        did("ada", "purchase", Instant(NOON + MINUTE), amount=5, currency="EUR"),
        did("bo", "purchase", Instant(NOON - MINUTE), amount=5, currency="EUR"),
        did("cy", "purchase", Instant(NOON + MINUTE), amount=5, currency="CHF"),
    )
    [lately] = look(shop).lately
    assert lately.goal == 1, "Bo bought before, and Cy's purchase is not the goal"


def test_the_next_day_has_the_range_of_the_last_runs_the_quota_and_whom_campaigns_share(shop):
    shop.people("XX", cy="Cy")
    sends(shop, days_ago=1)
    shop.people("AT", cy="Cy")
    sends(shop)
    autumn, spring = look(shop, NOON + HOUR).ahead
    assert (autumn.campaign, autumn.wall, autumn.expected, autumn.times) == ("autumn", "18:00", None, 1)
    assert (spring.campaign, spring.wall, spring.expected) == ("spring", "12:00", (3, 4))
    assert [(load.channel, load.provider, load.share) for load in spring.loads] == [("email", "mail", 0.5)]
    assert [load.share for load in autumn.loads] == [None]
    assert dict(autumn.overlaps) == {"spring": 3}
    assert dict(spring.overlaps) == {"autumn": 3}


def test_drafts_and_campaigns_that_have_ended_do_not_come(shop):
    for state in ("draft", "ended"):
        (shop.root / SPRING).write_text(TWO[SPRING].replace("state: live", f"state: {state}"))
        again = Shop(shop.root, {})
        assert [one.campaign for one in look(again).ahead] == ["autumn"]
        again.ledger.close()


@pytest.mark.usefixtures("daemon")
def test_a_run_that_waits_for_a_person_is_needed_with_its_people_and_since_when(shop):
    at(shop, NOON)
    run = shop.fire("autumn")
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    [need] = look(shop).needs
    assert (need.what, need.people, need.since) == ("no purchase in the last 3 hours: the data is late", 3, NOON)
    assert (need.campaign, need.command) == ("autumn", f"orchestrator approve {run.id}")
    assert runs.approve(shop.ledger.store, run.id, "Ada", shop.clock.now())
    found = look(shop, NOON + 2 * MINUTE)
    assert found.needs == ()
    assert [one.approved for one in found.lately] == [("Ada",)]


@pytest.mark.usefixtures("daemon")
def test_what_stands_still_until_somebody_resumes_it_is_needed(shop):
    at(shop, NOON)
    run = shop.fire()
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    assert shop.ledger.halt(run.id, "its template never ends", shop.clock.now())
    with shop.ledger.store.transaction():
        pace.pause(shop.ledger.store, "provider:mail", None, "401: bad key", Instant(NOON + MINUTE))
        pace.pause(shop.ledger.store, "campaign:autumn", Instant(NOON + DAY), "breaker", Instant(NOON))
    found = look(shop)
    assert whats(found) == [
        ("spring", "paused: its template never ends", 4, f"orchestrator resume {run.id}"),
        ("", "provider mail is paused: 401: bad key", None, "orchestrator resume provider:mail"),
    ]
    assert [need.since for need in found.needs] == [NOON, NOON + MINUTE]


@pytest.mark.usefixtures("daemon")
def test_what_failed_whole_what_is_in_doubt_and_what_was_missed_are_needed(shop):
    failed, doubt = sends(shop), sends(shop, "autumn", days_ago=0)
    store = shop.ledger.store
    runs.approve(store, doubt, "Ada", NOON)
    shop.drain()
    store.change("UPDATE delivery SET state = 'failed', reason = 'refused' WHERE run = ?", (failed,))
    store.change("UPDATE delivery SET state = 'unknown' WHERE run = ? AND user_id = 'ada'", (doubt,))
    at(shop, NOON - HOUR)
    missed = shop.fire("spring", "2026-03-02T11:00[Europe/Vienna]")
    store.change("UPDATE run SET state = 'missed' WHERE id = ?", (missed.id,))
    assert set(whats(look(shop))) == {
        ("spring", "nobody got a message: all of them failed", 4, f"orchestrator deliveries spring --run {failed} --state failed --state render_failed"),
        ("autumn", "may have arrived or not, and nothing is sent again by itself", 1, f"orchestrator deliveries autumn --run {doubt} --state unknown"),
        ("spring", "2026-03-02T11:00[Europe/Vienna] was missed: no daemon was awake", None, "orchestrator send spring"),
    }  # fmt: skip
    assert look(shop, NOON + 2 * DAY).needs == ()


def test_work_that_nobody_does_is_needed_until_a_daemon_lives(shop, open_ledger):
    at(shop, NOON)
    run = shop.fire()
    [need] = look(shop, NOON + 5 * MINUTE).needs
    assert (need.what, need.command, need.since) == (NO_DAEMON, "orchestrator serve", None)
    [need] = look(shop).needs
    assert (need.what, need.command, need.since) == (NO_DAEMON, "orchestrator serve", NOON)
    other = open_ledger()
    other.begin_boot("supervisor", NOON)
    [need] = look(shop).needs
    assert need.command == "orchestrator status"
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    shop.drain()
    assert look(shop).needs == ()


def test_people_of_a_run_who_wait_are_told_of_while_no_daemon_lives(shop, open_ledger):
    at(shop, NOON)
    run = shop.fire()
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    [need] = look(shop, NOON + MINUTE).needs
    assert (need.what, need.people, need.command) == (NO_DAEMON, 4, "orchestrator serve")
    without_a_clock(shop)
    [need] = look(shop, NOON + MINUTE).needs
    assert need.people == 4
    shop.drain()
    assert look(shop, NOON + MINUTE).needs == ()


def without_a_clock(shop):
    """Both campaigns are started by hand from now on."""
    for name in ("spring", "autumn"):
        path = shop.root / f"config/campaigns/{name}.yaml"
        path.write_text(re.sub(r"(?m)^schedule:.*\n(  .*\n)*", "", path.read_text()))
    shop.opened = app.open_project(shop.root, "dev")


def test_moments_of_a_clock_that_nobody_was_awake_for_are_told_before_a_daemon_writes_them_down(shop, open_ledger):
    path = shop.root / SPRING
    path.write_text(path.read_text().replace("every: day at 12:00", "every: 1 minute"))
    shop.opened = app.open_project(shop.root, "dev")
    shop.ledger.look("spring", NOON)
    assert whats(look(shop, NOON + 3 * MINUTE))[1:] == [
        ("spring", "3 moments of its clock went by and no daemon was awake", None, "orchestrator serve")
    ]
    assert look(shop, NOON + 3 * MINUTE).needs[1].since == NOON + MINUTE
    assert "1,440 moments" in look(shop, NOON + 9 * DAY).needs[1].what, "no further back than a day"
    open_ledger().begin_boot("supervisor", NOON)
    assert look(shop, NOON + 3 * MINUTE).needs == ()


def weeks(shop, event, *many):
    """So many events an hour before now, now and one, two, three … weeks ago."""
    shop.load(
        *(
            did(f"u{number}", event, Instant(NOON - week * 7 * DAY - number * MINUTE), amount=1, currency="EUR")
            for week, count in enumerate(many)
            for number in range(count)
        )
    )


def seen(shop, moment=NOON + HOUR):
    return {one.fresh.event: (one.fresh.last_day, one.fresh.usual, one.red) for one in look(shop, moment).data.events}


def test_an_event_is_held_against_the_same_weekday(shop):
    weeks(shop, "app_open", 20, 18, 40, 22, 20, 1)
    weeks(shop, "purchase", 30, 30, 30, 30, 30, 1)
    found = seen(shop)
    assert found["app_open"] == (20, 21.0, "")
    assert found["purchase"] == (30, 30.0, "")
    assert not look(shop).data.late


def test_too_few_or_none_are_red_and_come_first(shop):
    weeks(shop, "app_open", 6, 20, 20, 20, 20, 1)
    weeks(shop, "purchase", 0, 20, 20, 20, 20, 1)
    assert seen(shop)["app_open"] == (6, 20.0, "far fewer than usual")
    assert seen(shop)["purchase"] == (0, 20.0, "none in the last 3 hours: autumn would wait")
    assert look(shop).data.late
    assert [one.fresh.event for one in look(shop).data.events] == ["purchase", "app_open"]


def test_an_event_of_a_clock_that_runs_ahead_hides_no_data_that_is_late(shop):
    weeks(shop, "purchase", 0, 20, 20, 20, 20, 1)
    shop.load(did("ada", "purchase", Instant(NOON + 3650 * DAY)))
    assert seen(shop)["purchase"] == (0, 20.0, "none in the last 3 hours: autumn would wait")
    assert shop.audience.newest(["purchase"], Instant(NOON + HOUR))["purchase"] < NOON
    assert sends(shop, "autumn")
    waiting = [found for found in whats(look(shop)) if found[0] == "autumn"]
    assert "no purchase in the last 3 hours" in str(waiting)


def test_a_limit_that_only_a_draft_asks_for_makes_nothing_red(shop):
    weeks(shop, "purchase", 0, 3, 3, 3, 3, 1)
    assert seen(shop)["purchase"][2] == "none in the last 3 hours: autumn would wait"
    path = shop.root / "config/campaigns/autumn.yaml"
    path.write_text(path.read_text().replace("state: live", "state: draft"))
    again = Shop(shop.root, {})
    assert seen(again)["purchase"] == (0, 3.0, "")
    again.ledger.close()


def test_the_first_week_of_an_event_has_no_usual_day(shop):
    weeks(shop, "app_open", 5)
    assert freshness(shop.audience, ["app_open", "purchase"], Instant(NOON + HOUR))[0].usual is None
    assert freshness(shop.audience, ["purchase"], Instant(NOON + HOUR))[0].newest is None


def test_a_loader_that_is_behind_and_what_imports_refused_are_told(shop):
    assert look(shop).data.lag == 0
    arrivals.put(shop.ledger.store, [Incoming("event", "ada", "m1", "{}")], Instant(NOON - HOUR))
    rejects = shop.root / "data" / "rejects" / "customers-1.csv"
    rejects.parent.mkdir(parents=True)
    rejects.write_text(
        'line,column,value,reason,row\n3,email,"a\nb",no address,left out\n4,email,x,no address,left out\n'
    )
    old = rejects.with_name("old-1.csv")
    old.write_text("line,column,value,reason,row\n3,email,x,no address,left out\n")
    for path, moment in ((rejects, NOON), (old, NOON - 2 * DAY)):
        os.utime(path, (moment / 1_000_000, moment / 1_000_000))
    data = look(shop).data
    assert (data.waiting, data.lag, data.rejects, data.rejects_file) == (1, 2 * HOUR, 2, "customers-1.csv")
    assert data.red == ("the loader is 120 min behind: 1 event waits",)


def test_an_audience_that_cannot_be_asked_hides_nothing_of_the_ledger(shop):
    sends(shop)
    opened = shop.opened
    found = morning(
        shop.ledger, opened.project, opened.files, "it is locked", shop.root, Instant(NOON + HOUR), lambda _: {}
    )
    assert found.data.red == ("it is locked",)
    assert [one.people.reached for one in found.lately] == [4]
    assert [one.goal for one in found.lately] == [None]
    assert [one.overlaps for one in found.ahead] == [None, None]
    assert runs.find(shop.ledger.store, 1).state is RunState.DONE


POOLS = "coupons:\n  spring10: {codes: lists/spring10.csv}\n  summer: {codes: lists/summer.csv}\n"


@pytest.mark.parametrize(("deliver", "asks"), [("everyone", True), ("seeds", True), ("sink", False)])
def test_a_pool_without_codes_needs_a_person_where_a_live_campaign_takes_one_and_messages_leave(
    tmp_path, ledger_url, monkeypatch, deliver, asks
):
    monkeypatch.setenv("SHOP_LEDGER", ledger_url)
    mail = "templates/spring/_default/email.html"
    files = {
        **TWO,
        SETTINGS: TWO[SETTINGS] + POOLS + f"environments: {{there: {{deliver: {deliver}}}}}\nseeds: lists/seeds.csv\n",
        mail: TWO[mail].replace("Since", "{{ coupon('spring10') }} since"),
        "lists/spring10.csv": "code\n", "lists/summer.csv": "code\n", "lists/seeds.csv": "user\nada\n",
    }  # fmt: skip
    shop = Shop(tmp_path, files, environment="there")
    try:
        asked = [need for need in look(shop).needs if "coupons" in need.what]
        empty = "coupons spring10: no code is in it yet, and spring gives one to each person"
        assert [(need.what, need.command, need.campaign) for need in asked] == (
            [(empty, "orchestrator import coupons spring10 FILE", "spring")] if asks else []
        )
        draft = {**files, SPRING: files[SPRING].replace("state: live", "state: draft")}
        shop.ledger.close()
        shop = Shop(tmp_path, draft, environment="there")
        assert not [need for need in look(shop).needs if "coupons" in need.what], "nobody takes one of either pool"
    finally:
        shop.ledger.close()


def test_half_an_event_of_a_usual_day_is_shown_as_it_is():
    shown = [_of_event(Seen(Fresh("purchase", None, 2, usual), ""), "UTC", Instant(NOON))[3] for usual in (2.5, 3.5, 4)]
    assert shown == ["2.5", "3.5", "4"]


def test_a_project_without_an_audience_does_not_look_well(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", "sqlite:data/ledger.db")
    empty = Shop(tmp_path, {SETTINGS: FILES[SETTINGS], "config/data.yaml": "attributes: {email: email}\n"})
    found = morning(
        empty.ledger,
        empty.opened.project,
        empty.opened.files,
        app.audience(empty.opened),
        tmp_path,
        Instant(NOON),
        lambda _: {},
    )
    assert "there is no such file yet; import somebody first" in found.data.red[0]
    text = [line.text for part in sections(found, "shop", "UTC", Instant(NOON)) for line in part.lines]
    assert " NEEDS A PERSON: nothing but the data above" in text
    assert "   no event waits to be loaded · no rejects today" in text
    empty.ledger.close()
