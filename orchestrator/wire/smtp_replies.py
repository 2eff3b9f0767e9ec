"""What a mail server says, cut into whole replies, and the letters that wait for them."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from orchestrator.providers import MailReply, MailRequest
from orchestrator.wire import Lost, NotSent

LONGEST_LINE = 4096
"""Octets of a reply line we put up with; RFC 5321 4.5.3.1.5 allows 512."""

MOST_LINES = 128

_REPLY = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)


class Unwelcome(Exception):  # noqa: N818 - the server's answer on its way to `MailReply`, not a fault of ours
    """The server would not have us: its reply, or ours in its place when it lacks what we insist on."""

    def __init__(self, reply: MailReply) -> None:
        super().__init__(f"{reply.code} {reply.text}")
        self.reply = reply


@dataclass(slots=True, eq=False)
class Letter:
    """A message on its way: `send_by` and `deadline` are moments on the event loop's clock."""

    request: MailRequest
    send_by: float
    deadline: float
    answer: asyncio.Future[MailReply]
    refusal: MailReply | None = None
    left: bool = False
    returned: bool = False
    dotted: bool = True
    """Whether a line of it may begin with a dot, which then is doubled."""

    def fail(self, why: str) -> None:
        """End it without an answer, as what it is."""
        if not self.answer.done():
            self.answer.set_exception(Lost(why) if self.left else NotSent(why))

    def settle(self, reply: MailReply) -> None:
        """End it with the server's answer, unless nobody waits for it any more."""
        if not self.answer.done():
            self.answer.set_result(reply)


class Replies(asyncio.Protocol, ABC):
    """The socket and what comes out of it: whole replies, with a bound on everything a server may send.

    Until the server knows us it is one question, one answer (`ask`); after `open` every reply goes to `answered`.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.transport: asyncio.Transport | None = None
        self.features: Mapping[str, str] = {}
        self.over = False
        self._rest = b""
        self._lines: list[bytes] = []
        self._hearing: asyncio.Future[tuple[int, list[bytes]]] | None = asyncio.get_running_loop().create_future()

    @property
    def is_open(self) -> bool:
        """Whether letters may come."""
        return self._hearing is None and not self.over

    async def hear(self) -> tuple[int, list[bytes]]:
        """The server's next reply: its greeting, or the answer to the question asked."""
        if self._hearing is None:
            raise NotSent(f"{self.host}: letters are under way, no question can be asked")
        return await self._hearing

    async def ask(self, command: str) -> tuple[int, list[bytes]]:
        """Send one command and return the reply."""
        self.must_be_silent()
        self._hearing = asyncio.get_running_loop().create_future()
        self.write(f"{command}\r\n".encode())
        return await self.hear()

    def stop_hearing(self, why: str) -> None:
        """Whoever waits for a reply gets none."""
        if self._hearing is not None and not self._hearing.done():
            self._hearing.set_exception(NotSent(why))

    def must_be_silent(self) -> None:
        """NotSent if the server has said more than it was asked."""
        if self.over or self._rest or self._lines:
            raise NotSent(f"{self.host} closed the connection, or said something unasked")

    def open(self) -> None:
        """The server knows us: replies belong to letters from here on."""
        self.must_be_silent()
        self._hearing = None

    def write(self, data: bytes) -> None:
        """Send these bytes, if the conversation still stands."""
        if self.transport is not None and not self.over:
            self.transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the socket is open."""
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the socket is closed."""
        self.end(f"the connection to {self.host} broke: {exc}" if exc else f"{self.host} closed the connection")

    def data_received(self, data: bytes) -> None:
        """Cut what came into replies; a reply may arrive in pieces, and many in one piece."""
        lines = (self._rest + data if self._rest else data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if self.over:
                return
            match = _REPLY.fullmatch(line.removesuffix(b"\r"))
            if match is None or len(line) > LONGEST_LINE or len(self._lines) > MOST_LINES:
                self.end("the server said something that is no SMTP reply")
                return
            self._lines.append(match[3] or b"")
            if match[2] != b"-":
                text, self._lines = self._lines, []
                self.replied(int(match[1]), text)
        if len(self._rest) > LONGEST_LINE and not self.over:
            self.end(f"the server sent a reply line of more than {LONGEST_LINE} octets")

    def replied(self, code: int, lines: list[bytes]) -> None:
        """Give the reply to whoever asked; nobody asked for one that comes in between."""
        if self._hearing is None:
            self.answered(code, lines)
        elif self._hearing.done():
            self.end(f"{self.host} said {code} {text_of(lines)} unasked")
        else:
            self._hearing.set_result((code, lines))

    @abstractmethod
    def answered(self, code: int, lines: list[bytes]) -> None:
        """Act on a reply that belongs to a letter."""

    @abstractmethod
    def end(self, why: str) -> None:
        """Break off the conversation."""


def text_of(lines: list[bytes]) -> str:
    """A reply's words on one line, printable, at most 1,000 characters."""
    words = b" ".join(lines[:16])[:1000].decode("utf-8", "replace").strip()
    return words if words.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in words)
