"""A persona gets what a plan says of the same person in a real audience and a real ledger: segment, verdict, reason, every word."""

import json
import random
from contextlib import closing
from dataclasses import replace

import pytest

from orchestrator import personas, planner
from orchestrator.audience import Arrival, Arriving
from orchestrator.bundles import Topics
from orchestrator.config.personas import read_personas
from orchestrator.core.assignment import assign, ramp_at
from orchestrator.core.draw import share
from orchestrator.core.eligibility import judge, touches_since
from orchestrator.core.facts import RunFacts
from orchestrator.core.nouns import Channel
from orchestrator.core.personas import Outside
from orchestrator.core.reasons import Reason, furthest
from orchestrator.core.times import DAY, HOUR, MINUTE, Instant
from orchestrator.core.verdicts import upshot
from orchestrator.core.zones import wall_at, zone_of
from orchestrator.ledger import ConsentChange, Wanted
from orchestrator.personas.life import Life
from orchestrator.pipeline import Casting, Mirrors
from orchestrator.rendering import Refusal, RenderRequest
from tests.doors.shop import NOON, Shop
from tests.personas.builders import FILES
from tests.pipeline.forecasts import forecast

PEOPLE = 70
VIENNA = zone_of("Europe/Vienna", "")


def wall(at):
    return f"{wall_at(VIENNA, Instant(at)):%Y-%m-%d %H:%M}"


def a_life(dice, number):
    """A persona's file as JSON, which is YAML: some know us well, some hardly, nobody has everything."""

    def perhaps(share, **values):
        return values if dice.random() < share else {}

    profile = {
        **perhaps(0.8, firstName=f"Näme {number}"), **perhaps(0.8, email=f"p{number:02}@mail.example"),
        **perhaps(0.7, time_zone=dice.choice(["Europe/Vienna", "America/New_York", "Asia/Tokyo"])),
        **perhaps(0.6, locale=dice.choice(["de-AT", "en", "de", "fr"])), **perhaps(0.8, country=dice.choice(["AT", "CH", "DE"])),
        **perhaps(0.7, score=dice.choice([1, 3.5, 3.75, 12, -2.25, 0.1])), **perhaps(0.6, vip=dice.random() < 0.5),
        **perhaps(0.6, birthday=f"19{dice.randrange(50, 99)}-0{dice.randrange(1, 9)}-1{dice.randrange(9)}"),
        **perhaps(0.6, joined=wall(NOON - dice.randrange(40) * DAY)), **perhaps(0.7, tags=["shoes", "hats"][: dice.randrange(3)]),
        **perhaps(0.6, build=f"2.{dice.randrange(12)}"),
    }  # fmt: skip
    if dice.random() < 0.5:
        seen = [wall(NOON - days * DAY) for days in dice.sample(range(30), dice.randrange(1, 3))]
        profile["devices"] = [{"token": f"t{number}-{at}", "seen_at": at, "platform": "ios"} for at in seen]
    profile["consent"] = {
        topic: {channel: dice.random() < 0.8 for channel in ("email", "push") if dice.random() < share}
        for topic, share in (("offers", 0.8), ("news", 0.3))
    }
    has = [channel for channel, key in (("email", "email"), ("push", "devices")) if key in profile]
    profile |= perhaps(0.15, suppressed=dice.sample(has, 1)) if has else {}
    events = []
    for _ in range(dice.randrange(5)):
        at = wall(NOON - dice.randrange(60 * 24 * 50) * MINUTE)
        events.append({"event": "app_open", "at": at})
        if dice.random() < 0.6:
            bought = {
                **perhaps(0.9, amount=dice.choice([5, 12.5, 40, 7.25])),
                **perhaps(0.8, sku=f"s{dice.randrange(9)}"),
            }
            events.append({"event": "purchase", "at": at, **bought, **perhaps(0.3, due="2026-04-01 10:00", gift=True)})
    return {"profile": profile, "events": events, "expect": [{"campaign": "spring", "at": wall(NOON)}]}


