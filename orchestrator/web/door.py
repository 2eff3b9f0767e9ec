"""What came in by many requests at once, on its way into the ledger: whoever waits for the same commit shares it."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger
from orchestrator.pipeline import LedgerThread

Thing = TypeVar("Thing")


class Door(Generic[Thing]):
    """Requests that wait for the same commit share it: under load the disk is asked once for many."""

    def __init__(self, ledger: LedgerThread, write: Callable[[Ledger, Sequence[Thing], Instant], object]) -> None:
        """`write` commits all it is given, or raises and commits nothing."""
        self._ledger = ledger
        self._commit = write
        self._waiting: list[tuple[Sequence[Thing], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, things: Sequence[Thing], now: Instant) -> None:
        """Return once these are committed."""
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((things, safe))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(now))
        await safe

    async def _write(self, now: Instant) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            things = [thing for some, _ in together for thing in some]
            try:
                await self._ledger(partial(_swapped, self._commit, things, now))
            except Exception as problem:  # noqa: BLE001 - every caller hears of it
                _tell(together, problem)
            else:
                _tell(together, None)


def _swapped(
    write: Callable[[Ledger, Sequence[Thing], Instant], object], things: Sequence[Thing], now: Instant, ledger: Ledger
) -> None:
    write(ledger, things, now)


def _tell(together: Sequence[tuple[Sequence[Thing], asyncio.Future[None]]], problem: Exception | None) -> None:
    for _, safe in together:
        if safe.done():
            continue  # the caller has gone
        if problem is None:
            safe.set_result(None)
        else:
            safe.set_exception(problem)
