"""What both doors of the sink share: one connection, the fate of the message on it, and the ways of not answering."""

import asyncio
import socket
import struct
from abc import ABC, abstractmethod

from tests.proof.book import Book, Ticket
from tests.proof.control import Control
from tests.proof.faults import Mode

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Door(asyncio.Protocol, ABC):
    """One connection. While `busy`, a message waits for its answer and what comes after it waits too."""

    def __init__(self, book: Book, control: Control) -> None:
        self.book, self.control = book, control
        self.buffer = b""
        self.busy = self.lost = self.pending = False
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment] # a stream server hands out Transports
        self.control.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.control.connections -= 1
        self.lost = True
        if self.timer:
            self.timer.cancel()
        if self.pending:
            self.pending = False
            self.book.cut()

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        self.drain()

    @abstractmethod
    def drain(self) -> None:
        """Work through what has come."""

    @abstractmethod
    def answer(self, ticket: Ticket, *, late: bool) -> None:
        """Say what there is to say of a message that gets an answer; `late` if others may wait behind it."""

    def meet(self, ticket: Ticket) -> None:
        """Let one message meet its fate, now or after its delay."""
        self.control.arrived()
        self.pending = True
        if ticket.fate.delay:
            self.busy = True
            self.timer = asyncio.get_running_loop().call_later(ticket.fate.delay, self.settle, ticket, True)
        else:
            self.settle(ticket)

    def settle(self, ticket: Ticket, late: bool = False) -> None:
        """Answer, or do not."""
        mode, self.timer = ticket.fate.mode, None
        if mode is Mode.ACCEPT_THEN_HANG:
            self.busy = True
            return
        self.pending = False
        self.book.leave()
        if mode is Mode.RESET:
            self.reset()
        elif mode in (Mode.ACCEPT_THEN_DROP, Mode.DROP_BEFORE_ACCEPT):
            self.lost = True
            self.transport.close()
        else:
            self.answer(ticket, late=late)

    def reset(self) -> None:
        """Tear the connection down with RST instead of FIN."""
        self.lost = True
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.transport.abort()
