"""A worker process: claims due shards, works them, takes back what the dead left behind, until it is told to stop."""

import argparse
import asyncio
import os
import random
import signal
import stat
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from orchestrator import app
from orchestrator.bundles import Bundles
from orchestrator.core.errors import LostBootError, OrchestratorError, StoreError
from orchestrator.core.times import NEVER, SECOND, Clock, Instant, iso
from orchestrator.ledger import Recovery, Shard, figures
from orchestrator.logs import Log, set_up
from orchestrator.pipeline import LedgerThread, Parts, work
from orchestrator.pipeline.tally import Tally
from orchestrator.rendering import RenderChild
from orchestrator.wire.clock import WallClock

LOOK_AGAIN = SECOND
"""Every worker looks for the dead at least this often."""

IDLE = SECOND // 10
"""An idle worker looks for work this often: a run that was just planned, by whomever, does not wait longer."""

SOON = SECOND // 100
"""While a run is planned an idle worker looks this often: what it waits for can come at any moment."""

TELL_EVERY = 2.0
"""Seconds between two notes of what this process has counted."""

log = Log("worker")


@dataclass(slots=True)
class Worker:
    """One worker. `stopping` set: no new shard, no new intent; what is in the air is still settled."""

    parts: Parts
    clock: Clock
    looked_at: Instant = Instant(0)
    recovered: Recovery = field(default_factory=Recovery)

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until told to stop: while the last messages of a shard are on the wire, the next is claimed and read."""
        told = asyncio.create_task(self._pass_on(stopping))
        under_way = deque[asyncio.Task[None]]()
        try:
            while not stopping.is_set():
                await self._recover()
                shard = await self.parts.ledger(lambda ledger: ledger.claim(self.clock.now()))
                if shard is not None:
                    offered = asyncio.Event()
                    under_way.append(asyncio.create_task(self._work(shard, offered)))
                    await _first(under_way[-1], offered)
                elif not under_way:
                    await self._rest(stopping)
                    continue
                if shard is None or len(under_way) > 1:
                    await under_way[0]
                    under_way.popleft()
            while under_way:
                await under_way[0]
                under_way.popleft()
        finally:
            told.cancel()
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _work(self, shard: Shard, offered: asyncio.Event) -> None:
        due = await work(shard, self.parts, self.clock, offered.set)
        log.info("shard.put_back", run=shard.run, shard=shard.number, people=len(shard.people), due=_said(due))

    async def _pass_on(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self.parts.dispatch.stopping.set()

    async def _recover(self) -> None:
        now = self.clock.now()
        if now - self.looked_at < LOOK_AGAIN and now >= self.looked_at:
            return
        self.looked_at = now
        found = await self.parts.ledger(lambda ledger: ledger.recover(now))
        if found.boots:
            self.recovered = found
            log.warning(
                "ledger.recovered",
                boots=found.boots,
                again=found.again,
                resent=found.resent,
                unknown=found.unknown,
            )

    async def _rest(self, stopping: asyncio.Event) -> None:
        """Until a shard is due or it is time to look for the dead. It only reads: a claim would keep others from writing."""
        rested = 0
        while rested < LOOK_AGAIN:
            due, soon = await self.parts.ledger(lambda ledger: (ledger.next_due(self.clock.now()), ledger.plans()))
            now = self.clock.now()
            longest = SOON if soon else IDLE
            # Somebody may have claimed what was due a moment ago; a short rest keeps two workers from spinning.
            wait = longest if due is None else min(longest, max(due - now, SECOND // 20))
            rested += wait
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), timeout=wait / SECOND)
            if stopping.is_set() or (due is not None and due <= self.clock.now()):
                return


def _said(due: Instant | None) -> str:
    """When a shard is due again, for the log. No calendar has a date for NEVER."""
    if due is None:
        return "never"
    return "no date yet" if due >= NEVER else iso(due)


async def _first(task: asyncio.Task[None], event: asyncio.Event) -> None:
    """Wait for the event, or for the end of the task if that comes first."""
    heard = asyncio.create_task(event.wait())
    await asyncio.wait([task, heard], return_when=asyncio.FIRST_COMPLETED)
    heard.cancel()


async def serve(opened: app.Opened, child: RenderChild, clock: Clock) -> None:
    """Be a worker of this project until SIGTERM, or until our supervisor is gone."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, stopping.set)
    _stop_when_orphaned(loop, stopping)
    app.calm_collector()
    ledger = opened.ledger()
    ledger.begin_boot("worker", clock.now())
    bundles = Bundles(opened.project.environment, clock.now(), child)
    held = LedgerThread(ledger, lambda why: log.trouble("ledger.waits", why=why))
    tally = Tally()
    parts = Parts(held, app.dispatch(opened, clock, random.random), bundles.prepare_shard, tally)
    telling = asyncio.create_task(_tell(held, tally, stopping))
    try:
        await Worker(parts, clock).run(stopping)
    finally:
        telling.cancel()
        await parts.dispatch.close()
    await held(lambda ours: figures.keep(ours.store, ours.boot, tally.counts))
    await held(lambda ours: ours.end_boot(clock.now()))
    held.close()


async def _tell(held: LedgerThread, tally: Tally, stopping: asyncio.Event) -> None:
    """Write down every few seconds what was counted, for the metrics; a process that is killed loses just these."""
    told = 0.0
    while not stopping.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), TELL_EVERY)
        if tally.counts.total() == told:
            continue
        told, counts = tally.counts.total(), dict(tally.counts)
        try:
            await held(lambda ours, counts=counts: figures.keep(ours.store, ours.boot, counts))  # type: ignore[misc] # bound now
        except StoreError as problem:
            # Figures are no reason to stop sending: whoever works meets the same trouble and says so.
            log.warning("figures.not_kept", why=str(problem))


def _stop_when_orphaned(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    """Our supervisor holds the other end of our standard input; its end is our order to stop.

    It is a pipe where the nursery bore us, a socket where the event loop started us by ourselves.
    """
    mode = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return

    def read() -> None:
        if not os.read(0, 64):
            loop.remove_reader(0)
            stopping.set()

    loop.add_reader(0, read)


def main(arguments: list[str] | None = None) -> int:
    """Be one worker process; 0 when told to stop, 1 if it cannot work here."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.worker", description=__doc__)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--env", required=True)
    parser.add_argument("--version", default="", help="the version of the files to start from")
    options = parser.parse_args(arguments)
    set_up()
    try:
        opened = app.open_child(options.project.resolve(), options.env, options.version)
        # The child is forked before this process has threads, a loop or a database.
        with RenderChild() as child:
            uvloop.run(serve(opened, child, WallClock()))
    except LostBootError as problem:
        log.trouble("boot.lost", why=str(problem))
        return 1
    except OrchestratorError as problem:
        log.trouble("worker.cannot_work", why=str(problem))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
