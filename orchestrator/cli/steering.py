"""Verbs that steer what is under way: pause, resume, cancel; each takes effect within one half window of messages."""

from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.desk import USAGE, Desk, fail, honest, run_number, run_of
from orchestrator.cli.screen import say
from orchestrator.cli.signing import By, signed
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
def pause(context: typer.Context, what: What, by: By = None) -> None:
    """Let nothing more of it leave; what is in the air is still settled, the rest stays planned."""
    from orchestrator.ledger import RunState, pace  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    if (number := run_number(what)) is not None:
        _steer(desk, number, RunState.PAUSED, (RunState.WORKING,), "paused by hand", signed(by))
        return
    scope = _scope(desk, what)
    with desk.ledger(despite_mistakes=True) as ledger:
        now = WallClock().now()
        with ledger.store.transaction():
            pace.pause(ledger.store, scope, None, "paused by hand", now, signed(by))
    desk.show({"paused": scope}, lambda: say(f"{scope} is paused: orchestrator resume {what}"))


@honest
def resume(context: typer.Context, what: What, by: By = None) -> None:
    """Let go on what was paused. A run that waits for a person has a verb of its own: approve."""
    from orchestrator.ledger import RunState, pace  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    if (number := run_number(what)) is not None:
        _steer(desk, number, RunState.WORKING, (RunState.PAUSED,), "", signed(by))
        return
    scope = _scope(desk, what)
    with desk.ledger(despite_mistakes=True) as ledger:
        resumed = pace.resume(ledger.store, scope, WallClock().now(), signed(by))
    desk.show(
        {"resumed": scope, "stood_still": resumed},
        lambda: say(f"{scope} goes on" if resumed else f"{scope} was not paused"),
    )


@honest
def cancel(
    context: typer.Context, what: Annotated[int, typer.Argument(help="The run's number.")], by: By = None
) -> None:
    """End a run: nobody else gets anything of it, and every row says so."""
    from orchestrator.ledger import RunState, runs  # noqa: PLC0415 - keeps `--help` fast

    _steer(context.obj, what, RunState.CANCELLED, runs.CANCELLABLE, "cancelled by hand", signed(by))


def _steer(desk: Desk, number: int, to: "RunState", come_from: "Sequence[RunState]", reason: str, who: str) -> None:
    from orchestrator.ledger import audit, figures, runs  # noqa: PLC0415 - keeps `--help` fast

    with desk.ledger(despite_mistakes=True) as ledger:
        run_of(ledger, number)
        now, did = WallClock().now(), {"cancelled": audit.What.CANCELLED, "working": audit.What.RESUMED}
        by = audit.Entry(now, who, did.get(to, audit.What.PAUSED), audit.run_subject(number), reason)
        if to == "cancelled":
            moved = runs.cancel(ledger.store, number, reason, now, by)
        else:
            moved = runs.steer(ledger.store, number, to, come_from, reason, by)
        found = run_of(ledger, number)
        served = bool(figures.alive(ledger.store, "supervisor"))
    if not moved:
        if to == "working" and found.state == "waiting":
            why = f"waits for a person ({found.reason})"
            fail(f"run {number} of {found.campaign} {why}: orchestrator approve {number}")
        fail(
            f"run {number} of {found.campaign} is {found.state}; only one that is {' or '.join(come_from)} can become {to}"
        )
    desk.show(
        {"run": number, "campaign": found.campaign, "state": to}, lambda: _say(number, found.campaign, to, served)
    )


def _say(number: int, campaign: str, to: "RunState", served: bool) -> None:
    say(f"run {number} of {campaign} is {to}")
    if to == "cancelled" and not served:
        say(" no daemon runs: nothing more is sent, and its rows say so after the next orchestrator serve")
    elif to == "working" and not served:
        say(" no daemon runs; it goes on with: orchestrator serve")


def _scope(desk: Desk, what: str) -> str:
    campaigns, providers = desk.names()
    if what in campaigns:
        return f"campaign:{what}"
    if what.removeprefix("provider:") in providers:
        return f"provider:{what.removeprefix('provider:')}"
    known = [*campaigns, *(f"provider:{name}" for name in providers)]
    return fail(f"{what}: neither a run's number, a campaign nor a provider; there are {', '.join(known)}", USAGE)
