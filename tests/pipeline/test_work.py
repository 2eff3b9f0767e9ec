"""The corridor from claim to put-back on both databases: everybody is accounted for, and a withdrawal counts to the last moment."""

import asyncio
from dataclasses import replace

import pytest

from orchestrator.core.campaigns import Campaign, Cap, Mode, Policy, QuietHours
from orchestrator.core.nouns import Address, Channel, OnAmbiguous, Person, State, TextContent
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Retry
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, HOUR, Instant
from orchestrator.dispatch import Dispatch, Lane
from orchestrator.ledger import ConsentChange, NewRun, RunState, planning, runs
from orchestrator.pipeline import Cast, LedgerThread, Parts, Prepared, Unwritten, plan, work
from orchestrator.providers import Declaration, LocalReply, LocalRequest, Transport
from orchestrator.rendering import RenderChildError
from tests.ledger.builders import NOW

MAIL, PUSH = Channel.EMAIL, Channel.PUSH


class Standing:
    def __init__(self):
        self.at = NOW

    def now(self):
        return self.at


class Post:
    """A provider in memory: `answers` says what becomes of whom, `before` is called before each answer."""

    places = 64

    def __init__(self, name, answers=None, before=lambda user: None):
        self.declaration = Declaration(name, frozenset(Channel), Transport.HTTP)
        self.answers, self.before, self.got = answers or {}, before, []

    def build(self, messages, credentials, now):
        return LocalRequest(messages)

    def read(self, request, response):
        return [
            self.answers.get(message.key.user, Accepted(name))
            for message, name in zip(request.messages, response.ids, strict=True)
        ]

    async def exchange(self, request, deadline):
        await asyncio.sleep(0)
        for message in request.messages:
            self.before(message.key.user)
            self.got.append(message.key.user)
        return LocalReply([message.id for message in request.messages])

    async def close(self):
        pass


class Texts:
    """Letters that say the user's name, but for those in `bad`."""

    def __init__(self, bad=()):
        self.bad = bad

    def render(self, letters, weight=None):
        for letter in letters:
            if letter.person.user in self.bad:
                yield Unwritten(State.SKIPPED, Reason.MISSING_DATA, "firstName")
            else:
                yield TextContent(f"Hello {letter.person.user}")


def a_campaign(mode=Mode.FIRST_OF, channels=(PUSH, MAIL), **policy):
    rules = Policy(**{"time_zone": "UTC", "topic": "offers", "expires": None, **policy})
    return Campaign("winback", channels, rules, mode=mode, routes={PUSH: ("push",), MAIL: ("mail",)})


def people(count):
    return [
        Person(f"u{n:05}", "vips", "UTC", addresses={MAIL: (Address(f"u{n}@shop.example"),), PUSH: (Address(f"t{n}"),)})
        for n in range(count)
    ]


class Stage:
    """One run of a campaign, planned, with consent given, and the parts to work it."""

    def __init__(self, ledger, campaign, members, letters=None, on_ambiguous=OnAmbiguous.HOLD, **posts):
        self.ledger, self.campaign, self.clock = ledger, campaign, Standing()
        self.posts = {"push": Post("push"), "mail": Post("mail"), **posts}
        words = [ConsentChange(p.user, channel, "offers", True, Instant(NOW - DAY), "test") for p in members for channel in (PUSH, MAIL)]  # fmt: skip
        ledger.change_consent(words)
        self.run = self.fire(members, "one", on_ambiguous)
        lanes = [Lane(post, post, {}, self.clock) for post in self.posts.values()]
        self.parts = Parts(
            LedgerThread(ledger),
            Dispatch(lanes, self.clock, lambda: 0.5),
            lambda *_: Prepared(campaign, letters or Texts()),
        )

    def fire(self, members, occurrence, on_ambiguous=OnAmbiguous.HOLD):
        run, _ = self.ledger.fire(NewRun("winback", occurrence, "v", NOW, on_ambiguous), NOW)
        planning.begin_planning(self.ledger.store, run.id, self.ledger.boot)
        plan(self.ledger, run, self.campaign, Cast(members), NOW)
        return run

    async def drain(self, at=NOW):
        self.clock.at = at
        while (shard := await self.parts.ledger(lambda ledger: ledger.claim(self.clock.now()))) is not None:
            await work(shard, self.parts, self.clock)

    def rows(self, run=None):
        found = self.ledger.store.rows(
            "SELECT user_id, channel, state, reason FROM delivery WHERE run = ? ORDER BY 1, 2", ((run or self.run).id,)
        )
        return {(user, channel): (state, reason) if reason else state for user, channel, state, reason in found}


