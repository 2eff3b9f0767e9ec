"""What dispatch is handed: messages with what the ledger says of their rows, and what their shard asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.core.devices import ByPlatform
from orchestrator.core.frozen import value
from orchestrator.core.nouns import Channel, Message, OnAmbiguous, Person
from orchestrator.core.times import Instant
from orchestrator.core.turns import Mark


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
    """Whether an attempt before this one may have arrived."""
    unsent: bool = False
    """Whether nothing of its last attempt has left, so that the next provider of its route is tried."""


Item = Outgoing | Mark
"""What rendering yields, one at a time and only when asked: a message, or the reason why there is none."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one shard asks of dispatch: providers of each channel (of push by platform) in order of failing over, the rule for doubt."""

    campaign: str
    routes: Mapping[Channel, Sequence[str]]
    on_ambiguous: OnAmbiguous
    by_platform: ByPlatform = field(default_factory=dict)
