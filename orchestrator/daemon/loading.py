"""The loader: takes to the audience what came in, from the event inbox, and what the ledger knows, as mirrors; while the daemon serves."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestrator import app
from orchestrator.bundles import Topics
from orchestrator.core.errors import HeldError, StoreError
from orchestrator.core.times import SECOND, Clock, Instant
from orchestrator.ledger import Ledger, arrivals, callbacks, mirrors, shards
from orchestrator.logs import Log
from orchestrator.pipeline import LedgerThread, Mirrors, Pace, learn

if TYPE_CHECKING:
    from orchestrator.audience.store import Audience

log = Log("loader")

LOOK_EVERY = 1.0
"""Seconds between two looks into the inbox."""
MIRROR_EVERY = 30 * SECOND
"""While messages leave, what the ledger knows is told to the audience this often: it costs a quarter of what sending does."""
CATCH_UP = 60.0
"""Seconds that the planning of a run waits, at most, for the audience to know of the messages before."""
STAND_BACK = 3.0
"""Seconds until a store that could not be reached is tried again."""


class Loading:
    """One loader, on a thread and a connection of its own. `trouble` says why nothing is loaded, empty while all is well."""

    def __init__(self, opened: Callable[[], app.Opened], clock: Clock) -> None:
        self._opened = opened
        self._clock = clock
        self._mirrors = Mirrors(Topics(opened().project.environment.name))
        self.trouble = ""
        self._give_up: Callable[[], bool] | None = None
        self._pace = Pace()
        self._mirrored_at = Instant(0)
        self._hurried = 0
        """How many wait for the mirrors."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Load until told to stop; a batch that is in the audience is brought to its end, one that waits for it waits on."""
        self._give_up = stopping.is_set
        while not stopping.is_set():
            try:
                held = LedgerThread(self._opened().ledger())
            except StoreError as problem:
                await self._stand_back(problem, stopping)
                continue
            try:
                while not stopping.is_set():
                    rest = 0.0 if await held(self.once) else LOOK_EVERY
                    await _pause(stopping, rest)
            except StoreError as problem:
                if not (isinstance(problem, HeldError) and stopping.is_set()):
                    await self._stand_back(problem, stopping)
            finally:
                held.close()

    async def _stand_back(self, problem: StoreError, stopping: asyncio.Event) -> None:
        """A store is in trouble: its connection may be the trouble, so the next try has a new one."""
        self.trouble = str(problem)
        log.trouble("events.not_loaded", why=self.trouble)
        await _pause(stopping, STAND_BACK)

    def once(self, ledger: Ledger) -> bool:
        """Whether there is more to do at once. While nothing waits, the audience is left to others."""
        heard = self._hear(ledger)
        if engine := app.elsewhere(self._opened()):
            self._leave(ledger, engine)
            return heard
        batch = self._learn(ledger) or heard
        self.trouble = ""
        if self._sending_comes_first(ledger):
            return batch
        mirrored = self._mirrors.once(ledger, lambda: self._audience(self._opened()))
        if mirrored is not None and mirrored.events:
            log.info("mirrors.told", events=mirrored.events)
        more = mirrored is not None and mirrored.more
        if not more:
            self._mirrored_at = self._clock.now()
        return batch or more

    def _hear(self, ledger: Ledger) -> bool:
        """Take what providers reported into the deliveries; whether there may be more."""
        heard = callbacks.settle(ledger.store, ledger.hashing, self._clock.now())
        if heard.total():
            log.info("callbacks.settled", **heard)
        return heard[callbacks.TAKEN] + heard[callbacks.STRANGE] >= callbacks.AT_ONCE

    def _leave(self, ledger: Ledger, engine: str) -> None:
        """An audience that is somebody else's is told nothing. Events that came in before it was stay where they are."""
        self._mirrors.forget(ledger)
        waits = arrivals.any_waits(ledger.store)
        said = (
            f"{engine}: is only read; they wait for an audience of our own (stores.audience: duckdb:…)" if waits else ""
        )
        if said and said != self.trouble:
            log.trouble("events.not_loaded", why=said)
        self.trouble = said

    def _sending_comes_first(self, ledger: Ledger) -> bool:
        now = self._clock.now()
        long_ago = not self._mirrored_at <= now < self._mirrored_at + MIRROR_EVERY
        return not self._hurried and not long_ago and shards.any_claimed(ledger.store)

    async def catch_up(self, held: LedgerThread, stopping: asyncio.Event) -> None:
        """Wait until the audience knows of what the ledger knows now; not for ever, and not while a store is in trouble."""
        if app.elsewhere(self._opened()):
            return
        newest = await held(lambda ledger: mirrors.newest(ledger.store))
        loop = asyncio.get_running_loop()
        until = loop.time() + CATCH_UP
        self._hurried += 1
        try:
            while not (stopping.is_set() or self.trouble or loop.time() > until):
                if not await held(lambda ledger: mirrors.any_left(ledger.store, newest)):
                    return
                await _pause(stopping, LOOK_EVERY / 4)
        finally:
            self._hurried -= 1

    def _audience(self, opened: app.Opened) -> "Audience":
        return app.own_audience(opened, self._give_up)

    def _learn(self, ledger: Ledger) -> bool:
        if not arrivals.any_waits(ledger.store):
            return False
        opened = self._opened()
        zone, catalogue = opened.project.settings.time_zone, opened.project.catalogue.known
        loaded = learn(ledger, self._audience(opened), catalogue, zone, self._clock.now(), pace=self._pace)
        if loaded is None:
            return False
        log.info(
            "events.loaded",
            events=loaded.events,
            duplicates=loaded.duplicates,
            new=loaded.new,
            changed=loaded.changed,
            left_out=loaded.left_out,
        )
        return True


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
