"""The supervisor: one process with the clock, the workers, a planner for each run that is due, and the web face."""

import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

from orchestrator import app
from orchestrator.config import fingerprint
from orchestrator.core.errors import OrchestratorError, PassingError, StoreError
from orchestrator.core.mirrors import FAMILIES
from orchestrator.core.times import Clock
from orchestrator.daemon.aftermath import tell_what_was_left
from orchestrator.daemon.bells import Bells, Edition, tick
from orchestrator.daemon.children import Children
from orchestrator.daemon.facing import open_face
from orchestrator.daemon.loading import Loading
from orchestrator.daemon.nursery import Nursery
from orchestrator.daemon.proving import refuse_elsewhere
from orchestrator.ledger import RunState, asking, figures, pace, runs
from orchestrator.logs import Log, below_ctrl_c
from orchestrator.pipeline import AHEAD, LedgerThread
from orchestrator.web import Health, Tracking
from orchestrator.web.face import Face
from orchestrator.web.metrics import Daemon, exposition, snapshot

log = Log("daemon")


@dataclass(frozen=True, slots=True)
class Serving:
    """What `serve` is asked: the project and its environment, how many workers, where the web face listens (port 0: nowhere)."""

    root: Path
    environment: str
    workers: int = 2
    host: str = "127.0.0.1"
    port: int = 8026


