"""How fast one core sends mail: our wire against a reused aiosmtplib connection, both to a sink on the other core.

    python benchmarks/smtp_wire.py [messages] [rounds]

Each round runs every way in turn; medians are printed, CPU microseconds per message first, for they drift least.
"""

import asyncio
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from multiprocessing.connection import Connection as Pipe

import aiosmtplib
import uvloop

from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message
from orchestrator.core.times import Instant
from orchestrator.providers.mime import compose
from orchestrator.providers.smtp import MailServer, Security
from orchestrator.wire.smtp import SmtpEngine

LINE = "<tr><td style='padding:4px'>A fine product for you, Anna, at a price</td></tr>\n"
HTML = "<html><body>\n" + LINE * 90 + "</body></html>\n"
TEXT = "A fine product for you, Anna\n" * 13
SENDER = "Shop <hello@news.shop.example>"
AT = Instant(1_772_442_000_000_000)
SECONDS = 60.0


class Sink(asyncio.Protocol):
    """Takes every message and says so; reads no more than it must."""

    def __init__(self) -> None:
        self.rest, self.in_body = b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment] # a stream server hands out Transports
        self.transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        data, out = self.rest + data, []
        while data:
            if self.in_body:
                at = data.find(b"\r\n.\r\n")
                if at < 0:
                    break
                data, self.in_body = data[at + 5 :], False
                out.append(b"250 2.0.0 Ok: queued as 4XkQz12Lw3\r\n")
                continue
            line, end, rest = data.partition(b"\r\n")
            if not end:
                break
            data, verb = rest, line[:4].upper()
            self.in_body = verb == b"DATA"
            ehlo = b"250-sink\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250 8BITMIME\r\n"
            out.append({b"EHLO": ehlo, b"DATA": b"354 go\r\n"}.get(verb, b"250 2.1.0 Ok\r\n"))
        self.rest = data
        if out:
            self.transport.write(b"".join(out))


def sink(pipe: Pipe) -> None:
    """Serve on loopback from the second core until the pipe says stop, at most ten minutes."""
    pin(1)

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().run_in_executor(None, pipe.poll, 600)
        server.close()

    uvloop.run(serve())


def pin(core: int) -> None:
    """Keep this process on one core, where the machine has that many."""
    if (os.cpu_count() or 1) > core:
        os.sched_setaffinity(0, {core})


def message(number: int) -> Message:
    """One of many, all alike but for whom they are to."""
    headers = {
        "List-Unsubscribe": f"<https://go.shop.example/u/{number:040d}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    content = EmailContent(SENDER, "Hi Anna, a lot is new", HTML, TEXT, "help@shop.example", headers)
    key = DeliveryKey(1, f"u{number}", Channel.EMAIL)
    return Message(key, f"{number:032x}", Address(f"user{number}@mail{number % 50}.example"), content, judged_at=AT)


async def ours(port: int, messages: list[Message], connections: int, window: int = 128) -> None:
    """Compose and send, `window` in flight as a worker has them."""
    engine = SmtpEngine(MailServer("127.0.0.1", port, Security.NONE), connections=connections)
    waiting = iter(messages)
    loop = asyncio.get_running_loop()

    async def one_after_another() -> None:
        for each in waiting:
            assert isinstance(each.content, EmailContent)
            reply = await engine.exchange(compose(each, each.content), loop.time() + SECONDS)
            assert reply.code == 250, reply

    await asyncio.gather(*(one_after_another() for _ in range(window)))
    await engine.close()


async def textbook(port: int, messages: list[Message], connections: int) -> None:
    """EmailMessage and aiosmtplib, each connection reused."""
    waiting = iter(messages)

    async def one_after_another() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for each in waiting:
                content = each.content
                assert isinstance(content, EmailContent)
                mail = EmailMessage()
                mail["From"], mail["To"], mail["Subject"] = content.sender, each.address.value, content.subject
                mail["Message-ID"] = f"<{each.id}@news.shop.example>"
                mail.set_content(content.text)
                mail.add_alternative(content.html, subtype="html")
                await client.send_message(mail)

    await asyncio.gather(*(one_after_another() for _ in range(connections)))


Way = Callable[[int, list[Message], int], Awaitable[None]]
WAYS: list[tuple[str, Way, int, bool, int]] = [  # name, way, connections, uvloop, share of the messages
    ("ours, uvloop", ours, 20, True, 1),
    ("ours, uvloop", ours, 10, True, 1),
    ("ours, uvloop", ours, 1, True, 1),
    ("ours, asyncio", ours, 10, False, 1),
    ("aiosmtplib + EmailMessage, asyncio", textbook, 1, False, 20),
    ("aiosmtplib + EmailMessage, uvloop", textbook, 10, True, 20),
]


def main() -> None:
    """Print one line per way."""
    count, rounds = (int(argument) for argument in [*sys.argv[1:], *("20000", "3")[len(sys.argv) - 1 :]])
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=sink, args=(there,), daemon=True)
    process.start()
    port = here.recv()
    pin(0)
    everything = [message(number) for number in range(count)]
    print(
        f"{len(compose(everything[0], everything[0].content).data)} octets a message, {count} messages, {rounds} rounds"
    )  # type: ignore[arg-type] # they are e-mails
    figures: dict[int, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for number, (_, way, connections, fast, share) in enumerate(WAYS):
            some = everything[: count // share]
            wall, cpu = time.perf_counter(), time.process_time()
            (uvloop.run if fast else asyncio.run)(way(port, some, connections))  # type: ignore[arg-type] # both take a coroutine
            took = (time.perf_counter() - wall) / len(some), (time.process_time() - cpu) / len(some)
            figures.setdefault(number, []).append(took)
    for number, (name, _, connections, *_) in enumerate(WAYS):
        wall, cpu = (statistics.median(column) for column in zip(*figures[number], strict=True))
        print(f"{name:36s} {connections:3d} connections {cpu * 1e6:8.1f} us CPU {1 / wall:9.0f} messages/s")
    here.send("stop")
    process.join(10)


if __name__ == "__main__":
    main()