def arrivals(persona, told):
    """The same person as a customer's systems would tell of them."""
    profile = told["profile"]
    own = {key: value for key, value in persona.attributes.items() if key in {"email", "zone", "locale"}}
    body = {key: persona.attributes[key] for key in profile if key in persona.attributes} | own
    yield Arrival(Arriving.PROFILE, persona.user, f"p-{persona.user}", Instant(0), body=body)
    for number, address in enumerate(persona.addresses.get(Channel.PUSH, ())):
        device = {"device": address.value, "platform": address.platform}
        yield Arrival(Arriving.PROFILE, persona.user, f"d-{persona.user}-{number}", address.seen_at, body=device)
    for event in persona.events:
        message_id = f"{persona.user}-{event.message_id}"
        yield Arrival(Arriving.EVENT, persona.user, message_id, event.time, event.name, event.properties)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """The people in a shop's stores, and the same as personas."""
    dice = random.Random(26)
    shop = Shop(tmp_path_factory.mktemp("town"), FILES)
    project = shop.opened.project
    files = {f"p{number:02}": a_life(dice, number) for number in range(PEOPLE)}
    given = {f"personas/{name}.yaml": json.dumps(told, ensure_ascii=False).encode() for name, told in files.items()}
    found = read_personas(given, _loaded(shop))
    assert found.mistakes == (), "\n".join(map(str, found.mistakes))
    shop.load(*(one for persona in found.found for one in arrivals(persona, files[persona.name])))
    for persona in found.found:
        words = [
            ConsentChange(persona.user, channel, topic, granted, Instant(0), "test")
            for topic, by_channel in persona.consent.items()
            for channel, granted in by_channel.items()
        ]
        shop.ledger.change_consent(words)
        stopped = [(channel, address.value) for channel in persona.suppressed for address in persona.addresses[channel]]
        shop.ledger.suppress(stopped, "bounced", "test", NOON)
    mirrors = Mirrors(Topics("dev"))
    while (step := mirrors.once(shop.ledger, lambda: shop.audience)) is not None and step.more:
        pass
    yield shop, project, found.found
    shop.ledger.close()


def _loaded(shop):
    from orchestrator import config

    return config.load(shop.opened.files)


MOMENTS = [NOON, Instant(NOON + 10 * HOUR), Instant(NOON + 3 * DAY), Instant(NOON - 20 * DAY)]


@pytest.mark.parametrize("name", ["spring", "letter"])
@pytest.mark.parametrize("at", MOMENTS, ids=wall)
def test_personas_get_what_a_plan_gives_the_same_people(town, name, at):
    shop, project, people = town
    campaign = project.campaigns[name]
    stage = personas.Stage(project, shop.opened.files)
    compiled = stage.compiled(name)
    ramp, grows_at = ramp_at(campaign, at, at)
    run = RunFacts(0, at, at, ramp=ramp, ramp_grows_at=grows_at)
    with closing(Casting(shop.audience, project, campaign, at, compiled.touched())) as casting:
        cast = {person.user: person for person in casting}
    facts = shop.ledger.facts(Wanted(0, list(cast.values()), campaign.policy.topic, touches_since(campaign, at)))
    counted = forecast(shop.ledger, campaign, cast.values(), run, at)
    reached = held = messages = 0
    for persona in people:
        life = Life(stage, persona)
        outcome = life.run(name, at, life.drawn(name), by_draw=True)
        assert outcome.trouble == ""
        assert (persona.user in cast) == (outcome.why is None or outcome.why[0] not in set(Outside)), persona.name
        if persona.user not in cast:
            continue
        drawn, holdout = assign(campaign, persona.user)
        person = replace(cast[persona.user], variant=drawn, holdout=holdout)
        mine = life._member(stage.campaign(name, by_draw=True), compiled, outcome.segment, at)
        assert replace(mine, variant=drawn, holdout=holdout) == person
        came = upshot(judge(campaign, run, person, replace(facts[person.user], rows=()), at))
        reached, held = reached + bool(came.sends), held + (came.held is not None)
        if not came.sends:
            assert outcome.messages == ()
            assert outcome.why == ((came.held.reason, "") if came.held is not None else came.nothing)
            assert outcome.until == (came.held.until if came.held is not None else None)
            continue
        said = {row.channel: written(stage, compiled, person, row, at) for row in came.sends}
        fine = {channel: text for channel, text in said.items() if not isinstance(text, Refusal)}
        assert {it.channel: it.content for it in outcome.messages} == fine
        messages += len(fine)
        for channel in said.keys() - fine.keys():
            assert outcome.by_channel[channel] == (said[channel].reason, said[channel].detail)
    assert (reached, held) == (counted.reached, counted.held.total())
    assert counted.people == len(cast) > 20
    assert messages > 5 or counted.held.total() + counted.nothing.total() > 20


