"""Over random small campaigns all verbs count the same people: plan, ledger, report, and why, person by person."""

import json
import shutil
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from orchestrator import planner
from orchestrator.audience.finding import known_as
from orchestrator.cli.main import app as command_line
from orchestrator.core.nouns import Channel, State
from orchestrator.core.reasons import Reason, furthest
from orchestrator.core.times import DAY, HOUR, Instant, iso
from orchestrator.ledger import ConsentChange, deliveries, runs
from orchestrator.pipeline import story
from tests.doors.shop import NOON, Shop, did, is_
from tests.settings import TWO_CHANNELS

PEOPLE = [f"u{number:02}" for number in range(20)]
CHANNELS = ("email", "push", "in_app")
FILES = {
    "config/orchestrator.yaml": TWO_CHANNELS + "holdout: 8%\n",
    "config/data.yaml": "attributes: {country: text, score: number}\nevents: {purchase: {amount: number}}\nrevenue: purchase.amount\n",
    "config/segments/austrians.yaml": "about: They live in Austria\nall:\n  - {attribute: country, is: AT}\n",
    "config/segments/rich.yaml": "about: High scores\nall:\n  - {attribute: score, over: 4}\n  - not: {attribute: country, is: DE}\n",
    "config/segments/buyers.yaml": "about: They bought\nall:\n  - {event: purchase, when: last 30 days}\n",
    "config/segments/staff.yaml": "about: Us\nall:\n  - {attribute: score, at_least: 9}\n",
    "config/segments/germans.yaml": "about: They live in Germany\nall:\n  - {segment: buyers}\n  - {attribute: country, is: DE}\n",
}
TEMPLATES = {
    "templates/spring/_default/email.html": '---\nfrom: offers\nsubject: Spring\n---\n<p>Hello. <a href="{{ unsubscribe_url }}">No more</a></p>\n',
    "templates/spring/_default/push.yaml": "title: Spring\nbody: Hello\n",
    "templates/spring/_default/in_app.yaml": "kind: banner\ntitle: Spring\nbody: Hello\n",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """The shop with everybody in it: addresses, words, stops and purchases by the throw of a seeded die."""
    root = tmp_path_factory.mktemp("house")
    shop, dice = Shop(root, FILES), Random(20260302)
    words, arrivals = [], []
    for number, user in enumerate(PEOPLE):
        body = {"country": dice.choice(["AT", "CH", "DE"]), "score": dice.randrange(11)}
        body |= {"zone": dice.choice(["Europe/Vienna", "America/New_York", "Asia/Tokyo"])}
        body |= {"email": f"{user}@mail.example"} if dice.random() < 0.8 else {}
        body |= {"device": f"token-{user}", "platform": "ios"} if dice.random() < 0.6 else {}
        arrivals.append(is_(user, Instant(NOON - 9 * DAY), **body))
        if dice.random() < 0.5:
            arrivals.append(did(user, "purchase", Instant(NOON - 2 * number * DAY - HOUR), amount=5))
        drawn = {channel: said for channel in CHANNELS if (said := dice.random()) < 0.85}
        words += [
            ConsentChange(user, Channel(channel), "offers", said < 0.7, Instant(NOON - 8 * DAY), "test")
            for channel, said in drawn.items()
        ]
    shop.load(*arrivals)
    shop.ledger.change_consent(words)
    shop.ledger.suppress([(Channel.EMAIL, f"{user}@mail.example") for user in PEOPLE[::5]], "bounced", "test", NOON)
    shop.ledger.close()
    return root


@st.composite
def campaigns(draw):
    """A campaign's file, its channels, and whether an earlier run of it has reached people."""
    audience = draw(
        st.lists(st.sampled_from(["austrians", "rich", "buyers", "germans"]), min_size=1, max_size=3, unique=True)
    )
    channels = draw(st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=3, unique=True))
    lines = [
        "about: Spring is here",
        "state: live",
        f"kind: {draw(st.sampled_from(['marketing', 'marketing', 'transactional']))}",
        "topic: offers",
        f"audience: [{', '.join(audience)}]",
        f"channels: {{{draw(st.sampled_from(['first_of', 'all_of']))}: [{', '.join(channels)}]}}",
        "schedule: {every: day at 12:00}",
        f"repeat: {draw(st.sampled_from(['always', 'never', 'after 30 days']))}",
        f"expires: {draw(st.sampled_from(['1 hour', '48 hours']))}",
        "goal: {event: purchase, within: 7 days}",
    ]
    may = (
        "exclude: [staff]",
        f"quiet_hours: {draw(st.sampled_from(['11:00-13:00', '21:00-08:00']))}",
        f"caps: [{draw(st.sampled_from(['1 message per week', '1 email per day', '2 messages per week']))}]",
        f"capped: {draw(st.sampled_from(['skip', 'hold']))}",
    )
    lines += [line for line in may if draw(st.booleans())]
    experiment = ["variants: {a: 50%, b: 50%}"]
    experiment += ["holdout: 25%"] if draw(st.booleans()) else []
    if draw(st.booleans()):
        experiment += [f"ramp: [50% for {draw(st.sampled_from(['6 days', '1 hour']))}]", "then: a"]
    if draw(st.booleans()):
        lines.append(f"experiment: {{{', '.join(experiment)}}}")
    return "\n".join(lines) + "\n", channels, draw(st.booleans())


