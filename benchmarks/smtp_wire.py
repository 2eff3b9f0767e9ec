"""How fast one core sends mail: our wire against a reused aiosmtplib connection, both to a sink on the other core.

    python -m benchmarks.smtp_wire [messages] [rounds]

Each round runs every way in turn; medians are printed, CPU microseconds per message first, for they drift least.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from email.message import EmailMessage

import aiosmtplib
import uvloop

from benchmarks.sending.sink import pin, sink
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
    with sink(core=1) as taker:
        pin(0)
        measure(taker.mail, count, rounds)


def measure(port: int, count: int, rounds: int) -> None:
    """Every way in turn, as many rounds as asked for; medians."""
    everything = [message(number) for number in range(count)]
    content = everything[0].content
    assert isinstance(content, EmailContent)
    print(f"{len(compose(everything[0], content).data)} octets a message, {count} messages, {rounds} rounds")
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


if __name__ == "__main__":
    main()
