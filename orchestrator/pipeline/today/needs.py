"""What waits for a person: runs to approve, what stands still, what failed, what was missed, coupons, a daemon that is not there."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.config import Deliver, Files, Project
from orchestrator.core.campaigns import CampaignState
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.holding import ended
from orchestrator.core.times import DAY, MINUTE, NEVER, Instant
from orchestrator.ledger import Ledger, Run, RunState, audit, figures, pace, runs, standing
from orchestrator.ledger.audit import What
from orchestrator.pipeline.coupons import stock

STUCK = 10 * MINUTE
"""What has been due for longer, and nobody works it, is stuck."""
SCARCE = 10
"""A pool of coupons with less than this part of its codes left runs out."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing a person must do something about: since when (None: nobody knows), how many people wait, what to type."""

    what: str
    command: str
    campaign: str = ""
    people: int | None = None
    since: Instant | None = None


def needs(ledger: Ledger, project: Project, files: Files, now: Instant) -> list[Need]:
    """Everything that waits for a person, the most urgent kind first, of each the oldest."""
    daemons = figures.alive(ledger.store, "supervisor")
    kinds = (
        _held(ledger),
        _standing_still(ledger, now),
        _nobody_works(ledger, project, daemons, now),
        _failed(ledger, now),
        _missed(ledger, now),
        _in_doubt(ledger, now),
        _scarce(ledger, project, files),
    )
    return [need for kind in kinds for need in sorted(kind, key=lambda one: one.since or 0)]


def _held(ledger: Ledger) -> Iterator[Need]:
    """Runs that wait for somebody's word."""
    for run in runs.listed(ledger.store, states=[RunState.WAITING]):
        since = runs.planned_at(ledger.store, run.id)
        yield Need(run.reason, f"orchestrator approve {run.id}", run.campaign, run.audience, since)


def _standing_still(ledger: Ledger, now: Instant) -> Iterator[Need]:
    """Paused runs, and providers and campaigns that go on only when somebody resumes them."""
    paused = runs.listed(ledger.store, states=[RunState.PAUSED])
    known = audit.newest(ledger.store, [audit.run_subject(run.id) for run in paused], What.PAUSED)
    for run in paused:
        entry = known.get(audit.run_subject(run.id))
        waits = standing.waits(ledger.store, run.id).people
        what, command = f"paused: {run.reason or 'by hand'}", f"orchestrator resume {run.id}"
        yield Need(what, command, run.campaign, waits, entry.at if entry else None)
    endless = [(scope, reason) for scope, until, reason in pace.pauses(ledger.store, now) if until >= NEVER]
    begun = audit.newest(ledger.store, [scope for scope, _ in endless], What.PAUSED)
    for scope, reason in endless:
        campaign = scope.removeprefix("campaign:") if scope.startswith("campaign:") else ""
        what = f"{'campaign' if campaign else scope.replace(':', ' ')} is paused: {reason or 'by hand'}"
        since = begun[scope].at if scope in begun else None
        yield Need(what, f"orchestrator resume {campaign or scope}", campaign, None, since)


def _nobody_works(ledger: Ledger, project: Project, daemons: list[str], now: Instant) -> Iterator[Need]:
    """Work that is due and no daemon, or one that does not come to it."""
    queue = figures.queue(ledger.store, now)
    due = runs.listed(ledger.store, states=[RunState.DUE])
    oldest = min([*([queue.oldest_due_at] if queue.oldest_due_at is not None else []), *(run.due_at for run in due)], default=None)
    stuck = oldest is not None and now - oldest > STUCK
    if daemons and stuck:
        yield Need("work has been due for long and is not done: look at the daemon's log", "orchestrator status", since=oldest)
    elif not daemons and (stuck or (_wait_for_the_clock(project, now) and project.environment.deliver is Deliver.EVERYONE)):
        yield Need("no daemon runs: nothing is sent by the clock", "orchestrator serve", since=oldest if stuck else None)


def _wait_for_the_clock(project: Project, now: Instant) -> bool:
    return any(
        one.state is CampaignState.LIVE and one.schedule is not None and not ended(one, now)
        for one in project.campaigns.values()
    )


def _failed(ledger: Ledger, now: Instant) -> Iterator[Need]:
    """Runs of the last 24 hours in which somebody's message failed and nobody's arrived."""
    for run in _of_the_last_day(ledger, now):
        found = standing.people(ledger.store, run.id)
        if found.failed and not (found.reached or found.waiting):
            command = f"orchestrator deliveries {run.campaign} --run {run.id} --state failed --state render_failed"
            yield Need("nobody got a message: all of them failed", command, run.campaign, found.failed, run.due_at)


def _missed(ledger: Ledger, now: Instant) -> Iterator[Need]:
    """Moments of the last 24 hours that passed while no daemon was awake."""
    for run in runs.due_between(ledger.store, Instant(now - DAY), now):
        if run.state is RunState.MISSED:
            what = f"{run.occurrence} was missed: no daemon was awake"
            yield Need(what, f"orchestrator send {run.campaign}", run.campaign, None, run.due_at)


def _in_doubt(ledger: Ledger, now: Instant) -> Iterator[Need]:
    """People who may or may not have got their message, of runs of the last 24 hours."""
    for run in _of_the_last_day(ledger, now):
        if many := standing.people(ledger.store, run.id).in_doubt:
            command = f"orchestrator deliveries {run.campaign} --run {run.id} --state unknown"
            yield Need("may have arrived or not: nothing is sent again by itself", command, run.campaign, many, run.due_at)


def _of_the_last_day(ledger: Ledger, now: Instant) -> list[Run]:
    found = runs.due_between(ledger.store, Instant(now - DAY), now)
    return [run for run in found if run.state in (RunState.WORKING, RunState.DONE)]


def _scarce(ledger: Ledger, project: Project, files: Files) -> Iterator[Need]:
    """Pools of coupons that run out, where messages leave."""
    for name in project.settings.coupons:
        try:
            found = stock(ledger, project, files, name)
        except OrchestratorError as problem:
            yield Need(f"coupons {name}: {problem}", "orchestrator check")
            continue
        if found.left * SCARCE < found.codes or (not found.codes and project.environment.deliver is not Deliver.SINK):
            what = f"coupons {name}: {found.left:,} of {found.codes:,} codes are left"
            yield Need(what, f"orchestrator import coupons {name} FILE")
