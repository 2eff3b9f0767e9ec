"""A person's place among everybody: bands, scores and samples ask for it, and one person alone cannot tell."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple, Protocol

from orchestrator.core.segments.tree import Attribute, Band, Comparison, Event, Measure, Op, Rfm, Sample

SCORE = 20
"""Per cents of everybody who share one score of five."""


class Place(NamedTuple):
    """How many people stand at or below somebody, of how many who have such a value at all."""

    below: int
    of: int

    def within(self, band: Band) -> bool:
        """Whether the place lies in a band, without dividing."""
        return band.over * self.of < 100 * self.below <= band.upto * self.of

    @property
    def score(self) -> int:
        """From 1 to 5; 5 is best."""
        return -(-5 * self.below // self.of)


class Crowd(Protocol):
    """Everybody, as somebody who knows them all can tell."""

    def place(self, of: Attribute | Event, user: str) -> Place | None:
        """Where a person stands by the value that a condition measures; None if they have none."""
        ...

    def sampled(self, sample: Sample, user: str) -> bool:
        """Whether a person is one of a sample."""
        ...


def score_events(rfm: Rfm) -> dict[str, tuple[Event, tuple[int, ...]]]:
    """What each score is a fifth of, and which scores are in; scores that are not asked for are left out."""
    anything = Comparison(Op.AT_LEAST, Decimal(1))
    found = {
        "recency": (Event(rfm.event, anything, Measure.LAST, "", rfm.window, rfm.where), rfm.recency),
        "frequency": (Event(rfm.event, anything, Measure.COUNT, "", rfm.window, rfm.where), rfm.frequency),
        "monetary": (Event(rfm.event, anything, Measure.SUM, rfm.property, rfm.window, rfm.where), rfm.monetary),
    }
    return {name: (event, scores) for name, (event, scores) in found.items() if scores}


def score_bands(scores: Iterable[int]) -> tuple[Band, ...]:
    """The bands that make up these scores."""
    return tuple(Band(Decimal(SCORE * (score - 1)), Decimal(SCORE * score)) for score in sorted(set(scores)))
