"""The engine for campaigns: HTTP/1.1 over kept connections, at a quarter of what the cheapest client costs that was tried.

It knows to the byte what left: until a request is written it is NotSent, from then on Lost, and nothing is sent twice.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable

from orchestrator.core.times import Clock
from orchestrator.providers import HttpRequest, HttpResponse
from orchestrator.wire import Lost, NotSent
from orchestrator.wire.guard import Allowance, Resolver, check_host, system_resolver
from orchestrator.wire.http import CONNECT, IDLE, MOST, answer
from orchestrator.wire.http_line import Answer, HttpLine
from orchestrator.wire.http_request import Origin, place, written_out

LOOK_EVERY = 0.05
"""Seconds between two looks for exchanges whose time is over."""

_KNOWN = 1024
"""URLs that need not be read again."""

_SETTINGS = Allowance(plain_http=True)
"""What an address from the project's settings may be: any host, in plain HTTP too."""


Done = Callable[[HttpResponse | NotSent | Lost], None]
"""Hears once how an exchange ended."""


class Exchange:
    """One exchange from its asking to the one word that ends it."""

    __slots__ = ("connecting", "deadline", "done", "line", "origin", "written")

    def __init__(self, origin: Origin, written: bytes, deadline: float, done: Done) -> None:
        self.origin = origin
        self.written = written
        self.deadline = deadline
        self.done = done
        self.line: HttpLine | None = None
        """Its connection, once it is written."""
        self.connecting: asyncio.Task[None] | None = None


