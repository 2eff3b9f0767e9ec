"""The ledger on a thread of its own, so that wire and web go on while a transaction commits."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from orchestrator.core.errors import PassingError
from orchestrator.ledger import Ledger

Answer = TypeVar("Answer")

PATIENCE = 0.5
"""Seconds between two tries while the ledger takes nothing."""


class LedgerThread:
    """The ledger belongs to one thread of its own, so that the wire goes on while a transaction commits.

    A patient one waits where a disk is full or a lock is held, and asks again: what it was to write stays in memory.
    """

    def __init__(self, ledger: Ledger, waits: Callable[[str], None] | None = None) -> None:
        """Patient if there is somebody to tell why it waits."""
        self.ledger = ledger
        self._waits = waits
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")

    async def __call__(self, ask: Callable[[Ledger], Answer]) -> Answer:
        """Run one call on the ledger's thread and wait for it."""
        return await self.begin(ask)

    def begin(self, ask: Callable[[Ledger], Answer]) -> Coroutine[Any, Any, Answer]:
        """Run one call on the ledger's thread, which begins at once; wait for what comes of it before the next."""
        return self._end(ask, self._run(ask))

    async def _end(self, ask: Callable[[Ledger], Answer], begun: asyncio.Future[Answer]) -> Answer:
        told = ""
        while True:
            try:
                return await begun
            except PassingError as problem:
                if self._waits is None:
                    raise
                if told != str(problem):
                    told = str(problem)
                    self._waits(told)
                await asyncio.sleep(PATIENCE)
                begun = self._run(ask)

    def _run(self, ask: Callable[[Ledger], Answer]) -> asyncio.Future[Answer]:
        return asyncio.get_running_loop().run_in_executor(self._thread, ask, self.ledger)

    def close(self) -> None:
        """Close the ledger after the last call."""
        self._thread.submit(self.ledger.close).result()
        self._thread.shutdown()