def told(shop, *words):
    """What the command line tells a program."""
    done = CliRunner().invoke(command_line, ["-C", str(shop.root), "--json", *words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def run_at(shop, at):
    """Fire a run at a moment, plan it and work it until nothing is due."""
    shop.clock.at = Instant(at)
    run = shop.fire(occurrence=iso(Instant(at)))
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    shop.drain()
    return run


def questions(shop):
    """The question why asks, of everybody: by their ids, through one audience."""
    project, audience = shop.opened.project, shop.audience
    declared = dict(project.catalogue.known.attributes)
    known = {user: known_as(audience, user)[0] for user in PEOPLE}
    return {user: story.Asked(known[user], project, shop.ledger, audience, declared) for user in PEOPLE}


def counted(stories):
    """Numbers of people as plan and report have them, out of what why tells of each."""
    came = Counter(one.came.what for one in stories)
    held = Counter(str(one.came.reason) for one in stories if one.came.what == "waiting")
    nothing = Counter((str(one.came.reason), one.came.detail) for one in stories if one.came.what == "nothing")
    inside = len(stories) - came["outside"]
    return {"people": inside, "reached": came["reached"], "held": held, "holdout": came["holdout"], "nothing": nothing}


def of_rows(shop, run):
    """The same, counted from the rows one by one."""
    rows = defaultdict(list)
    for row in deliveries.listed(shop.ledger.store, deliveries.Asked(run=run.id, limit=9999)):
        rows[row.key.user].append(row)
    found = {"people": len(rows), "reached": 0, "held": Counter(), "holdout": 0, "nothing": Counter()}
    for theirs in rows.values():
        held = [row.reason for row in theirs if row.state is State.HELD]
        if any(row.state is State.ACCEPTED for row in theirs):
            found["reached"] += 1
        elif held:
            found["held"][held[0]] += 1
        elif (reason := furthest(Reason(row.reason) for row in theirs)) is Reason.HOLDOUT:
            found["holdout"] += 1
        else:
            found["nothing"][str(reason), next(row.detail for row in theirs if row.reason == reason)] += 1
    return found


def of_plan(plan):
    """The numbers of a plan in the same shape."""
    nothing = Counter({(one["reason"], one["detail"]): one["people"] for one in plan["nothing"]})
    return {
        **{name: plan[name] for name in ("people", "reached", "holdout")},
        "held": Counter(plan["held"]),
        "nothing": nothing,
    }


@settings(
    max_examples=7,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(campaigns(), st.sampled_from(PEOPLE))
def test_plan_ledger_report_and_why_agree_on_everybody(house, campaign, somebody):
    text, channels, earlier = campaign
    with TemporaryDirectory() as place:
        root = shutil.copytree(house, Path(place) / "shop")
        words = {name: said for name, said in TEMPLATES.items() if Path(name).stem in channels}
        shop = Shop(root, {**words, "config/campaigns/spring.yaml": text})
        try:
            _agree(shop, earlier, somebody)
        finally:
            shop.ledger.close()


def _agree(shop, earlier, somebody):
    if earlier:
        before = run_at(shop, NOON - 2 * DAY)
        runs.cancel(shop.ledger.store, before.id, "an earlier one", shop.clock.now())
        shop.drain()
    plan = told(shop, "plan", "spring", "--at", iso(NOON))
    asked = questions(shop)
    foreseen = {user: story.coming(asked[user], "spring", NOON) for user in PEOPLE}
    assert counted(foreseen.values()) == of_plan(plan)
    assert Counter(one.segment for one in foreseen.values() if one.segment) == plan["segments"]

    run = run_at(shop, NOON)
    found = {user: story.past(asked[user], run) for user in PEOPLE}
    assert counted(found.values()) == of_rows(shop, run) == of_plan(plan)
    reported = told(shop, "report", "spring")[0]["people"]
    numbers = counted(found.values())
    assert {name: reported[name] for name in ("people", "reached", "holdout", "waiting", "failed", "in_doubt")} == {
        **{name: numbers[name] for name in ("people", "reached", "holdout")},
        "waiting": numbers["held"].total(),
        "failed": 0,
        "in_doubt": 0,
    }
    by_reason = Counter()
    for (reason, _), people in numbers["nothing"].items():
        by_reason[reason] += people
    assert {one["reason"]: one["people"] for one in reported["nothing"]} == by_reason
    for user in PEOPLE:
        assert (found[user].came, found[user].segment, found[user].variant) == (
            foreseen[user].came, foreseen[user].segment, foreseen[user].variant,
        )  # fmt: skip
        _explained(found[user])
    one = found[somebody]
    unasked = told(shop, "why", "spring", somebody)
    assert unasked["run"] == (before.id if one.came.reason == Reason.REPEAT else run.id)
    said = told(shop, "why", "spring", somebody, "--run", str(run.id))
    assert (said["run"], said["outcome"], said["reason"], said["segment"]) == (
        run.id, one.came.what, one.came.reason, one.segment,
    )  # fmt: skip


def _explained(one):
    """The conditions that are shown lead to the segment that the engine found."""
    fits = next((segment.name for segment in one.audience if segment.found.holds), "")
    assert one.segment == ("" if any(segment.found.holds for segment in one.exclude) else fits)
