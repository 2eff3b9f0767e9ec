"""The bare roofline: our renderer and our wire in two processes, and nothing else: no plan, ledger, judge or render child."""

import asyncio
import multiprocessing
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.sending.people import people
from orchestrator import app, checking
from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message, Person, delivery_id
from orchestrator.core.outcomes import Accepted, Outcome
from orchestrator.rendering import Compiled, Refusal, RenderRequest
from orchestrator.wire.clock import WallClock

ENVIRONMENT = "live"


def persons(count: int, part: int, parts: int) -> list[Person]:
    """Every `parts`th person, as a worker would know them."""
    return [_person(one) for number, one in enumerate(people(count)) if number % parts == part]


def _person(one: Mapping[str, Any]) -> Person:
    addresses = {
        Channel.EMAIL: (Address(one["email"]),),
        Channel.PUSH: (Address(one["device"], platform=one["platform"], app=one["app"]),),
    }
    names = ("email", "firstName", "city", "tier", "points", "credit", "lastOrder", "favourites")
    own = {name: one[name] for name in names}
    return Person(one["user_id"], "everybody", locale="en", addresses=addresses, attributes={"userAttribute": own})


def _messages(compiled: Compiled, channel: Channel, audience: list[Person]) -> Iterator[Message]:
    now = WallClock().now()
    for person in audience:
        key = DeliveryKey(1, person.user, channel)
        number, address = delivery_id("bench", "once", key), person.addresses[channel][0]
        link = f"https://go.shop.example/u/{number}"
        extras = {"unsubscribe_url": link} if channel is Channel.EMAIL else {}
        content = compiled.render(RenderRequest(person, channel, now, number, address, extras))
        if isinstance(content, Refusal):
            raise RuntimeError(f"{person.user}: {content}")  # noqa: TRY004 - a refusal is a result, not a wrong type
        if isinstance(content, EmailContent):
            pair = {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
            content = replace(content, headers={**content.headers, **pair})
        yield Message(key, number, address, content, judged_at=now)


async def _send(
    opened: app.Opened, compiled: Compiled, channel: Channel, audience: list[Person], pipe: Connection
) -> None:
    lane = app.dispatch(opened, WallClock(), random.random).lanes[opened.project.settings.route[channel][0]]
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    source = _messages(compiled, channel, audience)
    pipe.send("ready")
    pipe.recv()
    began, left = time.process_time(), len(audience)

    def answered(outcome: Outcome) -> None:
        """One is answered: the next may leave."""
        nonlocal left
        left -= 1
        if not isinstance(outcome, Accepted) and not ended.done():
            ended.set_exception(TypeError(str(outcome)))
        if (message := next(source, None)) is not None:
            lane.send(message, answered)
        elif not left and not ended.done():
            ended.set_result(None)

    for message in islice(source, lane.places):
        lane.send(message, answered)
    await ended
    await lane.close()
    pipe.send(time.process_time() - began)


def _run(root: Path, channel: Channel, campaign: str, count: int, part: int, parts: int, pipe: Connection) -> None:
    opened = app.open_project(root, ENVIRONMENT, sending=True)
    compiled = Compiled(campaign, opened.files, checking.template_setting(opened.project.settings))
    uvloop.run(_send(opened, compiled, channel, persons(count, part, parts), pipe))


def run(root: Path, channel: Channel, campaign: str, count: int, parts: int = 2) -> tuple[float, float]:
    """Seconds on the wall and CPU seconds for `count` messages."""
    spawn = multiprocessing.get_context("spawn")
    pipes, processes = list[Connection](), list[BaseProcess]()
    for part in range(parts):
        here, there = multiprocessing.Pipe()
        process = spawn.Process(target=_run, args=(root, channel, campaign, count, part, parts, there))
        process.start()
        there.close()
        pipes.append(here)
        processes.append(process)
    for pipe in pipes:
        pipe.recv()
    began = time.perf_counter()
    for pipe in pipes:
        pipe.send("go")
    cpu = sum(pipe.recv() for pipe in pipes)
    took = time.perf_counter() - began
    for process in processes:
        process.join()
    return took, cpu
