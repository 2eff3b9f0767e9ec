"""Short-lived keys for services that hand them out: fetched once for everybody, renewed before they end."""

import asyncio
import math
from dataclasses import dataclass, field, replace

from orchestrator.core.outcomes import Outcome, Pause, PauseScope
from orchestrator.core.times import SECOND, Clock, Instant, later
from orchestrator.providers import Credentials, Token, TokenAdapter
from orchestrator.wire import Lost, NotSent
from orchestrator.wire.http import HttpEngine
from orchestrator.wire.retry import again

AHEAD = 300.0
"""Seconds before its end at which a token is renewed, or a fifth of its life if that is shorter."""

FRESH = 60.0
"""Seconds within which a new token must be good: one that is refused so young will not be replaced by a better one."""

REST = 30.0
"""Seconds of rest after a token could not be fetched."""

_LONGEST = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class _Held:
    value: str = field(repr=False)
    since: Instant
    renew_at: Instant
    ends_at: Instant


class Tokens:
    """The token of one credential in this process."""

    def __init__(self, adapter: TokenAdapter, engine: HttpEngine, credentials: Credentials, clock: Clock) -> None:
        self._adapter = adapter
        self._engine = engine
        self._credentials = credentials
        self._clock = clock
        self._held: _Held | None = None
        self._refusal: tuple[Instant, Outcome] | None = None
        self._fetching: asyncio.Task[str | Outcome] | None = None

    def held(self) -> str | None:
        """The token in hand; None if somebody must wait for one, or should renew it now."""
        now, held = self._clock.now(), self._held
        if held is None or not held.since <= now < held.ends_at:
            return None
        return held.value if now < held.renew_at or self._fetching is not None else None

    async def current(self) -> str | Outcome:
        """The token, or what its refusal means for every message.

        While one caller renews a token that still holds, the others go on with it.
        """
        if (token := self.held()) is not None:
            return token
        now, held = self._clock.now(), self._held
        got = await self._renew()
        if held is not None and held.since <= now < held.ends_at and not isinstance(got, str):
            return held.value  # it could not be renewed yet, and holds still
        return got

    async def refused(self, token: str) -> str | Outcome:
        """The service said 401 to this token: a new one, or the pause if this one was as new as can be."""
        held = self._held
        if held is not None and held.value == token:
            if self._clock.now() < later(held.since, int(FRESH * SECOND)):
                return Pause(PauseScope.CREDENTIAL, f"{self._name}: a fresh token was refused; check the credentials")
            self._held = None
        return await self.current()

    @property
    def _name(self) -> str:
        return self._adapter.declaration.name

    async def _renew(self) -> str | Outcome:
        """One fetch for all who ask meanwhile; a caller that is cancelled does not take it from the others."""
        now = self._clock.now()
        if self._refusal is not None and now < self._refusal[0]:
            return self._refusal[1]
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch(now))
            self._fetching.add_done_callback(self._fetched)
        return await asyncio.shield(self._fetching)

    def _fetched(self, _: object) -> None:
        self._fetching = None

    async def _fetch(self, now: Instant) -> str | Outcome:
        deadline = asyncio.get_running_loop().time() + self._adapter.declaration.timeout
        request = self._adapter.grant(self._credentials, now)
        try:
            try:
                response = await self._engine.exchange(request, deadline)
            except NotSent:
                response = await again(lambda: self._engine.exchange(request, deadline))
        except (NotSent, Lost) as problem:  # to ask twice for a token does no harm
            return self._failed(now, Pause(PauseScope.CREDENTIAL, f"{self._name}: no token: {problem}", REST))
        read = self._adapter.read_grant(response)
        if not isinstance(read, Token):
            return self._failed(now, read)
        life = read.lifetime if math.isfinite(read.lifetime) and read.lifetime > 0 else FRESH
        life = min(life, _LONGEST)
        ends = later(now, int(life * SECOND))
        self._held = _Held(read.value, now, later(ends, -int(min(AHEAD, life / 5) * SECOND)), ends)
        self._refusal = None
        return read.value

    def _failed(self, now: Instant, outcome: Outcome) -> Outcome:
        """Nobody asks again before the rest is over; a token that still holds is used meanwhile."""
        wish = outcome.after if isinstance(outcome, Pause) and outcome.after is not None else REST
        until = later(now, int(min(wish, FRESH) * SECOND))
        self._refusal = (until, outcome)
        if self._held is not None:
            self._held = replace(self._held, renew_at=until)
        return outcome
