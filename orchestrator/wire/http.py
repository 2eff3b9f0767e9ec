"""HTTP exchanges, by either of two engines: httpx for the few, a Rust client for the many.

An exchange ends with an answer, with NotSent (nothing can have been accepted) or with Lost (it may have been). It has one
deadline in all, follows no redirect, asks no proxy, and reads at most a megabyte.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

import httpx
from pyreqwest import exceptions as rust
from pyreqwest.client import Client, ClientBuilder

from orchestrator.providers import HttpRequest, HttpResponse
from orchestrator.wire import Lost, NotSent, WireError

MOST = 1_000_000
"""Bytes of an answer that are read; a longer one is torn, and what it says is not known."""

CONNECTIONS = 100


class HttpEngine(Protocol):
    """What makes HTTP exchanges."""

    async def exchange(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Make one exchange within `deadline` seconds in all; NotSent or Lost if it does not end with an answer."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


_NOT_SENT: tuple[type[httpx.HTTPError], ...] = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
"""httpx's ways to fail before a byte has left. A test fails when it learns another."""

_LOST: tuple[type[httpx.HTTPError], ...] = (
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.WriteError,
    httpx.WriteTimeout,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.DecodingError,
    httpx.TooManyRedirects,
)


class HttpxEngine:
    """httpx: for previews, tokens, linked data and everything else that is rare."""

    def __init__(self, connections: int = CONNECTIONS) -> None:
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._client = httpx.AsyncClient(limits=limits, timeout=None, trust_env=False, follow_redirects=False)  # noqa: S113 - exchange has a deadline

    async def exchange(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Make one exchange; see HttpEngine."""
        left = _Left()
        try:
            async with asyncio.timeout(deadline):
                headers = {"Accept-Encoding": "identity", **request.headers}
                asked = self._client.build_request(
                    request.method, request.url, headers=headers, content=request.body, extensions={"trace": left.note}
                )
                answer = await self._client.send(asked, stream=True)
                try:
                    return HttpResponse(answer.status_code, _lower(answer.headers), await _read(answer))
                finally:
                    await answer.aclose()
        except TimeoutError as problem:
            raise left.error(f"no answer within {deadline:g} s") from problem
        except _NOT_SENT as problem:
            raise NotSent(_say(problem)) from problem
        except (httpx.HTTPError, httpx.StreamError) as problem:
            raise Lost(_say(problem)) from problem
        except (httpx.InvalidURL, UnicodeError) as problem:
            raise NotSent(f"the address cannot be read: {problem}") from problem

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class _Left:
    """Whether a byte of the request has left, as the library's trace tells."""

    def __init__(self) -> None:
        self.began = False

    async def note(self, event: str, _: Mapping[str, object]) -> None:
        """Called by httpcore for every step of an exchange."""
        if "send_request" in event:
            self.began = True

    def error(self, text: str) -> WireError:
        """Lost once a byte has left, NotSent before."""
        return Lost(text) if self.began else NotSent(text)


async def _read(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for part in answer.aiter_raw():
        body += part
        if len(body) > MOST:
            raise Lost(f"the answer is longer than {MOST:,} bytes")
    return bytes(body)


class RustEngine:
    """pyreqwest: for sending in bulk. Only under uvloop: on asyncio's own loop it can abort the interpreter at exit."""

    def __init__(self, connections: int = 1024) -> None:
        self._client: Client = (
            ClientBuilder()
            .follow_redirects(False)
            .no_proxy()
            .referer(False)
            .error_for_status(False)
            .gzip(False)
            .brotli(False)
            .zstd(False)
            .deflate(False)
            .max_connections(connections)
            .pool_max_idle_per_host(connections)
            .build()
        )

    async def exchange(self, request: HttpRequest, deadline: float) -> HttpResponse:
        """Make one exchange; see HttpEngine."""
        try:
            built = (
                self._client.request(request.method, request.url)
                .headers(dict(request.headers))
                .body_bytes(request.body)
                .timeout(timedelta(seconds=deadline))
            )
            async with built.build_streamed() as answer:
                body = await answer.body_reader.read(MOST + 1)
                if body is not None and len(body) > MOST:
                    raise Lost(f"the answer is longer than {MOST:,} bytes")
                return HttpResponse(answer.status, _lower(answer.headers), b"" if body is None else bytes(body))
        except ValueError as problem:  # the address or a header, refused before anything was built
            raise NotSent(f"the request cannot be built: {problem}") from problem
        except rust.PyreqwestError as problem:
            raise _rust_error(problem) from problem

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _rust_error(problem: rust.PyreqwestError) -> WireError:
    """NotSent only where the causes name the connect stage.

    The class alone does not tell: a connection that breaks after the request has left is a ConnectError too.
    """
    details = getattr(problem, "details", None) or {}
    causes = [str(cause.get("message", "")) for cause in details.get("causes", [])]
    text = causes[-1] if causes else str(problem)
    if isinstance(problem, rust.PoolTimeoutError | rust.ClientClosedError) or any(
        cause == "client error (Connect)" for cause in causes
    ):
        return NotSent(text)
    return Lost(text)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _say(problem: Exception) -> str:
    """The library's words, or its name for the trouble where it has none."""
    return str(problem) or type(problem).__name__