async def test_everybody_is_sent_or_accounted_for_and_the_run_is_done(ledger):
    stage = Stage(ledger, a_campaign(), people(300))
    await stage.drain()
    assert sorted(stage.posts["push"].got) == [f"u{n:05}" for n in range(300)]
    assert stage.posts["mail"].got == []
    rows = stage.rows()
    assert [rows[f"u{n:05}", "push"] for n in range(300)] == ["accepted"] * 300
    assert {rows[f"u{n:05}", "email"] for n in range(300)} == {("skipped", "other_channel")}
    assert runs.find(ledger.store, stage.run.id).state is RunState.DONE


async def test_a_dead_device_falls_through_to_mail(ledger):
    post = Post("push", {"u00001": AddressGone("UNREGISTERED")})
    stage = Stage(ledger, a_campaign(), people(3), push=post)
    await stage.drain()
    assert stage.posts["mail"].got == ["u00001"]
    assert stage.rows()["u00001", "push"] == ("failed", "address_gone")
    assert stage.rows()["u00001", "email"] == "accepted"


async def test_a_retry_is_sent_when_its_wait_is_over_and_not_before(ledger):
    post = Post("mail", {"u00000": Retry("451", after=60)})
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(2), mail=post)
    await stage.drain()
    assert stage.rows()["u00000", "email"] == ("retry_wait", "busy")
    await stage.drain(Instant(NOW + 59_000_000))
    assert post.got.count("u00000") == 1
    post.answers.clear()
    await stage.drain(Instant(NOW + 60_000_000))
    assert post.got.count("u00000") == 2
    assert stage.rows()["u00000", "email"] == "accepted"


async def test_an_unsubscribe_during_the_run_stops_the_message(ledger, open_ledger):
    """Every answer for one person withdraws the consent of the person 200 further on; none of these may be sent."""
    other = open_ledger()
    withdrawn = []

    def withdraw(user):
        number = int(user[1:]) + 200
        withdrawn.append(f"u{number:05}")
        other.change_consent([ConsentChange(f"u{number:05}", MAIL, "offers", False, NOW, "test")])

    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(400), mail=Post("mail", before=withdraw))
    await stage.drain()
    got = stage.posts["mail"].got
    assert sorted(got) == [f"u{n:05}" for n in range(200)]
    assert {stage.rows()[f"u{n:05}", "email"] for n in range(200, 400)} == {("skipped", "no_consent")}


async def test_two_runs_at_once_never_pass_a_cap_together(ledger):
    stage = Stage(ledger, a_campaign(channels=(MAIL,), caps=(Cap(1, DAY),)), people(50))
    second = stage.fire(people(50), "two")
    first, other = [await stage.parts.ledger(lambda held: held.claim(NOW)) for _ in range(2)]
    await asyncio.gather(work(first, stage.parts, stage.clock), work(other, stage.parts, stage.clock))
    assert sorted(stage.posts["mail"].got) == [f"u{n:05}" for n in range(50)]
    states = [stage.rows(run)[f"u{n:05}", "email"] for run in (stage.run, second) for n in range(50)]
    assert states.count("accepted") == states.count(("skipped", "capped")) == 50


async def test_one_bad_member_is_one_skip(ledger):
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(100), letters=Texts(bad={"u00042"}))
    await stage.drain()
    assert len(stage.posts["mail"].got) == 99
    assert stage.rows()["u00042", "email"] == ("skipped", "missing_data")


async def test_quiet_hours_hold_and_release(ledger):
    stage = Stage(ledger, a_campaign(channels=(MAIL,), quiet_hours=QuietHours(9 * 60, 10 * 60)), people(3))
    await stage.drain()
    assert set(stage.rows().values()) == {("held", "quiet_hours")}
    await stage.drain(Instant(NOW + HOUR - 1))
    assert stage.posts["mail"].got == []
    await stage.drain(Instant(NOW + HOUR))
    assert len(stage.posts["mail"].got) == 3


async def test_a_cancelled_run_tells_everybody_so(ledger):
    stage = Stage(ledger, a_campaign(), people(3))
    runs.steer(ledger.store, stage.run.id, RunState.CANCELLED, [RunState.WORKING])
    await stage.drain()
    assert set(stage.rows().values()) == {("skipped", "cancelled")}


async def test_a_pause_in_the_middle_leaves_the_rest_planned_and_loses_nothing(ledger, open_ledger):
    other = open_ledger()

    def pause(user):
        runs.steer(other.store, stage.run.id, RunState.PAUSED, [RunState.WORKING])

    post = Post("mail", before=pause)
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(500), mail=post)
    await stage.drain()
    assert len(post.got) <= 128
    assert list(stage.rows().values()).count("planned") == 500 - len(post.got)
    post.before = lambda user: None
    runs.steer(ledger.store, stage.run.id, RunState.WORKING, [RunState.PAUSED])
    await stage.drain(Instant(NOW + HOUR))
    assert sorted(post.got) == [f"u{n:05}" for n in range(500)]


