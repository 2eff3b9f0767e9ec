"""Both HTTP engines against a server that misbehaves: what is NotSent, what is Lost, and what is an answer."""

import asyncio
import contextlib
import inspect
import socket
import ssl
import struct
from datetime import UTC, datetime
from ipaddress import ip_network

import httpx
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.times import Instant, instant
from orchestrator.providers import HttpRequest
from orchestrator.wire import Lost, NotSent, http
from orchestrator.wire.clock import WallClock
from orchestrator.wire.guard import Allowance, RefusedError
from orchestrator.wire.http import MOST, HttpxEngine
from orchestrator.wire.http_bulk import BulkEngine

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Id: 7\r\n\r\nok"


class Server:
    """One loopback server that answers every request by `play`, and counts connections and requests."""

    def __init__(self, play, tls=None):
        self.play, self.tls = play, tls
        self.connections = self.requests = 0
        self.bodies = []
        self.heard, self.released = asyncio.Event(), asyncio.Event()
        self.strangers = 0  # connections to 127.0.0.2, which no test means
        self.writers, self.serving = [], []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self.server.sockets[0].getsockname()[1]
        self.other = await asyncio.start_server(self.stranger, "127.0.0.2", self.port)
        self.url = f"http://127.0.0.1:{self.port}/send"
        return self

    async def __aexit__(self, *_):
        self.released.set()
        self.server.close()
        self.other.close()
        for writer in self.writers:
            writer.transport.abort()
        await asyncio.gather(*self.serving, return_exceptions=True)

    async def stranger(self, _reader, writer):
        self.strangers += 1
        writer.close()

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
                self.heard.set()
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


NOW = instant(datetime(2026, 3, 2, 9, tzinfo=UTC))


LOOPBACK = Allowance(plain_http=True, networks=(ip_network("127.0.0.0/8"),))


class StoppedClock:
    def now(self) -> Instant:
        return NOW


def within(seconds):
    """A deadline so many seconds from now, on the loop's clock."""
    return asyncio.get_running_loop().time() + seconds


def a_request(url):
    return HttpRequest("POST", url, {"Content-Type": "application/json", "X-Key": "k1"}, b'{"a":1}')


@pytest.fixture(params=[HttpxEngine, BulkEngine], ids=["httpx", "bulk"])
def run(request):
    """Runs a test's coroutine with a fresh engine, under the loop the product uses."""

    def go(test, play=accepts, **settings):
        async def inside():
            engine = request.param(StoppedClock(), **settings)
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
            answer = await engine.exchange(a_request(server.url), within(5))
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
        answer = await engine.exchange(a_request(server.url), within(5))
        asked_to_wait = None if status == 200 else 7.0  # who took a message has nothing to ask for
        assert (answer.status, answer.headers["retry-after"], answer.retry_after) == (status, "7", asked_to_wait)
        assert server.requests == 1

    run(test, says)


@pytest.mark.parametrize(
    "play", [drops, resets, speaks_another_tongue, tears_the_body, never_ends], ids=lambda play: play.__name__
)
def test_trouble_after_the_request_left_is_lost_and_asked_only_once(run, play):
    async def test(engine, server):
        with pytest.raises(Lost):
            await engine.exchange(a_request(server.url), within(5))
        assert server.requests == 1

    run(test, play)


@pytest.mark.parametrize("play", [hangs, dribbles], ids=lambda play: play.__name__)
def test_one_deadline_holds_for_the_whole_exchange(run, play):
    async def test(engine, server):
        with pytest.raises(Lost):
            await engine.exchange(a_request(server.url), within(0.2))

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
            await engine.exchange(a_request(server.url), within(0.2))
        assert (await engine.exchange(a_request(server.url), within(5))).status == 200
        assert server.connections == 2

    run(test, first_hangs)


def test_a_refused_connection_is_not_sent(run):
    async def test(engine, server):
        server.server.close()
        await server.server.wait_closed()
        with pytest.raises(NotSent):
            await engine.exchange(a_request(server.url), within(5))

    run(test)


@pytest.mark.parametrize(
    "url", ["http://nowhere.invalid/", "http://127.0.0.1:1/", "nonsense", "ftp://127.0.0.1/", "http://[::1"]
)
def test_an_address_that_leads_nowhere_is_not_sent(run, url):
    async def test(engine, _):
        with pytest.raises(NotSent):
            await engine.exchange(a_request(url), within(5))

    run(test)


def test_many_exchanges_share_the_engine(run):
    async def test(engine, server):
        answers = await asyncio.gather(*(engine.exchange(a_request(server.url), within(10)) for _ in range(200)))
        assert {answer.status for answer in answers} == {200}
        assert server.requests == 200

    run(test)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("Mon, 02 Mar 2026 09:02:00 GMT", 120.0), ("0", 1.0), ("soon", None), ("Tue, 01 Jan 2999 00:00:00 GMT", 21600.0)],
)
def test_a_wish_to_wait_is_read_in_both_forms(run, header, seconds):
    async def says(_, writer):
        writer.write(f"HTTP/1.1 429 X\r\nRetry-After: {header}\r\nContent-Length: 0\r\n\r\n".encode())

    async def test(engine, server):
        assert (await engine.exchange(a_request(server.url), within(5))).retry_after == seconds

    run(test, says)


