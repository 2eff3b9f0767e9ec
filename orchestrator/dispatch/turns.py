"""Half a window at a time: while one half is on the wire, the other is settled and the next intended.

The window is how many messages may be in the air at once, and so how many a crash can leave in doubt. It is never wider
than the narrowest lane in use.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from orchestrator.core.nouns import InAppContent, Message, OnAmbiguous, State
from orchestrator.core.outcomes import Accepted, Outcome
from orchestrator.core.reasons import Reason
from orchestrator.core.times import SECOND, Clock, Instant, later
from orchestrator.core.turns import Mark, Permission, Ready, Settlement
from orchestrator.dispatch.air import Air
from orchestrator.dispatch.bodies import body_hash
from orchestrator.dispatch.jobs import Item, Job, Outgoing
from orchestrator.dispatch.lanes import Lane
from orchestrator.dispatch.routes import Routes
from orchestrator.dispatch.settling import Circumstances, accepted, settlement
from orchestrator.providers import Transport

Dice = Callable[[], float]
"""A number in [0, 1) at each call."""

TAIL = 0.1
"""Seconds for which answers that nothing follows are collected before they are written down."""

PATIENCE = 2 * SECOND
"""A worker waits this long for a pace to allow more; beyond it the shard is given back and due again then."""


@dataclass(slots=True)
class HalfTurn:
    """What to settle and what to intend next. Hand the ledger's permission to `go`."""

    answered: Sequence[Settlement]
    ready: Sequence[Ready]
    now: Instant
    permission: Permission = field(default_factory=Permission)

    def go(self, permission: Permission) -> None:
        """Let the permitted messages leave."""
        self.permission = permission


