"""Half windows: nothing leaves unpermitted, nothing is answered twice, and no more is in the air than the window allows."""

import asyncio
from dataclasses import replace

import pytest

from orchestrator.core.nouns import Address, Channel, DeliveryKey, Message, OnAmbiguous, Person, State, WebhookContent
from orchestrator.core.outcomes import Accepted
from orchestrator.core.reasons import Reason
from orchestrator.core.times import HOUR, SECOND, Instant, later
from orchestrator.core.turns import Mark, Permission
from orchestrator.dispatch import Dispatch, Job, Lane, Outgoing
from orchestrator.dispatch.bodies import body_hash
from orchestrator.providers import CannotBuildError, Declaration, LocalReply, LocalRequest, Transport
from orchestrator.wire import Lost, NotSent

START = Instant(1_772_442_000_000_000)


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.at = START

    def now(self):
        return self.at


class Echo:
    """An adapter that accepts what its engine carries."""

    def __init__(self, name="echo", key_life=0):
        self.declaration = Declaration(name, frozenset({Channel.WEBHOOK}), Transport.HTTP, key_life=key_life)

    def build(self, messages, credentials, now):
        if messages[0].content.data.get("broken"):
            raise CannotBuildError("a header with a line break")
        if messages[0].content.data.get("bug"):
            raise KeyError("an adapter's own mistake")
        return LocalRequest(messages)

    def read(self, request, response):
        return [Accepted(name) for name in response.ids]


class Air:
    """An engine that answers after a while, and counts what is in the air."""

    def __init__(self, trouble=None, places=2000):
        self.places = places
        self.in_air = self.most = 0
        self.seen = []
        self.trouble = trouble

    async def exchange(self, request, deadline):
        assert deadline > 0
        self.in_air += 1
        self.most = max(self.most, self.in_air)
        self.seen += [message.key.user for message in request.messages]
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            if self.trouble is not None:
                raise self.trouble
            return LocalReply([f"id-{message.key.user}" for message in request.messages])
        finally:
            self.in_air -= 1

    async def close(self):
        pass


class Bird(Air):
    """An engine nobody has to wait for; what it cannot carry it says at once."""

    def start(self, request, deadline, done):
        if isinstance(self.trouble, NotSent):
            self.seen += [message.key.user for message in request.messages]
            done(self.trouble)
            return

        def landed(task):
            problem = task.exception()
            done(Lost(str(problem)) if problem is not None else task.result())

        asyncio.ensure_future(self.exchange(request, deadline)).add_done_callback(landed)


@pytest.fixture(params=[Air, Bird], ids=["in a task", "started"])
def a_lane(request):
    def make(name="echo", key_life=0, trouble=None, clock=None, places=2000):
        air = request.param(trouble, places)
        return Lane(Echo(name, key_life), air, {}, clock or Clock()), air

    return make


def an_item(user, **over):
    content = WebhookContent("t", over.pop("data", {"hello": user}))
    message = Message(
        DeliveryKey(1, user, Channel.WEBHOOK), f"m-{user}", Address("https://a.example"), content, judged_at=START
    )
    return Outgoing(message, Person(user, "all"), **over)


def items(count):
    return [an_item(f"u{number:05}") for number in range(count)]


def a_dispatch(*lanes, clock=None):
    return Dispatch(lanes, clock or Clock(), lambda: 0.5)


def a_job(*route, on_ambiguous=OnAmbiguous.HOLD):
    return Job("winback", {Channel.WEBHOOK: route or ("echo",)}, on_ambiguous)


async def drive(turns, permit=lambda turn: Permission(go=tuple(turn.ready))):
    settled, offered = [], []
    async for turn in turns:
        settled += turn.answered
        offered.append(len(turn.ready))
        turn.go(permit(turn))
    return settled, offered


async def test_everybody_is_settled_exactly_once(a_lane):
    lane, air = a_lane()
    settled, _ = await drive(a_dispatch(lane).turns(items(1000), a_job()))
    assert sorted(s.key.user for s in settled) == sorted(air.seen) == [f"u{n:05}" for n in range(1000)]
    assert {s.state for s in settled} == {State.ACCEPTED}