def written(stage, compiled, person, row, at):
    key = "unsubscribe_url"
    extras = {key: f"{stage.project.settings.public_url}/u/test"} if row.channel is Channel.EMAIL else {}
    return compiled.render(RenderRequest(person, row.channel, at, "any", row.verdict.address, extras))


STEPS = [
    ("letter", 0),
    ("spring", HOUR),  # the letter was today's push
    ("letter", 2 * DAY),  # they have heard of us
    ("spring", 2 * DAY),
    ("letter", 4 * DAY),
    ("spring", 5 * DAY),
    ("spring", 7 * DAY),  # the first spring was five days ago
    ("spring", 6 * DAY + 23 * HOUR + 59 * MINUTE),
]
LIFE = """\
profile:
  email: ada@mail.example
  devices: [phone]
  score: 5
  tags: [shoes]
  consent: {offers: [push, email]}
expect: [{campaign: spring, at: 2026-03-02 12:00}]
"""


def lucky(project):
    """An id that chance keeps out of nothing."""
    spring = project.campaigns["spring"]
    for number in range(1000):
        user = f"lucky{number}"
        held_out = assign(spring, user)[1] or share("project_holdout", user, 20)
        if not held_out and share("spring:ramp", user, 50):
            return user
    raise AssertionError


def test_what_was_sent_for_real_counts_as_it_does_for_a_persona(tmp_path):
    shop = Shop(tmp_path, FILES)
    project = shop.opened.project
    user = lucky(project)
    text = LIFE.replace("profile:\n", f"profile:\n  user_id: {user}\n")
    found = read_personas({"personas/ada.yaml": text.encode()}, _loaded(shop))
    assert found.mistakes == ()
    [persona] = found.found
    shop.load(*arrivals(persona, {"profile": {"score": 5, "tags": ["shoes"]}}))
    shop.ledger.change_consent(
        [ConsentChange(user, it, "offers", True, Instant(0), "test") for it in (Channel.PUSH, Channel.EMAIL)]
    )
    stage = personas.Stage(project, shop.opened.files)
    life, mirrors, real, lived = Life(stage, persona), Mirrors(Topics("dev")), [], []
    for name, later in sorted(STEPS, key=lambda step: step[1]):
        at = shop.clock.at = Instant(NOON + later)
        while (step := mirrors.once(shop.ledger, lambda: shop.audience)) is not None and step.more:
            pass
        outcome = life.run(name, at, life.drawn(name), by_draw=True)
        life.remember(name, at, outcome)
        lived.append((name, later, sorted(it.channel for it in outcome.messages), outcome.why))
        run = shop.fire(name, wall(at).replace(" ", "T"))
        planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
        shop.drain()
        sql = "SELECT channel, state, reason, detail FROM delivery WHERE run = ?"
        rows = shop.ledger.store.rows(sql, (run.id,))
        whys = {reason: detail for _, state, reason, detail in rows if state == "skipped"}
        sent = sorted(channel for channel, state, _, _ in rows if state == "accepted")
        reason = furthest([Reason(one) for one in whys]) if rows and not sent else None
        nobody = (Outside.NOT_IN_AUDIENCE, ", ".join(project.campaigns[name].audience))
        real.append((name, later, sent, (reason, whys[reason]) if reason else None if rows else nobody))
    shop.ledger.close()
    assert lived == real
    assert {why[0] for *_, why in lived if why} == {Outside.NOT_IN_AUDIENCE, Reason.CAPPED, Reason.REPEAT}
    assert sum(bool(sent) for _, _, sent, _ in lived) >= 3
