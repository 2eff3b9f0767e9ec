"""The render child: templates run in a process of their own, so one that never ends or fills the memory harms nobody else.

Three processes: the worker asks; the keeper (forked early) compiles bundles and forks writers; a writer renders batches
until it is told to stop, or dies. A cell that keeper and writer share says which message of its batch it was writing.
"""

import gc
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from itertools import islice
from types import TracebackType
from typing import NoReturn, Self, cast

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Content
from orchestrator.core.reasons import Reason
from orchestrator.rendering.carrying import pack_requests, unpack_answers
from orchestrator.rendering.lines import ANSWERS, BATCH, BUNDLE, DIED, READY, STOP, UNKNOWN, WRITE, Line, pair
from orchestrator.rendering.rendering import Compiled, Refusal, RenderRequest
from orchestrator.rendering.writing import Limits, fork, keep

SIZE = 64
"""Messages that cross the line together."""
AHEAD = 2
"""Batches under way: one is written while the answers of the other are used."""
_PATIENCE = 3
"""Render children in a row that may be lost without a message to blame."""

_Waiting = deque[list[RenderRequest] | Refusal]


class RenderChildError(OrchestratorError):
    """The render child is gone, through no message's fault. Asking again makes another one."""


class RenderChild:
    """Renders in another process, in order, a few batches ahead. Make it before the process has threads; close it."""

    def __init__(self, *compiled: Compiled, limits: Limits | None = None) -> None:
        """Fork the keeper, with these campaigns compiled; others it compiles when they are first asked for."""
        self._limits = limits or Limits()
        self._line: Line | None = None
        self._pid = 0
        self._writing = ""
        self._known: set[str] = set()
        self._start({one.key: one for one in compiled})

    def render_many(self, compiled: Compiled, requests: Iterable[RenderRequest]) -> Generator[Content | Refusal]:
        """One answer for each request, in order; requests are read at most two batches ahead of the answers.

        A message that takes too long or too much memory is refused, and costs nobody else anything but time. One such
        iterator may be in use at a time. RenderChildError if the child itself is gone.
        """
        source = iter(requests)
        waiting: _Waiting = deque()
        failures, asked = 0, True
        try:
            while True:
                if waiting and isinstance(waiting[0], Refusal):
                    yield cast("Refusal", waiting.popleft())
                    continue
                try:
                    self._begin(compiled)
                    if not asked:
                        self._ask_again(waiting)
                        asked = True
                    while len(waiting) < AHEAD and (batch := list(islice(source, SIZE))):
                        waiting.append(batch)
                        self._ask(batch)
                    if not waiting:
                        return
                    kind, data = self._receive()
                except RenderChildError:
                    failures, asked = failures + 1, False
                    if failures > _PATIENCE:
                        raise
                    continue
                failures = 0
                first = cast("list[RenderRequest]", waiting.popleft())
                if kind == ANSWERS:
                    yield from unpack_answers(data)
                else:
                    waiting.extendleft(reversed(self._divided(compiled, first, kind, data)))
                    asked = False
        finally:
            if asked:
                self._drain(waiting)

    def close(self) -> None:
        """End the keeper and its writer, and wait for them."""
        if self._line is None:
            return
        self._line.socket.close()
        self._line, self._writing = None, ""
        self._known.clear()
        os.waitpid(self._pid, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The keeper

    def _start(self, bundles: dict[str, Compiled]) -> None:
        ours, theirs = pair()
        sys.stdout.flush()
        sys.stderr.flush()
        frozen = gc.get_freeze_count()
        gc.collect()
        gc.freeze()  # what both processes share must not be touched, and so copied, by the collector
        self._pid = fork(lambda: keep(theirs, bundles, self._limits), theirs.socket.fileno())
        if not frozen:  # else this process froze its own for good
            gc.unfreeze()
        theirs.socket.close()
        self._line = ours
        self._known = set(bundles)

    def _begin(self, compiled: Compiled) -> None:
        """A writer for this campaign: the one there is, if it writes it already."""
        if self._line is None:
            self._start({compiled.key: compiled})
        if self._writing == compiled.key:
            return
        if self._writing:
            self._queue(STOP)
            self._writing = ""
            self._expect(READY)
        if compiled.key not in self._known:
            self._teach(compiled)
        self._queue(WRITE, compiled.key.encode())
        if self._expect(READY, UNKNOWN) == UNKNOWN:  # it has had to make room since
            self._teach(compiled)
            self._queue(WRITE, compiled.key.encode())
            self._expect(READY)
        self._writing = compiled.key

    def _teach(self, compiled: Compiled) -> None:
        self._queue(BUNDLE, pickle.dumps((compiled.key, *compiled.recipe)))
        self._expect(READY)
        self._known.add(compiled.key)

    # Batches

    def _ask(self, batch: list[RenderRequest]) -> None:
        self._queue(BATCH, pack_requests(batch))

    def _ask_again(self, waiting: _Waiting) -> None:
        """Ask a new writer for everything that is still without an answer."""
        for batch in waiting:
            if not isinstance(batch, Refusal):
                self._ask(batch)

    def _divided(
        self, compiled: Compiled, batch: list[RenderRequest], kind: bytes, data: bytes
    ) -> list[list[RenderRequest] | Refusal]:
        """A batch whose writer died, around the message that is to blame."""
        if kind != DIED:
            self._fail(f"it answered {kind!r}")
        self._writing = ""
        ended_by, at, spot = pickle.loads(data)  # noqa: S301 - from our own keeper
        parts: list[list[RenderRequest] | Refusal] = [
            batch[:at],
            _why(ended_by, self._limits, spot or compiled.file_of(batch[at])),
            batch[at + 1 :],
        ]
        return [part for part in parts if part]

    def _drain(self, waiting: _Waiting) -> None:
        """Whoever asked wants no more answers: take those that are still to come, and throw them away."""
        with suppress(RenderChildError):
            for batch in waiting:
                if self._writing and not isinstance(batch, Refusal) and self._receive()[0] == DIED:
                    self._writing = ""

    # The line

    def _queue(self, kind: bytes, data: bytes = b"") -> None:
        if self._line is None:
            raise RenderChildError("the render child was closed")
        try:
            self._line.queue(kind, data)
        except OSError as error:
            self._fail(str(error))

    def _expect(self, *kinds: bytes) -> bytes:
        kind, _ = self._receive()
        if kind not in kinds:
            self._fail(f"it answered {kind!r} where {kinds!r} was due")
        return kind

    def _receive(self) -> tuple[bytes, bytes]:
        if self._line is None:
            raise RenderChildError("the render child was closed")
        try:
            return self._line.receive()
        except (EOFError, OSError) as error:
            self._fail(str(error) or "it has ended")

    def _fail(self, why: str) -> NoReturn:
        self.close()
        raise RenderChildError(f"the render child is gone ({why}); is there enough memory? Asking again makes another")


def _why(ended_by: int, limits: Limits, where: str) -> Refusal:
    if ended_by == signal.SIGALRM:
        return Refusal(Reason.TEMPLATE_TOO_SLOW, f"took over {limits.seconds:g} s ({where})", fatal=True)
    return Refusal(Reason.TEMPLATE_TOO_LARGE, f"its writer was ended by signal {ended_by} ({where})", fatal=True)
