"""Looks things up at a web service: a few questions at a time, none for longer than was allowed, all through the guard."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.providers import HttpRequest, HttpResponse
from orchestrator.wire import Lost, NotSent, WireError
from orchestrator.wire.clock import WallClock
from orchestrator.wire.guard import Allowance, RefusedError, into
from orchestrator.wire.http import HttpxEngine
from orchestrator.wire.retry import again

AT_ONCE = 16
"""Questions on their way at the same time."""

TRIES = 3
"""Attempts at one answer, as far as its time allows."""

_BREATH = 0.2
"""Seconds before the second attempt, where the service names no other."""

_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Manners:
    """How a service is asked: seconds for one answer with all its attempts, questions a second (None: as they come).

    `network` is the inner network the service is in, empty for the public internet; only there may it speak plain HTTP.
    """

    patience: float = 5.0
    rate: float | None = None
    network: str = ""

    @property
    def allowance(self) -> Allowance:
        """What the guard lets through."""
        return into(self.network)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Why a question has no answer, in words without the question: it may hold a secret."""

    why: str


class BusyError(Lost):
    """The service said that it cannot answer now."""

    def __init__(self, status: int, after: float | None) -> None:
        super().__init__(f"answered {status}")
        self.after = after


Heard = Callable[[str, HttpResponse | Unanswered], bool]
"""What is done with the answer to a URL; whether to go on asking."""


class Pace:
    """A turn for each question, so many seconds after the one before."""

    def __init__(self, rate: float | None) -> None:
        """`rate`: turns a second; None if nobody has to wait."""
        self._apart = 1 / rate if rate is not None else 0.0
        self._next = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next turn, which is taken; what was not used before is no reason to hurry now."""
        at = max(now, self._next)
        self._next = at + self._apart
        return at - now


class Lookup:
    """One service, asked from a process or a thread without an event loop. Close it to let go of its connections."""

    def __init__(self, headers: Mapping[str, str], manners: Manners) -> None:
        self._headers = dict(headers)
        self._manners = manners
        self._loop = asyncio.Runner()
        self._engine: HttpxEngine | None = None
        self._pace = Pace(manners.rate)

    def ask(self, urls: Sequence[str], heard: Heard) -> None:
        """GET each of these, and hand on every answer as it comes; an answer of 5xx or 429 is none."""
        self._loop.run(self._all(urls, heard))

    def close(self) -> None:
        """Let go of the connections."""
        if self._engine is not None:
            self._loop.run(self._engine.close())
        self._loop.close()

    async def _all(self, urls: Sequence[str], heard: Heard) -> None:
        if self._engine is None:
            self._engine = HttpxEngine(WallClock(), self._manners.allowance, connections=AT_ONCE)
        engine, waiting, going_on = self._engine, iter(urls), True

        async def ask_on() -> None:
            nonlocal going_on
            for url in waiting:
                answer = await self._one(engine, url)
                going_on = heard(url, answer) and going_on
                if not going_on:
                    return

        await asyncio.gather(*(ask_on() for _ in range(min(AT_ONCE, len(urls)))))

    async def _one(self, engine: HttpxEngine, url: str) -> HttpResponse | Unanswered:
        await self._turn()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._manners.patience
        request = HttpRequest("GET", url, self._headers, b"")

        async def attempt() -> HttpResponse:
            response = await engine.exchange(request, deadline)
            if response.status >= 500 or response.status in _LATER:
                raise BusyError(response.status, response.retry_after)
            return response

        try:
            try:
                return await attempt()
            except RefusedError:
                raise
            except WireError as problem:
                breath = getattr(problem, "after", None) or _BREATH
                if loop.time() + breath >= deadline:
                    raise
                await asyncio.sleep(breath)
                return await again(attempt, TRIES - 1, on=(NotSent, Lost))
        except WireError as problem:
            return Unanswered(str(problem))

    async def _turn(self) -> None:
        """Wait until the rate has room for one more question."""
        await asyncio.sleep(self._pace.wait(asyncio.get_running_loop().time()))
