"""A shard on its way: claimed, judged, rendered, intended, sent, settled, put back."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Protocol

from orchestrator.core.assignment import planned_rows, ramp_at
from orchestrator.core.campaigns import Campaign
from orchestrator.core.eligibility import RowVerdict, deadline, judge, touches_since
from orchestrator.core.facts import PersonFacts, RowFacts, RunFacts
from orchestrator.core.nouns import (
    Channel,
    DeliveryKey,
    Expire,
    Hold,
    Message,
    Person,
    Send,
    Skip,
    State,
    Verdict,
    delivery_id,
)
from orchestrator.core.reasons import Reason
from orchestrator.core.times import MINUTE, NEVER, SECOND, Clock, Instant
from orchestrator.core.turns import Mark, Pacing, Permission, Ready, Settlement, Turn
from orchestrator.dispatch import Dispatch, HalfTurn, Item, Job, Outgoing
from orchestrator.ledger import Ledger, Shard, Wanted
from orchestrator.pipeline.ledger_thread import LedgerThread
from orchestrator.pipeline.prepared import Letter, Letters, Prepared, Unwritten


class Watch(Protocol):
    """Somebody who looks on while a shard is worked: a progress bar, the figures of the metrics."""

    def turned(self, shard: Shard, turn: HalfTurn, permitted: Permission) -> None:
        """A turn is written: these answered, those may leave."""
        ...

    def marked(self, shard: Shard, marks: Sequence[Mark]) -> None:
        """A shard is about to be put back, with these verdicts."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker works with. `prepare` turns a shard's bundle into its campaign and templates, once per version."""

    ledger: LedgerThread
    dispatch: Dispatch
    prepare: Callable[[Ledger, Shard], Prepared]
    watch: Watch | None = None
    wire: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One shard of a process is on the wire at a time: the window is the process's."""


async def work(shard: Shard, parts: Parts, clock: Clock, offered: Callable[[], None] = lambda: None) -> Instant | None:
    """One due shard, from claim to put-back; when it is due again, None if nothing is left in it.

    `offered` is called once its last message was offered: while that is on the wire, another shard can be claimed and read.
    """
    prepared = await parts.ledger(lambda ledger: parts.prepare(ledger, shard))
    sight = Sight(shard, prepared.campaign, parts.dispatch)
    known = await parts.ledger(lambda ledger: sight.read(ledger, clock.now()))
    async with parts.wire:
        # Not before: the shard in front may have taken long, and the night may have begun meanwhile.
        verdicts = sight.judge(known, clock.now())
        items = chain(sight.items(prepared.letters, verdicts, known, clock.now()), _then(offered))
        turns = parts.dispatch.turns(items, sight.job())
        async for turn in turns:
            asked = parts.ledger.begin(partial(sight.take, turn))
            turns.look_ahead()
            permitted = await asked
            sight.note(turn.answered, permitted)
            if parts.watch is not None:
                parts.watch.turned(shard, turn, permitted)
            turn.go(permitted)
    marks = [*turns.marks, *sight.marks(verdicts, known)]
    if parts.watch is not None:
        parts.watch.marked(shard, marks)
    if why := prepared.halted(shard.run):
        await parts.ledger(lambda ledger: ledger.halt(shard.run, why, clock.now()))
    return await parts.ledger(lambda ledger: ledger.put_back(shard, marks, clock.now(), turns.resume_at, turns.paused))


def _then(tell: Callable[[], None]) -> Iterator[Item]:
    """No item at all, but a word when it is asked for."""
    tell()
    yield from ()


Verdicts = Mapping[str, Sequence[RowVerdict]]
Known = Mapping[str, PersonFacts]


