"""What runs inside the render child: a keeper that compiles and forks, and writers that render and may die of it."""

import faulthandler
import gc
import mmap
import os
import pickle
import re
import resource
import signal
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NoReturn

from orchestrator.rendering.carrying import pack_answers, unpack_requests
from orchestrator.rendering.lines import ANSWERS, BATCH, BUNDLE, DIED, READY, STOP, UNKNOWN, WRITE, Line
from orchestrator.rendering.rendering import Compiled

SLOWEST = 2.0
"""Seconds one message may take."""
MEMORY = 512 * 2**20
"""Bytes a writer may take on top of what it was forked with."""

_SIZE = Path("/proc/self/statm")
NOBODY = -1
_CELL = struct.Struct("=q")
_FRAME = re.compile(r'File "(<[^"]*>)", line (\d+)')
_KEPT = 8
"""Bundles the keeper keeps compiled."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may take: seconds, and bytes on top of the process it is written in."""

    seconds: float = SLOWEST
    memory: int = MEMORY


def fork(body: Callable[[], None], *kept: int) -> int:
    """Fork a process that runs the body with no files open but these, and leaves; its process id, in the parent."""
    with warnings.catch_warnings():
        # From 3.12 on a fork beside other threads warns: they may hold locks. What runs in here takes none of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return pid
    return _leave_after(body, kept)


def _leave_after(body: Callable[[], None], kept: tuple[int, ...]) -> NoReturn:
    """Run the body of a forked process, without the parent's signals, files and farewells."""
    code = 0
    try:
        signal.set_wakeup_fd(-1)
        for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM):
            signal.signal(one, signal.SIG_DFL)
        # Ctrl-C at a terminal reaches every process; the worker says when it is over, by hanging up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _let_go_of_files(kept)
        body()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the worker is gone
    except BaseException:  # noqa: BLE001 - nothing may unwind into the parent's code
        code = os.EX_SOFTWARE
    finally:
        os._exit(code)


def _let_go_of_files(kept: tuple[int, ...]) -> None:
    """A lock of the parent's on an open file must not outlive it in here: every number but these means nothing now.

    The numbers stay taken. A library of the parent's may look after one of its own at the next fork, and end the process
    if it cannot close it (Arrow 26 does so with the pipe of its signal handling, 2026-11).
    """
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - a list, for the folder is itself one of the files
        number = int(name)
        if number > 2 and number != nothing and number not in kept:
            os.dup2(nothing, number, inheritable=False)


def keep(line: Line, bundles: dict[str, Compiled], limits: Limits) -> None:
    """The keeper: compile bundles, fork writers, say how they ended."""
    cell = mmap.mmap(-1, mmap.PAGESIZE)
    trace = TemporaryFile()  # noqa: SIM115 - lives as long as this process
    while True:
        kind, data = line.receive()
        if kind == BUNDLE:
            key, *recipe = pickle.loads(data)  # noqa: S301 - from our own worker
            while len(bundles) >= _KEPT:
                del bundles[next(iter(bundles))]
            bundles[key] = Compiled(*recipe)
            line.send(READY)
        elif kind == WRITE:
            compiled = bundles.get(data.decode())
            line.send(READY if compiled is not None else UNKNOWN)
            if compiled is not None:
                line.send(*_supervise(compiled, line, cell, trace, limits))
        # A batch that arrives here was left in the line by a writer that died: it is asked for again.


def _supervise(
    compiled: Compiled, line: Line, cell: mmap.mmap, trace: IO[bytes], limits: Limits
) -> tuple[bytes, bytes]:
    """Fork a writer and wait for its end: stopped as told, or dead of a signal at a message."""
    _CELL.pack_into(cell, 0, NOBODY)
    trace.seek(0)
    trace.truncate()
    gc.freeze()  # what both processes share must not be touched, and so copied, by the collector
    pid = fork(lambda: _write(compiled, line, cell, trace, limits), line.socket.fileno(), trace.fileno())
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
        return READY, b""
    at = _CELL.unpack_from(cell)[0]
    if at == NOBODY:
        # No message is to blame, and half an answer may stand in the line: hang up, so that everything is asked again.
        raise EOFError
    ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else signal.SIGKILL
    return DIED, pickle.dumps((int(ended_by), at, _spot(compiled, trace)))


def _spot(compiled: Compiled, trace: IO[bytes]) -> str:
    """The template's file and line that a writer stood at when its time was over; empty if nobody knows.

    A writer that was just taking a text from its template stands at none of its lines.
    """
    frames = _FRAME.findall(os.pread(trace.fileno(), 65_536, 0).decode("ascii", "replace"))
    return next((spot for name, line in frames if (spot := compiled.spot(name, int(line)))), "")


def _write(compiled: Compiled, line: Line, cell: mmap.mmap, trace: IO[bytes], limits: Limits) -> None:
    """A writer: batches in, answers out, until told to stop. The kernel's alarm ends it, whatever it is doing."""
    # First the alarm has it write down where it stands, from within the signal; then it ends as if nobody listened.
    faulthandler.register(signal.SIGALRM, file=trace, all_threads=False, chain=True)
    # A forked process begins with its parent's address space; what comes on top is the template's.
    if _SIZE.exists():  # where it does not, the system keeps no such limit either
        pages = int(_SIZE.read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + limits.memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        kind, data = line.receive()
        if kind == STOP:
            return
        if kind != BATCH:
            raise ValueError(kind)
        answers = []
        for number, request in enumerate(unpack_requests(data)):
            _CELL.pack_into(cell, 0, number)
            signal.setitimer(signal.ITIMER_REAL, limits.seconds)
            answers.append(compiled.render(request))
        signal.setitimer(signal.ITIMER_REAL, 0)
        _CELL.pack_into(cell, 0, NOBODY)
        line.send(ANSWERS, pack_answers(answers))
