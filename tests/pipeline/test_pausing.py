"""Paused or cancelled under a worker, on both databases: the worker lives, what waited leaves on resume, or says why it never will."""

import asyncio
import logging
from dataclasses import replace

import pytest

from orchestrator.core.nouns import Channel
from orchestrator.core.outcomes import Ambiguous, Pause, PauseScope, Retry
from orchestrator.core.times import DAY, HOUR, MINUTE, SECOND, Instant
from orchestrator.ledger import pace, runs
from orchestrator.worker import Worker
from tests.ledger.builders import NOW
from tests.pipeline.test_work import MAIL, Post, Stage, a_campaign, people

EVERYBODY = [f"u{n:05}" for n in range(300)]


def pause(ledger, scope, until=None):
    with ledger.store.transaction():
        pace.pause(ledger.store, scope, until, "paused by hand", NOW)


@pytest.mark.parametrize("scope", ["campaign:winback", "provider:mail"])
async def test_a_pause_in_the_middle_costs_no_worker_and_a_resume_sends_the_rest(ledger, open_ledger, scope, caplog):
    other = open_ledger()
    post = Post("mail", before=lambda user: pause(other, scope) if user == "u00010" else None)
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(300), mail=post)
    worker, stopping = Worker(stage.parts, stage.clock), asyncio.Event()
    shard = ledger.claim(NOW)
    with caplog.at_level(logging.INFO):
        await worker._work(shard, stopping)
    assert [record.fields["due"] for record in caplog.records] == ["no date yet"]
    assert 0 < len(post.got) < 300
    await stage.drain(Instant(NOW + HOUR))
    sent = len(post.got)
    assert sent < 300
    pace.resume(other.store, scope, stage.clock.now())
    await stage.drain(stage.clock.now())
    assert sorted(post.got) == EVERYBODY
    assert set(stage.rows().values()) == {"accepted"}


async def test_a_provider_that_asks_for_a_pause_comes_back_by_itself(ledger):
    post = Post("mail", {"u00000": Pause(PauseScope.CREDENTIAL, "429", after=3600)})
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(300), mail=post)
    await stage.drain()
    post.answers.clear()
    await stage.drain(Instant(NOW + HOUR - 1))
    assert len(post.got) < 300
    await stage.drain(Instant(NOW + HOUR))
    assert set(stage.rows().values()) == {"accepted"}


async def test_with_every_provider_of_a_route_paused_the_first_to_come_back_is_waited_for(ledger):
    first, second = Post("first"), Post("second")
    campaign = replace(a_campaign(channels=(MAIL,)), routes={Channel.EMAIL: ("first", "second")})
    stage = Stage(ledger, campaign, people(300), first=first, second=second)
    pause(ledger, "provider:first", Instant(NOW + HOUR))
    pause(ledger, "provider:second")
    await stage.drain()
    await stage.drain(Instant(NOW + HOUR - 1))
    assert first.got == second.got == []
    await stage.drain(Instant(NOW + HOUR))
    assert (sorted(first.got), second.got) == (EVERYBODY, [])


async def test_a_paused_provider_is_used_again_soon_after_a_resume(ledger):
    first, second = Post("first"), Post("second")
    campaign = replace(a_campaign(channels=(MAIL,)), routes={Channel.EMAIL: ("first", "second")})
    stage = Stage(ledger, campaign, people(10), first=first, second=second)
    pause(ledger, "provider:first")
    await stage.drain()
    assert (first.got, len(second.got)) == ([], 10)
    pace.resume(ledger.store, "provider:first", NOW)
    stage.fire(people(10), "two")
    await stage.drain(Instant(NOW + MINUTE))
    assert (len(first.got), len(second.got)) == (10, 10)


async def test_a_doubt_is_not_forgotten_over_a_second_refusal_and_no_other_provider_gets_it(ledger):
    """The first may have taken it, then was busy, then was paused while the second worked for everybody else."""
    first, second = Post("first", {"u00000": Ambiguous("reset")}), Post("second")
    for post in (first, second):
        post.declaration = replace(post.declaration, key_life=DAY // SECOND)
    campaign = replace(a_campaign(channels=(MAIL,)), routes={Channel.EMAIL: ("first", "second")})
    stage = Stage(ledger, campaign, people(10), first=first, second=second)
    await stage.drain()
    first.answers["u00000"] = Retry("408", after=30.0)
    await stage.drain(Instant(NOW + 10 * SECOND))
    first.answers.clear()
    pause(ledger, "provider:first", Instant(NOW + HOUR))
    stage.fire(people(10)[1:], "two")
    await stage.drain(Instant(NOW + 35 * SECOND))
    await stage.drain(Instant(NOW + 45 * SECOND))
    assert (first.got.count("u00000"), sorted(second.got)) == (2, EVERYBODY[1:10])
    assert stage.rows()["u00000", "email"] == ("retry_wait", "no_answer")
    await stage.drain(Instant(NOW + HOUR))
    assert (first.got.count("u00000"), len(second.got)) == (3, 9)
    assert stage.rows()["u00000", "email"] == "accepted"


async def test_a_paused_campaign_blames_no_provider(ledger):
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(10))
    pause(ledger, "campaign:winback")
    await stage.drain()
    assert stage.parts.dispatch.lanes["mail"].down_until <= NOW


async def test_a_message_that_waits_for_its_next_attempt_is_cancelled_at_once(ledger):
    post = Post("mail", {"u00000": Retry("451", after=3600)})
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(2), mail=post)
    await stage.drain()
    runs.cancel(ledger.store, stage.run.id, "by hand", NOW)
    await stage.drain()
    assert stage.rows() == {("u00000", "email"): ("skipped", "cancelled"), ("u00001", "email"): "accepted"}
