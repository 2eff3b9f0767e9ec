"""The verb that queues again what failed for passing reasons: people as the audience knows them now, rows as they were."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.asking import ask_for, ask_nobody
from orchestrator.cli.desk import USAGE, Desk, fail, honest, no_such, run_number, run_of
from orchestrator.cli.screen import say
from orchestrator.cli.times import say_occurrence
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator import app as parts
    from orchestrator.core.nouns import Person
    from orchestrator.core.times import Instant
    from orchestrator.ledger import Ledger, Run
    from orchestrator.rendering import RenderChild


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(retry)


@dataclass(frozen=True, slots=True)
class _Bench:
    """What the run is worked with."""

    opened: "parts.Opened"
    ledger: "Ledger"
    child: "RenderChild"


@honest
def retry(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="A run's number, or a campaign's name for its newest run.")],
    reason: Annotated[
        list[str] | None,
        typer.Option("--reason", help="What failed for this reason (again for more); default: passing ones only."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Queue again what failed for passing reasons, and work it here as `send` does.

    People are taken as the audience knows them now; who has left it stays failed. All rules hold again: consent, caps, hours.
    """
    from orchestrator.cli.following import told as told_of  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.sending import tell_sent  # noqa: PLC0415
    from orchestrator.cli.shipping import work_here  # noqa: PLC0415
    from orchestrator.ledger import standing  # noqa: PLC0415

    desk: Desk = context.obj
    reasons = _reasons(reason)
    ask_nobody(desk, f"retry {what}", yes=yes, after="`orchestrator deliveries --state failed` showed who it is")
    now = WallClock().now()
    with _bench(desk) as bench:
        run = _run(bench, what)
        people, gone = _failed(bench, run, reasons, now)
        told: dict[str, Any] = {"campaign": run.campaign, "reasons": list(reasons), "gone": gone, "queued": 0}
        if not people:
            nothing = (
                f" nothing to retry: run {run.id} of {run.campaign} has no delivery that failed ({', '.join(reasons)})"
            )
            more = f" of somebody who is still in the audience; {gone:,} have left it" if gone else ""
            stands = told_of(standing.people(bench.ledger.store, run.id))
            told |= {"run": run.id, "state": str(run.state), "people": stands, "rows": {}, "sink": ""}
            told |= {"waiting": None, "also_worked": []}
            desk.show(told, lambda: say(nothing + more))
            return
        if not desk.as_json:
            left = f" · {gone:,} have left the audience and stay failed" if gone else ""
            say(
                f" run {run.id} of {run.campaign} · {say_occurrence(run.occurrence, desk.zone())}   {len(people):,} people failed{left}"
            )
        if not yes:
            ask_for(len(people), "people to try again")
        told["queued"] = _queue(bench.ledger, run, people, reasons, now)
        sent = work_here(desk, bench, run)
    tell_sent(desk, run.campaign, sent, told)


def _reasons(given: Sequence[str] | None) -> tuple[str, ...]:
    from orchestrator.core.reasons import Reason  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger.deliveries import PASSING  # noqa: PLC0415

    for one in given or ():
        if one not in list(Reason):
            no_such("reason", one, Reason)
    return tuple(given or PASSING)


@contextmanager
def _bench(desk: Desk) -> Iterator[_Bench]:
    from orchestrator.rendering import RenderChild  # noqa: PLC0415 - keeps `--help` fast

    opened = desk.open(sending=True)
    # The child is forked before there are threads or databases here.
    with RenderChild() as child:
        ledger = opened.ledger()
        try:
            ledger.begin_boot("cli", WallClock().now())
            yield _Bench(opened, ledger, child)
        finally:
            ledger.close()


def _run(bench: _Bench, what: str) -> "Run":
    """The run that is meant: by number, or the newest of a campaign."""
    from orchestrator.ledger import RunState, runs  # noqa: PLC0415 - keeps `--help` fast

    if (number := run_number(what)) is not None:
        run = run_of(bench.ledger, number)
    else:
        if what not in bench.opened.project.campaigns:
            no_such("campaign", what, bench.opened.project.campaigns)
        states = [RunState.WORKING, RunState.DONE, RunState.PAUSED, RunState.CANCELLED]
        found = runs.listed(bench.ledger.store, what, states, limit=1)
        if not found:
            fail(f"{what} has not run yet; orchestrator send {what}", USAGE)
        run = found[0]
    if run.state not in (RunState.WORKING, RunState.DONE):
        verb = {RunState.PAUSED: "resume", RunState.WAITING: "approve"}.get(run.state)
        hint = f"; orchestrator {verb} {run.id} first" if verb else ""
        fail(f"run {run.id} of {run.campaign} is {run.state}: nothing of it can be tried again{hint}")
    return run


def _failed(bench: _Bench, run: "Run", reasons: Sequence[str], now: "Instant") -> "tuple[list[Person], int]":
    """Those whose delivery failed, as the audience knows them now, under the segment and variant of their row; how many left."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.bundles import Bundles  # noqa: PLC0415
    from orchestrator.ledger import deliveries  # noqa: PLC0415
    from orchestrator.pipeline import Casting, coupons_of, supply  # noqa: PLC0415

    rows = deliveries.failed_rows(bench.ledger.store, run.id, reasons)
    if not rows:
        return [], 0
    opened, bundles = bench.opened, Bundles(bench.opened.project.environment, now)
    prepared = bundles.prepare(bench.ledger, run.campaign, run.version)
    project = bundles.project(bench.ledger, run.version)
    touched = prepared.letters.touched()
    casting = Casting(app.audience(opened), project, prepared.campaign, now, touched, among=list(rows))
    try:
        people = [replace(person, segment=rows[person.user][0], variant=rows[person.user][1]) for person in casting]
    finally:
        casting.close()
    wanted = coupons_of(project, prepared.letters)
    people = supply(bench.ledger, run.id, sorted(people, key=lambda person: person.user), wanted, now)
    return people, len(rows) - len(people)


def _queue(ledger: "Ledger", run: "Run", people: "Sequence[Person]", reasons: Sequence[str], now: "Instant") -> int:
    """Their rows as shards of their own; how many rows."""
    from orchestrator.ledger import deliveries  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.pipeline import PEOPLE_A_SHARD  # noqa: PLC0415

    cuts = range(0, len(people), PEOPLE_A_SHARD)
    return sum(deliveries.retry(ledger.store, run.id, people[at : at + PEOPLE_A_SHARD], now, reasons) for at in cuts)