@pytest.mark.parametrize(("key_life", "window"), [(0, 128), (3600, 1024)])
async def test_no_more_is_in_the_air_than_the_window(key_life, window, a_lane):
    lane, air = a_lane(key_life=key_life)
    _, offered = await drive(a_dispatch(lane).turns(items(3 * window), a_job()))
    assert air.most <= window
    assert max(offered) == window // 2


async def test_no_more_is_on_the_wire_than_the_engine_has_places(a_lane):
    lane, air = a_lane(key_life=3600, places=10)
    settled, _ = await drive(a_dispatch(lane).turns(items(2000), a_job()))
    assert air.most == 10
    assert len({s.key.user for s in settled}) == 2000


async def test_rendering_is_asked_only_for_what_is_about_to_leave(a_lane):
    drawn = []

    def lazily():
        for item in items(1000):
            drawn.append(item)
            yield item

    lane, _ = a_lane()
    turns = aiter(a_dispatch(lane).turns(lazily(), a_job()))
    await anext(turns)
    assert len(drawn) == 64
    await turns.aclose()


async def test_the_refused_and_the_unrendered_never_reach_the_wire(a_lane):
    lane, air = a_lane()
    mark = Mark(DeliveryKey(1, "x", Channel.WEBHOOK), State.SKIPPED, Reason.MISSING_DATA)
    turns = a_dispatch(lane).turns([an_item("a"), mark, an_item("b")], a_job())
    await drive(turns, lambda turn: Permission(go=tuple(r for r in turn.ready if r.key.user == "a"), refused={}))
    assert air.seen == ["a"]
    assert turns.marks == [mark]


async def test_when_told_to_stop_nothing_new_is_offered_and_the_air_is_emptied(a_lane):
    lane, air = a_lane()
    dispatch = a_dispatch(lane)

    def stop_after_the_first(turn):
        dispatch.stopping.set()
        return Permission(go=tuple(turn.ready))

    settled, offered = await drive(dispatch.turns(items(1000), a_job()), stop_after_the_first)
    assert len(settled) == len(air.seen) == offered[0] == 64
    assert sum(offered) == 64


async def test_a_long_pause_gives_the_shard_back_until_it_is_over(a_lane):
    lane, air = a_lane()
    until = later(START, HOUR)
    turns = a_dispatch(lane).turns(items(10), a_job())
    await drive(turns, lambda turn: Permission(later=tuple(turn.ready), ask_again=until, paused="429"))
    assert air.seen == []
    assert turns.resume_at == until


async def test_a_paused_provider_hands_over_to_the_next_of_the_route(a_lane):
    clock = Clock()
    first, first_air = a_lane("first", clock=clock)
    second, second_air = a_lane("second", clock=clock)
    turns = a_dispatch(first, second, clock=clock).turns(items(10), a_job("first", "second"))

    def permit(turn):
        if any(ready.provider == "first" for ready in turn.ready):
            return Permission(later=tuple(turn.ready), ask_again=later(START, HOUR), paused="429")
        return Permission(go=tuple(turn.ready))

    settled, _ = await drive(turns, permit)
    assert first_air.seen == []
    assert len(second_air.seen) == 10
    assert {s.provider for s in settled} == {"second"}


def pushes(*platforms):
    """A push for each of these platforms, in this order."""
    made = []
    for number, platform in enumerate(platforms):
        key = DeliveryKey(1, f"u{number:05}", Channel.PUSH)
        address = Address(f"t{number}", platform=platform)
        content = WebhookContent("t", {"hello": number})
        message = Message(key, f"m-{number}", address, content, judged_at=START)
        made.append(Outgoing(message, Person(key.user, "all")))
    return made


BY_PLATFORM = {"ios": ("apns",), "android": ("fcm", "spare"), "web": ("webpush",)}


def push_turns(lanes, clock, *platforms):
    job = Job("winback", {Channel.PUSH: ("apns", "fcm", "spare", "webpush")}, OnAmbiguous.HOLD, BY_PLATFORM)
    return a_dispatch(*(lane for lane, _ in lanes.values()), clock=clock).turns(pushes(*platforms), job)


