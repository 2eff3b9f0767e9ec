"""One kept connection of the bulk engine: a request goes out in one piece, its answer is put together as it comes in."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import httptools

from orchestrator.wire import Lost

MOST_HEADERS = 65_536
"""Bytes of a head that are read; a longer one is torn off."""


@lru_cache(maxsize=128)
def _lower(name: bytes) -> str:
    return name.decode("latin-1").lower()


class Headers(Mapping[str, str]):
    """The headers of an answer in lower case, repeated ones joined by commas; read only if somebody asks, which few do."""

    __slots__ = ("_came", "_told")

    def __init__(self, came: list[tuple[bytes, bytes]]) -> None:
        """As they came over the wire."""
        self._came = came
        self._told: dict[str, str] | None = None

    def _read(self) -> dict[str, str]:
        if self._told is None:
            self._told = {}
            for name, value in self._came:
                key, told = _lower(name), value.decode("latin-1")
                known = self._told.get(key)
                self._told[key] = told if known is None else f"{known}, {told}"
        return self._told

    def __getitem__(self, name: str) -> str:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


Answer = tuple[int, Headers, bytes]
"""Status, headers, body."""

Heard = Callable[["HttpLine", Answer | Lost], None]
"""Told once for every request: the line it went over, and its answer or that there will be none."""


class HttpLine(asyncio.Protocol):
    """A connection. One exchange at a time: `ask`, and `heard` is told the answer or Lost."""

    def __init__(self, most: int, heard: Heard, ended: Callable[["HttpLine"], None]) -> None:
        """`most` bytes of a body are read; `ended` is told when the connection is gone."""
        self.idle_since = 0.0
        self.deadline = 0.0
        self.reusable = False
        """Whether another request may follow the answer that just came."""
        self._most = most
        self._heard = heard
        self._ended = ended
        self._parser = httptools.HttpResponseParser(self)
        self._asked = False
        """Whether somebody waits for an answer."""
        self._whole = False
        """Whether it is here; it is told when all that came with it was read, for nothing may follow it."""
        self._came: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = self._head_size = 0
        self._to_the_end = False
        """Whether only the end of the connection will tell the end of the body."""

    # What the engine says

    def ask(self, request: bytes, deadline: float) -> None:
        """Send a whole request. From here on it may have arrived."""
        self._asked = True
        self.deadline = deadline
        self._transport.write(request)

    @property
    def closing(self) -> bool:
        """Whether nothing can be sent here any more."""
        return self._transport.is_closing()

    def tear(self, why: str) -> None:
        """End the connection at once; whoever waits for an answer hears that it is lost."""
        self.reusable = False
        self._transport.abort()
        self._fail(why)

    # What the loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # streams have Transports

    def data_received(self, data: bytes) -> None:
        """Some bytes of an answer."""
        if not self._asked:
            self.tear("bytes that nobody asked for")
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as problem:
            if not self._whole:
                self.tear(f"its answer is not HTTP: {type(problem).__name__}")
                return
            self._useless()
        if self._whole:
            self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; a body that only this could end is complete, unless it was torn."""
        self.reusable = False
        if self._to_the_end and exc is None and self._asked:
            self._tell()
        self._fail("the connection was closed before its answer was complete" if exc is None else type(exc).__name__)
        self._ended(self)

    # What the parser says

    def on_message_begin(self) -> None:
        """A new answer; one that follows the awaited answer unasked makes the line useless."""
        if self._whole or not self._asked:
            self._useless()
            return
        self._came, self._body = [], []
        self._size = self._head_size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if self._whole:
            return
        self._head_size += len(name) + len(value)
        if self._head_size > MOST_HEADERS:
            self.tear(f"the head of its answer is longer than {MOST_HEADERS} bytes")
            return
        self._came.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if not self._whole and not self._parser.should_keep_alive():
            headers = Headers(self._came)
            self._to_the_end = "content-length" not in headers and "chunked" not in headers.get("transfer-encoding", "")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._whole:
            return
        self._size += len(body)
        if self._size > self._most:
            self.tear(f"the answer ({self._parser.get_status_code()}) is longer than {self._most} bytes")
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The answer is whole; a provisional one (1xx) only announces another."""
        if not self._whole and self._asked and self._parser.get_status_code() >= 200:
            self._status = self._parser.get_status_code()
            self.reusable = bool(self._parser.should_keep_alive())
            self._whole = True

    def _tell(self) -> None:
        """Hand the answer over. Another request may be asked for before this returns."""
        status = self._status if self._whole else self._parser.get_status_code()
        self._to_the_end = self._whole = self._asked = False
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._heard(self, (status, Headers(self._came), body))

    def _useless(self) -> None:
        self.reusable = False
        self._transport.abort()

    def _fail(self, why: str) -> None:
        if self._asked:
            self._to_the_end = self._whole = self._asked = False
            self._heard(self, Lost(why))
