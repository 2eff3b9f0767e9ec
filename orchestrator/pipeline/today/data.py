"""Whether the data is fresh: each event against its usual day, what an import refused, and how far the loader is behind."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.audience.freshness import Fresh
from orchestrator.core.campaigns import Campaign
from orchestrator.core.holding import by_clock, ended
from orchestrator.core.phrases import say_duration
from orchestrator.core.times import DAY, MINUTE, SECOND, Instant
from orchestrator.ledger import Ledger, arrivals

FEW = 1 / 3
"""Fewer events than this part of a usual day are too few."""
ENOUGH = 12
"""A usual day with fewer events says nothing: chance alone would make it red."""
BEHIND = 10 * MINUTE
"""An event that has waited for longer is late: the loader stands still."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One event and why it is red, empty if it is well."""

    fresh: Fresh
    red: str


@dataclass(frozen=True, slots=True)
class Data:
    """The state of the data. `lag`: microseconds the oldest event has waited to be loaded; `rejects`: rows of imports today."""

    events: tuple[Seen, ...]
    waiting: int
    lag: int
    set_aside: int
    rejects: int
    rejects_file: str
    red: tuple[str, ...]
    """What is wrong beside single events."""

    @property
    def late(self) -> bool:
        """Whether anything is red: then it outranks everything else."""
        return bool(self.red) or any(one.red for one in self.events)


def data(
    ledger: Ledger,
    campaigns: Iterable[Campaign],
    events: Sequence[Fresh],
    rejects: Path,
    now: Instant,
    trouble: str = "",
) -> Data:
    """Judge what was found; `rejects` is the folder of what imports refused, `trouble` why the audience could not be asked."""
    limits = _limits(campaigns, now)
    seen = [Seen(fresh, _why(fresh, limits.get(fresh.event), now)) for fresh in events]
    seen.sort(key=lambda one: (not one.red, one.fresh.last_day * (1 if one.red else -1), one.fresh.event))
    oldest, waiting = arrivals.oldest(ledger.store), arrivals.waiting(ledger.store)
    lag = max(0, now - oldest) if oldest is not None else 0
    red = [trouble] if trouble else []
    if lag > BEHIND:
        red.append(f"the loader is {lag // MINUTE} min behind: {say_waiting(waiting)}")
    rows, file = _rejected(rejects, now)
    return Data(tuple(seen), waiting, lag, arrivals.set_aside(ledger.store), rows, file, tuple(red))


def say_waiting(many: int) -> str:
    """How many events wait, in words."""
    return "1 event waits" if many == 1 else f"{many:,} events wait"


def _limits(campaigns: Iterable[Campaign], now: Instant) -> dict[str, tuple[int, str]]:
    """By event the shortest time a campaign of the clock waits for, and which campaign that is."""
    found: dict[str, tuple[int, str]] = {}
    for campaign in campaigns:
        if by_clock(campaign) is not None and not ended(campaign, now):
            for event, within in campaign.hold_if.no_recent.items():
                found[event] = min(found.get(event, (within, campaign.name)), (within, campaign.name))
    return found


def _why(fresh: Fresh, limit: tuple[int, str] | None, now: Instant) -> str:
    """Why an event is red, empty if it is not."""
    newest = fresh.newest if fresh.newest is not None else Instant(0)
    if limit is not None and newest < now - limit[0]:
        return f"none in the last {say_duration(limit[0])}: {limit[1]} would wait"
    if fresh.usual is None or fresh.usual < ENOUGH:
        return ""
    if fresh.last_day == 0:
        return "none in the last 24 hours"
    return "far fewer than usual" if fresh.last_day < FEW * fresh.usual else ""


def _rejected(folder: Path, now: Instant) -> tuple[int, str]:
    """How many entries imports of the last 24 hours refused, and the newest file with some."""
    since = (now - DAY) / SECOND
    files = [path for path in folder.glob("*.csv") if path.stat().st_mtime >= since] if folder.is_dir() else []
    files.sort(key=lambda path: path.stat().st_mtime)
    rows = sum(_entries(path) for path in files)
    return rows, files[-1].name if files else ""


def _entries(path: Path) -> int:
    """The entries of a rejects file; a text with a line break in it is one entry."""
    csv.field_size_limit(1 << 30)
    with path.open(encoding="utf-8", newline="") as file:
        return max(0, sum(1 for _ in csv.reader(file)) - 1)
