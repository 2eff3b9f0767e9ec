"""Whoever waited for over an hour is asked about again before anything is sent, from the files to the sink."""

import asyncio
from dataclasses import replace

import pytest

from orchestrator import app, planner
from orchestrator.core.errors import StoreError
from orchestrator.core.nouns import Asked, Channel, DeliveryKey, State
from orchestrator.core.times import DAY, HOUR, MINUTE, SECOND, Instant
from orchestrator.core.turns import Mark
from orchestrator.daemon.supervisor import Serving, Supervisor
from orchestrator.ledger import RunState, asking, runs
from orchestrator.pipeline import AHEAD
from orchestrator.wire.clock import WallClock
from tests.doors.shop import FILES, NOON, Shop, did, is_
from tests.ledger.builders import NOW, a_person, a_run

SPRING = "config/campaigns/spring.yaml"
NIGHT = {**FILES, SPRING: FILES[SPRING] + "quiet_hours: 11:00-15:00\n"}
"""Quiet from before noon on, so that everybody is held for three hours."""
THREE = Instant(NOON + 3 * HOUR)


@pytest.fixture
def shop(tmp_path, ledger_url, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", ledger_url)
    opened = []

    def open_shop(files=NIGHT, at=NOON):
        opened.append(Shop(tmp_path, files, at))
        return opened[-1]

    yield open_shop
    for one in opened:
        one.ledger.close()


def held(shop, **people):
    """A shop whose people are planned and held until three."""
    shop.people(**people)
    run = shop.fire()
    assert planner.plan_run(shop.opened, shop.ledger, run, shop.clock) == len(people)
    assert shop.drain() == 1
    assert set(shop.rows().values()) == {("held", "quiet_hours")}
    return run


def ask(shop, run):
    return planner.ask_run(shop.opened, shop.ledger, runs.find(shop.ledger.store, run.id), shop.clock)


def test_who_left_or_converted_meanwhile_gets_nothing_and_the_others_the_message_of_now(shop):
    shop = shop()
    run = held(shop, ada="Ada", bo="Bo", cy="Cy", di="Di", ed="Ed", flo="Flo")
    shop.load(
        is_("bo", country="DE"),
        did("cy", "purchase", NOON + HOUR, currency="EUR", amount=20),
        did("di", "purchase", NOON + HOUR, currency="CHF", amount=20),
        did("ed", "purchase", NOON + HOUR, currency="STAFF", amount=20),
        is_("flo", firstName="Florence"),
        did("ada", "purchase", NOON - MINUTE, currency="EUR", amount=20),
    )
    shop.clock.at = THREE
    assert shop.drain() == 0, "nobody may be sent before the question"
    assert ask(shop, run) == {Asked.STILL_IN: 3, Asked.LEFT: 2, Asked.CONVERTED: 1}
    assert shop.drain() == 1
    assert shop.rows() == {
        "ada": "accepted",
        "bo": ("skipped", "left"),
        "cy": ("skipped", "converted"),
        "di": "accepted",
        "ed": ("skipped", "left"),
        "flo": "accepted",
    }
    assert shop.subjects() == {
        name: f"{first}, spring is here" for name, first in {"ada": "Ada", "di": "Di", "flo": "Florence"}.items()
    }
    assert runs.find(shop.ledger.store, run.id).state is RunState.DONE


def test_who_moved_to_another_segment_of_the_campaign_gets_that_segments_message(shop):
    shop = shop()
    run = held(shop, ada="Ada")
    shop.load(is_("ada", country="CH"))
    shop.clock.at = THREE
    ask(shop, run)
    shop.drain()
    assert shop.subjects() == {"ada": "Grüezi Ada"}
    assert shop.ledger.store.rows("SELECT segment, state FROM delivery") == [("swiss", "accepted")]


def test_the_question_is_asked_shortly_before_the_shard_is_due_and_only_once(shop):
    shop = shop()
    run = held(shop, ada="Ada")
    store = shop.ledger.store
    assert asking.runs_to_ask(store, Instant(THREE - AHEAD - SECOND), AHEAD) == []
    assert asking.runs_to_ask(store, Instant(THREE - AHEAD), AHEAD) == [run.id]
    shop.clock.at = Instant(THREE - AHEAD)
    assert ask(shop, run) == {Asked.STILL_IN: 1}
    assert asking.runs_to_ask(store, THREE, AHEAD) == []
    assert ask(shop, run) == {}
    shop.clock.at = THREE
    assert shop.drain() == 1


def test_within_the_hour_nobody_is_asked(shop):
    shop = shop({**FILES, SPRING: FILES[SPRING] + "quiet_hours: 11:00-13:00\n"})
    held(shop, ada="Ada")
    shop.clock.at = Instant(NOON + HOUR)
    assert asking.runs_to_ask(shop.ledger.store, shop.clock.now()) == []
    assert shop.drain() == 1
    assert shop.rows() == {"ada": "accepted"}


def test_while_the_audience_does_not_answer_people_wait_and_too_late_they_expire(shop):
    shop = shop()
    run = held(shop, ada="Ada")
    file = shop.audience.path
    file.rename(file.with_suffix(".away"))
    shop.clock.at = THREE
    with pytest.raises(StoreError, match="no such file"):
        ask(shop, run)
    assert shop.drain() == 0
    shop.clock.at = Instant(NOON + 2 * DAY)
    with pytest.raises(StoreError):
        ask(shop, run)
    assert shop.drain() == 1
    assert shop.rows() == {"ada": ("expired", "late")}
    assert shop.subjects() == {}


def test_a_cancelled_run_ends_without_a_question(shop):
    shop = shop()
    run = held(shop, ada="Ada")
    runs.steer(shop.ledger.store, run.id, RunState.CANCELLED, [RunState.WORKING])
    shop.clock.at = THREE
    assert asking.runs_to_ask(shop.ledger.store, THREE) == []
    assert shop.drain() == 1
    assert shop.rows() == {"ada": ("skipped", "cancelled")}


def test_a_run_that_starts_late_asks_about_what_happened_since_its_moment(shop):
    shop = shop(FILES)
    shop.people(ada="Ada", bo="Bo")
    run = shop.fire()
    shop.clock.at = Instant(NOON + 2 * HOUR)
    shop.load(did("bo", "purchase", NOON + HOUR, currency="EUR", amount=20))
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    assert shop.drain() == 0
    ask(shop, run)
    shop.drain()
    assert shop.rows() == {"ada": "accepted", "bo": ("skipped", "converted")}


def test_a_message_that_will_be_tried_again_keeps_the_person_it_was_written_for(shop):
    """Its body must be the same to the byte, or the provider's key would stand for two messages."""
    shop = shop(FILES)
    shop.people(ada="Ada", bo="Bo")
    run = shop.fire()
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    store = shop.ledger.store
    store.change("UPDATE delivery SET state = 'retry_wait', reason = 'busy', attempt = 1, not_before = ?", (THREE,))
    store.change("UPDATE shard SET due_at = ?", (THREE,))
    shop.load(is_("ada", firstName="Adele"), is_("bo", country="DE"))
    shop.clock.at = THREE
    assert ask(shop, run) == {Asked.STILL_IN: 1, Asked.LEFT: 1}
    shop.drain()
    assert shop.subjects() == {"ada": "Ada, spring is here"}
    assert shop.rows() == {"ada": "accepted", "bo": ("skipped", "left")}


def test_a_shard_that_a_worker_has_is_left_alone(shop):
    shop = shop(FILES)
    shop.people(ada="Ada")
    run = shop.fire()
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    [waiting] = asking.waiting(shop.ledger.store, run.id, [0])
    shard = shop.ledger.claim(NOON)
    assert asking.answer(shop.ledger.store, waiting, {}, THREE) == {}
    shop.ledger.put_back(shard, [], NOON)
    assert asking.answer(shop.ledger.store, waiting, {}, THREE) == {Asked.LEFT: 1}
    assert asking.answer(shop.ledger.store, waiting, {}, THREE) == {}, "a newer answer stands"


async def test_the_daemon_plans_a_late_run_and_asks_again_before_it_lets_workers_have_it(shop, ledger_url, monkeypatch):
    monkeypatch.setenv(app.LEDGER, ledger_url)
    now = WallClock().now()
    shop = shop(FILES, at=Instant(now - 2 * HOUR))
    shop.people(ada="Ada", bo="Bo")
    run = shop.fire()
    shop.load(did("bo", "purchase", now - HOUR, currency="EUR", amount=20))
    supervisor = Supervisor(Serving(shop.root, "dev"), shop.opened, WallClock())
    await supervisor._take(shop.opened)
    shop.clock.at = now
    await supervisor._look()
    await asyncio.gather(*supervisor._planning.values())
    assert runs.find(shop.ledger.store, run.id).state is RunState.WORKING
    assert shop.ledger.claim(now) is None
    await supervisor._look()
    await asyncio.gather(*supervisor._asking.values())
    shard = shop.ledger.claim(now)
    assert {person.user: person.asked for person in shard.people} == {"ada": Asked.STILL_IN, "bo": Asked.CONVERTED}
    file = shop.audience.path
    file.rename(file.with_suffix(".away"))
    shop.ledger.store.change("UPDATE shard SET claimed_by = NULL, asked_at = 0")
    supervisor.stopping.set()
    await supervisor._look()
    await asyncio.gather(*supervisor._asking.values())
    assert (await supervisor._health()).troubles == (
        f"run {run.id} waits: its people must be asked about again; see the log",
    )
    supervisor._ledger.close()


def test_a_later_message_of_a_series_is_always_asked_about(ledger):
    person = a_person("ada")
    run = a_run(ledger, replace(person, addresses={Channel.EMAIL: person.addresses[Channel.EMAIL]}))
    ledger.store.change("UPDATE delivery SET step = 1")
    shard = ledger.claim(NOW)
    until = Instant(NOW + MINUTE)
    ledger.put_back(
        shard, [Mark(DeliveryKey(run.id, "ada", Channel.EMAIL, 1), State.HELD, "wave", not_before=until)], NOW
    )
    assert ledger.claim(until) is None
    assert asking.runs_to_ask(ledger.store, until) == [run.id]
