"""A run that is worked here and by a daemon at once: it is followed until everybody is accounted for or waits for long."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial

from orchestrator.cli.progress import LINE_EVERY, Progress
from orchestrator.cli.times import say_zone, wall, when
from orchestrator.core.campaigns import Campaign
from orchestrator.core.nouns import State
from orchestrator.core.times import MINUTE, NEVER, SECOND, Clock, Instant
from orchestrator.ledger import Ledger, figures, pace, standing
from orchestrator.ledger.standing import People, Waits
from orchestrator.pipeline import LedgerThread

NEAR = MINUTE
"""What is due within so long is waited for: a throttle's next messages, a short trouble's next try."""

LOOK_EVERY = SECOND // 4
"""How often others' work is looked at."""


class Following:
    """Waits while there is nothing to claim, and says whether to look again."""

    def __init__(self, run: int, progress: Progress, clock: Clock) -> None:
        self._run = run
        self._progress = progress
        self._clock = clock
        self._counted = clock.now()
        self._waited = False

    async def wait(self, held: LedgerThread, stopping: asyncio.Event) -> bool:
        """Rest a moment if more of the run happens soon, here or elsewhere; False if nothing does."""
        # Nobody else may be left to take back what a process held that died.
        await held(lambda ledger: ledger.recover(self._clock.now()))
        found = await held(lambda ledger: standing.standing(ledger.store, self._run))
        now = self._clock.now()
        if not found.moves(Instant(now + NEAR)):
            return False
        self._waited = True
        if now - self._counted >= LINE_EVERY:
            await self.count(held)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOOK_EVERY / SECOND)
        return True

    async def count(self, held: LedgerThread, *, last: bool = False) -> None:
        """Take the progress from the ledger, if others may have had a part in it, and at last: some of it may have been put back."""
        if self._waited or last:
            self._progress.stands(await held(partial(_states, self._run)))
            self._counted = self._clock.now()


def _states(run: int, ledger: Ledger) -> standing.States:
    return standing.states(ledger.store, run)


def who_waits(ledger: Ledger, run: int, campaign: Campaign | None, waits: Waits, now: Instant) -> Iterator[str]:
    """Lines for a person: how many of a run wait, until when, and what will send to them."""
    if not waits.people:
        return
    zone = campaign.policy.time_zone if campaign else "UTC"
    yield f"{waits.people:,} people of it wait{_until(waits, now, zone)}"
    if campaign is not None:
        yield from stands_still(ledger, campaign, now)
    daemons = figures.alive(ledger.store, "supervisor")
    if daemons:
        yield f"the daemon sends to them when it is time: {', '.join(daemons)}"
    else:
        yield f"no daemon runs; run {run} goes on, when it is time, with: orchestrator serve"


def stands_still(ledger: Ledger, campaign: Campaign, now: Instant) -> Iterator[str]:
    """A line for each pause that keeps messages of a campaign from leaving: its own, or one of its providers'."""
    providers = (f"provider:{provider}" for route in campaign.routes.values() for provider in route)
    scopes = {f"campaign:{campaign.name}", *providers}
    for scope, until, reason in pace.pauses(ledger.store, now):
        if scope in scopes:
            end = "until somebody resumes it" if until >= NEVER else f"until {when(until, campaign.policy.time_zone)}"
            what = scope.removeprefix("campaign:")
            yield f"{scope} is paused {end} ({reason.removeprefix('paused ') or 'by hand'}): orchestrator resume {what}"


def _until(waits: Waits, now: Instant, zone: str) -> str:
    """From when to when they wait; the clock is named once, at the end."""
    said = [f"the first of them until {wall(waits.first, zone)}"] if now < waits.first < NEVER else []
    said += [f"the last until {wall(waits.last, zone)}"] if now < waits.last < NEVER else []
    return f", {', '.join(said)} {say_zone(zone)}" if said else ""


def told(people: People) -> dict[str, object]:
    """A run's people as a program reads them."""
    nothing = [{"reason": str(reason), "people": count} for reason, count in people.nothing.most_common()]
    return {**asdict(people), "nothing": nothing}


def in_people(people: People) -> str:
    """What became of a run's people, in one line; each of them is counted once."""
    words = {
        "reached": "reached",
        "waiting": "waiting",
        "in_doubt": "in doubt",
        "failed": "failed",
        "holdout": "holdout",
    }
    parts = [f"{words[name]} {count:,}" for name in words if (count := getattr(people, name))]
    if people.nothing:
        whys = ", ".join(f"{why.replace('_', ' ')} {count:,}" for why, count in people.nothing.most_common())
        parts.append(f"nothing {people.nothing.total():,} ({whys})")
    return f"{people.people:,} people: {' · '.join(parts)}" if parts else "nobody was in it"


def failed_whole(rows: Mapping[str, int]) -> int:
    """How many messages failed of a run of which nobody got one or still may; 0 if somebody did, or nothing failed."""
    failed = rows.get(State.RENDER_FAILED, 0) + rows.get(State.FAILED, 0)
    nothing = rows.get(State.SKIPPED, 0) + rows.get(State.EXPIRED, 0)
    return failed if failed + nothing == sum(rows.values()) else 0
