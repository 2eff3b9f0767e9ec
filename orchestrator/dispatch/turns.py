"""Half a window at a time: while one half is on the wire, the other is settled and the next intended.

The window is how many messages may be in the air at once, and so how many a crash can leave in doubt. It is never wider
than the narrowest lane in use.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from orchestrator.core.frozen import value
from orchestrator.core.nouns import Channel, InAppContent, Message, OnAmbiguous, Person, State
from orchestrator.core.outcomes import Accepted, Outcome
from orchestrator.core.reasons import Reason
from orchestrator.core.times import SECOND, Clock, Instant, later
from orchestrator.core.turns import Mark, Permission, Ready, Settlement
from orchestrator.dispatch.bodies import body_hash
from orchestrator.dispatch.lanes import Lane
from orchestrator.dispatch.settling import Circumstances, accepted, settlement
from orchestrator.providers import Transport

Dice = Callable[[], float]
"""A number in [0, 1) at each call."""

TAIL = 0.1
"""Seconds for which answers that nothing follows are collected before they are written down."""

PATIENCE = 2 * SECOND
"""A worker waits this long for a pace to allow more; beyond it the shard is given back and due again then."""


@value(frozen=True, slots=True)
class Outgoing:
    """A rendered message with what the ledger says of its row: attempts so far, and what was in the air before."""

    message: Message
    person: Person
    attempt: int = 0
    provider: str = ""
    body: bytes | None = None
    again_until: Instant | None = None
    doubtful: bool = False
    """Whether its last attempt may have arrived."""


Item = Outgoing | Mark
"""What rendering yields, one at a time and only when asked: a message, or the reason why there is none."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one shard asks of dispatch: providers of each channel in order of failing over, and the rule for doubt."""

    campaign: str
    routes: Mapping[Channel, Sequence[str]]
    on_ambiguous: OnAmbiguous


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
    """The turns of one shard; afterwards `marks` holds what rendering refused, `resume_at` why it was given back."""

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
        self._lanes = lanes
        self._items: Iterator[Item] = iter(items)
        self._job = job
        self._routes = {
            channel: [lanes[name] for name in names if name in lanes] for channel, names in job.routes.items()
        }
        self._clock = clock
        self._dice = dice
        self._stopping = stopping
        self._offered: deque[tuple[Ready, Message]] = deque()
        self._messages: dict[str, Message] = {}
        self._exits: dict[str, _Exit] = {}
        self._answered: list[Settlement] = []
        self._in_air = 0
        self._news = asyncio.Event()
        self._enough = 0
        """So few in the air, and the turn goes on: the senders ring only then."""
        self._half = (
            min(
                (lanes[name].declaration.window for names in job.routes.values() for name in names if name in lanes),
                default=128,
            )
            // 2
        )
        self._trouble: BaseException | None = None

    async def __aiter__(self) -> AsyncIterator[HalfTurn]:
        try:
            while True:
                ready = self._gather()
                if not ready and self._in_air:
                    with suppress(TimeoutError):  # the last ones are settled together, but do not wait for the slow
                        async with asyncio.timeout(TAIL):
                            await self._hear(0)
                answered, self._answered = self._answered, []
                if not ready and not answered:
                    if not self._in_air:
                        return
                    continue
                turn = HalfTurn(answered, ready, self._clock.now())
                yield turn
                await self._follow(turn)
                # One half may stay in the air while the ledger works; the other must have answered.
                await self._hear(self._half)
        finally:
            for exit_ in self._exits.values():  # what is in the air may arrive; nothing follows it
                exit_.waiting.clear()

    def _gather(self) -> list[Ready]:
        """Up to half a window of messages that may be offered now: those asked to wait first, then fresh ones."""
        if self._stopping.is_set() or self.resume_at is not None:
            return []
        now = self._clock.now()
        while len(self._offered) < self._half:
            item = next(self._items, None)
            if item is None:
                break
            if isinstance(item, Mark):
                self.marks.append(item)
            elif (offer := self._offer(item, now)) is not None:
                self._offered.append((offer, item.message))
        taken = [self._offered.popleft() for _ in range(min(self._half, len(self._offered)))]
        self._messages.update({ready.id: message for ready, message in taken})
        return [ready for ready, _ in taken]

    def _offer(self, item: Outgoing, now: Instant) -> Ready | None:
        """What the intent will write down; None (and a mark) if it must not be repeated."""
        message = item.message
        body = body_hash(message)
        keyed = item.again_until is not None and item.again_until > now and item.provider in self._lanes
        if item.doubtful and not self._may_repeat(item, body, keyed=keyed):
            return None
        lane = self._lanes[item.provider] if item.doubtful and keyed else self._lane(message.key.channel, now)
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

    def _lane(self, channel: Channel, now: Instant) -> Lane:
        """The first provider of the channel's route that is not known to be down."""
        route = self._routes[channel]
        for lane in route:
            if lane.down_until <= now:
                return lane
        return route[0]

    async def _follow(self, turn: HalfTurn) -> None:
        """Send what was permitted; keep what must wait, or give up for now if it must wait long."""
        permission = turn.permission
        self._in_air += len(permission.go)
        for ready in permission.go:
            self._exit(ready.provider).waiting.append(ready)
        for exit_ in self._exits.values():
            self._let_out(exit_)
        for ready in (*permission.accepted, *(r for r in turn.ready if r.key in permission.refused)):
            self._messages.pop(ready.id, None)
        if not permission.later:
            return
        now = self._clock.now()
        until = permission.ask_again or later(now, PATIENCE + 1)
        long = until - now > PATIENCE
        if long:
            for ready in permission.later:
                self._lanes[ready.provider].down_until = until
        if permission.stop or (long and not self._elsewhere(permission.later, now)):
            self.resume_at = until
            return
        for ready in reversed(permission.later):
            message = self._messages.pop(ready.id)
            self._offered.appendleft((self._again(ready, message), message))
        if not long and until > now and not permission.go and not self._in_air:
            await self._until(until)

    def _elsewhere(self, waiting: Sequence[Ready], now: Instant) -> bool:
        """Whether another provider of the same channel could take them."""
        return all(ready.again_until is None or not ready.attempt for ready in waiting) and any(
            self._lanes[name].down_until <= now
            for name in self._job.routes[waiting[0].key.channel]
            if name in self._lanes and name != waiting[0].provider
        )

    def _again(self, ready: Ready, message: Message) -> Ready:
        if ready.attempt and ready.again_until is not None:
            return ready
        lane = self._lane(message.key.channel, self._clock.now())
        if lane.name == ready.provider:
            return ready
        offer = self._offer(Outgoing(message, ready.person, ready.attempt), self._clock.now())
        return ready if offer is None else offer

    def _exit(self, provider: str) -> "_Exit":
        found = self._exits.get(provider)
        if found is None:
            lane = self._lanes[provider]
            found = self._exits[provider] = _Exit(lane, lane.places)
        return found

    def _let_out(self, exit_: "_Exit") -> None:
        """Send as many as the lane can carry at once; each that is answered lets the next one out."""
        if exit_.open:  # an answer that came at once: the loop below goes on with it
            return
        exit_.open = True
        try:
            while exit_.places and exit_.waiting:
                ready = exit_.waiting.popleft()
                exit_.places -= 1
                exit_.lane.send(self._messages.pop(ready.id), partial(self._answer, exit_, ready))
        finally:
            exit_.open = False

    def _answer(self, exit_: "_Exit", ready: Ready, outcome: Outcome) -> None:
        """Note what an answer means, and let the next message out."""
        exit_.places += 1
        self._in_air -= 1
        try:
            self._answered.append(self._settled(ready, outcome))
            self._let_out(exit_)
        except BaseException as problem:  # nobody above would hear of it
            self._trouble = problem
            self._news.set()
            raise
        if self._in_air <= self._enough:
            self._news.set()

    async def _hear(self, at_most: int) -> None:
        """Wait until no more than that many are in the air."""
        while self._in_air > at_most:
            self._enough = at_most
            self._news.clear()
            await self._news.wait()
            if self._trouble is not None:
                raise self._trouble

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


@dataclass(slots=True)
class _Exit:
    """Where messages leave for one lane: those permitted and not yet sent, and how many more it can carry now."""

    lane: Lane
    places: int
    waiting: deque[Ready] = field(default_factory=deque)
    open: bool = False
