"""Sending comes first: while messages leave, the audience is told of them now and then, and at once when a plan needs it."""

import asyncio

import pytest

from orchestrator.core.nouns import Channel
from orchestrator.core.times import SECOND, Instant
from orchestrator.daemon.loading import MIRROR_EVERY, Loading
from orchestrator.ledger import ConsentChange, mirrors
from orchestrator.planner import plan_run
from tests.doors.shop import NOON, Shop, Standing


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", "sqlite:data/ledger.db")
    shop = Shop(tmp_path)
    shop.people(ada="Ada", bo="Bo")
    yield shop
    shop.ledger.close()


@pytest.fixture
def loading(shop):
    clock = Standing(NOON)
    loading = Loading(lambda: shop.opened, clock)
    loading.clock = clock
    while loading.once(shop.ledger):
        pass
    plan_run(shop.opened, shop.ledger, shop.fire(), clock)
    assert shop.ledger.claim(NOON) is not None  # somebody works a shard from now on
    return loading


def says(shop, user):
    """A word on consent, which the audience does not know yet."""
    shop.ledger.change_consent([ConsentChange(user, Channel.EMAIL, "offers", True, NOON, "test")])
    assert waits(shop)


def waits(shop):
    return bool(mirrors.due(shop.ledger.store, 1))


def test_while_a_shard_is_worked_the_audience_is_told_every_half_minute(shop, loading):
    says(shop, "ada")
    loading.once(shop.ledger)
    assert waits(shop)
    loading.clock.at = Instant(NOON + MIRROR_EVERY - SECOND)
    loading.once(shop.ledger)
    assert waits(shop)
    loading.clock.at = Instant(NOON + MIRROR_EVERY)
    loading.once(shop.ledger)
    assert not waits(shop)


def test_a_clock_that_was_set_back_does_not_put_it_off(shop, loading):
    says(shop, "ada")
    loading.clock.at = Instant(NOON - 24 * 3600 * SECOND)
    loading.once(shop.ledger)
    assert not waits(shop)


async def test_a_plan_waits_until_the_audience_knows_what_the_ledger_knew(shop, loading):
    says(shop, "ada")

    async def held(ask):
        return ask(shop.ledger)

    async def load():
        while waits(shop):
            loading.once(shop.ledger)
            await asyncio.sleep(0)

    await asyncio.gather(loading.catch_up(held, asyncio.Event()), load())
    assert not waits(shop)
    says(shop, "bo")
    loading.once(shop.ledger)
    assert waits(shop)  # nobody is in a hurry any more


async def test_a_plan_does_not_wait_for_an_audience_in_trouble(shop, loading):
    says(shop, "ada")
    loading.trouble = "no room"

    async def held(ask):
        return ask(shop.ledger)

    await loading.catch_up(held, asyncio.Event())
    assert waits(shop)
