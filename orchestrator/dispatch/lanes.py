"""A lane to one provider: an adapter, the wire under it, its credentials, and how much may be in the air at once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from orchestrator.core.nouns import Message
from orchestrator.core.outcomes import Ambiguous, Outcome, Pause, PauseScope, Permanent, Retry
from orchestrator.core.times import Clock, Instant
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


class Tokens(Protocol):
    """Where a lane gets a short-lived bearer token, if its provider wants one."""

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
        self.down_until = Instant(0)
        """Until when this process takes the provider for unusable and goes to the next of the route."""
        self.places = engine.places
        """How many messages can be on the wire at once."""
        self._engine = engine
        self._credentials = credentials
        self._clock = clock
        self._tokens = tokens

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """One exchange, and one outcome for each message; it never raises for what the outside does."""
        if self._tokens is None:
            return await self._attempt(messages, self._credentials)
        token = await self._tokens.current()
        if isinstance(token, str):
            outcomes = await self._attempt(messages, {**self._credentials, "access_token": token}, renewable=True)
            if outcomes:
                return outcomes
            token = await self._tokens.refused(token)
        if isinstance(token, str):
            return await self._attempt(messages, {**self._credentials, "access_token": token})
        return [token] * len(messages)

    async def _attempt(
        self, messages: Sequence[Message], credentials: Credentials, *, renewable: bool = False
    ) -> Sequence[Outcome]:
        """One exchange; no outcomes at all for a 401 to a token that can be renewed, which accepted nothing."""
        try:
            request = self.adapter.build(messages, credentials, self._clock.now())
        except CannotBuildError as problem:
            return [Permanent(str(problem))] * len(messages)
        except Exception as problem:  # noqa: BLE001 - an adapter's own bug: nothing has left, and nobody else waits for it
            bug = f"{self.name}: {type(problem).__name__} while building the request: {problem}"
            return [Permanent(bug)] * len(messages)
        try:
            deadline = asyncio.get_running_loop().time() + self.declaration.timeout
            response = await self._engine.exchange(request, deadline)
            if renewable and isinstance(response, HttpResponse) and response.status == 401:
                return []
            return self.adapter.read(request, response)
        except (NotSent, Lost) as problem:
            return [_meaning(problem)] * len(messages)
        except asyncio.CancelledError:
            raise
        except Exception as problem:  # noqa: BLE001 - an adapter's own bug must not lose a message that may have left
            return [Ambiguous(f"{self.name}: {type(problem).__name__} while reading the answer: {problem}")] * len(
                messages
            )

    async def close(self) -> None:
        """Let go of the connections."""
        await self._engine.close()


def _meaning(problem: NotSent | Lost) -> Outcome:
    """What an exchange without an answer means. A URL that may not be called is the settings' trouble, not the message's."""
    if isinstance(problem, RefusedError):
        return Pause(PauseScope.CREDENTIAL, str(problem))
    return Retry(f"not sent: {problem}") if isinstance(problem, NotSent) else Ambiguous(str(problem))
