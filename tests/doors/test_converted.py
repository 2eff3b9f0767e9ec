"""Who converted, from the files to the engine: messages that were sent, mirrored, and followed by the goal of their campaign."""

import pytest

from orchestrator import planner
from orchestrator.audience.questions import Questions
from orchestrator.core.segments import Moment
from orchestrator.core.times import DAY, HOUR, Instant
from orchestrator.pipeline.mirror import Mirrors
from tests.doors.shop import FILES, NOON, Shop, did

SEGMENTS = {
    "won": "{message: converted, campaign: spring}",
    "won_lately": "{message: converted, when: last 2 days}",
    "lost": "{message: sent, campaign: spring, then_not: {event: purchase, within: 7 days, where: {currency: EUR}}}",
}
WHOLE = {f"config/segments/{name}.yaml": f"about: x\nall:\n  - {one}\n" for name, one in SEGMENTS.items()}


@pytest.fixture
def shop(tmp_path, ledger_url, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", ledger_url)
    opened = Shop(tmp_path, {**FILES, **WHOLE})
    yield opened
    opened.ledger.close()


def members(shop, name, at):
    audience, project = shop.audience, shop.opened.project
    moment = Moment(Instant(at), "Europe/Vienna", project.segments)
    questions = Questions(audience.ask, audience.columns, moment)
    return set(questions.sample(project.segments[name], 10))


def test_who_bought_in_the_goals_time_after_the_message_converted_and_nobody_else(shop):
    shop.people(ada="Ada", bo="Bo", cy="Cy", di="Di", ed="Ed")
    run = shop.fire()
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    shop.drain()
    assert set(shop.rows().values()) == {"accepted"}
    mirrors = Mirrors(lambda *_: "offers")
    while mirrors.once(shop.ledger, lambda: shop.audience) is not None:
        pass
    shop.load(
        did("ada", "purchase", NOON + HOUR, currency="EUR", amount=20),
        did("bo", "purchase", NOON + HOUR, currency="CHF", amount=20),  # not what the goal asks for
        did("cy", "purchase", NOON - HOUR, currency="EUR", amount=20),  # before the message
        did("di", "purchase", NOON + 7 * DAY, currency="EUR", amount=20),  # too late
        did("ed", "purchase", NOON + 6 * DAY, currency="EUR", amount=20),
        did("stranger", "purchase", NOON + HOUR, currency="EUR", amount=20),  # never got it
    )
    assert members(shop, "won", NOON + HOUR) == set()
    assert members(shop, "won", NOON + 2 * HOUR) == {"ada"}
    assert members(shop, "won", NOON + 8 * DAY) == {"ada", "ed"}
    assert members(shop, "won_lately", NOON + 2 * HOUR) == {"ada"}
    assert members(shop, "won_lately", NOON + 7 * DAY) == {"ed"}, "the message is a week old, the purchase a day"
    assert members(shop, "lost", NOON + 8 * DAY) == {"bo", "cy", "di"}
