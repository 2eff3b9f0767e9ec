"""What is in the air: permitted messages leave as fast as their lanes carry them, and their answers are collected."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from orchestrator.core.nouns import Message
from orchestrator.core.outcomes import Outcome
from orchestrator.core.turns import Ready, Settlement
from orchestrator.dispatch.lanes import Lane


@dataclass(slots=True)
class _Exit:
    """Where messages leave for one lane: those that may and have not yet, and how many more it can carry now."""

    lane: Lane
    places: int
    waiting: deque[tuple[Ready, Message]] = field(default_factory=deque)
    open: bool = False


class Air:
    """The messages of one shard between their permission and their answer. `settle` says what an answer means."""

    def __init__(self, lanes: Mapping[str, Lane], settle: Callable[[Ready, Outcome], Settlement]) -> None:
        self.count = 0
        """How many may be on the wire, those that wait for a place on it included."""
        self._lanes = lanes
        self._settle = settle
        self._exits: dict[str, _Exit] = {}
        self._answered: list[Settlement] = []
        self._enough = 0
        """So few in the air, and whoever waits is woken."""
        self._news = asyncio.Event()
        self._trouble: BaseException | None = None

    def take(self, messages: Iterable[tuple[Ready, Message]]) -> None:
        """Let these leave, each lane's in their order."""
        for ready, message in messages:
            self._exit(ready.provider).waiting.append((ready, message))
            self.count += 1
        for exit_ in self._exits.values():
            self._let_out(exit_)

    def answers(self) -> list[Settlement]:
        """What was answered since this was last asked."""
        answered, self._answered = self._answered, []
        return answered

    async def thin(self, at_most: int) -> None:
        """Wait until no more than that many are in the air."""
        while self.count > at_most:
            self._enough = at_most
            self._news.clear()
            await self._news.wait()
            if self._trouble is not None:
                raise self._trouble

    def close(self) -> None:
        """Nothing more leaves. What has left may arrive, and nobody hears of it here."""
        for exit_ in self._exits.values():
            exit_.waiting.clear()

    def _exit(self, provider: str) -> _Exit:
        found = self._exits.get(provider)
        if found is None:
            lane = self._lanes[provider]
            found = self._exits[provider] = _Exit(lane, lane.places)
        return found

    def _let_out(self, exit_: _Exit) -> None:
        """Send as many as the lane can carry at once; each that is answered lets the next one out."""
        if exit_.open:  # an answer that came at once: the loop below goes on with it
            return
        exit_.open = True
        try:
            while exit_.places and exit_.waiting:
                ready, message = exit_.waiting.popleft()
                exit_.places -= 1
                exit_.lane.send(message, partial(self._answer, exit_, ready))
        finally:
            exit_.open = False

    def _answer(self, exit_: _Exit, ready: Ready, outcome: Outcome) -> None:
        """Note what an answer means, and let the next message out."""
        exit_.places += 1
        self.count -= 1
        try:
            self._answered.append(self._settle(ready, outcome))
            self._let_out(exit_)
        except BaseException as problem:  # nobody above would hear of it
            self._trouble = problem
            self._news.set()
            raise
        if self.count <= self._enough:
            self._news.set()