def as_the_ledger(paused, until):
    """Permission as the ledger gives it: nobody goes while any of the turn's providers is paused; it says which."""

    def permit(turn):
        for name in paused:
            if any(ready.provider == name for ready in turn.ready):
                return Permission(later=tuple(turn.ready), ask_again=until, paused="403", scope=f"provider:{name}")
        return Permission(go=tuple(turn.ready))

    return permit


async def test_each_platform_s_devices_go_to_its_provider(a_lane):
    clock = Clock()
    lanes = {name: a_lane(name, clock=clock) for name in ("apns", "fcm", "spare", "webpush")}
    settled, _ = await drive(push_turns(lanes, clock, *["ios", "android", "web"] * 100))
    assert {name: len(air.seen) for name, (_, air) in lanes.items()} == {
        "apns": 100, "fcm": 100, "spare": 0, "webpush": 100,
    }  # fmt: skip
    assert len(settled) == 300


@pytest.mark.parametrize(
    ("paused", "left"),
    [
        (["apns"], {"apns": 0, "fcm": 100, "spare": 0, "webpush": 100}),
        (["fcm"], {"apns": 100, "fcm": 0, "spare": 100, "webpush": 100}),
        (["apns", "webpush"], {"apns": 0, "fcm": 100, "spare": 0, "webpush": 0}),
        (["fcm", "spare"], {"apns": 100, "fcm": 0, "spare": 0, "webpush": 100}),
        (["apns", "fcm", "spare", "webpush"], {"apns": 0, "fcm": 0, "spare": 0, "webpush": 0}),
    ],
)
async def test_a_paused_provider_keeps_its_own_messages_and_nobody_else_s(paused, left, a_lane):
    clock, until = Clock(), later(START, HOUR)
    lanes = {name: a_lane(name, clock=clock) for name in ("apns", "fcm", "spare", "webpush")}
    turns = push_turns(lanes, clock, *["ios", "android", "web"] * 100)
    settled, _ = await drive(turns, as_the_ledger(paused, until))
    assert {name: len(air.seen) for name, (_, air) in lanes.items()} == left
    assert len({s.key for s in settled}) == len(settled) == sum(left.values())
    if sum(left.values()) < 300:
        assert turns.resume_at is not None
        assert START < turns.resume_at <= until
        assert turns.paused in {f"provider:{name}" for name in paused}
    else:
        assert turns.resume_at is None


async def test_what_waits_a_moment_for_its_pace_leaves_after_it(a_lane):
    clock = Clock()
    lane, air = a_lane(clock=clock)
    asked = []

    def permit(turn):
        asked.append(clock.at)
        if len(asked) == 1:
            clock.at = later(clock.at, SECOND)
            return Permission(later=tuple(turn.ready), ask_again=later(START, SECOND))
        return Permission(go=tuple(turn.ready))

    settled, _ = await drive(a_dispatch(lane, clock=clock).turns(items(5), a_job()), permit)
    assert len(settled) == len(air.seen) == 5


async def test_a_message_in_doubt_stays_with_the_provider_that_knows_its_key(a_lane):
    clock = Clock()
    first, first_air = a_lane("first", key_life=86400, clock=clock)
    second, second_air = a_lane("second", key_life=86400, clock=clock)
    first.down_until = later(START, HOUR)
    doubtful = an_item("a", attempt=1, provider="first", again_until=later(START, HOUR), doubtful=True)
    doubtful = replace(doubtful, body=body_hash(doubtful.message))
    settled, _ = await drive(
        a_dispatch(first, second, clock=clock).turns([doubtful, an_item("b")], a_job("first", "second"))
    )
    assert (first_air.seen, second_air.seen) == (["a"], ["b"])
    assert {s.key.user: s.attempt for s in settled} == {"a": 2, "b": 1}


async def test_a_message_in_doubt_that_would_read_differently_is_not_sent_again(a_lane):
    lane, air = a_lane(key_life=86400)
    doubtful = an_item("a", attempt=1, provider="echo", again_until=later(START, HOUR), doubtful=True, body=b"another")
    turns = a_dispatch(lane).turns([doubtful], a_job())
    await drive(turns)
    assert air.seen == []
    assert [(mark.state, mark.reason) for mark in turns.marks] == [(State.UNKNOWN, Reason.BODY_CHANGED)]


