"""Short-lived keys: fetched once for everybody, renewed ahead of time, and never asked for in a loop."""

import asyncio
import json

import pytest

from orchestrator.core.nouns import Address, Channel, DeliveryKey, Message, TextContent
from orchestrator.core.outcomes import Accepted, Pause, PauseScope
from orchestrator.core.times import MINUTE, SECOND, Instant
from orchestrator.dispatch import Lane
from orchestrator.providers import Declaration, HttpRequest, HttpResponse, Setting, Token, Transport
from orchestrator.wire.http import HttpxEngine
from orchestrator.wire.http_bulk import BulkEngine
from orchestrator.wire.tokens import Tokens

CREDENTIAL = PauseScope.CREDENTIAL
MESSAGE = Message(DeliveryKey(1, "u1", Channel.SMS), "ab" * 16, Address("+43"), TextContent("Hello"))


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.at = Instant(1_772_442_000_000_000)

    def now(self):
        return self.at


class Texting:
    """An adapter of a service that wants a token first."""

    declaration = Declaration(
        "texting", frozenset({Channel.SMS}), Transport.HTTP, (Setting("url", "where"),), timeout=5.0
    )

    def grant(self, credentials, now):
        return HttpRequest("POST", credentials["url"] + "/token", {}, b"grant")

    def read_grant(self, response):
        if response.status != 200:
            return Pause(CREDENTIAL, f"token refused: {response.status}", response.retry_after)
        told = json.loads(response.body)
        return Token(told["token"], told["life"])

    def build(self, messages, credentials, now):
        headers = {"authorization": f"Bearer {credentials['access_token']}"}
        return HttpRequest("POST", credentials["url"] + "/send", headers, b"{}")

    def read(self, request, response):
        assert isinstance(response, HttpResponse)
        return [Accepted("m-1")] if response.status == 200 else [Pause(CREDENTIAL, f"refused: {response.status}")]


class Service:
    """A loopback service: it hands out token-1, token-2 … and takes those it did not revoke."""

    def __init__(self):
        self.granted, self.sent = 0, []
        self.refuses_grants = None
        self.life = 3600
        self.revoked = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.serving = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.settings = {"url": f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"}
        self.clock = Clock()
        self.engine = HttpxEngine(self.clock)
        self.tokens = Tokens(Texting(), self.engine, self.settings, self.clock)
        self.lane = Lane(Texting(), self.engine, self.settings, self.clock, self.tokens)
        self.quick = Lane(Texting(), BulkEngine(self.clock), self.settings, self.clock, self.tokens)
        return self

    async def send(self, message):
        """By the way that has no task for each message."""
        heard = asyncio.get_running_loop().create_future()
        self.quick.send(message, heard.set_result)
        return await heard

    async def __aexit__(self, *_):
        self.gate.set()
        await self.quick.close()
        await self.engine.close()
        self.server.close()
        await asyncio.gather(*self.serving)

    async def serve(self, reader, writer):
        self.serving.append(asyncio.current_task())
        while head := await self.head(reader):
            if b"/token" in head:
                await self.gate.wait()
                writer.write(self.grant())
            else:
                token = head.partition(b"Bearer ")[2].partition(b"\r\n")[0].decode()
                self.sent.append(token)
                writer.write(self.answer(401 if token in self.revoked or "all" in self.revoked else 200, b"{}"))
        writer.close()
        await writer.wait_closed()

    async def head(self, reader):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
        return head

    def grant(self):
        self.granted += 1
        if self.refuses_grants:
            return self.answer(self.refuses_grants, b"no")
        return self.answer(200, json.dumps({"token": f"token-{self.granted}", "life": self.life}).encode())

    def answer(self, status, body):
        return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)

    def later(self, seconds):
        self.clock.at = Instant(self.clock.at + int(seconds * SECOND))


@pytest.fixture
async def service():
    async with Service() as one:
        yield one


async def test_a_hundred_who_ask_at_once_cause_one_fetch(service):
    service.gate.clear()
    asking = [asyncio.create_task(service.tokens.current()) for _ in range(100)]
    asking[0].cancel()  # who gives up does not take it from the others
    await asyncio.sleep(0)
    service.gate.set()
    found = await asyncio.gather(*asking[1:])
    assert set(found) == {"token-1"}
    assert service.granted == 1


