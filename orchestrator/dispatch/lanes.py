"""A lane to one provider: an adapter, the wire under it, its credentials, and how much may be in the air at once."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from orchestrator.core.nouns import Message
from orchestrator.core.outcomes import Ambiguous, Outcome, Pause, PauseScope, Permanent, Retry
from orchestrator.core.times import MINUTE, SECOND, Clock, Instant, later
from orchestrator.providers import (
    Adapter,
    CannotBuildError,
    Credentials,
    HttpResponse,
    Request,
    Response,
    declaration_for,
)
from orchestrator.wire import Lost, NotSent
from orchestrator.wire.guard import RefusedError


class Engine(Protocol):
    """What carries a request: one of the engines of wire/. `places`: how many exchanges it makes at once."""

    @property
    def places(self) -> int:
        """How many exchanges can be under way at once; more only wait."""
        ...

    async def exchange(self, request: Request, deadline: float) -> Response:
        """Make the exchange until `deadline` on the event loop's clock; NotSent or Lost if it does not end with an answer."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


_KEY_SHARE = 0.8
"""Part of a provider's memory of our key that is relied on."""

ASK_AGAIN = MINUTE
"""A paused provider is asked for again this often where its route has others: a person may resume it at any moment."""

Told = Response | NotSent | Lost
"""How an exchange ended."""


@runtime_checkable
class Starting(Protocol):
    """An engine that needs nobody to wait for each of its exchanges."""

    def start(self, request: Any, deadline: float, done: Callable[[Any], None]) -> object:
        """Begin an exchange. `done` hears `Told` once, perhaps before this returns."""
        ...


class Tokens(Protocol):
    """Where a lane gets a short-lived bearer token, if its provider wants one."""

    def held(self) -> str | None:
        """The token in hand; None if somebody has to wait for one."""
        ...

    async def current(self) -> str | Outcome:
        """The token, or what its refusal means for every message."""
        ...

    async def refused(self, token: str) -> str | Outcome:
        """A newer token after a 401 to this one, or the pause it means."""
        ...