class Supervisor:
    """The one process that has the clock, the children and the web face."""

    def __init__(
        self,
        serving: Serving,
        opened: app.Opened,
        clock: Clock,
        nursery: Nursery | None = None,
        doors: Sequence[socket.socket] = (),
    ) -> None:
        """`doors` are the sockets the web face listens on; without one there is none."""
        self.serving = serving
        self.opened = opened
        self.clock = clock
        self.stopping = asyncio.Event()
        self.children = Children(clock, nursery)
        self.troubles: tuple[str, ...] = ()
        """Mistakes of an edit that did not take effect; the last good tree goes on."""
        self._doors = doors
        self._face: Face | None = None
        self._tracking: Tracking | None = None
        self._code = 0
        self._ledger = LedgerThread(opened.ledger())
        self._woken = asyncio.Event()
        self._bells = Bells(lambda _: self._woken.set())
        self._seen: frozenset[tuple[str, int, int]] = frozenset()
        self._planning: dict[int, asyncio.Task[None]] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}
        self._unasked: set[int] = set()
        """Runs whose waiting people could not be asked about: the audience does not answer."""
        self._unplanned: set[int] = set()
        """Runs that could not be planned the last time."""
        self._hindered = ""
        """Why the ledger takes nothing just now."""
        self._edition = Edition("", {})
        self._asks_for_messages = False
        """Whether any segment asks for our own messages or for consent, so that planning waits until the audience knows them."""
        self._counted = figures.Deliveries()
        self._loading = Loading(lambda: self.opened, clock)

    async def run(self) -> int:
        """Serve until told to stop: 0; 1 if the web face ended before."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGINT, self._stop, sys.stderr)
        await self._ledger(lambda ledger: ledger.begin_boot("supervisor", self.clock.now()))
        await self._ledger(lambda ledger: tell_what_was_left(ledger, self.clock.now()))
        await self._ledger(lambda ledger: figures.fold(ledger.store, ledger.boot))
        await self._take(self.opened)
        self._bells.start()
        self._face = await self._open_web()
        loader = asyncio.create_task(self._loading.run(self.stopping))
        workers = [
            asyncio.create_task(self.children.keep(partial(self._command, "worker"), self.stopping))
            for _ in range(self.serving.workers)
        ]
        try:
            while not self.stopping.is_set():
                await self._look_if_possible()
                await self._rest()
        finally:
            self.stopping.set()
            self._bells.stop()
            await self.children.stop()
            await asyncio.gather(
                loader, *workers, *self._planning.values(), *self._asking.values(), return_exceptions=True
            )
            if self._face is not None:
                await self._face.stop()
            if self._tracking is not None:
                await self._tracking.settle()
            with suppress(StoreError):  # a life without a written end is a dead one, which is true as well
                await self._ledger(lambda ledger: ledger.end_boot(self.clock.now()))
            self._ledger.close()
            log.info("daemon.stopped")
        return self._code

    def _stop(self, below: TextIO | None = None) -> None:
        if below is not None:
            below_ctrl_c(below)
        self.stopping.set()
        self._woken.set()

    def _fall(self, why: str) -> None:
        """The web face is over. Without it nobody can unsubscribe: end, so that whoever keeps us starts us again."""
        if not self.stopping.is_set():
            log.trouble("web.ended", why=why)
            self._code = 1
            self._stop()

    async def _rest(self) -> None:
        """Until a bell rings or the next look is due; a run that somebody fired meanwhile does not wait for it."""
        self._woken.clear()
        for _ in range(round(LOOK_EVERY / DUE_EVERY)):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), DUE_EVERY)
            if self._woken.is_set() or await self._fired():
                return

    async def _fired(self) -> bool:
        """Whether a run is due that is not being planned yet."""
        with suppress(PassingError):
            due = await self._ledger(lambda ledger: runs.listed(ledger.store, states=[RunState.DUE]))
            return len(self._planning) < 2 and any(run.id not in self._planning for run in due)
        return False

    async def _look_if_possible(self) -> None:
        """A ledger that takes nothing just now, for a full disk or a lock, is named in health until it does."""
        try:
            await self._look()
        except PassingError as problem:
            if str(problem) != self._hindered:
                log.trouble("daemon.waits", why=str(problem))
            self._hindered = str(problem)
        else:
            self._hindered = ""

    async def _look(self) -> None:
        """Take an edit if there is one, fire what is due, plan what was fired, ask again, take back what the dead held."""
        await self._reload()
        await tick(self._ledger, self._edition, self.clock)
        await self._ledger(lambda ledger: ledger.recover(self.clock.now()))
        due = await self._ledger(lambda ledger: runs.listed(ledger.store, states=[RunState.DUE]))
        for run in due:
            if run.id not in self._planning and len(self._planning) < 2:
                self._planning[run.id] = asyncio.create_task(self._plan(run.id))
        again = await self._ledger(lambda ledger: asking.runs_to_ask(ledger.store, self.clock.now(), AHEAD))
        self._unasked &= set(again)
        for number in again:
            if number not in self._asking and len(self._asking) < 2:
                self._asking[number] = asyncio.create_task(self._ask(number))

    async def _plan(self, run: int) -> None:
        """Plan a run; one that could not be planned is tried again later."""
        if self._asks_for_messages:
            await self._loading.catch_up(self._ledger, self.stopping)
        planned = await self._planner(run, again=False)
        (self._unplanned.discard if planned else self._unplanned.add)(run)
        if not planned:
            await self._stand_back()
        self._planning.pop(run, None)
        self._woken.set()

    async def _ask(self, run: int) -> None:
        """Ask again about a run's people who have waited for long; until the audience answers, they wait on."""
        answered = await self._planner(run, again=True)
        (self._unasked.discard if answered else self._unasked.add)(run)
        if not answered:
            await self._stand_back()
        self._asking.pop(run, None)
        self._woken.set()

    async def _planner(self, run: int, *, again: bool) -> bool:
        """One planner process, to its end; whether it did what it was asked."""
        words = ["--run", str(run), *(["--again"] if again else [])]
        code = await self.children.once(self._command("planner", *words))
        if code and not self.stopping.is_set():
            log.trouble("run.not_asked_again" if again else "run.not_planned", run=run, code=code)
        return code == 0

    async def _stand_back(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), PLAN_AGAIN)

    async def _reload(self) -> None:
        """Take the whole tree if a file changed; a broken one is named in health and changes nothing."""
        seen = await asyncio.to_thread(fingerprint, self.serving.root)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            opened = await asyncio.to_thread(
                partial(app.open_project, self.serving.root, self.serving.environment, sending=True)
            )
            if opened.files != self.opened.files:
                await asyncio.to_thread(refuse_elsewhere, opened)
        except OrchestratorError as problem:
            self.troubles = tuple(str(problem).splitlines())
            kept, first = self._edition.version[:12], self.troubles[0]
            log.warning("config.refused", kept=kept, mistakes=len(self.troubles), first=first)
            return
        await self._take(opened)

    async def _take(self, opened: app.Opened) -> None:
        now = self.clock.now()
        version = await self._ledger(lambda ledger: runs.keep_bundle(ledger.store, opened.files, now))
        self.troubles = ()
        self._seen = await asyncio.to_thread(fingerprint, self.serving.root)
        if version != self._edition.version:
            self.opened = opened
            self._edition = Edition(version, opened.project.campaigns, opened.origin)
            # An event's name that only stands in another text costs a plan a moment's wait, no more.
            self._asks_for_messages = any(
                family in repr(segment.root) for segment in opened.project.segments.values() for family in FAMILIES
            )
            self._bells.set(opened.project.campaigns)
            source = await asyncio.to_thread(opened.origin)
            log.info("config.taken", version=version[:12], source=source, campaigns=len(opened.project.campaigns))

    def _command(self, door: str, *more: str) -> list[str]:
        root, environment = str(self.serving.root), self.serving.environment
        known = ["--project", root, "--env", environment, "--version", self._edition.version]
        return [f"orchestrator.{door}", *known, *more]

    async def _open_web(self) -> Face | None:
        if not self._doors:
            return None
        asked = (self._health, self._metrics)
        facing = await open_face(self._ledger, lambda: self.opened, self.clock, *asked, self._doors, self._fall)
        self._tracking = facing.tracking
        return facing.face

    async def _metrics(self) -> bytes:
        living = [child.process is not None and child.process.returncode is None for child in self.children.kept]
        falls = max((child.falls for child in self.children.kept), default=0)
        daemon = Daemon(self._edition.version, self.serving.environment, len(self.troubles), sum(living), falls)
        shown = await self._ledger(lambda ledger: snapshot(ledger, self._counted, daemon, self.clock.now()))
        return exposition(shown)

    async def _health(self) -> Health:
        pauses = await self._ledger(lambda ledger: pace.pauses(ledger.store, self.clock.now()))
        troubles = [*self.troubles, *(f"{scope} is paused: {reason}" for scope, _, reason in pauses)]
        paused = await self._ledger(lambda ledger: runs.listed(ledger.store, states=[RunState.PAUSED], limit=20))
        troubles += [f"run {run.id} of {run.campaign} is paused: {run.reason}" for run in paused]
        troubles += [f"run {run} waits: its people must be asked about again; see the log" for run in self._unasked]
        troubles += [f"run {run} could not be planned and is tried again; see the log" for run in self._unplanned]
        troubles += [self._hindered] if self._hindered else []
        troubles += [f"events wait in the inbox: {self._loading.trouble}"] if self._loading.trouble else []
        source = str(await asyncio.to_thread(self._edition.source))
        return Health(not self.troubles and not self._hindered, self._edition.version, source, tuple(troubles))


LOOK_EVERY = 1.0
"""Seconds between two looks at files and runs; the bells ring in between."""

DUE_EVERY = 0.1
"""Seconds between two looks for nothing but runs that are due: somebody may have fired one by hand."""

PLAN_AGAIN = 3.0
"""Seconds until a run that could not be planned is tried again."""
