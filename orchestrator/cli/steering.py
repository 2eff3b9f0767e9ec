"""Verbs that steer what is under way: pause, resume, cancel. Each takes effect within one half window of messages."""

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.desk import USAGE, Desk, fail, honest, run_number, run_of
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.ledger import RunState


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    app.command()(pause)
    app.command()(resume)
    app.command()(cancel)


What = Annotated[str, typer.Argument(help="A run's number, a campaign's name, or a provider as provider:NAME.")]


@honest
def pause(context: typer.Context, what: What) -> None:
    """Let nothing more of it leave; what is in the air is still settled, the rest stays planned."""
    from orchestrator.ledger import RunState, pace  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    if (number := run_number(what)) is not None:
        _steer(desk, number, RunState.PAUSED, (RunState.WORKING,), "paused by hand")
        return
    scope = _scope(desk, what)
    with desk.ledger(despite_mistakes=True) as ledger:
        now = WallClock().now()
        with ledger.store.transaction():
            pace.pause(ledger.store, scope, None, "paused by hand", now)
    desk.show({"paused": scope}, lambda: typer.echo(f"{scope} is paused: orchestrator resume {what}"))


@honest
def resume(context: typer.Context, what: What) -> None:
    """Let it go on; a run that waits for a person is thereby approved."""
    from orchestrator.ledger import RunState, pace  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    if (number := run_number(what)) is not None:
        _steer(desk, number, RunState.WORKING, (RunState.PAUSED, RunState.WAITING), "")
        return
    scope = _scope(desk, what)
    with desk.ledger(despite_mistakes=True) as ledger:
        resumed = pace.resume(ledger.store, scope, WallClock().now())
    desk.show(
        {"resumed": scope, "stood_still": resumed},
        lambda: typer.echo(f"{scope} goes on" if resumed else f"{scope} was not paused"),
    )


@honest
def cancel(context: typer.Context, what: Annotated[int, typer.Argument(help="The run's number.")]) -> None:
    """End a run: nobody else gets anything of it, and every row says so."""
    from orchestrator.ledger import RunState, runs  # noqa: PLC0415 - keeps `--help` fast

    _steer(context.obj, what, RunState.CANCELLED, runs.CANCELLABLE, "cancelled by hand")


def _steer(desk: Desk, number: int, to: "RunState", come_from: "Sequence[RunState]", reason: str) -> None:
    from orchestrator.ledger import figures, runs  # noqa: PLC0415 - keeps `--help` fast

    with desk.ledger(despite_mistakes=True) as ledger:
        run_of(ledger, number)
        if to == "cancelled":
            moved = runs.cancel(ledger.store, number, reason, WallClock().now())
        else:
            moved = runs.steer(ledger.store, number, to, come_from, reason)
        found = run_of(ledger, number)
        served = bool(figures.alive(ledger.store, "supervisor"))
    if not moved:
        fail(
            f"run {number} of {found.campaign} is {found.state}; only one that is {' or '.join(come_from)} can become {to}"
        )
    desk.show(
        {"run": number, "campaign": found.campaign, "state": to}, lambda: _say(number, found.campaign, to, served)
    )


def _say(number: int, campaign: str, to: "RunState", served: bool) -> None:
    typer.echo(f"run {number} of {campaign} is {to}")
    if to == "cancelled" and not served:
        typer.echo(" no daemon runs: nothing more is sent, and its rows say so after the next orchestrator serve")
    elif to == "working" and not served:
        typer.echo(" no daemon runs; it goes on with: orchestrator serve")


def _scope(desk: Desk, what: str) -> str:
    campaigns, providers = desk.names()
    if what in campaigns:
        return f"campaign:{what}"
    if what.removeprefix("provider:") in providers:
        return f"provider:{what.removeprefix('provider:')}"
    known = [*campaigns, *(f"provider:{name}" for name in providers)]
    return fail(f"{what}: neither a run's number, a campaign nor a provider; there are {', '.join(known)}", USAGE)
