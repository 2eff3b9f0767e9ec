"""Carries requests to web services and brings their answers back; says honestly whether a failed one may have arrived."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, NoReturn, Protocol

import httpcore
import httpx
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, StreamReset

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.times import Clock
from orchestrator.providers import HttpRequest, HttpResponse
from orchestrator.wire import Lost, NotSent, TooLong
from orchestrator.wire.guard import Allowance, Resolver, check, check_host, system_resolver
from orchestrator.wire.retry import retry_after

MOST = 1_000_000
"""Bytes of an answer that are read; a longer one is torn off."""

CONNECT = 5.0
"""Seconds for a connection to stand; the whole exchange has its own deadline."""

IDLE = 4.0
"""Seconds an unused connection is kept. Servers close theirs after as little as 5 s, and a request must not meet that."""

STREAMS = 100
"""Exchanges at once over a connection of HTTP/2: as many as the client underneath lets through, if the server does."""

IDLE_HTTP2 = 60.0
"""The same for HTTP/2, where a server that closes says which requests it has not looked at, and expects to be kept."""

AGENT = "orchestrator"


class HttpEngine(Protocol):
    """What carries HTTP requests."""

    async def exchange(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Make the whole exchange until `deadline`, a moment on the event loop's clock.

        NotSent: the service cannot have acted on it. Lost: it may have, and the connection is not used again.
        """
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


class Doubt(Enum):
    """What an error says about the request: it never left, it may have arrived, or only the bytes sent can tell."""

    NOT_SENT = "not sent"
    LOST = "lost"
    BY_BYTES = "by bytes"


MEANING: Mapping[type[BaseException], Doubt] = {
    # Before the connection stands.
    httpx.ConnectError: Doubt.NOT_SENT,  # DNS, refused, TLS
    httpx.ConnectTimeout: Doubt.NOT_SENT,
    httpx.PoolTimeout: Doubt.NOT_SENT,
    httpx.ProxyError: Doubt.NOT_SENT,  # we use none
    httpx.UnsupportedProtocol: Doubt.NOT_SENT,
    httpx.InvalidURL: Doubt.NOT_SENT,
    # While it stands.
    httpx.LocalProtocolError: Doubt.BY_BYTES,  # a header we wrote is refused by our own side
    httpx.RemoteProtocolError: Doubt.LOST,  # closed before or within the answer, garbage
    httpx.ReadError: Doubt.LOST,
    httpx.ReadTimeout: Doubt.LOST,
    httpx.WriteError: Doubt.LOST,
    httpx.WriteTimeout: Doubt.LOST,
    httpx.CloseError: Doubt.LOST,
    httpx.DecodingError: Doubt.LOST,
    # Base classes, never raised as such, and errors of uses that are not ours: what left decides.
    httpx.HTTPError: Doubt.BY_BYTES,
    httpx.RequestError: Doubt.BY_BYTES,
    httpx.TransportError: Doubt.BY_BYTES,
    httpx.TimeoutException: Doubt.BY_BYTES,
    httpx.NetworkError: Doubt.BY_BYTES,
    httpx.ProtocolError: Doubt.BY_BYTES,
    httpx.TooManyRedirects: Doubt.BY_BYTES,
    httpx.HTTPStatusError: Doubt.BY_BYTES,
    httpx.CookieConflict: Doubt.BY_BYTES,
    httpx.StreamError: Doubt.BY_BYTES,
    httpx.StreamConsumed: Doubt.BY_BYTES,
    httpx.StreamClosed: Doubt.BY_BYTES,
    httpx.ResponseNotRead: Doubt.BY_BYTES,
    httpx.RequestNotRead: Doubt.BY_BYTES,
}


