"""How fresh the events of the audience are: the newest of each kind, the last 24 hours, and the same hours of weeks before."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sqlglot import exp

from orchestrator.audience.questions import how_many
from orchestrator.audience.reader import Reader
from orchestrator.audience.tongue import column, number, text
from orchestrator.core.times import DAY, Instant

WEEKS = 4
"""So many weeks back the same weekday is looked at."""
_WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Fresh:
    """One event. `usual` is the median of the same 24 hours of the weeks before, None where none of them is known."""

    event: str
    newest: Instant | None
    last_day: int
    usual: float | None


def freshness(audience: Reader, events: Sequence[str], now: Instant) -> list[Fresh]:
    """How fresh these events are, in their order. A week from before the first event of the kind counts for nothing."""
    if not events:
        return []
    at, name = column("event", "time"), column("event", "name")
    days = [_within(at, Instant(now - week * _WEEK - DAY), Instant(now - week * _WEEK)) for week in range(WEEKS + 1)]
    counts = [how_many(day, f"n{week}") for week, day in enumerate(days)]
    ends = [
        exp.alias_(kind(this=at.copy()), name, quoted=True) for kind, name in ((exp.Max, "newest"), (exp.Min, "first"))
    ]
    among = exp.In(this=name.copy(), expressions=[text(event) for event in events])
    come = exp.LTE(this=at.copy(), expression=number(now))  # a slip of a clock says nothing of how late the others are
    query = exp.select(name.copy(), *ends, *counts).from_("event").where(among, come).group_by(name.copy())
    found = {row[0]: row[1:] for row in audience.ask(query)}
    return [_fresh(event, found.get(event), now) for event in events]


def _fresh(event: str, row: Sequence[int] | None, now: Instant) -> Fresh:
    if row is None:
        return Fresh(event, None, 0, None)
    newest, first, last_day, *weeks = row
    known = [many for week, many in enumerate(weeks, 1) if first <= now - week * _WEEK - DAY]
    return Fresh(event, Instant(newest), int(last_day), float(median(known)) if known else None)


def _within(at: exp.Expr, low: Instant, high: Instant) -> exp.Expr:
    begun = exp.GTE(this=at.copy(), expression=number(low))
    return exp.and_(begun, exp.LT(this=at.copy(), expression=number(high)))