async def test_the_holdout_is_exposed_and_gets_nothing(ledger):
    members = [replace(person, holdout=True) for person in people(2)]
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(2))
    shard = ledger.claim(NOW)
    await work(replace(shard, people=tuple(members)), stage.parts, stage.clock)
    assert ledger.store.rows("SELECT state, reason, exposed_at FROM delivery") == [("skipped", "holdout", NOW)] * 2


class Dying(Texts):
    """Letters that cannot be written any more from this one on."""

    def __init__(self, last):
        super().__init__()
        self.last = last

    def render(self, letters, weight=None):
        for number, text in enumerate(super().render(letters, weight)):
            if number == self.last:
                raise RenderChildError("the render child is gone")
            yield text


@pytest.mark.parametrize("last", [0, 63, 64, 100, 200, 499])
async def test_where_nothing_more_can_be_written_all_that_left_is_settled_and_the_rest_stays_planned(ledger, last):
    post = Post("mail")
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(500), letters=Dying(last), mail=post)
    with pytest.raises(RenderChildError):
        await work(ledger.claim(NOW), stage.parts, stage.clock)
    states = list(stage.rows().values())
    assert states.count("accepted") == len(post.got) <= last
    assert states.count("planned") == 500 - len(post.got)


@pytest.mark.parametrize("stop_after", [1, 64, 200])
async def test_told_to_stop_a_worker_settles_the_air_and_gives_the_rest_back(ledger, stop_after):
    post = Post("mail")
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(500), mail=post)
    post.before = lambda user: stage.parts.dispatch.stopping.set() if len(post.got) >= stop_after else None
    await work(ledger.claim(NOW), stage.parts, stage.clock)
    states = list(stage.rows().values())
    assert states.count("accepted") == len(post.got) < 500
    assert states.count("planned") == 500 - len(post.got)


async def test_a_message_in_doubt_stays_in_doubt_while_it_waits_and_is_never_called_skipped(ledger):
    post = Post("mail", {"u00000": Ambiguous("reset"), "u00001": Ambiguous("reset")})
    stage = Stage(ledger, a_campaign(channels=(MAIL,)), people(2), on_ambiguous=OnAmbiguous.RESEND, mail=post)
    await stage.drain()
    ledger.change_consent([ConsentChange("u00001", MAIL, "offers", False, NOW, "test")])
    night = QuietHours(9 * 60, 10 * 60)
    stage.parts = replace(
        stage.parts, prepare=lambda *_: Prepared(a_campaign(channels=(MAIL,), quiet_hours=night), Texts())
    )
    await stage.drain(Instant(NOW + 60_000_000))
    assert stage.rows()["u00000", "email"] == ("retry_wait", "no_answer")
    assert stage.rows()["u00001", "email"] == ("unknown", "no_answer")
    post.answers.clear()
    await stage.drain(Instant(NOW + HOUR))
    assert stage.rows()["u00000", "email"] == "accepted"
    assert ledger.store.rows("SELECT maybe_duplicate FROM delivery WHERE user_id = 'u00000'") == [(1,)]


async def test_a_channel_that_falls_away_in_the_night_leaves_the_message_to_the_next(ledger):
    stage = Stage(ledger, a_campaign(quiet_hours=QuietHours(9 * 60, 10 * 60)), people(1))
    await stage.drain()
    assert stage.rows() == {
        ("u00000", "push"): ("held", "quiet_hours"),
        ("u00000", "email"): ("skipped", "other_channel"),
    }
    ledger.change_consent([ConsentChange("u00000", PUSH, "offers", False, NOW, "test")])
    await stage.drain(Instant(NOW + HOUR))
    assert stage.rows() == {("u00000", "push"): ("skipped", "no_consent"), ("u00000", "email"): "accepted"}


async def test_a_shard_is_judged_when_its_turn_on_the_wire_has_come(ledger):
    """The shard in front may take long: what was allowed when this one was read may not be any more."""
    night = a_campaign(channels=(MAIL,), quiet_hours=QuietHours(10 * 60, 11 * 60))
    stage = Stage(ledger, night, people(3))
    in_line = asyncio.Event()

    class Wire(asyncio.Lock):
        async def acquire(self):
            in_line.set()
            return await super().acquire()

    wire = Wire()
    async with wire:
        in_line.clear()
        working = asyncio.create_task(work(ledger.claim(NOW), replace(stage.parts, wire=wire), stage.clock))
        await in_line.wait()
        stage.clock.at = Instant(NOW + HOUR)
    await working
    assert stage.posts["mail"].got == []
    assert set(stage.rows().values()) == {("held", "quiet_hours")}
