"""The verb about events over HTTP: the write key they come in under."""

import typer

from orchestrator.cli.desk import Desk, honest
from orchestrator.wire.clock import WallClock

ingest = typer.Typer(help="The key of events over HTTP.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    ingest.command()(key)
    app.add_typer(ingest, name="ingest")


@ingest.callback()
def about() -> None:
    """The key of events over HTTP."""


@honest
def key(context: typer.Context) -> None:
    """Show the write key for the SDKs that send events and profiles to `serve`."""
    from orchestrator.ledger import Purpose, write_key  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    with desk.ledger() as ledger:
        told = write_key(ledger.seal(Purpose.WRITE, WallClock().now()).keys[0])
    desk.show({"write_key": told}, lambda: typer.echo(told))
