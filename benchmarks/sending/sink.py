"""The other side: one process that takes pushes over HTTP and mail over SMTP as fast as it can, and counts them by id."""

import asyncio
import multiprocessing
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import uvloop

LIFE = 3600.0
"""Seconds after which the sink ends by itself, whatever happens."""

_TAKEN = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"ok":true}'
_EHLO = b"250-sink\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250 8BITMIME\r\n"


@dataclass
class Book:
    """What arrived: how many messages, how many different ids, how many bytes."""

    arrivals: int = 0
    octets: int = 0

    def __post_init__(self) -> None:
        self.ids: set[bytes] = set()

    def note(self, head: bytes, name: bytes, size: int) -> None:
        """One message; its id is the value of this header."""
        self.arrivals += 1
        self.octets += size
        at = head.find(name)
        if at >= 0:
            self.ids.add(head[at + len(name) : head.find(b"\r\n", at)].strip())


class PushDoor(asyncio.Protocol):
    """HTTP/1.1, keep-alive, one request after the other."""

    def __init__(self, book: Book) -> None:
        self.book, self.rest = book, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment] # a stream server hands out Transports

    def data_received(self, data: bytes) -> None:
        data = self.rest + data if self.rest else data
        answers = 0
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[:end].lower() + b"\r\n"
            at = head.find(b"content-length:")
            length = int(head[at + 15 : head.find(b"\r\n", at)]) if at >= 0 else 0
            if len(data) < end + 4 + length:
                break
            data = data[end + 4 + length :]
            self.book.note(head, b"webhook-id:", length)
            answers += 1
        self.rest = data
        if answers:
            self.transport.write(_TAKEN * answers)


class MailDoor(asyncio.Protocol):
    """SMTP with PIPELINING."""

    def __init__(self, book: Book) -> None:
        self.book, self.rest, self.in_body = book, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment] # a stream server hands out Transports
        self.transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        data = self.rest + data if self.rest else data
        out = []
        while data:
            if self.in_body:
                at = data.find(b"\r\n.\r\n")
                if at < 0:
                    break
                self.book.note(data[: data.find(b"\r\n\r\n") + 2], b"Message-ID:", at)
                data, self.in_body = data[at + 5 :], False
                out.append(b"250 2.0.0 Ok: queued as 4XkQz12Lw3\r\n")
                continue
            line, end, rest = data.partition(b"\r\n")
            if not end:
                break
            data, verb = rest, line[:4].upper()
            self.in_body = verb == b"DATA"
            out.append({b"EHLO": _EHLO, b"DATA": b"354 go\r\n"}.get(verb, b"250 2.1.0 Ok\r\n"))
        self.rest = data
        if out:
            self.transport.write(b"".join(out))


async def _serve(pipe: Connection) -> None:
    loop, book = asyncio.get_running_loop(), Book()
    push = await loop.create_server(lambda: PushDoor(book), "127.0.0.1", 0, backlog=1024)
    mail = await loop.create_server(lambda: MailDoor(book), "127.0.0.1", 0, backlog=1024)
    pipe.send((push.sockets[0].getsockname()[1], mail.sockets[0].getsockname()[1]))
    over = asyncio.Event()
    asked = loop.call_later(LIFE, over.set)

    def answer() -> None:
        try:
            word = pipe.recv()
        except EOFError:
            over.set()
            return
        if word == "forget":
            book.arrivals = book.octets = 0
            book.ids.clear()
        used = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send((book.arrivals, len(book.ids), book.octets, used.ru_utime + used.ru_stime))

    loop.add_reader(pipe.fileno(), answer)
    await over.wait()
    asked.cancel()


def pin(core: int | None) -> None:
    """Keep this process on one core, where the machine has that many."""
    if core is not None and (os.cpu_count() or 1) > core:
        os.sched_setaffinity(0, {core})


def _run(pipe: Connection, core: int | None) -> None:
    pin(core)
    uvloop.run(_serve(pipe))


@dataclass(frozen=True)
class Taken:
    """What the sink says: messages, different ids, bytes of bodies, its own CPU seconds so far."""

    arrivals: int
    ids: int
    octets: int
    cpu: float


class Sink:
    """The sink as the benchmark sees it."""

    def __init__(self, pipe: Connection, push: int, mail: int) -> None:
        self._pipe, self.push, self.mail = pipe, push, mail

    def taken(self) -> Taken:
        """What has arrived since the last `forget`."""
        self._pipe.send("tell")
        return Taken(*self._pipe.recv())

    def forget(self) -> Taken:
        """Begin to count anew."""
        self._pipe.send("forget")
        return Taken(*self._pipe.recv())


@contextmanager
def sink(core: int | None = None) -> Iterator[Sink]:
    """A running sink, on this core if one is named; it ends with the block."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(there, core), daemon=True)
    process.start()
    there.close()
    try:
        yield Sink(here, *here.recv())
    finally:
        here.close()
        process.join(10)