class Sight:
    """One shard under its campaign: what is read for it, judged of it, asked for it."""

    def __init__(self, shard: Shard, campaign: Campaign, dispatch: Dispatch) -> None:
        self.shard = shard
        self.campaign = campaign
        self.run = RunFacts(shard.run, shard.run_due_at, shard.opens_at, cancelled=shard.cancelled)
        self._until = deadline(campaign, self.run)
        self._rates = {name: lane.declaration.rate for name, lane in dispatch.lanes.items()}
        self._people = {person.user: person for person in shard.people}
        self._facts_version = -1
        self._counts = touches_since(campaign, Instant(0)) is not None
        """Whether messages already sent decide, so that two turns must not judge the same person at once."""
        self._refused: dict[DeliveryKey, Verdict] = {}
        self._reopened: set[str] = set()

    def read(self, ledger: Ledger, now: Instant) -> Known:
        """The facts of all the shard's people, and how old they are."""
        self._facts_version = ledger.facts_version()
        if self.campaign.experiment is not None and self.campaign.experiment.ramp:
            ramp, grows_at = ramp_at(self.campaign, ledger.began(self.campaign.name) or self.shard.run_due_at, now)
            self.run = replace(self.run, ramp=ramp, ramp_grows_at=grows_at)
        wanted = self._wanted(self.shard.people, now)
        if self.shard.fresh:
            rows = {person.user: planned_rows(self.campaign, person) for person in self.shard.people}
            wanted = replace(wanted, rows=rows)
        return ledger.facts(wanted)

    def judge(self, known: Known, now: Instant) -> Verdicts:
        """Every person's rows, judged together."""
        return {
            person.user: judge(self.campaign, self.run, person, known[person.user], now) for person in self.shard.people
        }

    def items(self, letters: Letters, verdicts: Verdicts, known: Known, now: Instant) -> Iterator[Item]:
        """Rendered messages of everybody with a Send, one at a time; a mark for each that could not be rendered."""
        rows = [
            (self._letter(user, verdict, row, now), row)
            for user, found in verdicts.items()
            for verdict in found
            if isinstance(verdict.verdict, Send)
            and (row := _row(known[user], verdict.channel, verdict.step, verdict.slot))
        ]
        written = letters.render((letter for letter, _ in rows), self.shard.weight)
        for (letter, row), content in zip(rows, written, strict=False):  # fewer: halted
            if isinstance(content, Unwritten):
                yield Mark(letter.key, content.state, content.reason, content.detail, exposed=True)
                continue
            message = Message(
                letter.key,
                letter.id,
                letter.address,
                content,
                topic=self.campaign.policy.topic,
                judged_at=letter.judged_at,
                expires_at=None if self._until == NEVER else self._until,
            )
            yield Outgoing(
                message, letter.person, row.attempt, row.provider, row.body, row.again_until, row.doubtful, row.unsent
            )

    def job(self) -> Job:
        """What dispatch must know of this campaign."""
        return Job(self.campaign.name, self.campaign.routes, self.shard.on_ambiguous, self.campaign.by_platform)

    def take(self, turn: HalfTurn, ledger: Ledger) -> Permission:
        """Ask for one turn; consent, suppression, address and caps are judged again inside it."""
        throttle = self.campaign.policy.throttle
        paces = [Pacing(f"campaign:{self.campaign.name}", throttle * SECOND / MINUTE if throttle else None)]
        paces += [Pacing(f"provider:{name}", self._rates[name]) for name in sorted({r.provider for r in turn.ready})]
        return ledger.turn(
            Turn(
                self.shard.run,
                self.campaign.name,
                turn.answered,
                turn.ready,
                turn.now,
                paces,
                lambda again: self._recheck(ledger, again, turn.now),
                alone=self._counts,
            )
        )

    def note(self, answered: Sequence[Settlement], permitted: Permission) -> None:
        """Remember what was refused at the last moment, and for whom the next channel must be judged again."""
        self._refused.update(permitted.refused)
        self._reopened.update(key.user for key, verdict in permitted.refused.items() if isinstance(verdict, Skip))
        self._reopened.update(settled.key.user for settled in answered if settled.gone)

    def marks(self, verdicts: Verdicts, known: Known) -> Iterator[Mark]:
        """The verdicts that are no Send, and those of the last moment, as marks.

        Where the chosen channel fell away meanwhile, the others stay open and are judged again.
        """
        for user, found in verdicts.items():
            for judged in found:
                if isinstance(judged.verdict, Send):  # its intent says it
                    continue
                other = isinstance(judged.verdict, Skip) and judged.verdict.reason is Reason.OTHER_CHANNEL
                if other and user in self._reopened:
                    continue
                key = DeliveryKey(self.shard.run, user, judged.channel, judged.step, judged.slot)
                yield _mark(key, judged.verdict, _row(known[user], *key[2:]), exposed=judged.exposed)
        for key, verdict in self._refused.items():
            if not isinstance(verdict, Send):
                yield _mark(key, verdict, _row(known[key.user], *key[2:]), exposed=False)

    def _recheck(self, ledger: Ledger, again: Sequence[Ready], now: Instant) -> Mapping[DeliveryKey, Verdict]:
        if not self._counts and ledger.facts_version() == self._facts_version:
            return {}
        people = list({ready.person.user: ready.person for ready in again}.values())
        known = ledger.facts_again(self._wanted(people, now))
        verdicts = {person.user: judge(self.campaign, self.run, person, known[person.user], now) for person in people}
        return {
            ready.key: row.verdict
            for ready in again
            for row in verdicts[ready.key.user]
            if (row.channel, row.step, row.slot) == ready.key[2:] and not isinstance(row.verdict, Send)
        }

    def _wanted(self, people: Sequence[Person], now: Instant) -> Wanted:
        since = touches_since(self.campaign, now)
        return Wanted(self.shard.run, people, self.campaign.policy.topic, since)

    def _letter(self, user: str, verdict: RowVerdict, row: RowFacts, now: Instant) -> Letter:
        assert isinstance(verdict.verdict, Send)  # noqa: S101 - items() asks for nothing else
        key = DeliveryKey(self.shard.run, user, verdict.channel, verdict.step, verdict.slot)
        return Letter(
            self._people[user],
            key,
            delivery_id(self.shard.campaign, self.shard.occurrence, key),
            verdict.verdict.address,
            row.judged_at or now,
        )


