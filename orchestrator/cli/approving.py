"""The verb with which a person lets a run go that waits for one: its audience is odd or large, or its data late."""

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.asking import ask_for, ask_nobody
from orchestrator.cli.desk import USAGE, Desk, fail, honest, no_such, run_number, run_of
from orchestrator.cli.screen import say
from orchestrator.cli.signing import By, signed
from orchestrator.cli.times import say_occurrence, when
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator.core.times import Instant
    from orchestrator.ledger import Ledger, Run


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(approve)


@honest
def approve(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="The run's number, or the campaign's name if one run of it waits.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: By = None,
) -> None:
    """Let a run go that waits for a person: it says why it waits, and asks for the number of its people.

    The ledger remembers who approved it and when; `report` and `today` show it.
    """
    from orchestrator.ledger import figures, runs  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    ask_nobody(desk, f"approve {what}", yes=yes, after="`orchestrator today` showed why it waits")
    with desk.ledger(despite_mistakes=True) as ledger:
        run = _waiting(desk, ledger, what)
        people = run.audience or 0
        if not desk.as_json:
            say(f" run {run.id} of {run.campaign} · {say_occurrence(run.occurrence, desk.zone())} · {people:,} people")
            say(f" it waits for a person: {run.reason}")
            if late := _until(desk, ledger, run, WallClock().now()):
                say(f" {late}")
        if not yes:
            ask_for(people, "people in it", "approve", "nothing was approved")
        now = WallClock().now()
        if not runs.approve(ledger.store, run.id, signed(by), now):
            fail(_not_waiting(run_of(ledger, run.id)))
        served = bool(figures.alive(ledger.store, "supervisor"))
    told = {"run": run.id, "campaign": run.campaign, "state": "working", "people": people, "waited_for": run.reason}

    def tell() -> None:
        say(f" run {run.id} of {run.campaign} is approved by {signed(by)}: its {people:,} people are worked now")
        if not served:
            say(" no daemon runs; it goes on with: orchestrator serve")

    desk.show({**told, "by": signed(by), "at": now}, tell)


def _waiting(desk: Desk, ledger: "Ledger", what: str) -> "Run":
    """The run that is meant: by its number, or the only one of a campaign that waits."""
    from orchestrator.ledger import RunState, runs  # noqa: PLC0415 - keeps `--help` fast

    if (number := run_number(what)) is not None:
        run = run_of(ledger, number)
        if run.state is not RunState.WAITING:
            fail(_not_waiting(run))
        return run
    found = runs.listed(ledger.store, what, [RunState.WAITING])
    if not found:
        if not runs.listed(ledger.store, what, limit=1) and what not in (campaigns := desk.names()[0]):
            no_such("campaign", what, campaigns)
        fail(f"{what}: no run of it waits for a person; orchestrator today shows what does")
    if len(found) > 1:
        told = ", ".join(f"{run.id} ({run.audience or 0:,} people, {run.occurrence})" for run in found)
        fail(f"{what}: {len(found)} runs of it wait for a person: {told}. Say which number.", USAGE)
    return found[0]


def _until(desk: Desk, ledger: "Ledger", run: "Run", now: "Instant") -> str:
    """How long its messages may still leave; empty where its files cannot be read, or everybody has a moment of their own."""
    from orchestrator import config  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.eligibility import deadline  # noqa: PLC0415
    from orchestrator.core.errors import StoreError  # noqa: PLC0415
    from orchestrator.core.facts import RunFacts  # noqa: PLC0415
    from orchestrator.core.times import NEVER  # noqa: PLC0415

    try:
        project = config.load(ledger.bundle(run.version), desk.environment).project
    except StoreError:
        return ""
    campaign = project.campaigns.get(run.campaign) if project is not None else None
    zone = "" if campaign is None else campaign.policy.time_zone
    if campaign is None or (campaign.schedule is not None and campaign.schedule.recipient):
        return ""
    until = deadline(campaign, RunFacts(run.id, run.due_at, run.due_at))
    if until <= now:
        return f"its time was over at {when(until, zone)} (`expires`): approved now, nobody gets it any more"
    return "" if until >= NEVER else f"who does not get it by {when(until, zone)} gets nothing (`expires`)"


def _not_waiting(run: "Run") -> str:
    hint = f": orchestrator resume {run.id}" if run.state == "paused" else ""
    return f"run {run.id} of {run.campaign} is {run.state}, it does not wait for a person{hint}"