class BulkEngine:
    """Carries requests, at most `connections` at once. It belongs to the event loop it is first used on.

    With an allowance it is guarded: every URL is checked, and connections go to the checked addresses only.
    """

    def __init__(
        self,
        clock: Clock,
        allow: Allowance | None = None,
        connections: int = 128,
        resolver: Resolver = system_resolver,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self.places = connections
        self._clock = clock
        self._allow = allow
        self._resolver = resolver
        self._verify = verify
        self._free = connections
        self._known: dict[str, tuple[Origin, str, str]] = {}
        self._queue: deque[Exchange] = deque()
        """Those that found no place free, in the order they came."""
        self._idle: dict[Origin, list[HttpLine]] = {}
        self._busy: dict[HttpLine, Exchange] = {}
        self._connecting: set[Exchange] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def _now(self) -> float:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop.time()

    async def exchange(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Make the exchange; NotSent or Lost if it does not end with an answer."""
        ended: asyncio.Future[HttpResponse | NotSent | Lost] = asyncio.get_running_loop().create_future()
        exchange = self.start(request, deadline, lambda told: None if ended.done() else ended.set_result(told))
        try:
            told = await ended
        except asyncio.CancelledError:
            if exchange is not None:
                self._give_up(exchange, "nobody waits for its answer")
            raise
        if isinstance(told, HttpResponse):
            return told
        raise told

    def start(self, request: HttpRequest, deadline: float, done: Done) -> Exchange | None:
        """Begin the exchange without waiting. `done` hears the end of it once, perhaps before this returns."""
        try:
            known = self._known.get(
                request.url
            )  # a hash of the allowance for each request would cost more than the rest
            origin, path, shown = known or self._place(request.url)
            written = written_out(request, path, shown)
        except NotSent as problem:
            done(problem)
            return None
        if deadline <= self._now():
            done(NotSent("its time was over before it could leave"))
            return None
        exchange = Exchange(origin, written, deadline, done)
        if self._free:
            self._free -= 1
            self._begin(exchange)
        else:
            self._queue.append(exchange)
            self._watch()
        return exchange

    def _place(self, url: str) -> tuple[Origin, str, str]:
        if len(self._known) >= _KNOWN:
            self._known.clear()
        found = self._known[url] = place(url, self._allow or _SETTINGS)
        return found

    async def close(self) -> None:
        """Let go of the connections; whoever waits hears so."""
        why = "the engine was closed"
        for exchange in [*self._queue, *self._connecting, *self._busy.values()]:
            self._give_up(exchange, why)
        for line in [line for lines in self._idle.values() for line in lines]:
            line.tear(why)
        self._idle.clear()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _begin(self, exchange: Exchange) -> None:
        """Write it on a connection that stands, or on a new one."""
        line = self._kept(exchange.origin)
        if line is not None:
            self._write(exchange, line)
            return
        self._connecting.add(exchange)
        exchange.connecting = asyncio.create_task(self._connect(exchange))

    def _write(self, exchange: Exchange, line: HttpLine) -> None:
        exchange.line = line
        self._busy[line] = exchange
        if self._alarm is None:
            self._watch()
        line.ask(exchange.written, exchange.deadline)

    async def _connect(self, exchange: Exchange) -> None:
        try:
            line = await self._connected(exchange.origin, exchange.deadline)
        except NotSent as problem:
            self._unsent(exchange, problem)
        except asyncio.CancelledError:
            raise
        except Exception as problem:  # noqa: BLE001 - whatever it was, nothing has left
            self._unsent(exchange, NotSent(f"no connection: {type(problem).__name__}"))
        else:
            self._connecting.discard(exchange)
            self._write(exchange, line)

    def _unsent(self, exchange: Exchange, problem: NotSent) -> None:
        """An exchange that had a place ends before anything was written."""
        self._connecting.discard(exchange)
        self._next()
        exchange.done(problem)

    def _heard(self, line: HttpLine, told: Answer | Lost) -> None:
        """A line has its answer, or will have none."""
        exchange = self._busy.pop(line)
        if isinstance(told, Lost):
            self._next()
            exchange.done(told)
            return
        self._keep(exchange.origin, line)
        self._next()
        status, headers, body = told
        exchange.done(answer(status, headers, body, self._clock))

    def _next(self) -> None:
        """A place came free: it goes to whoever waits longest."""
        if self._queue:
            self._begin(self._queue.popleft())
        else:
            self._free += 1

    def _give_up(self, exchange: Exchange, why: str) -> None:
        """End an exchange before its answer, wherever it stands."""
        line = exchange.line
        if line is not None and self._busy.get(line) is exchange:
            line.tear(why)
        elif exchange in self._connecting:
            if exchange.connecting is not None:
                exchange.connecting.cancel()
            self._unsent(exchange, NotSent(why))
        elif exchange in self._queue:
            self._queue.remove(exchange)
            exchange.done(NotSent(why))

    def _kept(self, origin: Origin) -> HttpLine | None:
        """A connection that stands; those unused for long are closed, for their servers may be about to."""
        lines = self._idle.get(origin)
        if not lines:
            return None
        fresh = self._now() - IDLE
        while lines:
            line = lines.pop()
            if line.idle_since >= fresh and not line.closing:
                return line
            line.tear("unused for long")
        return None

    def _keep(self, origin: Origin, line: HttpLine) -> None:
        if not line.reusable or line.closing:
            line.tear("its server wants no more of it")
            return
        line.idle_since = self._now()
        self._idle.setdefault(origin, []).append(line)

    async def _connected(self, origin: Origin, deadline: float) -> HttpLine:
        """A new connection; a guarded one goes to an address that was checked this very moment."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(deadline, loop.time() + CONNECT)):
                hosts: tuple[str, ...] = (origin.host,)
                if self._allow is not None:
                    hosts = await check_host(origin.host, origin.port, self._resolver, self._allow)
                return await self._first_to_stand(hosts, origin)
        except TimeoutError as problem:
            raise NotSent("no connection stood in time") from problem

    async def _first_to_stand(self, hosts: tuple[str, ...], origin: Origin) -> HttpLine:
        loop, refusal = asyncio.get_running_loop(), OSError("no address")
        secure = origin.scheme == "https"
        tls, name = (self._trust(), origin.host) if secure else (None, None)
        for host in hosts:
            try:
                _, line = await loop.create_connection(
                    lambda: HttpLine(MOST, self._heard, self._forget), host, origin.port, ssl=tls, server_hostname=name
                )
            except TimeoutError:
                raise
            except (OSError, UnicodeError, ValueError) as problem:  # DNS, refused, TLS, a name nobody can look up
                refusal = OSError(f"{type(problem).__name__}: {problem}")
            else:
                return line
        raise NotSent(f"no connection: {refusal}") from refusal

    def _trust(self) -> ssl.SSLContext:
        if self._verify is None:  # made once: reading the machine's certificates takes some 20 ms
            self._verify = ssl.create_default_context()
        return self._verify

    def _forget(self, line: HttpLine) -> None:
        """A connection ended by itself."""
        for lines in self._idle.values():
            if line in lines:
                lines.remove(line)

    def _watch(self) -> None:
        if self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)

    def _look(self) -> None:
        """End the exchanges whose time is over, and look again while any is under way."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for exchange in [exchange for exchange in self._queue if exchange.deadline <= now]:
            self._queue.remove(exchange)
            exchange.done(NotSent("no connection came free in time"))
        for line in [line for line in self._busy if line.deadline <= now]:
            line.tear("no answer in time")
        self._alarm = loop.call_later(LOOK_EVERY, self._look) if self._busy or self._queue else None
