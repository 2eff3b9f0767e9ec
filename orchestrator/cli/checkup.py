"""The examination `doctor` makes: each finding says what was looked at, whether it is well, and what to do if not."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator import app, checking
from orchestrator.cli.desk import Desk
from orchestrator.cli.screen import many
from orchestrator.cli.times import when
from orchestrator.config import Deliver
from orchestrator.core.campaigns import CampaignState, Consent, Kind
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.holding import ended
from orchestrator.core.times import HOUR, MINUTE, NEVER, SECOND, Instant
from orchestrator.ledger import Ledger, RunState, consent, figures, pace, runs

LITTLE = 1 << 30
"""Bytes of free space below which a store's disk is short: a million deliveries take some 300 MB."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    well: bool
    text: str


def examine(desk: Desk, now: Instant, *, online: bool = False) -> list[Finding]:
    """Look at everything; a finding that is not well does not keep the others from being made."""
    loaded = desk.load()
    files, mistakes = checking.examined(desk.root, loaded)
    if loaded.project is None:
        return [Finding("files", False, str(mistake)) for mistake in mistakes]
    opened = desk.open()
    environment = opened.project.environment
    findings = [Finding("files", False, str(mistake)) for mistake in mistakes]
    if not mistakes:
        text = f"{files} files, no mistake; {environment.name}: {app.whom(opened)}"
        findings.append(Finding("files", True, text))
    findings += _seeds(opened)
    troubles = {name: app.unusable(opened, name) for name in opened.project.settings.providers}
    for name, trouble in troubles.items():
        # Where nothing leaves, a secret that is not there keeps nobody from anything.
        well = not trouble or environment.deliver is Deliver.SINK
        idle = f"; not needed where nothing leaves ({environment.name})" if well else ""
        text = f"{trouble}{idle}" if trouble else "every secret is there, every setting can be used"
        findings.append(Finding(f"provider {name}", well, text))
    if online:
        from orchestrator.cli.reaching import reach_all  # noqa: PLC0415 - most examinations stay at home

        findings += reach_all(opened, [name for name, trouble in troubles.items() if not trouble])
    findings += _audience(opened, now)
    try:
        ledger = opened.ledger()
    except OrchestratorError as problem:
        return [*findings, Finding("ledger", False, str(problem))]
    try:
        return [*findings, *_ledger(opened, ledger, now)]
    finally:
        ledger.close()


def _seeds(opened: app.Opened) -> Iterator[Finding]:
    """Whether anybody can get anything, where only seeds do."""
    name = opened.project.settings.seeds
    if opened.project.environment.deliver is Deliver.SEEDS and not app.seeds(opened).values:
        yield Finding(
            "seeds", False, f"{name} names nobody, so nobody gets anything; add user ids or addresses, one a line"
        )


def _audience(opened: app.Opened, now: Instant) -> Iterator[Finding]:
    if engine := app.elsewhere(opened):
        yield from _warehouse(opened, engine)
        return
    try:
        store = app.own_audience(opened)
        counts = store.counts()
        newest = max(store.newest(opened.project.catalogue.events, now).values(), default=None)
    except OrchestratorError as problem:
        yield Finding("audience", False, str(problem))
        return
    zone = opened.project.settings.time_zone
    said = f", the newest of {when(newest, zone)}" if newest is not None else ""
    if counts.newest > now:
        said += f"; some are of the future, up to {when(counts.newest, zone)}: a clock there is wrong"
    yield Finding("audience", True, f"{counts.profiles:,} people, {many(counts.events, 'event')}{said}")
    yield from _disk("audience", store.path)


def _warehouse(opened: app.Opened, engine: str) -> Iterator[Finding]:
    """An audience that is somebody else's: is it there, does it have what the mapping names?"""
    from orchestrator.audience.questions import everybody  # noqa: PLC0415 - it brings the engines along

    try:
        store = app.audience(opened)
        missing = store.mistakes()
        yield from (Finding("audience", False, str(mistake)) for mistake in missing)
        if not missing:
            many = everybody(store.ask)
            yield Finding("audience", True, f"{many:,} people in {engine}, which is only read: its tables are not ours")
    except OrchestratorError as problem:
        yield Finding("audience", False, str(problem))


def _disk(what: str, path: Path) -> Iterator[Finding]:
    """Whether a store's file can grow: its rights and its disk."""
    ours = os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)
    if not ours:
        yield Finding(what, False, f"{path} or its folder is not ours to write; give this user the right to")
    free = shutil.disk_usage(path.parent).free
    if free < LITTLE:
        yield Finding(what, False, f"{free / (1 << 20):,.0f} MB are left on the disk of {path}; make room")