def test_an_answer_in_pieces_is_put_together(run):
    async def in_pieces(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"one", b"two", b"three"):
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    async def test(engine, server):
        for _ in range(2):
            assert (await engine.exchange(a_request(server.url), within(5))).body == b"onetwothree"
        assert server.connections == 1

    run(test, in_pieces)


def test_a_packed_answer_is_not_unpacked(run):
    async def packed(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")

    async def test(engine, server):
        assert (await engine.exchange(a_request(server.url), within(5))).body == b"abc"

    run(test, packed)


def test_a_kept_connection_that_closes_under_the_second_request_is_lost(run):
    async def answers_once(server, writer):
        if server.requests == 1:
            writer.write(OK)
        else:
            writer.close()

    async def test(engine, server):
        await engine.exchange(a_request(server.url), within(5))
        with pytest.raises(Lost):
            await engine.exchange(a_request(server.url), within(5))
        assert (server.connections, server.requests) == (1, 2)

    run(test, answers_once)


def test_waiting_for_a_free_connection_until_the_deadline_is_not_sent(run):
    async def test(engine, server):
        first = asyncio.create_task(engine.exchange(a_request(server.url), within(5)))
        await server.heard.wait()
        with pytest.raises(NotSent):
            await engine.exchange(a_request(server.url), within(0.1))
        assert server.requests == 1
        server.released.set()
        with pytest.raises(Lost):
            await first

    run(test, hangs, connections=1)


def test_a_cancelled_exchange_gives_its_place_back_and_its_connection_up(run):
    async def first_hangs(server, writer):
        if server.requests == 1:
            await server.released.wait()
            writer.close()
        else:
            writer.write(OK)

    async def test(engine, server):
        first = asyncio.create_task(engine.exchange(a_request(server.url), within(5)))
        await server.heard.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await engine.exchange(a_request(server.url), within(5))).status == 200
        assert server.connections == 2

    run(test, first_hangs, connections=1)


def test_a_deadline_that_has_passed_sends_nothing(run):
    async def test(engine, server):
        with pytest.raises(NotSent):
            await engine.exchange(a_request(server.url), within(-1))
        assert server.requests == 0

    run(test)


def test_a_header_nobody_can_send_is_not_sent(run):
    async def test(engine, server):
        with pytest.raises(NotSent):
            await engine.exchange(HttpRequest("POST", server.url, {"X-Key": "a\r\nB: c"}, b"{}"), within(5))
        assert server.requests == 0

    run(test)


def test_an_error_does_not_repeat_a_url_that_may_be_a_secret(run):
    async def test(engine, server):
        with pytest.raises(Lost) as problem:
            await engine.exchange(a_request(server.url + "?key=s3cr3t"), within(5))
        assert "s3cr3t" not in str(problem.value)

    run(test, drops)


def test_a_guarded_engine_opens_no_connection_to_this_machine(run):
    async def test(engine, server):
        for url in (server.url, server.url.replace("127.0.0.1", "localhost"), "http://[::ffff:127.0.0.1]/"):
            with pytest.raises(RefusedError):
                await engine.exchange(a_request(url), within(5))
        assert server.connections == 0

    run(test, allow=Allowance(plain_http=True))


def test_a_guarded_engine_calls_the_network_it_was_allowed(run):
    async def test(engine, server):
        for _ in range(2):
            assert (await engine.exchange(a_request(server.url), within(5))).status == 200
        assert server.connections == 1

    run(test, allow=LOOPBACK)


def test_a_name_that_turns_inward_after_its_first_look_up_is_never_followed(run):
    """The first answer may be called, every later one leads to a server that may not."""
    looked_up = []

    async def flips(host, _port):
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["127.0.0.2"]

    only_first = Allowance(plain_http=True, networks=(ip_network("127.0.0.1/32"),))

    async def test(engine, server):
        url = server.url.replace("127.0.0.1", "rebinding.example")
        for _ in range(3):
            with contextlib.suppress(RefusedError):
                await engine.exchange(a_request(url), within(5))
        assert server.strangers == 0
        assert looked_up

    run(test, allow=only_first, resolver=flips)


def test_a_provisional_answer_is_not_the_answer(run):
    async def announces(_, writer):
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n")
        await writer.drain()
        writer.write(OK)

    async def test(engine, server):
        for _ in range(2):
            answer = await engine.exchange(a_request(server.url), within(5))
            assert (answer.status, answer.body) == (200, b"ok")
        assert server.connections == 1

    run(test, announces)


