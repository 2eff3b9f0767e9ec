"""The runs of a day beside each other: what one would send counts for the caps of those after it, for each person in the order of the clock."""

from collections.abc import Generator, Iterable, Sequence
from heapq import heappop, heappush
from typing import TypeVar

from orchestrator.core.facts import PersonFacts, Touch
from orchestrator.core.frozen import changed
from orchestrator.core.nouns import Channel
from orchestrator.core.times import Instant

Answer = TypeVar("Answer")
Steps = Generator[Instant, None, Answer]
"""Something done in steps: it names the moment of the next one before it does it."""


class Foreseen:
    """The messages that are foreseen so far, as the ledger would hold them; nothing is written.

    People who would get the same share what is kept of it, so a million take about 150 MB.
    """

    def __init__(self) -> None:
        self._touches: dict[str, tuple[Touch, ...]] = {}
        self._same: dict[tuple[Touch, ...], tuple[Touch, ...]] = {}
        self._runs = 0

    def begin(self) -> int:
        """A number for one more run; none of the ledger's has it."""
        self._runs -= 1
        return self._runs

    def note(self, user: str, campaign: str, run: int, at: Instant, channels: Iterable[Channel]) -> None:
        """Somebody would be sent a message on these channels."""
        touches = (*self._touches.get(user, ()), *(Touch(at, channel, campaign, run) for channel in channels))
        self._touches[user] = self._same.setdefault(touches, touches)

    def upon(self, user: str, facts: PersonFacts) -> PersonFacts:
        """A person's facts with what they would have been sent by now."""
        more = self._touches.get(user)
        return facts if more is None else changed(facts, touches=(*facts.touches, *more))


def together(all_steps: Sequence[Steps[Answer]]) -> list[Answer]:
    """Do several things step by step in the order of their moments; of one moment in the order given. Their answers."""
    due: list[tuple[Instant, int]] = []
    found: dict[int, Answer] = {}

    def advance(place: int) -> None:
        try:
            heappush(due, (next(all_steps[place]), place))
        except StopIteration as over:
            found[place] = over.value

    for place in range(len(all_steps)):
        advance(place)
    while due:
        advance(heappop(due)[1])
    return [found[place] for place in range(len(all_steps))]
