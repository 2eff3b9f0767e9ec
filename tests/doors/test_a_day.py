"""A day's campaigns beside each other: what a plan of the day says of each is what really sending them makes of them."""

import json
from collections import Counter
from random import Random

import pytest
from typer.testing import CliRunner

from orchestrator import planner
from orchestrator.cli.days import on_day
from orchestrator.cli.main import app as command_line
from orchestrator.core.nouns import Channel, State
from orchestrator.core.occurrences import wave
from orchestrator.core.times import DAY, HOUR, Instant, iso
from orchestrator.core.zones import wall_at, zone_of
from orchestrator.ledger import ConsentChange, deliveries
from tests.doors.shop import FILES, NOON, Shop, is_
from tests.settings import TWO_CHANNELS

PEOPLE = [f"u{number:02}" for number in range(40)]
ZONES = ("Europe/Vienna", "America/New_York", "Asia/Tokyo", "Pacific/Auckland")
DAY_OF_IT = "2026-03-02"
CAMPAIGNS = {
    # Everybody's own morning: in Tokyo long before noon in Vienna, in New York after it.
    "dawn": ("austrians, swiss", "{every: day at 08:00, time_zone: recipient}", "[1 message per day]"),
    "noon": ("austrians", "{every: day at 12:00}", "[1 email per 3 days, 2 messages per day]"),
    "dusk": ("swiss, austrians", "{every: day at 19:00, time_zone: recipient}", "[2 messages per day]"),
    "zeal": ("austrians", "{every: day at 12:00}", "[1000 messages per day]"),
}


def campaign(name):
    audience, schedule, caps = CAMPAIGNS[name]
    return (
        f"about: {name}\nstate: live\nkind: marketing\ntopic: offers\naudience: [{audience}]\nchannels: {{first_of: [email, push]}}\n"
        f"schedule: {schedule}\nrepeat: always\ncaps: {caps}\nexpires: 48 hours\n"
    )


@pytest.fixture
def shop(tmp_path):
    files = {name: text for name, text in FILES.items() if name.startswith(("config/segments/", "config/data"))}
    files["config/orchestrator.yaml"] = TWO_CHANNELS
    for name in CAMPAIGNS:
        files[f"config/campaigns/{name}.yaml"] = campaign(name)
        files[f"templates/{name}/_default/email.html"] = FILES["templates/spring/_default/email.html"]
        files[f"templates/{name}/_default/push.yaml"] = f"title: {name}\nbody: Hello\n"
    shop, dice, words = Shop(tmp_path, files, at=Instant(NOON - 3 * DAY)), Random(7), []
    for user in PEOPLE:
        body = {"country": dice.choice(["AT", "CH"]), "zone": dice.choice(ZONES), "firstName": user}
        body |= {"email": f"{user}@mail.example"} if dice.random() < 0.8 else {}
        body |= {"device": f"token-{user}", "platform": "ios"} if dice.random() < 0.7 else {}
        shop.load(is_(user, Instant(NOON - 9 * DAY), **body))
        words += [ConsentChange(user, channel, "offers", True, Instant(NOON - 8 * DAY), "test") for channel in (Channel.EMAIL, Channel.PUSH)]  # fmt: skip
    shop.ledger.change_consent(words)
    yield shop
    shop.ledger.close()


def plan(shop, which="all"):
    done = CliRunner().invoke(
        command_line, ["-C", str(shop.root), "--json", "plan", "--campaigns", which, "--at", DAY_OF_IT]
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def fires(shop):
    """The runs of the day in the order of the clock, and every moment at which somebody's turn comes."""
    day = wall_at(zone_of("Europe/Vienna", ""), NOON).date()
    found = []
    for place, one in enumerate(shop.opened.project.campaigns.values()):
        [occasion] = on_day(one, day, "Europe/Vienna", NOON)
        opens = [occasion.due_at]
        if one.schedule.recipient:
            opens = [wave(one.schedule, occasion.fires.key, zone) for zone in ZONES]
        found.append((occasion.due_at, place, one.name, occasion.fires.key, opens))
    return sorted(found)


def send_the_day(shop):
    """Fire, plan and work as a daemon would: each run when it is due, each wave at its moment."""
    runs, moments = {}, []
    for due_at, _, name, key, opens in fires(shop):
        shop.clock.at = due_at
        runs[name] = shop.fire(name, key)
        planner.plan_run(shop.opened, shop.ledger, runs[name], shop.clock)
        moments += opens
    # All are planned before any is worked here, which changes nothing: the audience is the same the whole day.
    shop.clock.at = Instant(NOON - 3 * DAY)
    for at in sorted(set(moments)):
        shop.clock.at = at
        for run in runs.values():
            planner.ask_run(shop.opened, shop.ledger, run, shop.clock)
        shop.drain()
    return runs


def sent(shop, run):
    """(people reached, messages by channel, people who were capped) of a run, counted from its rows."""
    rows = list(deliveries.listed(shop.ledger.store, deliveries.Asked(run=run.id, limit=9999)))
    went = [row for row in rows if row.state is State.ACCEPTED]
    reached = {row.key.user for row in went}
    capped = {row.key.user for row in rows if row.reason == "capped"} - reached
    return len(reached), Counter(str(row.key.channel) for row in went), len(capped)


def told(one):
    capped = sum(why["people"] for why in one["nothing"] if why["reason"] == "capped")
    return one["reached"], Counter(one["channels"]), capped


@pytest.mark.parametrize("earlier", [False, True], ids=["nothing before", "with messages of the day before"])
def test_a_plan_of_a_day_says_what_sending_its_campaigns_comes_to(shop, earlier):
    if earlier:
        shop.clock.at = Instant(NOON - 30 * HOUR)
        run = shop.fire("noon", iso(shop.clock.at))
        planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
        shop.drain()
    planned = plan(shop)
    assert [one["campaign"] for one in planned["campaigns"]] == [name for _, _, name, _, _ in fires(shop)]
    assert planned["not_counted"] == []
    by_name = {one["campaign"]: one for one in planned["campaigns"]}
    alone = {name: told(plan(shop, name)["campaigns"][0]) for name in CAMPAIGNS}
    runs = send_the_day(shop)
    for name, run in runs.items():
        assert sent(shop, run) == told(by_name[name]), name
    assert any(told(by_name[name]) != alone[name] for name in CAMPAIGNS), "they do cap each other"
    assert told(by_name["zeal"]) == alone["zeal"], "who is under no cap that matters gets everything"
    noon = [why["by"] for why in by_name["noon"]["nothing"] if why["reason"] == "capped"]
    assert any("dawn" in by for by in noon), "it says whose messages filled the cap"
    again = plan(shop)
    assert [one["campaign"] for one in again["campaigns"]] == list(runs), "a day that was sent is still a day"
