"""What the corridor passes between dispatch and the ledger: intents to write, answers to settle, verdicts to mark."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.core.frozen import value
from orchestrator.core.nouns import Address, DeliveryKey, Person, State, Verdict
from orchestrator.core.times import Instant


@dataclass(frozen=True, slots=True)
class Pacing:
    """A scope (`provider:ses`, `campaign:winback`) and how many messages a second it may send; None for no limit."""

    scope: str
    per_second: float | None = None


@value(frozen=True, slots=True)
class Settlement:
    """What an answer makes of one delivery. `attempt` is the one that was answered.

    `spent` false gives the attempt back (a pause is not the message's fault). `answer` is a word for the story of this delivery, empty if it simply succeeded.
    """

    key: DeliveryKey
    attempt: int
    state: State
    provider: str
    provider_id: str = ""
    reason: str = ""
    detail: str = ""
    not_before: Instant | None = None
    spent: bool = True
    maybe_duplicate: bool = False
    gone: str = ""
    """The address that is dead, as it was written to."""
    answer: str = ""
    pause: tuple[str, Instant | None] | None = None
    """A scope to stop, and until when (None: until a person resumes it)."""
    bad: bool = False
    """Whether it counts towards the provider's breaker."""


@value(frozen=True, slots=True)
class Ready:
    """A message about to leave: what its intent writes down. `attempt` counts those before this one.

    `body` is the hash of its bytes: a repeat that would differ is not sent. `again_until` is the moment until which the
    provider remembers our key. `inbox` is the payload of an in-app message, which is accepted in this very transaction.
    `doubtful` says that an attempt before this one may have arrived: only an answer to this very message ends that doubt.
    """

    key: DeliveryKey
    id: str
    attempt: int
    person: Person
    address: Address
    provider: str
    body: bytes
    judged_at: Instant
    again_until: Instant | None = None
    inbox: Mapping[str, Any] | None = None
    inbox_until: Instant | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """What the turn says: `go` may leave now; `refused` have a verdict that was written; `later` must ask again.

    `stop` says that the run itself stands still (paused, cancelled): give the shard back.
    """

    go: tuple[Ready, ...] = ()
    accepted: tuple[Ready, ...] = ()
    refused: Mapping[DeliveryKey, Verdict] = field(default_factory=dict)
    later: tuple[Ready, ...] = ()
    ask_again: Instant | None = None
    paused: str = ""
    stop: bool = False
    scope: str = ""
    """The provider or campaign whose pace let fewer go than were asked for."""


Recheck = Callable[[Sequence[Ready]], Mapping[DeliveryKey, Verdict]]
"""Judges people again on facts read in this transaction; deliveries it does not name are still to be sent."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn is asked: for one run, by one boot, at one moment."""

    run: int
    campaign: str
    settle: Sequence[Settlement]
    intend: Sequence[Ready]
    now: Instant
    paces: Sequence[Pacing] = ()
    recheck: Recheck | None = None
    alone: bool = False
    """Whether caps are at stake, so that two turns must not count the same person at once."""


@value(frozen=True, slots=True)
class Mark:
    """A verdict or a rendering's answer to write on an open row: no message left, so no attempt is spent.

    `moves_on` lets the other channels of a first_of campaign be judged again, because this one fell away.
    """

    key: DeliveryKey
    state: State
    reason: str
    detail: str = ""
    not_before: Instant | None = None
    exposed: bool = False
    moves_on: bool = False