async def test_a_forgotten_key_is_unknown_or_resent_as_the_campaign_says(a_lane):
    doubtful = an_item("a", attempt=1, provider="echo", again_until=Instant(START - 1), doubtful=True)
    for rule, seen in ((OnAmbiguous.HOLD, []), (OnAmbiguous.RESEND, ["a"])):
        lane, air = a_lane(key_life=86400)
        await drive(a_dispatch(lane).turns([doubtful], a_job(on_ambiguous=rule)))
        assert air.seen == seen


@pytest.mark.parametrize(
    ("trouble", "state"),
    [(NotSent("refused"), State.RETRY_WAIT), (Lost("reset"), State.UNKNOWN), (ValueError("a bug"), State.UNKNOWN)],
)
async def test_trouble_on_the_wire_is_told_apart(trouble, state, a_lane):
    lane, _ = a_lane(trouble=trouble)
    settled, _ = await drive(a_dispatch(lane).turns(items(3), a_job()))
    assert [s.state for s in settled] == [state] * 3


@pytest.mark.parametrize("why", ["broken", "bug"])
async def test_a_message_that_cannot_be_built_fails_alone(why, a_lane):
    lane, air = a_lane()
    settled, _ = await drive(a_dispatch(lane).turns([an_item("a", data={why: 1}), an_item("b")], a_job()))
    assert {s.key.user: s.state for s in settled} == {"a": State.FAILED, "b": State.ACCEPTED}
    assert air.seen == ["b"]


async def test_what_is_answered_at_once_does_not_pile_up(a_lane):
    """Five thousand refusals in a row, each given before the asking for it returned."""
    lane, air = a_lane(key_life=3600, trouble=NotSent("no route"), places=3)
    settled, _ = await drive(a_dispatch(lane).turns(items(5000), a_job()))
    assert len(settled) == len(air.seen) == 5000


async def test_the_last_answers_are_settled_together_unless_one_takes_long(a_lane):
    lane, _ = a_lane(key_life=3600)
    turns = a_dispatch(lane).turns(items(400), a_job())
    settled = [len(turn.answered) async for turn in follow(turns)]
    assert settled == [0, 400]


async def test_one_slow_answer_does_not_keep_the_others_from_the_ledger(a_lane):
    lane, air = a_lane(key_life=3600)
    slow = asyncio.Event()
    exchange = air.exchange

    async def some_wait(request, deadline):
        if request.messages[0].key.user == "u00003":
            await slow.wait()
        return await exchange(request, deadline)

    air.exchange = some_wait
    settled = []
    async for turn in follow(a_dispatch(lane).turns(items(10), a_job())):
        settled += [answer.key.user for answer in turn.answered]
        if len(settled) == 9:
            slow.set()
    assert settled[-1] == "u00003"
    assert len(settled) == 10


async def test_trouble_of_our_own_ends_the_turns_instead_of_leaving_them_waiting(a_lane):
    def no_dice():
        raise ZeroDivisionError

    lane, _ = a_lane(trouble=Lost("reset"))
    asyncio.get_running_loop().set_exception_handler(lambda loop, told: None)  # it hears of it too
    with pytest.raises(ZeroDivisionError):
        await drive(Dispatch([lane], Clock(), no_dice).turns(items(3), a_job()))


async def test_an_adapter_that_loses_count_leaves_its_messages_in_doubt(a_lane):
    lane, _ = a_lane()
    lane.adapter.read = lambda request, response: []
    settled, _ = await drive(a_dispatch(lane).turns(items(3), a_job()))
    assert {(s.state, s.detail) for s in settled} == {(State.UNKNOWN, "echo: 0 outcomes for 1 messages")}


async def follow(turns):
    async for turn in turns:
        yield turn
        turn.go(Permission(go=tuple(turn.ready)))


def test_the_body_hash_tells_content_and_address_but_not_attempts():
    message = an_item("a").message
    assert body_hash(message) == body_hash(replace(message, key=message.key._replace(run=9)))
    assert body_hash(message) != body_hash(replace(message, address=Address("https://b.example")))
    assert body_hash(message) != body_hash(replace(message, content=WebhookContent("t", {"hello": "b"})))
