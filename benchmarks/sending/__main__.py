"""How fast push and mail go out end to end, against a textbook pipeline and against the bare roofline, in one run.

    python -m benchmarks.sending [--messages 100000] [--rounds 9] [--channel push]
    python -m benchmarks.sending --memory            from 10,000 to 1,000,000 members

In each round every contender runs in turn; medians are printed. The sink shares the machine's cores with all of them.
"""

import argparse
import os
import statistics
import tempfile
import time
from base64 import b64encode
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import textbook
from benchmarks.sending import people, product, roofline
from benchmarks.sending.sink import Sink, sink
from orchestrator.core.nouns import Channel
from orchestrator.providers import registry

CAMPAIGNS = {Channel.PUSH: "push", Channel.EMAIL: "mail"}
TEMPLATES = {Channel.PUSH: "push/_default/push.yaml", Channel.EMAIL: "mail/_default/email.html"}
ADAPTERS = {Channel.PUSH: "webhook", Channel.EMAIL: "smtp"}
SHARE = {Channel.PUSH: 1.0, Channel.EMAIL: 0.3}
"""Part of the people a channel's rounds send to: a mail costs several times a push."""
TEXTBOOK = {Channel.PUSH: 3000, Channel.EMAIL: 1000}
"""Messages of the textbook's rounds; its rate does not depend on how many they are."""

Figures = dict[tuple[Channel, str], list[tuple[float, float, float]]]
"""By channel and contender, for each round: messages a second, CPU µs a message without and with the sink's."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sending", description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--channel", choices=[channel.value for channel in CAMPAIGNS], action="append")
    parser.add_argument("--only", choices=["textbook", "product", "roofline"], action="append")
    parser.add_argument("--memory", action="store_true", help="peak memory from 10,000 to 1,000,000 members")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as folder, sink() as taker:
        os.environ |= {
            "BENCH_LEDGER": "sqlite:data/ledger.db",
            "BENCH_MAIL_PORT": str(taker.mail),
            "BENCH_PUSH_URL": f"http://127.0.0.1:{taker.push}/push",
            "BENCH_SECRET": "whsec_" + b64encode(os.urandom(32)).decode(),
        }
        if options.memory:
            memory(Path(folder), taker)
        else:
            speed(Path(folder), taker, options)


def speed(folder: Path, taker: Sink, options: argparse.Namespace) -> None:
    """All contenders in turn, as many rounds as asked for."""
    channels = [Channel(name) for name in options.channel or [channel.value for channel in CAMPAIGNS]]
    contenders = options.only or ["textbook", "product", "roofline"]
    figures, parts = Figures(), defaultdict[tuple[Channel, str], list[float]](list)
    counts = {channel: int(options.messages * SHARE[channel]) for channel in channels}
    for channel in channels:
        product.prepare(folder / channel, counts[channel])
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("rounds", total=options.rounds * len(channels) * len(contenders))
        for _ in range(options.rounds):
            for channel in channels:
                for contender in contenders:
                    figure = one(folder, taker, channel, contender, counts[channel], parts)
                    figures.setdefault((channel, contender), []).append(figure)
                    progress.advance(bar)
    show(figures, counts, parts, options.rounds)


def one(
    folder: Path,
    taker: Sink,
    channel: Channel,
    contender: str,
    count: int,
    parts: dict[tuple[Channel, str], list[float]],
) -> tuple[float, float, float]:
    """One round of one contender; every message is counted at the sink, by its id."""
    root, before = folder / channel, taker.forget().cpu
    if contender == "product":
        found = product.measure(root, CAMPAIGNS[channel], count)
        took, cpu = found.seconds, sum(found.cpu.values())
        for name, used in (*found.cpu.items(), ("planning, seconds", found.planned)):
            parts[channel, name].append(used if "seconds" in name else used / count * 1e6)
    elif contender == "roofline":
        took, cpu = roofline.run(root, channel, CAMPAIGNS[channel], count)
    else:
        count = min(count, TEXTBOOK[channel])
        took, cpu = _textbook(root, taker, channel, count)
    taken = taker.taken()
    if taken.arrivals != count or taken.ids != count:
        raise RuntimeError(
            f"{contender}: {count} messages were sent, {taken.arrivals} arrived, {taken.ids} different ones"
        )
    return count / took, cpu / count * 1e6, (cpu + taken.cpu - before) / count * 1e6


def _textbook(root: Path, taker: Sink, channel: Channel, count: int) -> tuple[float, float]:
    some = list(people.people(count))
    database = root / "textbook.db"
    database.unlink(missing_ok=True)
    port = taker.push if channel is Channel.PUSH else taker.mail
    began, used = time.perf_counter(), time.process_time()
    textbook.run(channel, some, root / "templates" / TEMPLATES[channel], port, database)
    return time.perf_counter() - began, time.process_time() - used


def show(
    figures: Figures, counts: dict[Channel, int], parts: dict[tuple[Channel, str], list[float]], rounds: int
) -> None:
    """A table of medians, and where the product's time goes."""
    console = Console(width=140)
    shown = Table(title=f"medians of {rounds} rounds", box=None, title_justify="left")
    for column in (
        "channel",
        "contender",
        "messages",
        "messages/s",
        "CPU µs",
        "with the sink",
        "times textbook",
        "of roofline",
    ):
        shown.add_column(column, justify="left" if column in ("channel", "contender") else "right")
    for (channel, contender), rows in figures.items():
        rate, cpu, both = (statistics.median(column) for column in zip(*rows, strict=True))
        against = {
            name: statistics.median(row[0] for row in figures[channel, name]) for c, name in figures if c is channel
        }
        textbook_rate, roof = against.get("textbook"), against.get("roofline")
        shown.add_row(
            channel,
            contender,
            f"{min(counts[channel], TEXTBOOK[channel]) if contender == 'textbook' else counts[channel]:,}",
            f"{rate:,.0f}",
            f"{cpu:,.1f}",
            f"{both:,.1f}",
            f"{rate / textbook_rate:.1f}" if textbook_rate else "",
            f"{rate / roof:.0%}" if roof else "",
        )
    console.print(shown)
    for channel in counts:
        found = [f"{name} {statistics.median(used):.1f}" for (of, name), used in parts.items() if of is channel]
        if found:
            window = registry.provider(ADAPTERS[channel]).declaration.window
            console.print(f"{channel}: window {window} a worker · CPU µs a message: {' · '.join(found)}")


def memory(folder: Path, taker: Sink) -> None:
    """Peak memory of all processes as the audience grows a hundredfold, until the engine knows of every message.

    A process takes more in its first hundred thousand messages, whoever they are for: what is kept for use again fills up to
    its bounds. So that growth with the audience is seen by itself, a daemon is also weighed after as many messages to few people.
    """
    kinds = ("together", "supervisors", "nursery", "workers", "render children", "planners")
    title = "peak memory in MB (PSS; all processes at one moment, and all of a kind)"
    shown = Table(title=title, box=None, title_justify="left")
    for column in ("members", "runs", *kinds, "seconds"):
        shown.add_column(column, justify="right")
    for count, after in ((10_000, 0), (10_000, 29), (100_000, 2), (1_000_000, 0)):
        root = folder / f"{count}-{after}"
        taker.forget()
        product.prepare(root, count)
        found = product.measure(root, "push", count, weigh=True, after=after)
        held = [f"{found.memory.get(name, 0):.0f}" for name in kinds]
        shown.add_row(f"{count:,}", f"{after + 1}", *held, f"{found.seconds:.1f}")
    Console(width=140).print(shown)


if __name__ == "__main__":
    main()