def _ledger(opened: app.Opened, ledger: Ledger, now: Instant) -> Iterator[Finding]:
    store = ledger.store
    many = sum(figures.runs_by_state(store).values())
    yield Finding("ledger", True, "1 run" if many == 1 else f"{many:,} runs")
    path = getattr(store, "path", None)
    if isinstance(path, Path):
        yield from _disk("ledger", path)
    daemons = figures.alive(store, "supervisor")
    yield from _over(opened, now)
    yield from _daemon(opened, daemons, now)
    yield from _queue(figures.queue(store, now), daemons, now)
    for scope, until, reason in pace.pauses(store, now):
        end = (
            "until somebody resumes it" if until >= NEVER else f"until {when(until, opened.project.settings.time_zone)}"
        )
        name = scope.removeprefix("campaign:")
        yield Finding(f"pause {scope}", False, f"{reason or 'by hand'}, {end}: orchestrator resume {name}")
    yield from _coupons(opened, ledger)
    for run in runs.listed(store, states=[RunState.WAITING]):
        text = f"{run.reason}; orchestrator approve {run.id} lets it go, orchestrator cancel {run.id} ends it"
        yield Finding(f"run {run.id} of {run.campaign} waits for a person", False, text)
    for run in runs.listed(store, states=[RunState.PAUSED]):
        text = f"{run.reason}; orchestrator resume {run.id} goes on, orchestrator cancel {run.id} ends it"
        yield Finding(f"run {run.id} of {run.campaign} is paused", False, text)
    yield from _words(opened, ledger)


def _coupons(opened: app.Opened, ledger: Ledger) -> Iterator[Finding]:
    """How far the pools of coupons reach."""
    from orchestrator.cli.shipping import more_codes  # noqa: PLC0415 - it brings the engines along
    from orchestrator.ledger.coupons import Stock  # noqa: PLC0415
    from orchestrator.pipeline import stock  # noqa: PLC0415

    stocks: dict[str, Stock] = {}
    for name in opened.project.settings.coupons:
        try:
            stocks[name] = stock(ledger, opened.project, opened.files, name)
        except OrchestratorError as problem:
            yield Finding(f"coupons {name}", False, str(problem))
    empty = [name for name, found in stocks.items() if not found.codes]
    takers = checking.takers(opened.project, opened.files, empty)
    for name, found in stocks.items():
        if name in empty:
            by = takers.get(name, [])
            # Where nothing leaves, a pool that waits for its first codes keeps nobody from anything.
            well = not by or opened.project.environment.deliver is Deliver.SINK
            asked = (
                f"{', '.join(by)} give{'s' * (len(by) == 1)} one to each person" if by else "no live campaign takes one"
            )
            text = f"no code is in it yet, and {asked}"
        else:
            well, text = not found.scarce, f"{found.left:,} of {found.codes:,} codes are left"
        more = f"; add some: {more_codes(opened, name)}" if found.scarce and (found.codes or takers.get(name)) else ""
        yield Finding(f"coupons {name}", well, text + more)


def _over(opened: app.Opened, now: Instant) -> Iterator[Finding]:
    """Live campaigns whose schedule is over."""
    for name, campaign in opened.project.campaigns.items():
        if campaign.state is CampaignState.LIVE and (why := ended(campaign, now)):
            yield Finding(f"campaign {name}", True, f"has ended ({why}): the clock starts no run of it any more")


def _daemon(opened: app.Opened, daemons: list[str], now: Instant) -> Iterator[Finding]:
    """Who works by the clock. On SQLite there is one at most: the second ends at once and names the first."""
    waiting = [
        name
        for name, campaign in opened.project.campaigns.items()
        if campaign.state is CampaignState.LIVE
        and (campaign.schedule is not None or campaign.trigger is not None)
        and not ended(campaign, now)
    ]
    if daemons:
        more = f"; {len(daemons)} of them share this ledger" if len(daemons) > 1 else ""
        yield Finding("daemon", True, f"{', '.join(daemons)}{more}")
    elif waiting and opened.project.environment.deliver is Deliver.EVERYONE:
        yield Finding("daemon", False, f"none runs, and {', '.join(waiting)} wait for the clock: orchestrator serve")
    else:
        yield Finding("daemon", True, "none runs: nothing is sent by the clock; orchestrator serve")


def _queue(queue: figures.Queue, daemons: list[str], now: Instant) -> Iterator[Finding]:
    waits = 0 if queue.oldest_due_at is None else now - queue.oldest_due_at
    told = f"{queue.due} due, {queue.claimed} being worked, {queue.later} later"
    if waits > figures.STUCK:
        since = f"the oldest has waited for {_span(waits)}"
        remedy = "look at the daemon's log" if daemons else "nobody works them: orchestrator serve"
        yield Finding("queue", False, f"shards: {told}; {since}; {remedy}")
    else:
        yield Finding("queue", True, f"shards: {told}")


def _span(length: int) -> str:
    return f"{length // HOUR} h {length % HOUR // MINUTE} min" if length >= HOUR else f"{length // SECOND // 60} min"


def _words(opened: app.Opened, ledger: Ledger) -> Iterator[Finding]:
    """What people said before we knew them: without it nobody is reached, or those who must not be."""
    name = opened.project.environment.name
    live = [one for one in opened.project.campaigns.values() if one.state is CampaignState.LIVE]
    for topic in sorted({one.policy.topic for one in live if one.policy.consent is Consent.OPT_IN}):
        if not consent.consent_told(ledger.store, topic):
            text = f"nobody's word on {topic} is known, so nobody gets any of it: orchestrator --env {name} import consent FILE"
            yield Finding("consent", opened.project.environment.deliver is Deliver.SINK, text)
    marketing = next((one for one in live if one.kind is Kind.MARKETING), None)
    if marketing is not None and (text := app.untold(opened, ledger, marketing)):
        yield Finding("suppressions", False, f"nothing is sent in {name}: {text}")