class HttpxEngine:
    """The default engine: previews, tokens, linked data, and everything where a millisecond does not matter.

    With an allowance it is guarded: every URL is checked, and connections go to the checked addresses only. With `http2` it
    speaks nothing else, all exchanges with one host over one connection.
    """

    def __init__(
        self,
        clock: Clock,
        allow: Allowance | None = None,
        connections: int = 128,
        resolver: Resolver = system_resolver,
        verify: ssl.SSLContext | None = None,
        *,
        http2: bool = False,
    ) -> None:
        self._clock = clock
        self._allow = allow
        self._resolver = resolver
        context = verify or ssl.create_default_context()
        self.places = STREAMS if http2 else connections
        idle = IDLE_HTTP2 if http2 else IDLE
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=idle)
        transport = httpx.AsyncHTTPTransport(
            verify=context, trust_env=False, limits=limits, http1=not http2, http2=http2
        )
        if allow is not None:
            if http2:
                raise OrchestratorError(
                    "over HTTP/2 no addresses are checked, so it must not go where other people's addresses lead"
                )
            _pin(transport, _PinningBackend(resolver, allow), context, connections)
        self._client = httpx.AsyncClient(
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            headers={"user-agent": AGENT, "accept-encoding": "identity"},  # a zip bomb needs unpacking
            timeout=httpx.Timeout(None, connect=CONNECT),
        )

    async def exchange(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Make the exchange; NotSent or Lost if it does not end with an answer."""
        trace = _Trace()
        try:
            async with asyncio.timeout_at(deadline):
                url = request.url
                if self._allow is not None:
                    url = (await check(url, self._resolver, self._allow)).url
                return await self._answer(request, url, trace)
        except (NotSent, Lost):
            raise
        except TimeoutError as problem:
            _raise(Doubt.BY_BYTES, "no answer in time", problem, sent=trace.sent)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError) as problem:
            if _turned_away(problem):
                raise NotSent(_words(problem)) from problem
            _raise(MEANING.get(type(problem), Doubt.BY_BYTES), _words(problem), problem, sent=trace.sent)
        except (OSError, ValueError, TypeError) as problem:  # a URL nobody can send to, a process out of descriptors
            _raise(Doubt.BY_BYTES, _words(problem), problem, sent=trace.sent)

    async def _answer(self, request: HttpRequest, url: str, trace: "_Trace") -> HttpResponse:
        call = self._client.build_request(
            request.method, url, headers=request.headers, content=request.body, extensions={"trace": trace}
        )
        response = await self._client.send(call, stream=True)
        try:
            chunks: list[bytes] = []
            size = 0
            async for chunk in response.aiter_raw():
                size += len(chunk)
                if size > MOST:
                    raise TooLong(response.status_code, MOST)
                chunks.append(chunk)
        finally:
            await response.aclose()
        return answer(response.status_code, dict(response.headers), b"".join(chunks), self._clock)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


def answer(status: int, headers: Mapping[str, str], body: bytes, clock: Clock) -> HttpResponse:
    """The response in the shape that adapters read; `headers` come in lower case from both engines."""
    wish = headers.get("retry-after") if status >= 300 else None  # who took a message has nothing to ask for
    return HttpResponse(status, headers, body, None if wish is None else retry_after(wish, clock.now()))


def _raise(doubt: Doubt, words: str, problem: BaseException, *, sent: bool) -> NoReturn:
    lost = sent if doubt is Doubt.BY_BYTES else doubt is Doubt.LOST
    raise (Lost if lost else NotSent)(words) from problem


def _turned_away(problem: Exception) -> bool:
    """Whether an HTTP/2 server says that it has not looked at the request (RFC 9113, 8.7)."""
    told = problem.__cause__.args[0] if problem.__cause__ is not None and problem.__cause__.args else None
    if isinstance(told, StreamReset):
        return told.error_code == ErrorCodes.REFUSED_STREAM
    return isinstance(told, ConnectionTerminated) and told.last_stream_id == 0


def _words(problem: Exception) -> str:
    """The library's words, but where they repeat what we sent: a header or a URL may hold a secret."""
    name = type(problem).__name__
    telling = not isinstance(problem, httpx.LocalProtocolError | httpx.InvalidURL | ValueError | TypeError)
    return f"{name}: {problem}" if telling and str(problem) else name


class _Trace:
    """Hears from httpcore how far a request came."""

    __slots__ = ("sent",)

    def __init__(self) -> None:
        self.sent = False

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self.sent = True
        elif event.endswith("send_request_headers.failed") and type(info["exception"]) is httpcore.LocalProtocolError:
            self.sent = False  # our own side refused the headers before a byte was written


class _PinningBackend(httpcore.AsyncNetworkBackend):
    """Connects a host name to addresses that were just checked, so that no second look-up can lead elsewhere."""

    def __init__(self, resolver: Resolver, allow: Allowance) -> None:
        self._resolver = resolver
        self._allow = allow
        self._network: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        refusal: Exception = OSError("no address")
        for address in await check_host(host, port, self._resolver, self._allow):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as problem:
                refusal = problem
        raise refusal

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


def _pin(
    transport: httpx.AsyncHTTPTransport,
    backend: httpcore.AsyncNetworkBackend,
    context: ssl.SSLContext,
    connections: int,
) -> None:
    """Put the guard under httpx. It offers no way in, so a release that moves its pool must stop us, not pass the guard."""
    if not isinstance(getattr(transport, "_pool", None), httpcore.AsyncConnectionPool):
        raise TypeError(f"httpx {httpx.__version__} keeps its connections elsewhere; the guard would not be in the way")
    transport._pool = httpcore.AsyncConnectionPool(  # noqa: SLF001 - see above
        ssl_context=context,
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=IDLE,
        network_backend=backend,
    )