def test_a_body_that_only_the_end_of_the_connection_ends_is_whole(run):
    async def says_no_length(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nsome ")
        await writer.drain()
        writer.write(b"words")
        writer.close()

    async def test(engine, server):
        for _ in range(2):
            assert (await engine.exchange(a_request(server.url), within(5))).body == b"some words"
        assert server.connections == 2

    run(test, says_no_length)


def test_a_server_that_wants_no_more_of_a_connection_gets_a_new_one(run):
    async def closes(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async def test(engine, server):
        for _ in range(3):
            assert (await engine.exchange(a_request(server.url), within(5))).status == 200
        assert server.connections == 3

    run(test, closes)


def test_a_head_without_end_is_torn_off(run):
    async def goes_on(server, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(3000):
                writer.write(b"X-%d: %s\r\n" % (number, b"x" * 100))
                await writer.drain()
        writer.close()

    async def test(engine, server):
        with pytest.raises(Lost):
            await engine.exchange(a_request(server.url), within(5))
        assert server.requests == 1

    run(test, goes_on)


@pytest.fixture
def bulk():
    """Runs a test's coroutine with the engine for campaigns, where the other leaves things to its library."""

    def go(test, play=accepts, **settings):
        async def inside():
            engine = BulkEngine(StoppedClock(), **settings)
            async with Server(play) as server:
                try:
                    await test(engine, server)
                finally:
                    await engine.close()

        uvloop.run(inside())

    return go


def test_words_behind_an_answer_are_no_answer_to_the_next_request(bulk):
    """A second answer nobody asked for would be taken for the one to the next request, and everybody's after it."""

    async def answers_twice(_, writer):
        writer.write(OK + b"HTTP/1.1 500 X\r\nContent-Length: 5\r\n\r\nfalse")

    async def test(engine, server):
        for _ in range(3):
            assert (await engine.exchange(a_request(server.url), within(5))).body == b"ok"
        assert (server.connections, server.requests) == (3, 3)

    bulk(test, answers_twice)


def test_a_connection_unused_for_long_is_not_trusted(bulk):
    async def test(engine, server):
        await engine.exchange(a_request(server.url), within(5))
        for lines in engine._idle.values():
            for line in lines:
                line.idle_since -= http.IDLE + 1
        await engine.exchange(a_request(server.url), within(5))
        assert server.connections == 2

    bulk(test)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "elsewhere.example"}, {"Content-Length": "3"}, {"X Key": "a"}, {"X-Key": "\u20ac"}, {"X-Key": "a\0b"}],
)
def test_headers_that_would_say_something_else_are_not_sent(bulk, headers):
    async def test(engine, server):
        with pytest.raises(NotSent):
            await engine.exchange(HttpRequest("POST", server.url, headers, b"{}"), within(5))
        assert server.requests == 0

    bulk(test)


def test_a_header_that_comes_twice_keeps_both_words(bulk):
    async def says(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nX-Id: 1\r\nX-Id: 2\r\nContent-Length: 0\r\n\r\n")

    async def test(engine, server):
        assert (await engine.exchange(a_request(server.url), within(5))).headers["x-id"] == "1, 2"

    bulk(test, says)


def test_an_engine_that_is_closed_leaves_nobody_waiting(bulk):
    async def test(engine, server):
        waiting = asyncio.create_task(engine.exchange(a_request(server.url), within(5)))
        await server.heard.wait()
        await engine.close()
        with pytest.raises(Lost):
            await waiting

    bulk(test, hangs)


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_a_certificate_nobody_vouches_for_is_not_sent(tmp_path, trusted):
    """A guarded engine connects to the checked address and still asks for, and verifies, the name."""
    pem, key = a_certificate("hook.example")
    (tmp_path / "server.pem").write_bytes(key + pem)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "server.pem")

    async def resolver(_host, _port):
        return ["127.0.0.1"]

    async def inside(make):
        engine = make(resolver)
        async with Server(accepts, tls=served) as server:
            url = f"https://hook.example:{server.port}/send"
            if trusted:
                assert (await engine.exchange(a_request(url), within(5))).status == 200
                assert server.bodies == [b'{"a":1}']
            else:
                with pytest.raises(NotSent):
                    await engine.exchange(a_request(url), within(5))
                assert server.requests == 0
            await engine.close()

    context = ssl.create_default_context(cadata=pem.decode()) if trusted else None
    uvloop.run(inside(lambda names: HttpxEngine(StoppedClock(), LOOPBACK, resolver=names, verify=context)))
    uvloop.run(inside(lambda names: BulkEngine(StoppedClock(), LOOPBACK, resolver=names, verify=context)))


def a_certificate(name):
    """A self-signed certificate for this name, and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    written = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return certificate.public_bytes(serialization.Encoding.PEM), written


def test_every_way_httpx_can_fail_has_its_line():
    found = {thing for _, thing in inspect.getmembers(httpx, inspect.isclass) if issubclass(thing, Exception)}
    assert found == set(http.MEANING)


def test_over_http2_nobody_goes_where_other_peoples_addresses_lead():
    with pytest.raises(OrchestratorError, match="over HTTP/2 no addresses are checked"):
        HttpxEngine(WallClock(), Allowance(), http2=True)
