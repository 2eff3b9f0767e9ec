"""What a process counts of its own work while it works, for the metrics: turns, answers, refused renderings, seconds."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.core.nouns import DeliveryKey, State
from orchestrator.core.times import SECOND, Instant
from orchestrator.core.turns import Mark, Permission
from orchestrator.dispatch import HalfTurn
from orchestrator.ledger import Shard

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds, in seconds, of how long a message is on its way from its intent to the answer's settlement."""

SAMPLED = 8
"""So many messages of each turn are timed; timing all of them would cost more than it tells."""

TURNS, MESSAGES, UNWRITTEN, SECONDS, SECONDS_SUM = "turns", "messages", "unwritten", "seconds", "seconds_sum"
_MORE = "inf"


@dataclass(slots=True)
class Tally:
    """A watch that adds up. `counts` maps names joined by tabs (`messages, winback, email, mail, accepted`) to numbers."""

    counts: Counter[str] = field(default_factory=Counter)
    _since: dict[DeliveryKey, Instant] = field(default_factory=dict)

    def turned(self, shard: Shard, turn: HalfTurn, permitted: Permission) -> None:
        """A turn is written."""
        campaign = shard.campaign
        self.counts[key(TURNS, campaign)] += 1
        answered = Counter((settled.key.channel, settled.provider, settled.state) for settled in turn.answered)
        answered.update((ready.key.channel, ready.provider, State.ACCEPTED) for ready in permitted.accepted)
        for (channel, provider, state), number in answered.items():
            self.counts[key(MESSAGES, campaign, channel, provider, state)] += number
        if self._since:
            for settled in turn.answered:
                began = self._since.pop(settled.key, None)
                if began is not None:
                    self._took(settled.provider, (turn.now - began) / SECOND)
        for ready in permitted.go[:SAMPLED]:
            self._since[ready.key] = turn.now

    def marked(self, shard: Shard, marks: Sequence[Mark]) -> None:
        """A shard is put back: nothing of it is on its way any more."""
        self._since.clear()
        for mark in marks:
            if mark.exposed and mark.state in (State.RENDER_FAILED, State.SKIPPED) and mark.detail:
                self.counts[key(UNWRITTEN, shard.campaign, mark.key.channel, mark.reason)] += 1

    def _took(self, provider: str, seconds: float) -> None:
        place = bisect_left(BUCKETS, seconds)
        bound = str(BUCKETS[place]) if place < len(BUCKETS) else _MORE
        self.counts[key(SECONDS, provider, bound)] += 1
        self.counts[key(SECONDS_SUM, provider)] += max(0.0, seconds)  # type: ignore[assignment] # a sum of seconds


def key(*names: str) -> str:
    """The name of one number."""
    return "\t".join(names)
