"""Both HTTP engines against a server that misbehaves: what is NotSent, what is Lost, and what is an answer."""

import asyncio
import contextlib
import inspect
import socket
import struct

import httpx
import pytest
import uvloop
from pyreqwest import exceptions as rust

from orchestrator.providers import HttpRequest
from orchestrator.wire import Lost, NotSent, http
from orchestrator.wire.http import MOST, HttpxEngine, RustEngine

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Id: 7\r\n\r\nok"


class Server:
    """One loopback server that answers every request by `play`, and counts connections and requests."""

    def __init__(self, play):
        self.play = play
        self.connections = self.requests = 0
        self.bodies = []
        self.released = asyncio.Event()
        self.writers, self.serving = [], []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/send"
        return self

    async def __aexit__(self, *_):
        self.released.set()
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.gather(*self.serving, return_exceptions=True)

    async def serve(self, reader, writer):
        self.connections += 1
        self.writers.append(writer)
        self.serving.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                self.bodies.append(await reader.readexactly(length))
                self.requests += 1
                await self.play(self, writer)
                await writer.drain()
                if writer.is_closing():
                    break
        writer.close()


async def accepts(_, writer):
    writer.write(OK)


async def drops(_, writer):
    writer.close()


async def hangs(server, writer):
    await server.released.wait()
    writer.close()


async def resets(_, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab")
    await writer.drain()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def speaks_another_tongue(_, writer):
    writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
    writer.close()


async def tears_the_body(_, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab")
    writer.close()


async def dribbles(server, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na")
    await writer.drain()
    await server.released.wait()
    writer.close()


async def never_ends(_, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * (MOST + 1))
    await writer.drain()
    writer.close()


def a_request(url):
    return HttpRequest("POST", url, {"Content-Type": "application/json", "X-Key": "k1"}, b'{"a":1}')


@pytest.fixture(params=[HttpxEngine, RustEngine], ids=["httpx", "rust"])
def run(request):
    """Runs a test's coroutine with a fresh engine, under the loop the product uses."""

    def go(test, play=accepts):
        async def inside():
            engine = request.param()
            async with Server(play) as server:
                try:
                    await test(engine, server)
                finally:
                    await engine.close()

        uvloop.run(inside())

    return go


def test_an_answer_comes_back_whole_over_a_connection_that_is_kept(run):
    async def test(engine, server):
        for _ in range(3):
            answer = await engine.exchange(a_request(server.url), 5)
            assert (answer.status, answer.headers["x-id"], answer.body) == (200, "7", b"ok")
        assert (server.connections, server.requests) == (1, 3)
        assert server.bodies == [b'{"a":1}'] * 3

    run(test)


@pytest.mark.parametrize("status", [200, 302, 404, 429, 503])
def test_every_status_is_an_answer_and_no_redirect_is_followed(run, status):
    async def says(_, writer):
        writer.write(
            f"HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n".encode()
        )

    async def test(engine, server):
        answer = await engine.exchange(a_request(server.url), 5)
        assert (answer.status, answer.headers["retry-after"]) == (status, "7")
        assert server.requests == 1

    run(test, says)


@pytest.mark.parametrize(
    "play", [drops, resets, speaks_another_tongue, tears_the_body, never_ends], ids=lambda play: play.__name__
)
def test_trouble_after_the_request_left_is_lost_and_asked_only_once(run, play):
    async def test(engine, server):
        with pytest.raises(Lost):
            await engine.exchange(a_request(server.url), 5)
        assert server.requests == 1

    run(test, play)


@pytest.mark.parametrize("play", [hangs, dribbles], ids=lambda play: play.__name__)
def test_one_deadline_holds_for_the_whole_exchange(run, play):
    async def test(engine, server):
        with pytest.raises(Lost):
            await engine.exchange(a_request(server.url), 0.2)

    run(test, play)


def test_a_connection_in_doubt_is_not_used_again(run):
    async def first_hangs(server, writer):
        if server.requests == 1:
            await server.released.wait()
            writer.close()
        else:
            writer.write(OK)

    async def test(engine, server):
        with pytest.raises(Lost):
            await engine.exchange(a_request(server.url), 0.2)
        assert (await engine.exchange(a_request(server.url), 5)).status == 200
        assert server.connections == 2

    run(test, first_hangs)


def test_a_refused_connection_is_not_sent(run):
    async def test(engine, server):
        server.server.close()
        await server.server.wait_closed()
        with pytest.raises(NotSent):
            await engine.exchange(a_request(server.url), 5)

    run(test)


@pytest.mark.parametrize(
    "url", ["http://nowhere.invalid/", "http://127.0.0.1:1/", "nonsense", "ftp://127.0.0.1/", "http://[::1"]
)
def test_an_address_that_leads_nowhere_is_not_sent(run, url):
    async def test(engine, _):
        with pytest.raises(NotSent):
            await engine.exchange(a_request(url), 5)

    run(test)


def test_many_exchanges_share_the_engine(run):
    async def test(engine, server):
        answers = await asyncio.gather(*(engine.exchange(a_request(server.url), 10) for _ in range(200)))
        assert {answer.status for answer in answers} == {200}
        assert server.requests == 200

    run(test)


def test_every_way_httpx_can_fail_is_told_apart():
    known = {*http._NOT_SENT, *http._LOST}
    bases = {
        httpx.HTTPError,
        httpx.RequestError,
        httpx.TransportError,
        httpx.TimeoutException,
        httpx.NetworkError,
        httpx.ProtocolError,
    }
    never = {httpx.HTTPStatusError}  # only raise_for_status raises it
    found = {thing for _, thing in inspect.getmembers(httpx, inspect.isclass) if issubclass(thing, httpx.HTTPError)}
    assert found - bases - never == known


def test_every_way_the_rust_client_can_fail_is_known():
    found = {
        name for name, thing in inspect.getmembers(rust, inspect.isclass) if issubclass(thing, rust.PyreqwestError)
    }
    assert found == {
        "BodyDecodeError", "BuilderError", "ClientClosedError", "ConnectError", "ConnectTimeoutError", "DecodeError",
        "DetailedPyreqwestError", "JSONDecodeError", "NetworkError", "PoolTimeoutError", "PyreqwestError", "ReadError",
        "ReadTimeoutError", "RedirectError", "RequestError", "RequestPanicError", "RequestTimeoutError", "StatusError",
        "TransportError", "WriteError", "WriteTimeoutError",
    }  # fmt: skip