async def test_a_token_is_renewed_before_it_ends_while_the_others_go_on_with_the_old_one(service):
    assert await service.tokens.current() == "token-1"
    service.later(3600 - 301)
    assert await service.tokens.current() == "token-1"
    service.later(2)
    service.gate.clear()
    renewing = asyncio.create_task(service.tokens.current())
    await asyncio.sleep(0)
    assert await service.tokens.current() == "token-1"
    service.gate.set()
    assert await renewing == "token-2"
    assert await service.tokens.current() == "token-2"
    assert service.granted == 2


async def test_a_token_that_still_holds_is_used_when_it_cannot_be_renewed(service):
    await service.tokens.current()
    service.later(3600 - 200)
    service.refuses_grants = 503
    assert [await service.tokens.current() for _ in range(10)] == ["token-1"] * 10
    assert service.granted == 2
    service.later(201)
    assert isinstance(await service.tokens.current(), Pause)


@pytest.mark.parametrize("life", [60, 1, 0, -5, float("nan"), float("inf")])
async def test_a_life_of_any_length_is_lived_with(service, life):
    service.life = life
    assert await service.tokens.current() == "token-1"
    assert await service.tokens.current() == "token-1"
    service.later(25 * 3600)
    assert await service.tokens.current() == "token-2"


async def test_a_refused_grant_pauses_everybody_and_is_not_asked_again_at_once(service):
    service.refuses_grants = 401
    found = [await service.lane.deliver([MESSAGE]) for _ in range(20)]
    assert found == [[Pause(CREDENTIAL, "token refused: 401")]] * 20
    assert (service.granted, service.sent) == (1, [])
    service.refuses_grants = None
    service.later(31)
    assert await service.lane.deliver([MESSAGE]) == [Accepted("m-1")]


async def test_a_service_that_is_away_pauses_for_a_while(service):
    service.server.close()
    await service.engine.close()
    tokens = Tokens(Texting(), HttpxEngine(service.clock), service.settings, service.clock)
    found = await tokens.current()
    assert isinstance(found, Pause)
    assert (found.scope, found.after) == (CREDENTIAL, 30.0)


async def test_a_token_revoked_in_the_middle_is_replaced_once_and_the_message_goes_out(service):
    assert await service.lane.deliver([MESSAGE]) == [Accepted("m-1")]
    service.later(10 * MINUTE / SECOND)
    service.revoked = {"token-1"}
    found = await asyncio.gather(*(service.lane.deliver([MESSAGE]) for _ in range(50)))
    assert found == [[Accepted("m-1")]] * 50
    assert service.granted == 2


async def test_a_second_401_pauses_and_does_not_fetch_in_a_loop(service):
    await service.tokens.current()
    service.later(600)
    service.revoked = {"all"}
    for _ in range(20):
        (only,) = await service.lane.deliver([MESSAGE])
        assert isinstance(only, Pause)
        assert only.after is None
    assert service.granted == 2
    assert len(service.sent) == 21


async def test_messages_that_are_started_wait_for_the_first_token_and_for_the_next(service):
    assert await asyncio.gather(*(service.send(MESSAGE) for _ in range(50))) == [Accepted("m-1")] * 50
    service.later(10 * MINUTE / SECOND)
    service.revoked = {"token-1"}
    assert await asyncio.gather(*(service.send(MESSAGE) for _ in range(50))) == [Accepted("m-1")] * 50
    assert service.granted == 2
    assert service.sent.count("token-2") == 50


async def test_a_started_message_whose_new_token_is_refused_too_pauses(service):
    assert await service.send(MESSAGE) == Accepted("m-1")
    service.later(600)
    service.revoked = {"all"}
    only = await service.send(MESSAGE)
    assert isinstance(only, Pause)
    assert only.after is None


async def test_no_token_shows_in_what_is_printed(service):
    token = await service.tokens.current()
    assert token not in repr(service.tokens._held)
    assert token not in repr(Token(token, 1.0))
    request = Texting().build([MESSAGE], {**service.settings, "access_token": token}, service.clock.now())
    assert token not in repr(request)