class Turns:
    """The turns of one shard; afterwards `marks` holds what rendering refused.

    If it was given back, or a part of it, `resume_at` says until when, `paused` which paused scope it waits for, if any.
    """

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        items: Iterable[Item],
        job: Job,
        clock: Clock,
        dice: Dice,
        stopping: asyncio.Event,
    ) -> None:
        self.marks: list[Mark] = []
        self.resume_at: Instant | None = None
        self.paused = ""
        self._lanes = lanes
        self._items: Iterator[Item] = iter(items)
        self._job = job
        self._routes = Routes(lanes, job)
        self._given_back = False
        self._clock = clock
        self._dice = dice
        self._stopping = stopping
        self._offered: deque[tuple[Ready, Message]] = deque()
        self._messages: dict[str, Message] = {}
        self._trouble: Exception | None = None
        self._air = Air(lanes, self._settled)
        self._half = self._routes.window // 2

    async def __aiter__(self) -> AsyncIterator[HalfTurn]:
        try:
            while True:
                ready = self._gather()
                if not ready and self._air.count:
                    with suppress(TimeoutError):  # the last ones are settled together, but do not wait for the slow
                        async with asyncio.timeout(TAIL):
                            await self._air.thin(0)
                answered = self._air.answers()
                if not ready and not answered:
                    if self._air.count:
                        continue
                    if self._trouble is not None:
                        raise self._trouble
                    return
                turn = HalfTurn(answered, ready, self._clock.now())
                yield turn
                await self._follow(turn)
                # One half may stay in the air while the ledger works; the other must have answered.
                await self._air.thin(self._half)
        finally:
            self._air.close()

    def look_ahead(self) -> None:
        """Make the next half ready, while the ledger is asked about this one.

        If that fails, what is in the air is settled before anybody hears of it.
        """
        try:
            self._fill()
        except Exception as trouble:  # noqa: BLE001 - raised once nothing is left in doubt
            self._trouble = trouble

    def _gather(self) -> list[Ready]:
        """Up to half a window of messages that may be offered now: those asked to wait first, then fresh ones."""
        self.look_ahead()
        if self._stopping.is_set() or self._given_back or self._trouble is not None:
            return []
        taken = [self._offered.popleft() for _ in range(min(self._half, len(self._offered)))]
        self._messages.update({ready.id: message for ready, message in taken})
        return [ready for ready, _ in taken]

    def _fill(self) -> None:
        if self._stopping.is_set() or self._given_back or self._trouble is not None:
            return
        now = self._clock.now()
        while len(self._offered) < self._half:
            item = next(self._items, None)
            if item is None:
                break
            if isinstance(item, Mark):
                self.marks.append(item)
            elif (offer := self._offer(item, now)) is not None:
                self._offered.append((offer, item.message))

    def _offer(self, item: Outgoing, now: Instant) -> Ready | None:
        """What the intent will write down; None (and a mark) if it must not be repeated."""
        message = item.message
        body = body_hash(message)
        keyed = item.again_until is not None and item.again_until > now and item.provider in self._lanes
        if item.doubtful and not self._may_repeat(item, body, keyed=keyed):
            return None
        lane = self._lanes[item.provider] if item.doubtful and keyed else self._routes.first(item, now)
        if self._routes.parked(lane.name):
            return None
        fresh = later(now, lane.remembers) if lane.remembers else None
        content = message.content
        boxed = content if lane.declaration.transport is Transport.INBOX and isinstance(content, InAppContent) else None
        return Ready(
            message.key,
            message.id,
            item.attempt,
            item.person,
            message.address,
            lane.name,
            body,
            message.judged_at,
            item.again_until if keyed and lane.name == item.provider else fresh,
            boxed.payload if boxed else None,
            later(message.judged_at, boxed.visible_for) if boxed and boxed.visible_for else None,
            item.doubtful,
        )

    def _may_repeat(self, item: Outgoing, body: bytes, *, keyed: bool) -> bool:
        """Whether a message that may have arrived may leave again; if not, its mark says why."""
        if keyed and item.body in (None, body):
            return True
        if keyed:
            # The key promises the same bytes. Another body under it would be refused, or sent as a second message.
            self.marks.append(
                Mark(item.message.key, State.UNKNOWN, Reason.BODY_CHANGED, "it would read differently now")
            )
            return False
        if item.again_until is None or self._job.on_ambiguous is OnAmbiguous.RESEND:
            return True
        self.marks.append(Mark(item.message.key, State.UNKNOWN, Reason.NO_ANSWER, "the provider has forgotten its key"))
        return False

    async def _follow(self, turn: HalfTurn) -> None:
        """Send what was permitted; keep what must wait, or give up for now if it must wait long."""
        permission = turn.permission
        self._air.take([(ready, self._messages.pop(ready.id)) for ready in permission.go])
        for ready in (*permission.accepted, *(r for r in turn.ready if r.key in permission.refused)):
            self._messages.pop(ready.id, None)
        if not permission.later:
            return
        now = self._clock.now()
        until = permission.ask_again or later(now, PATIENCE + 1)
        long = until - now > PATIENCE
        everywhere = permission.stop or permission.scope.startswith("campaign:")  # no provider is to blame
        if permission.stop or (long and everywhere):
            self._given_back = True
            self.resume_at, self.paused = until, permission.scope if permission.paused else ""
            return
        blamed = [ready for ready in permission.later if permission.scope in ("", f"provider:{ready.provider}")]
        if long and blamed:
            self._lanes[blamed[0].provider].stand_still(until, now)
            if not self._routes.elsewhere(blamed, now):
                self._park(permission, blamed[0], until, now)
        for ready in reversed(permission.later):
            message = self._messages.pop(ready.id)
            again = self._again(ready, message)
            if not self._routes.parked(again.provider):
                self._offered.appendleft((again, message))
        if not long and until > now and not permission.go and not self._air.count:
            await self._until(until)

    def _park(self, permission: Permission, ready: Ready, until: Instant, now: Instant) -> None:
        """Offer nothing more to the providers of this message: all of them stand still. Others of the shard go on."""
        self.resume_at, self.paused = self._routes.park(
            ready, until, permission.scope if permission.paused else "", now
        )
        self._offered = deque(one for one in self._offered if not self._routes.parked(one[0].provider))
        self._given_back = self._routes.all_parked

    def _again(self, ready: Ready, message: Message) -> Ready:
        if ready.doubtful and ready.again_until is not None:
            return ready
        now, item = self._clock.now(), Outgoing(message, ready.person, ready.attempt, doubtful=ready.doubtful)
        if self._routes.first(item, now).name == ready.provider:
            return ready
        offer = self._offer(item, now)
        return ready if offer is None else offer

    async def _until(self, moment: Instant) -> None:
        """Wait for a moment, or for the order to stop."""
        seconds = max(0, moment - self._clock.now()) / SECOND
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _settled(self, ready: Ready, outcome: Outcome) -> Settlement:
        if isinstance(outcome, Accepted):  # most are, and nothing around them matters
            return accepted(ready, outcome)
        around = Circumstances(self._job.campaign, self._job.on_ambiguous, self._clock.now(), self._dice())
        return settlement(ready, outcome, around)
