"""Sending by hand: the audience is resolved once, shown, and the very same people are planned and worked, here and now."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import uvloop

from orchestrator import app, checking
from orchestrator.bundles import Bundles
from orchestrator.bundles import prepared as prepare
from orchestrator.cli.desk import OK, WRONG, Desk, fail, no_such, run_of
from orchestrator.cli.following import Following, failed_whole, in_people, who_waits
from orchestrator.cli.following import told as told_of
from orchestrator.cli.progress import Progress
from orchestrator.cli.stopping import STOPS, stop_when_told
from orchestrator.cli.telling import tell_the_audience
from orchestrator.cli.times import BY_HAND
from orchestrator.config import Deliver
from orchestrator.core.errors import StoreError
from orchestrator.core.times import Instant, iso
from orchestrator.ledger import Ledger, NewRun, Purpose, Run, RunState, asking, deliveries, runs, standing
from orchestrator.pipeline import (
    Cast,
    LedgerThread,
    Parts,
    Prepared,
    ask_again,
    fill,
    plan,
    work,
)
from orchestrator.rendering import RenderChild
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator.cli.rehearsing import Rehearsal


class Bench(Protocol):
    """What it takes to work a run here: the project, its ledger, and a child to render in."""

    @property
    def opened(self) -> app.Opened: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def child(self) -> RenderChild: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """How a run stands after it was worked here, the exit code that says whether it was stopped, and why it was."""

    told: dict[str, Any]
    code: int
    why: str = ""
    waits: tuple[str, ...] = ()
    """Lines that say how many wait, until when, and what will send to them."""
    people: str = ""
    """What became of everybody in it, in one line."""
    also: tuple[str, ...] = ()
    """Lines that say how other runs stand whose messages were due and were worked along with it."""


@contextmanager
def ready(
    desk: Desk, campaign: str, at: Instant, *, sending: bool = False, tried: bool = False
) -> Iterator[tuple[app.Opened, Ledger, Prepared, RenderChild]]:
    """A campaign of the project, its templates compiled, with the ledger and the child they are written in.

    With `tried`, a ConfigError if its messages cannot be written for anybody, or have another mistake.
    """
    opened = desk.open(sending=sending)
    if campaign not in opened.project.campaigns:
        no_such("campaign", campaign, opened.project.campaigns)
    if tried:
        checking.refuse_broken_templates(opened.project, opened.files, campaign)
    # The child is forked before there are threads or databases here.
    with RenderChild() as child:
        ledger = opened.ledger()
        try:
            seal = ledger.seal(Purpose.UNSUBSCRIBE, at)
            yield opened, ledger, prepare(opened.project, opened.files, campaign, seal, child), child
        finally:
            ledger.close()


def more_codes(opened: app.Opened, name: str) -> str:
    """How codes are added to a pool."""
    file = opened.project.settings.coupons[name].codes
    return (
        f"to {file}, or by orchestrator import coupons {name} FILE"
        if file
        else f"orchestrator import coupons {name} FILE"
    )


def ship(desk: Desk, show: "Rehearsal") -> Sent:
    """Plan the rehearsed people as a run of their own and work it to its end; ctrl-c pauses, nothing is lost."""
    ledger, clock = show.ledger, WallClock()
    ledger.begin_boot("cli", clock.now())
    version = runs.keep_bundle(ledger.store, show.opened.files, clock.now())
    # Everybody gets it now, whatever the schedule says of hours and zones.
    campaign = replace(show.prepared.campaign, schedule=None)
    occurrence, source = f"{BY_HAND}{iso(show.at)}", str(show.opened.origin())
    new = NewRun(campaign.name, occurrence, version, show.at, campaign.policy.on_ambiguous, source)
    run, made = ledger.fire(new, clock.now(), ours=True)
    if not made:
        fail(f"{campaign.name} was sent by hand at this very moment already: run {run.id}")
    fill(ledger, show.opened.project, show.opened.files, show.coupons.pools, len(show.casting))
    plan(ledger, run, campaign, Cast(show.casting, "", show.coupons if show.coupons.pools else None), clock.now())
    show.asking.stop()
    return work_here(desk, show, run)


def work_here(desk: Desk, show: Bench, run: Run) -> Sent:
    """Work a planned run until nothing of it is due any more; how it stands then. Closes the ledger."""
    code, others = uvloop.run(_work(desk, show, run))
    tell_the_audience(desk, show.opened)
    return outcome(show.opened, run.id, code, others)


def outcome(opened: app.Opened, number: int, code: int = OK, others: Sequence[int] = ()) -> Sent:
    """How a run stands, its rows counted by state; a run that halted by itself is trouble, and so is one that failed whole."""
    ledger = opened.ledger()
    try:
        run, now = runs.find(ledger.store, number), WallClock().now()
        rows = {str(state): count for state, count in standing.states(ledger.store, number).items()}
        people, waits = standing.people(ledger.store, number), standing.waits(ledger.store, number)
        campaign = opened.project.campaigns.get(run.campaign) if run is not None else None
        lines = tuple(who_waits(ledger, number, campaign, waits, now))
        also = [(run_of(ledger, other), standing.people(ledger.store, other)) for other in others]
    finally:
        ledger.close()
    sink = str(opened.root / app.SINK) if opened.project.environment.deliver is Deliver.SINK else ""
    waiting = {"people": waits.people, "first_at": waits.first, "last_at": waits.last}
    told = {
        "run": number,
        "state": str(run.state) if run else "gone",
        "people": told_of(people),
        "rows": rows,
        "sink": sink,
        "waiting": waiting if waits.people else None,
        "also_worked": [
            {"run": one.id, "campaign": one.campaign, "state": str(one.state), "people": told_of(of_it)}
            for one, of_it in also
        ],
    }
    went = tuple(f"run {one.id} of {one.campaign} is {one.state}   {in_people(of_it)}" for one, of_it in also)
    why = run.reason if run is not None and run.state is RunState.PAUSED else ""
    return Sent(
        told, WRONG if code == OK and (why or failed_whole(rows)) else code, why, lines, in_people(people), went
    )


def _ask_again(show: Bench, bundles: Bundles, run: int, now: Instant, ledger: Ledger) -> None:
    """A long send asks again about those it reaches an hour later; a daemon does so for what is held beyond this verb."""
    if run in asking.runs_to_ask(ledger.store, now):
        found = runs.find(ledger.store, run)
        if found is not None:
            project, opened = show.opened.project, show.opened
            prepared = bundles.prepare(ledger, found.campaign, found.version)
            ask_again(ledger, lambda: app.audience(opened), project, prepared, found, now)


async def _work(desk: Desk, show: Bench, run: Run) -> tuple[int, list[int]]:
    """Work the run; the exit code, which is a signal's if that paused the run, and which other runs had messages due."""
    clock = WallClock()
    held = LedgerThread(show.ledger)
    bundles = Bundles(show.opened.project.environment, clock.now(), show.child)
    rows = await held(lambda ledger: deliveries.rows_of(ledger.store, run.id))
    progress = Progress(run, rows, clock, quiet=desk.as_json)
    parts = Parts(held, app.dispatch(show.opened, clock, random.random), bundles.prepare_shard, progress)
    following = Following(run.id, progress, clock)
    signals = stop_when_told(parts.dispatch.stopping)
    others = set[int]()
    with progress:
        while not parts.dispatch.stopping.is_set():
            try:
                await held(partial(_ask_again, show, bundles, run.id, clock.now()))
            except StoreError as problem:
                desk.note(f"{problem}; who has waited for over an hour waits on")
                break
            shard = await held(lambda ledger: ledger.claim(clock.now()))
            if shard is not None:
                others |= {shard.run} - {run.id}
                await work(shard, parts, clock)
            elif not await following.wait(held, parts.dispatch.stopping):
                break
        await following.count(held, last=True)
    await parts.dispatch.close()
    code = OK
    if signals:
        stopped, why = STOPS[signals[0]]
        if await held(lambda ledger: runs.steer(ledger.store, run.id, RunState.PAUSED, [RunState.WORKING], why)):
            code = stopped
    await held(lambda ledger: ledger.end_boot(clock.now()))
    return code, sorted(others)
