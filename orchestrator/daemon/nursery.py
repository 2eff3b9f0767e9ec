"""Where the daemon's processes are born: forked from one that has imported everything, so a worker that fell stands at once.

The nursery is forked from the supervisor before it has threads, a loop or a database, and keeps to itself: it forks when
asked, tells of births and ends, and goes when the supervisor goes. Should it be killed, its children are told to end by
the end of their standard input, and the next ones are started the slow way.
"""

import asyncio
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from orchestrator.logs import Log

log = Log("daemon")

_MOST = 65_536
_LOST = -int(signal.SIGKILL)
"""The exit code of a process whose end nobody can tell."""


class Process(Protocol):
    """A living process, as asyncio shows one."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it lives."""
        ...

    async def wait(self) -> int:
        """Its exit code, once it has ended; minus the signal's number if one ended it."""
        ...

    def send_signal(self, signal: int) -> None:
        """Send it a signal."""
        ...


@dataclass(slots=True)
class Born:
    """A process that was forked in the nursery. `line` is our end of its standard input: while it is open, it has us."""

    pid: int
    line: int
    ended: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it lives."""
        return self.ended.result() if self.ended.done() else None

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.shield(self.ended)

    def send_signal(self, signal: int) -> None:
        """Send it a signal, unless it has ended."""
        if not self.ended.done():
            os.kill(self.pid, signal)

    def end(self, code: int) -> None:
        """It is over, or as good as over for us."""
        if not self.ended.done():
            os.close(self.line)
            self.ended.set_result(code)


class Nursery:
    """The supervisor's side: asks for processes and hears of their ends."""

    def __init__(self, doors: Sequence[str]) -> None:
        """Fork it, with these modules imported: each has a `main(arguments)`. This process must have no threads yet.

        The doors do not know each other, so they are named, as a program to start would be.
        """
        for door in doors:
            importlib.import_module(door)
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asked: list[tuple[int, asyncio.Future[Born]]] = []
        self._living: dict[int, Born] = {}
        self._listens = False
        sys.stdout.flush()
        sys.stderr.flush()
        gc.collect()
        gc.freeze()  # what all processes share must not be touched, and so copied, by the collector
        self._pid = os.fork()
        if self._pid == 0:
            self._ours.close()
            _keep(theirs)
        gc.unfreeze()
        theirs.close()

    async def bear(self, door: str, arguments: Sequence[str]) -> Born | None:
        """A new process at this door; None if the nursery is no more."""
        if self._ours.fileno() < 0:
            return None
        if not self._listens:
            asyncio.get_running_loop().add_reader(self._ours.fileno(), self._hear)
            self._listens = True
        theirs, line = os.pipe()
        born: asyncio.Future[Born] = asyncio.get_running_loop().create_future()
        self._asked.append((line, born))
        try:
            socket.send_fds(self._ours, [json.dumps([door, *arguments]).encode()], [theirs])
        except OSError:
            self._lose()
        finally:
            os.close(theirs)
        try:
            return await born
        except ConnectionError:
            return None

    def close(self) -> None:
        """Let it go; call this when its processes have ended, the others are told to end."""
        if self._listens and self._ours.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._ours.fileno())
        self._ours.close()
        for child in self._living.values():
            child.end(_LOST)
        self._living.clear()
        if self._pid:
            os.waitpid(self._pid, 0)
            self._pid = 0

    def _hear(self) -> None:
        try:
            told = self._ours.recv(_MOST)
        except OSError:
            told = b""
        if not told:
            self._lose()
            return
        what, pid, code = json.loads(told)
        if what == "born":
            line, asked = self._asked.pop(0)
            self._living[pid] = child = Born(pid, line)
            asked.set_result(child)
        elif pid in self._living:
            self._living.pop(pid).end(code)

    def _lose(self) -> None:
        """It was killed. Its children read the end of their input and finish; others take their place."""
        log.trouble("nursery.lost", process=self._pid, children=len(self._living))
        self.close()
        for line, asked in self._asked:
            os.close(line)
            asked.set_exception(ConnectionError("the nursery is gone"))
        self._asked.clear()


def _keep(line: socket.socket) -> NoReturn:
    """Be the nursery until the supervisor is gone."""
    # A terminal's Ctrl-C reaches the whole group; the supervisor decides what comes of it.
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, signal.SIG_IGN)
    wakes, rings = os.pipe()
    os.set_blocking(rings, False)
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(rings, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        _serve(line, wakes, rings)
    finally:
        os._exit(0)


def _serve(line: socket.socket, wakes: int, rings: int) -> None:
    poll = select.poll()
    poll.register(line, select.POLLIN)
    poll.register(wakes, select.POLLIN)
    while True:
        ready = {number for number, _ in poll.poll()}
        if wakes in ready:
            os.read(wakes, _MOST)
            for pid, code in _ended():
                line.send(json.dumps(["ended", pid, code]).encode())
        if line.fileno() in ready:
            asked, lines, _, _ = socket.recv_fds(line, _MOST, 1)
            if not asked:
                return
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for ours in (line.fileno(), wakes, rings):
                    os.close(ours)
                _live(json.loads(asked), lines[0])
            os.close(lines[0])
            line.send(json.dumps(["born", pid, 0]).encode())


def _ended() -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        found.append((pid, os.waitstatus_to_exitcode(status)))


def _live(asked: list[str], line: int) -> NoReturn:
    """Be a process of the daemon, as if started by itself."""
    code = 1
    try:
        for told in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(told, signal.SIG_DFL)
        # SIGINT stays ignored, else one that is just beginning would die of a ctrl-c with a trace: the supervisor ends it.
        os.dup2(line, 0)
        os.close(line)
        door, *arguments = asked
        code = sys.modules[door].main(arguments)
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    except BaseException:  # noqa: BLE001 - it is the end of the process, whatever it was
        log.trouble("process.failed", door=asked[0], trace=traceback.format_exc())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
