"""The fast engine for campaigns: a Rust client that carries a request in a twentieth of the time httpx takes."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta

from pyreqwest import exceptions
from pyreqwest.client import Client, ClientBuilder

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.times import Clock
from orchestrator.providers import HttpRequest, HttpResponse
from orchestrator.wire import Lost, NotSent
from orchestrator.wire.guard import Allowance, PinnedTarget, Resolver, check, system_resolver
from orchestrator.wire.http import AGENT, CONNECT, IDLE, MOST, Doubt, answer

_CONNECTING = "client error (Connect)"
"""The cause hyper-util names when a connection never stood."""

_PIN_LIFE = 30.0
"""Seconds after which a guarded host is looked up and checked again."""

_MOST_PINS = 64

# Class names of this library do not tell: ConnectError and ConnectTimeoutError also come for a server that took the whole
# request and closed, or never answered (0.15). For those the chain of causes says whether a connection ever stood.
MEANING: Mapping[type[BaseException], Doubt] = {
    exceptions.BuilderError: Doubt.NOT_SENT,
    exceptions.PoolTimeoutError: Doubt.NOT_SENT,
    exceptions.ConnectError: Doubt.BY_BYTES,
    exceptions.ConnectTimeoutError: Doubt.BY_BYTES,
    exceptions.ReadError: Doubt.LOST,
    exceptions.ReadTimeoutError: Doubt.LOST,
    exceptions.WriteError: Doubt.LOST,
    exceptions.WriteTimeoutError: Doubt.LOST,
    exceptions.DecodeError: Doubt.LOST,
    exceptions.BodyDecodeError: Doubt.LOST,
    exceptions.JSONDecodeError: Doubt.LOST,
    exceptions.StatusError: Doubt.LOST,
    exceptions.RedirectError: Doubt.LOST,
    exceptions.ClientClosedError: Doubt.LOST,
    exceptions.RequestPanicError: Doubt.LOST,
    # Base classes: the causes decide.
    exceptions.PyreqwestError: Doubt.BY_BYTES,
    exceptions.DetailedPyreqwestError: Doubt.BY_BYTES,
    exceptions.RequestError: Doubt.BY_BYTES,
    exceptions.TransportError: Doubt.BY_BYTES,
    exceptions.NetworkError: Doubt.BY_BYTES,
    exceptions.RequestTimeoutError: Doubt.BY_BYTES,
}


class RustEngine:
    """The bulk engine; only under uvloop, on asyncio's own loop the client can abort the interpreter at exit (0.15).

    With an allowance it is guarded like the other engine: each host gets a client that knows its checked address only.
    """

    def __init__(
        self,
        clock: Clock,
        allow: Allowance | None = None,
        connections: int = 128,
        resolver: Resolver = system_resolver,
        root: bytes | None = None,
    ) -> None:
        """`root` is one more certificate authority to trust, in PEM."""
        if not type(asyncio.get_running_loop()).__module__.startswith("uvloop"):
            raise OrchestratorError(
                "the bulk HTTP engine runs under uvloop only; start with uvloop.run, or use HttpxEngine"
            )
        self._clock = clock
        self._allow = allow
        self.places = connections
        self._resolver = resolver
        self._root = root
        self._places = asyncio.Semaphore(connections)
        self._open = self._client() if allow is None else None
        self._pins: OrderedDict[str, tuple[float, str, Client]] = OrderedDict()
        self._pinned: dict[tuple[str, int, tuple[str, ...]], Client] = {}

    async def exchange(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Make the exchange; NotSent or Lost if it does not end with an answer."""
        try:
            if self._places.locked():
                async with asyncio.timeout_at(deadline):
                    await self._places.acquire()
            else:
                await self._places.acquire()
        except TimeoutError as problem:
            raise NotSent("no connection came free in time") from problem
        try:
            url, client = (request.url, self._open) if self._open else await self._guarded(request.url, deadline)
            return await self._answer(client, request, url, deadline)
        except exceptions.PyreqwestError as problem:
            raise _told(problem) from problem
        finally:
            self._places.release()

    async def _answer(self, client: Client, request: HttpRequest, url: str, deadline: float) -> HttpResponse:
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise NotSent("its time was over before it could leave")
        try:
            call = (
                client.request(request.method, url)
                .headers(request.headers)
                .body_bytes(request.body)
                .timeout(timedelta(seconds=left))
                .build_streamed()
            )
        except ValueError as problem:  # a header with a line break, a method that is none
            raise NotSent(f"{type(problem).__name__}: the request cannot be built") from problem
        async with call as response:
            reader = response.body_reader
            body = bytes(await reader.read(MOST + 1) or b"")
            # Where the server said how long its answer is, there is no need to ask for its end.
            whole = response.headers.get("content-length") == str(len(body))
            while not whole and len(body) <= MOST and (more := await reader.read(MOST)):
                body += more
            if len(body) > MOST:
                raise Lost(f"the answer ({response.status}) is longer than {MOST} bytes")
            return answer(response.status, response.headers, body, self._clock)

    async def _guarded(self, url: str, deadline: float) -> tuple[str, Client]:
        """The URL in its plain spelling and the client pinned to its checked address."""
        now = asyncio.get_running_loop().time()
        kept = self._pins.get(url)
        if kept is not None and now < kept[0]:
            return kept[1:]
        try:
            async with asyncio.timeout_at(deadline):
                target = await check(url, self._resolver, self._allow or Allowance())
        except TimeoutError as problem:
            raise NotSent("its host name was not looked up in time") from problem
        key = (target.host, target.port, target.addresses)
        client = self._pinned.get(key) or self._client(target)
        # What is forgotten is closed by whoever still uses it: a request in the air keeps its client.
        self._pinned[key] = client
        while len(self._pinned) > _MOST_PINS:
            del self._pinned[next(iter(self._pinned))]
        self._pins[url] = (now + _PIN_LIFE, target.url, client)
        while len(self._pins) > 16 * _MOST_PINS:
            self._pins.popitem(last=False)
        return target.url, client

    def _client(self, target: PinnedTarget | None = None) -> Client:
        builder = (
            ClientBuilder()
            .no_proxy()
            .follow_redirects(enable=False)
            .referer(enable=False)
            .error_for_status(enable=False)
            .gzip(enable=False)
            .brotli(enable=False)
            .zstd(enable=False)
            .deflate(enable=False)
            .user_agent(AGENT)
            .default_headers({"accept-encoding": "identity"})
            .connect_timeout(timedelta(seconds=CONNECT))
            .pool_idle_timeout(timedelta(seconds=IDLE))
            .pool_max_idle_per_host(self.places)
        )
        if target is not None:
            builder = builder.resolve(target.host, target.addresses[0], target.port)
        if self._root is not None:
            builder = builder.add_root_certificate_pem(self._root)
        return builder.build()

    async def close(self) -> None:
        """Let go of the connections."""
        for client in (*([self._open] if self._open else []), *self._pinned.values()):
            await client.close()


def _told(problem: exceptions.PyreqwestError) -> NotSent | Lost:
    causes = [cause["message"] for cause in (getattr(problem, "details", None) or {}).get("causes") or ()]
    doubt = MEANING.get(type(problem), Doubt.BY_BYTES)
    # The first cause repeats the URL, and some services take their secret in it.
    words = f"{type(problem).__name__}: {'; '.join(cause for cause in causes if ' for url ' not in cause) or problem.message}"
    never_left = doubt is Doubt.NOT_SENT or (doubt is Doubt.BY_BYTES and _CONNECTING in causes)
    return NotSent(words) if never_left else Lost(words)
