"""The ways in which a provider can misbehave, and which message meets which: drawn from its id, so that a failure replays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum
from hashlib import blake2b
from math import log
from typing import NamedTuple

SPACE = 2**32


class Mode(StrEnum):
    """What the sink does with one message. The `accept-then-` family takes the message and hides or denies it."""

    ACCEPT = "accept"
    ACCEPT_THEN_DROP = "accept-then-drop"
    ACCEPT_THEN_HANG = "accept-then-hang"
    ACCEPT_THEN_503 = "accept-then-503"
    ACCEPT_THEN_GARBAGE = "accept-then-garbage"
    SLOW = "slow"
    DROP_BEFORE_ACCEPT = "drop-before-accept"
    RESET = "reset"
    TOO_MANY = "429"
    ERROR = "500"
    GONE = "gone"


TAKES = frozenset(mode for mode in Mode if mode.value.startswith("accept") or mode is Mode.SLOW)
"""Modes in which the message counts as accepted, whatever the sender is told."""


class RetryAfter(StrEnum):
    """The forms of Retry-After met in the wild."""

    SECONDS = "seconds"
    DATE = "date"
    ABSENT = "absent"
    ZERO = "zero"
    NEGATIVE = "negative"
    FAR = "year-2999"
    GARBAGE = "garbage"


FAR_FUTURE = "Fri, 01 Jan 2999 00:00:00 GMT"
LONGEST_WAIT = 6 * 3600.0
"""Seconds: nobody has to believe a wish for more."""


def retry_after(form: RetryAfter, seconds: int, now: float) -> tuple[str | None, float]:
    """The header's text (None: no header) and the seconds a polite sender has to wait; `now` in seconds since 1970."""
    if form is RetryAfter.DATE:
        # An HTTP date has whole seconds only: what is promised is the rounded moment.
        return formatdate(int(now) + seconds, usegmt=True), max(0.0, int(now) + seconds - now)
    return {
        RetryAfter.SECONDS: (str(seconds), float(seconds)),
        RetryAfter.ABSENT: (None, 0.0),
        RetryAfter.ZERO: ("0", 0.0),
        RetryAfter.NEGATIVE: ("-30", 0.0),
        RetryAfter.FAR: (FAR_FUTURE, LONGEST_WAIT),
        RetryAfter.GARBAGE: ("in a while, 3;q=\x7e", 0.0),
    }[form]


class Fate(NamedTuple):
    """What happens to one arrival: the mode, the seconds until the answer, and the form of a Retry-After."""

    mode: Mode
    delay: float = 0.0
    form: RetryAfter = RetryAfter.SECONDS


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds between arrival and answer: uniform from `low` to `high`, or exponential around `mean`."""

    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Latency":
        """Milliseconds: `0`, `20`, `5..40` or `exp:20`."""
        if text.startswith("exp:"):
            return cls(mean=float(text[4:]) / 1000)
        low, _, high = text.partition("..")
        return cls(float(low) / 1000, float(high or low) / 1000)

    def at(self, point: float) -> float:
        """The delay at this point in [0, 1) of the distribution."""
        return -self.mean * log(1 - point) if self.mean else self.low + (self.high - self.low) * point


@dataclass(frozen=True, slots=True)
class Plan:
    """Which fate the n-th arrival of a message meets (n from 0).

    After `faults_per_key` arrivals a message is accepted, so that every run drains; 0 means it never becomes kind.
    """

    weights: Mapping[Mode, float] = field(default_factory=dict)
    forms: tuple[RetryAfter, ...] = tuple(RetryAfter)
    latency: Latency = Latency()
    slow: float = 2.0
    seed: str = "0"
    faults_per_key: int = 1

    @property
    def simple(self) -> bool:
        """Everybody is accepted at once: nothing needs to be drawn or remembered."""
        return not self.weights and self.latency == Latency()

    def fate(self, key: str, arrival: int, forced: Mode | None = None) -> Fate:
        """The same for the same key, arrival and seed, for ever."""
        if self.simple and forced is None:
            return Fate(Mode.ACCEPT)
        dice = blake2b(f"{self.seed}:{key}:{arrival}".encode(), digest_size=12).digest()
        mode, delay, form = (int.from_bytes(dice[at : at + 4]) / SPACE for at in (0, 4, 8))
        chosen = forced or (Mode.ACCEPT if 0 < self.faults_per_key <= arrival else self._mode(mode))
        seconds = self.latency.at(delay) + (self.slow if chosen is Mode.SLOW else 0.0)
        return Fate(chosen, seconds, self.forms[int(form * len(self.forms))])

    def _mode(self, point: float) -> Mode:
        left = point * sum(self.weights.values())
        for mode, weight in self.weights.items():
            left -= weight
            if left < 0:
                return mode
        return Mode.ACCEPT


def weights(text: str) -> dict[Mode, float]:
    """Read `accept:9,429:1`; ValueError names a mode that does not exist."""
    pairs = (part.rpartition(":") for part in text.split(",") if part)
    return {Mode(name): float(weight) for name, _, weight in pairs}
