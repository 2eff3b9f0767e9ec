"""Messages and words of the ledger while the daemon is killed in the middle of them: in the engine, each once, in the end."""

import os
import signal
import subprocess
from collections import Counter

import pytest

from orchestrator.core.mirrors import consent_id, sent_id
from orchestrator.core.nouns import Channel, DeliveryKey, OnAmbiguous, delivery_id
from orchestrator.ledger import ConsentChange, NewRun, mirrors, runs
from orchestrator.wire.clock import WallClock
from tests.doors.shop import FILES, Shop
from tests.doors.test_first_hour import CLI

PEOPLE = 120


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", "sqlite:data/ledger.db")
    spring = FILES["config/campaigns/spring.yaml"].replace("every: day at 12:00", "once: 2099-01-01 12:00")
    shop = Shop(tmp_path, {**FILES, "config/campaigns/spring.yaml": spring}, at=WallClock().now())
    shop.people(**{f"u{number}": "Ada" for number in range(PEOPLE)})
    yield shop
    shop.ledger.close()


def served(shop):
    return subprocess.Popen(
        [*CLI, "-C", str(shop.root), "serve", "--workers", "1", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def fired(shop, number):
    now = WallClock().now()
    version = runs.keep_bundle(shop.ledger.store, shop.opened.files, now)
    shop.ledger.fire(NewRun("spring", f"by-hand-{number}", version, now, OnAmbiguous.RESEND), now)
    shop.ledger.change_consent([ConsentChange(f"new{number}", Channel.EMAIL, "offers", False, now, "test")])


def all_is_told(shop):
    open_runs = shop.ledger.store.rows("SELECT 1 FROM run WHERE state NOT IN ('done', 'missed') LIMIT 1")
    return not open_runs and not mirrors.due(shop.ledger.store, 1)


def test_every_message_and_word_is_told_once_however_often_the_daemon_is_killed(shop):
    words = ("config.taken", "mirrors.told", "run.planned", "shard.put_back", "mirrors.told", "shard.put_back")
    for life, word in enumerate(words):
        fired(shop, life)
        daemon = served(shop)
        assert any(word in line for line in daemon.stderr), f"the daemon ended before {word}"
        os.killpg(daemon.pid, signal.SIGKILL)
        daemon.communicate()
    daemon = served(shop)
    for _ in daemon.stderr:
        if all_is_told(shop):
            break
    daemon.send_signal(signal.SIGTERM)
    daemon.communicate(timeout=60)
    assert all_is_told(shop)

    store = shop.ledger.store
    expected = [
        sent_id(delivery_id(campaign, occurrence, DeliveryKey(run, user, Channel(channel), step, slot)))
        for campaign, occurrence, run, user, channel, step, slot in store.rows(
            "SELECT r.campaign, r.occurrence, d.run, d.user_id, d.channel, d.step, d.slot FROM delivery d"
            " JOIN run r ON r.id = d.run WHERE d.state = 'accepted'"
        )
    ]
    assert len(expected) == len(words) * PEOPLE
    expected += [consent_id(*row) for row in store.rows("SELECT user_id, channel, topic, at FROM consent")]
    told = shop.audience.rows("SELECT message_id FROM event WHERE starts_with(message_id, 'our:')")
    assert Counter(one for (one,) in told) == Counter(expected)
