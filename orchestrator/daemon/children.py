"""The daemon's processes: kept alive, told to stop, and ended if they do not."""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orchestrator.core.times import SECOND, Clock
from orchestrator.daemon.nursery import Nursery, Process
from orchestrator.logs import Log

log = Log("daemon")

GRACE = 25.0
"""Seconds a worker has to settle what is in the air after SIGTERM; then it is killed, which loses nothing either."""

_SLOWEST_RESTART = 30.0
_HEALTHY_AFTER = 10 * SECOND


@dataclass(slots=True)
class Child:
    """One process of the daemon and how it has fared."""

    process: Process | None = None
    falls: int = 0


@dataclass(slots=True)
class Children:
    """The daemon's processes. Each has our end of a pipe as standard input: if we die, it reads the end and stops.

    A command is the name of a module and the arguments of its `main`.
    """

    clock: Clock
    nursery: Nursery | None = None
    """Where they are born; without one, each is started by itself."""
    kept: list[Child] = field(default_factory=list)
    passing: list[Process] = field(default_factory=list)
    over: bool = False
    """Told to stop: whoever is born from now on has begun nothing, and is ended at once."""

    async def keep(self, command: Callable[[], Sequence[str]], stopping: asyncio.Event) -> None:
        """Run a command, asked for anew each time, whenever the last one ended; a command that keeps falling waits longer."""
        child = Child()
        self.kept.append(child)
        while not stopping.is_set():
            began = self.clock.now()
            child.process = await self._begin(command())
            code = await child.process.wait()
            if stopping.is_set():
                return
            child.falls = 0 if self.clock.now() - began > _HEALTHY_AFTER else child.falls + 1
            log.warning("process.ended", process=child.process.pid, code=code, falls=child.falls)
            rest = min(_SLOWEST_RESTART, 0.05 * 2**child.falls)
            try:
                await asyncio.wait_for(stopping.wait(), rest)
            except TimeoutError:
                continue

    async def once(self, command: Sequence[str]) -> int:
        """Run a command to its end; its exit code."""
        process = await self._begin(command)
        self.passing.append(process)
        try:
            return await process.wait()
        finally:
            self.passing.remove(process)

    async def _begin(self, command: Sequence[str]) -> Process:
        born: Process | None = await self.nursery.bear(command[0], command[1:]) if self.nursery else None
        if born is None:
            born = await asyncio.create_subprocess_exec(sys.executable, "-m", *command, stdin=asyncio.subprocess.PIPE)
        if self.over:  # `stop` could not know of it
            born.send_signal(signal.SIGKILL)
        return born

    async def stop(self) -> None:
        """Ask all to finish what is in the air, wait for the grace, then end the rest."""
        self.over = True
        all_of_them = [*(child.process for child in self.kept), *self.passing]
        living = [process for process in all_of_them if process is not None and process.returncode is None]
        for process in living:
            process.send_signal(signal.SIGTERM)
        waits = [asyncio.create_task(process.wait()) for process in living]
        if waits:
            await asyncio.wait(waits, timeout=GRACE)
        for process in living:
            if process.returncode is None:
                log.warning("process.killed", process=process.pid, grace=GRACE)
                process.send_signal(signal.SIGKILL)
        await asyncio.gather(*waits)
