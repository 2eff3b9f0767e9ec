"""What waits for a person: runs to approve, what stands still, what failed, what was missed, coupons, a daemon that is not there."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.config import Deliver, Files, Project
from orchestrator.core.campaigns import Schedule
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.holding import by_clock, ended
from orchestrator.core.occurrences import occurrences
from orchestrator.core.times import DAY, NEVER, Instant
from orchestrator.ledger import Ledger, Run, RunState, audit, figures, pace, runs, standing
from orchestrator.ledger.audit import What
from orchestrator.ledger.standing import People
from orchestrator.pipeline.coupons import stock


@dataclass(frozen=True, slots=True)
class Need:
    """One thing a person must do something about: since when (None: nobody knows), how many people wait, what to type."""

    what: str
    command: str
    campaign: str = ""
    people: int | None = None
    since: Instant | None = None


Count = Callable[[int], People]
"""What became of a run's people."""


Takers = Callable[[Collection[str]], Mapping[str, Sequence[str]]]
"""Of some pools of coupons those that live campaigns take codes from, with the campaigns."""


def needs(ledger: Ledger, project: Project, files: Files, count: Count, takers: Takers, now: Instant) -> list[Need]:
    """Everything that waits for a person, the most urgent kind first, of each the oldest."""
    daemons = figures.alive(ledger.store, "supervisor")
    today = runs.due_between(ledger.store, Instant(now - DAY), now)
    kinds = (
        _held(ledger),
        _standing_still(ledger, now),
        _nobody_works(ledger, project, daemons, count, now),
        _went_wrong(today, count),
        _missed(today),
        _scarce(ledger, project, files, takers),
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
        what, command = f"paused: {_why(run.reason)}", f"orchestrator resume {run.id}"
        yield Need(what, command, run.campaign, waits, entry.at if entry else None)
    endless = [(scope, reason) for scope, until, reason in pace.pauses(ledger.store, now) if until >= NEVER]
    begun = audit.newest(ledger.store, [scope for scope, _ in endless], What.PAUSED)
    for scope, reason in endless:
        campaign = scope.removeprefix("campaign:") if scope.startswith("campaign:") else ""
        what = f"{'campaign' if campaign else scope.replace(':', ' ')} is paused: {_why(reason)}"
        since = begun[scope].at if scope in begun else None
        yield Need(what, f"orchestrator resume {campaign or scope}", campaign, None, since)


def _why(reason: str) -> str:
    return reason.removeprefix("paused ") or "by hand"


def _nobody_works(ledger: Ledger, project: Project, daemons: list[str], count: Count, now: Instant) -> Iterator[Need]:
    """Work that is due and no daemon, or one that does not come to it; people of a run who wait, and moments of the clock."""
    queue = figures.queue(ledger.store, now)
    due = runs.listed(ledger.store, states=[RunState.DUE])
    oldest = min(
        [*([queue.oldest_due_at] if queue.oldest_due_at is not None else []), *(run.due_at for run in due)],
        default=None,
    )
    stuck = oldest is not None and now - oldest > figures.STUCK
    if daemons:
        if stuck:
            what = "work has been due for long and is not done: look at the daemon's log"
            yield Need(what, "orchestrator status", since=oldest)
        return
    waiting = sum(count(run.id).waiting for run in runs.listed(ledger.store, states=[RunState.WORKING]))
    clocks = _clocks(project, now)
    if stuck or waiting or clocks:
        what = "no daemon runs: nothing is sent by the clock"
        yield Need(what, "orchestrator serve", people=waiting or None, since=oldest if stuck else None)
    for one, schedule in clocks:
        yield from _asleep(ledger, one, schedule, now)


def _clocks(project: Project, now: Instant) -> list[tuple[str, Schedule]]:
    """The live campaigns that a clock starts."""
    return [
        (one.name, schedule)
        for one in project.campaigns.values()
        if (schedule := by_clock(one)) is not None and not ended(one, now)
    ]


def _asleep(ledger: Ledger, campaign: str, schedule: Schedule, now: Instant) -> Iterator[Need]:
    """Moments of a clock in the last 24 hours that no daemon has seen to yet; one that starts makes up for what it may."""
    seen = ledger.looked_at(campaign)
    if seen is None:
        return
    passed = list(occurrences(schedule, max(seen, Instant(now - DAY)), now))
    if passed:
        moments = "a moment" if len(passed) == 1 else f"{len(passed):,} moments"
        what = f"{moments} of its clock went by and no daemon was awake"
        yield Need(what, "orchestrator serve", campaign, since=passed[0].at)


def _went_wrong(today: Iterable[Run], count: Count) -> Iterator[Need]:
    """Runs of the last 24 hours in which messages failed and nobody's arrived, or some are in doubt."""
    for run in today:
        if run.state not in (RunState.WORKING, RunState.DONE):
            continue
        found, look = count(run.id), f"orchestrator deliveries {run.campaign} --run {run.id}"
        if found.failed and not (found.reached or found.waiting):
            what, command = "nobody got a message: all of them failed", f"{look} --state failed --state render_failed"
            yield Need(what, command, run.campaign, found.failed, run.due_at)
        if found.in_doubt:
            what = "may have arrived or not, and nothing is sent again by itself"
            yield Need(what, f"{look} --state unknown", run.campaign, found.in_doubt, run.due_at)


def _missed(today: Iterable[Run]) -> Iterator[Need]:
    """Moments of the last 24 hours that passed while no daemon was awake."""
    for run in today:
        if run.state is RunState.MISSED:
            what = f"{run.occurrence} was missed: no daemon was awake"
            yield Need(what, f"orchestrator send {run.campaign}", run.campaign, None, run.due_at)


def _scarce(ledger: Ledger, project: Project, files: Files, takers: Takers) -> Iterator[Need]:
    """Pools of coupons that run out; and those without any code, where messages leave and a live campaign takes one."""
    empty = []
    for name in project.settings.coupons:
        try:
            found = stock(ledger, project, files, name)
        except OrchestratorError as problem:
            yield Need(f"coupons {name}: {problem}", "orchestrator check")
            continue
        if found.codes and found.scarce:
            what = f"coupons {name}: {found.left:,} of {found.codes:,} codes are left"
            yield Need(what, f"orchestrator import coupons {name} FILE")
        elif not found.codes and project.environment.deliver is not Deliver.SINK:
            empty.append(name)
    for name, by in takers(empty).items():
        what = (
            f"coupons {name}: no code is in it yet, and {', '.join(by)} give{'s' * (len(by) == 1)} one to each person"
        )
        yield Need(what, f"orchestrator import coupons {name} FILE", by[0] if len(by) == 1 else "")
