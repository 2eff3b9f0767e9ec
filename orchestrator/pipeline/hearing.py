"""Clicks and opens between the answer to whoever asked and the ledger: gathered for a moment, then written together.

Who follows a link never waits for the ledger. What it does not take yet stays in memory and is tried again; what had to be
let go is counted and said. A daemon that is killed loses what it heard in the last two seconds.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from orchestrator.core.engagement import SPAN, Touch
from orchestrator.core.errors import PassingError, StoreError
from orchestrator.core.times import SECOND
from orchestrator.ledger import Ledger, engagement
from orchestrator.pipeline.ledger_thread import LedgerThread

GATHERED = SPAN / SECOND
"""Seconds in which clicks are gathered: a scanner that follows all links is known by their coming together."""

MOST = 100_000
"""Clicks and opens that wait in memory at most."""

AT_ONCE = 1_000
"""So many are written in one transaction."""

REHEARSED, LOST = "rehearsal", "lost"


class Hearing:
    """What one web face has heard and the ledger does not know yet. `counted` is how many of each kind there were."""

    def __init__(self, ledger: LedgerThread, tell: Callable[[str, int, str], None], seconds: float = GATHERED) -> None:
        """`tell` is told of trouble: what (waits, lost), how many, and why."""
        self.counted = Counter[str]()
        self._ledger = ledger
        self._tell = tell
        self._seconds = seconds
        self._waiting: list[Touch] = []
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._hindered = ""
        self._over = 0
        """How many came while there was no room, and were not told of yet."""

    def hear(self, touch: Touch) -> None:
        """One more; nothing is waited for. Of no run (a test message) nothing is told."""
        if not touch.key.run:
            self.counted[REHEARSED] += 1
        elif len(self._waiting) >= MOST:
            self._over += 1
        else:
            self._waiting.append(touch)
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._write())

    async def settle(self) -> None:
        """Write what waits, now, and let go of what the ledger does not take."""
        self._hurry.set()
        if self._task is not None:
            await self._task
        self._hurry.clear()
        self._lose(len(self._waiting) + self._over, self._hindered)
        self._waiting, self._over = [], 0

    async def _write(self) -> None:
        """Until nothing waits, or nobody has the time to try again."""
        while self._waiting:
            await self._gather()
            some = self._waiting[:AT_ONCE]
            try:
                kinds = await self._ledger(partial(_take, some))
            except PassingError as problem:
                if str(problem) != self._hindered:
                    self._hindered = str(problem)
                    self._tell("waits", len(self._waiting), self._hindered)
                if self._hurry.is_set():
                    return
                continue
            except StoreError as problem:
                self._lose(len(some), str(problem))
            else:
                self.counted.update(kinds)
                self._lose(self._over, self._hindered)
                self._hindered, self._over = "", 0
            del self._waiting[: len(some)]

    async def _gather(self) -> None:
        if len(self._waiting) < AT_ONCE or self._hindered:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._seconds)

    def _lose(self, number: int, why: str) -> None:
        if number:
            self.counted[LOST] += number
            self._tell("lost", number, why)


def _take(some: list[Touch], ledger: Ledger) -> Counter[str]:
    return engagement.take(ledger.store, some)
