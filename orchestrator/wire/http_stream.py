"""A question over HTTP whose answer is read as it comes, by one thread without a loop: for whoever asks a warehouse for millions."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import httpx

from orchestrator.wire import Lost
from orchestrator.wire.http import AGENT

WAITS = 10.0
"""Seconds for a connection; an answer takes as long as it takes."""
_KEEPALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
"""Nobody says anything while a long question is answered: the system looks whether the other side is still there."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer that has begun. `headers` by their names in small letters; `pieces` raises Lost where the connection breaks off."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


class Asking:
    """A service by its URL, asked as a user with a password, or as nobody; it is not told of before there is a question."""

    def __init__(self, client: httpx.Client, url: str) -> None:
        self._client = client
        self.url = url

    @contextmanager
    def ask(self, content: str, parameters: Mapping[str, str | int]) -> Iterator[Streamed]:
        """The answer to a POST, while it comes. Lost: there is none, for whatever reason."""
        asked = self._client.stream("POST", self.url, params=parameters, content=content.encode())
        with ExitStack() as until_read:
            with _told(self.url):
                got = until_read.enter_context(asked)
            headers = {name.lower(): value for name, value in got.headers.items()}
            yield Streamed(got.status_code, headers, self._pieces(got))

    def _pieces(self, response: httpx.Response) -> Iterator[bytes]:
        with _told(self.url):
            yield from response.iter_bytes()


@contextmanager
def asking(url: str, auth: tuple[str, str] | None) -> Iterator[Asking]:
    """A client for some questions, closed after them. No proxy is asked for the way, and no other address followed to."""
    transport = httpx.HTTPTransport(socket_options=_KEEPALIVE, trust_env=False)
    headers = {"user-agent": AGENT, "accept-encoding": "identity"}  # what is worth packing comes packed
    timeout = httpx.Timeout(None, connect=WAITS)
    client = httpx.Client(transport=transport, auth=auth, timeout=timeout, headers=headers, trust_env=False)
    with closing(client):
        yield Asking(client, url)


@contextmanager
def _told(url: str) -> Iterator[None]:
    try:
        yield
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        OSError,
        ValueError,
    ) as problem:  # a name nobody can look up is a ValueError
        raise Lost(f"{url}: {str(problem) or repr(problem)}") from problem
