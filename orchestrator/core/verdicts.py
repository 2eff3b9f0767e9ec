"""What the verdicts on one person's rows come to for the person: reached, waiting, or nothing, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.eligibility import RowVerdict
from orchestrator.core.nouns import Expire, Hold, Send, Skip
from orchestrator.core.reasons import Reason, furthest


@dataclass(frozen=True, slots=True)
class Upshot:
    """Exactly one of these: `sends` are the rows that leave now, `held` the first that waits, `nothing` (reason, detail)."""

    sends: tuple[RowVerdict, ...] = ()
    held: Hold | None = None
    nothing: tuple[Reason, str] | None = None


def upshot(verdicts: Sequence[RowVerdict]) -> Upshot:
    """A person who gets a message on any channel is reached; else who waits on any is held; else the furthest row decides."""
    sends = tuple(row for row in verdicts if isinstance(row.verdict, Send))
    if sends:
        return Upshot(sends)
    held = next((row.verdict for row in verdicts if isinstance(row.verdict, Hold)), None)
    if held is not None:
        return Upshot(held=held)
    whys = {
        row.verdict.reason: row.verdict.detail if isinstance(row.verdict, Skip) else ""
        for row in reversed(verdicts)
        if isinstance(row.verdict, Skip | Expire)
    }
    reason = furthest(whys)
    return Upshot(nothing=(reason, whys[reason]))
