"""A worker process: claims due shards, works them, takes back what the dead left behind, until it is told to stop."""

import asyncio
import logging
from dataclasses import dataclass, field

from orchestrator.core.times import SECOND, Clock, Instant
from orchestrator.ledger import Recovery
from orchestrator.pipeline import Parts, work

LOOK_AGAIN = SECOND
"""An idle worker looks for work, and every worker for the dead, at least this often."""

log = logging.getLogger("orchestrator.worker")


@dataclass(slots=True)
class Worker:
    """One worker. `stopping` set: no new shard, no new intent; what is in the air is still settled."""

    parts: Parts
    clock: Clock
    looked_at: Instant = Instant(0)
    recovered: Recovery = field(default_factory=Recovery)

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until told to stop."""
        told = asyncio.create_task(self._pass_on(stopping))
        try:
            while not stopping.is_set():
                await self._recover()
                shard = await self.parts.ledger(lambda ledger: ledger.claim(self.clock.now()))
                if shard is None:
                    await self._rest(stopping)
                else:
                    await work(shard, self.parts, self.clock)
        finally:
            told.cancel()

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
                "ledger.recovered boots=%d again=%d resent=%d unknown=%d",
                found.boots,
                found.again,
                found.resent,
                found.unknown,
            )

    async def _rest(self, stopping: asyncio.Event) -> None:
        due = await self.parts.ledger(lambda ledger: ledger.next_due())
        now = self.clock.now()
        wait = LOOK_AGAIN if due is None else max(0, min(LOOK_AGAIN, due - now))
        # Somebody may have claimed what was due a moment ago; a short rest keeps two workers from spinning.
        try:
            await asyncio.wait_for(stopping.wait(), timeout=max(wait, SECOND // 20) / SECOND)
        except TimeoutError:
            return