def _row(facts: PersonFacts, channel: Channel, step: int, slot: int) -> RowFacts | None:
    """The row a verdict is about."""
    for row in facts.rows:
        if row.channel == channel and row.step == step and row.slot == slot:
            return row
    return None


def _mark(key: DeliveryKey, verdict: Hold | Skip | Expire, row: RowFacts | None, *, exposed: bool) -> Mark:
    """A verdict that nothing is sent now, as the ledger writes it."""
    if row is not None and row.doubtful:
        return _in_doubt(key, verdict)
    waited = row is not None and row.state is not State.PLANNED
    match verdict:
        case Hold(until, reason):
            return Mark(key, State.HELD, reason, not_before=until, exposed=exposed)
        case Skip(reason, detail):
            moves_on = waited and reason in _FELL_AWAY
            return Mark(key, State.SKIPPED, reason, detail, exposed=exposed, moves_on=moves_on)
        case Expire(reason):
            return Mark(key, State.EXPIRED, reason, exposed=exposed)


_FELL_AWAY = frozenset({Reason.NO_CONSENT, Reason.NO_ADDRESS, Reason.SUPPRESSED})
"""Reasons for which a first_of campaign goes on to the next channel."""


def _in_doubt(key: DeliveryKey, verdict: Hold | Skip | Expire) -> Mark:
    """A message that may have arrived stays in doubt while it waits, and is unknown if it may not leave again."""
    if isinstance(verdict, Hold):
        return Mark(key, State.RETRY_WAIT, Reason.NO_ANSWER, verdict.reason, not_before=verdict.until)
    return Mark(key, State.UNKNOWN, Reason.NO_ANSWER, f"not sent again: {verdict.reason}")
