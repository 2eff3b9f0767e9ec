"""A provider to be rude on purpose: one process that plays webhook receiver, push service and mail server, with faults.

    python -m tests.proof.sink --weights accept:8,accept-then-drop:1,429:1 --latency 5..40 --seed 7

It prints one line of JSON with its ports, and stops by itself when whoever started it is gone.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.proof.book import Book, Rules
from tests.proof.control import Control
from tests.proof.faults import Latency, Plan, RetryAfter, weights
from tests.proof.http_door import HttpDoor
from tests.proof.smtp_door import SmtpDoor


def arguments(given: list[str]) -> argparse.Namespace:
    """The sink's command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.sink", description=__doc__)
    parser.add_argument("--http-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--smtp-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--log", type=Path, help="the accept log; a temporary file if not given")
    parser.add_argument("--weights", default="", help="modes by weight: accept:8,accept-then-drop:1,429:1")
    parser.add_argument("--forms", default=",".join(RetryAfter), help="forms of Retry-After a 429 draws from")
    parser.add_argument("--latency", default="0", help="milliseconds until the answer: 20, 5..40 or exp:20")
    parser.add_argument("--slow", type=float, default=2.0, help="seconds a `slow` answer takes")
    parser.add_argument("--retry-seconds", type=int, default=1, help="what a Retry-After wishes for")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--faults-per-key", type=int, default=1, help="then the message is accepted; 0: never")
    parser.add_argument("--no-keys", action="store_true", help="forget idempotency keys: everything taken counts")
    parser.add_argument(
        "--parent", type=int, default=os.getppid(), help="stop when this process is no longer our parent"
    )
    return parser.parse_args(given)


def book(options: argparse.Namespace) -> Book:
    """The book the options ask for."""
    plan = Plan(
        weights=weights(options.weights),
        forms=tuple(RetryAfter(form) for form in options.forms.split(",")),
        latency=Latency.parse(options.latency),
        slow=options.slow,
        seed=options.seed,
        faults_per_key=options.faults_per_key,
    )
    path = options.log
    if path is None:
        descriptor, name = tempfile.mkstemp(prefix="sink-", suffix=".log")
        os.close(descriptor)
        path = Path(name)
    return Book(path, plan, Rules(keyed=not options.no_keys, seconds=options.retry_seconds))


async def orphaned(parent: int) -> None:
    """Return once the process that started the sink is gone."""
    while os.getppid() == parent:  # noqa: ASYNC110 - no event tells of a parent's end
        await asyncio.sleep(0.5)


async def serve(options: argparse.Namespace) -> None:
    """Open the doors, say where they are, and stay until told to stop."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    pages = book(options)
    control = Control(pages, stopped)
    http = await loop.create_server(lambda: HttpDoor(pages, control), "127.0.0.1", options.http_port, backlog=4096)
    smtp = await loop.create_server(lambda: SmtpDoor(pages, control), "127.0.0.1", options.smtp_port, backlog=4096)
    ports = {"http": http.sockets[0].getsockname()[1], "smtp": smtp.sockets[0].getsockname()[1]}
    sys.stdout.write(json.dumps({**ports, "pid": os.getpid(), "log": str(pages.path)}) + "\n")
    sys.stdout.flush()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    waits = {asyncio.ensure_future(stopped.wait()), asyncio.ensure_future(orphaned(options.parent))}
    _, left = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    http.close()
    smtp.close()
    pages.close()
    if options.log is None:
        pages.path.unlink()


def main() -> None:
    """Run the sink until it is told to stop or its starter is gone."""
    uvloop.run(serve(arguments(sys.argv[1:])))


if __name__ == "__main__":
    main()