class Lane:
    """One provider as this process uses it, under the name it has in the settings."""

    def __init__(
        self,
        adapter: Adapter,
        engine: Engine,
        credentials: Credentials,
        clock: Clock,
        tokens: Tokens | None = None,
        name: str = "",
        rate: float | None = None,
    ) -> None:
        """`rate` (messages a second) overrules the adapter's own."""
        declared = declaration_for(adapter, credentials)
        self.adapter = adapter
        self.name = name or declared.name
        self.declaration = replace(declared, rate=declared.rate if rate is None else rate)
        self.remembers = int(self.declaration.key_life * _KEY_SHARE * SECOND)
        """Microseconds after its first attempt within which a doubtful message goes again under its key."""
        self.down_until = Instant(0)
        """Until when this process takes the provider for unusable and goes to the next of the route."""
        self.back_at = Instant(0)
        """When the pace that held it back says it goes on."""
        self.places = engine.places
        """How many messages can be on the wire at once."""
        self._engine = engine
        self._start = engine.start if isinstance(engine, Starting) else None
        self._credentials = credentials
        self._clock = clock
        self._tokens = tokens
        self._tasks: set[asyncio.Task[Outcome]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stand_still(self, until: Instant, now: Instant) -> None:
        """Pass it over in its routes, until then or until it is time to ask for it again."""
        self.back_at, self.down_until = until, min(until, later(now, ASK_AGAIN))

    def send(self, message: Message, done: Callable[[Outcome], None]) -> None:
        """One message on its way. `done` hears its outcome once, perhaps before this returns; nothing is raised here.

        What needs no waiting costs no task: that is the way of campaigns over HTTP.
        """
        credentials, token = self._credentials, None
        if self._tokens is not None:
            token = self._tokens.held()
            credentials = self._with(token) if token is not None else credentials
        if self._start is None or (self._tokens is not None and token is None):
            self._in_a_task(self._one(message), done)
            return
        request = self._built([message], credentials)
        if isinstance(request, Permanent):
            done(request)
            return

        def told(how: Told) -> None:
            if token is not None and _unauthorised(how):
                self._in_a_task(self._renewed(message, token), done)
            else:
                done(self._read(request, how, 1)[0])

        self._start(request, self._deadline(), told)

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """One exchange, and one outcome for each message; it never raises for what the outside does."""
        if self._tokens is None:
            return await self._attempt(messages, self._credentials)
        token = await self._tokens.current()
        if isinstance(token, str):
            outcomes = await self._attempt(messages, self._with(token), renewable=True)
            if outcomes:
                return outcomes
            token = await self._tokens.refused(token)
        if isinstance(token, str):
            return await self._attempt(messages, self._with(token))
        return [token] * len(messages)

    def _deadline(self) -> float:
        if self._loop is None:  # asking which one runs is a call to the kernel, too much for each message
            self._loop = asyncio.get_running_loop()
        return self._loop.time() + self.declaration.timeout

    async def _one(self, message: Message) -> Outcome:
        return (await self.deliver([message]))[0]

    async def _renewed(self, message: Message, refused: str) -> Outcome:
        """A message whose token was refused, which accepted nothing, with a newer one."""
        assert self._tokens is not None  # noqa: S101 - there was one to refuse
        token = await self._tokens.refused(refused)
        return (await self._attempt([message], self._with(token)))[0] if isinstance(token, str) else token

    def _in_a_task(self, outcome: Coroutine[Any, Any, Outcome], done: Callable[[Outcome], None]) -> None:
        task = asyncio.create_task(outcome)
        self._tasks.add(task)

        def ended(task: asyncio.Task[Outcome]) -> None:
            self._tasks.discard(task)
            if not task.cancelled():
                done(task.result())

        task.add_done_callback(ended)

    def _with(self, token: str) -> Credentials:
        return {**self._credentials, "access_token": token}

    async def _attempt(
        self, messages: Sequence[Message], credentials: Credentials, *, renewable: bool = False
    ) -> Sequence[Outcome]:
        """One exchange; no outcomes at all for a 401 to a token that can be renewed, which accepted nothing."""
        request = self._built(messages, credentials)
        if isinstance(request, Permanent):
            return [request] * len(messages)
        told: Told
        try:
            told = await self._engine.exchange(request, self._deadline())
        except (NotSent, Lost) as problem:
            told = problem
        except Exception as problem:  # noqa: BLE001 - an engine's own bug must not lose a message that may have left
            told = Lost(f"{self.name}: {type(problem).__name__} on the wire: {problem}")
        if renewable and _unauthorised(told):
            return []
        return self._read(request, told, len(messages))

    def _built(self, messages: Sequence[Message], credentials: Credentials) -> Request | Permanent:
        try:
            return self.adapter.build(messages, credentials, self._clock.now())
        except CannotBuildError as problem:
            return Permanent(str(problem))
        except Exception as problem:  # noqa: BLE001 - an adapter's own bug: nothing has left, and nobody else waits for it
            return Permanent(f"{self.name}: {type(problem).__name__} while building the request: {problem}")

    def _read(self, request: Request, told: Told, count: int) -> Sequence[Outcome]:
        if isinstance(told, NotSent | Lost):
            return [_meaning(told, foreign=self.declaration.foreign)] * count
        try:
            outcomes = self.adapter.read(request, told)
        except Exception as problem:  # noqa: BLE001 - an adapter's own bug must not lose a message that may have left
            wrong = f"{type(problem).__name__} while reading the answer: {problem}"
        else:
            if len(outcomes) == count:
                return outcomes
            wrong = f"{len(outcomes)} outcomes for {count} messages"
        return [Ambiguous(f"{self.name}: {wrong}")] * count

    async def close(self) -> None:
        """Let go of the connections, and of what is still under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._engine.close()


def _unauthorised(told: Told) -> bool:
    return isinstance(told, HttpResponse) and told.status == 401


def _meaning(problem: NotSent | Lost, *, foreign: bool) -> Outcome:
    """What an exchange without an answer means. A URL that may not be called is the trouble of whoever wrote it.

    That is the settings, unless it is `foreign`: part of one person's address.
    """
    if isinstance(problem, RefusedError):
        return Permanent(str(problem)) if foreign else Pause(PauseScope.CREDENTIAL, str(problem))
    return Retry(f"not sent: {problem}", unsent=True) if isinstance(problem, NotSent) else Ambiguous(str(problem))
