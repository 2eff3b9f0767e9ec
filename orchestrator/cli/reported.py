"""The verb about providers' reports: where each provider of the settings is told to post what became of messages."""

from typing import TYPE_CHECKING

import typer

from orchestrator.cli.desk import WRONG, Desk, fail, honest
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator.app import Opened


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(callbacks)


@honest
def callbacks(context: typer.Context) -> None:
    """Show the URLs at which providers say what became of messages: delivered, bounced, complained."""
    from orchestrator.ledger import Purpose  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import callbacks as reports  # noqa: PLC0415

    desk: Desk = context.obj
    opened = desk.open()
    base = opened.project.settings.public_url
    where = _where(opened)
    if where and not base:
        fail(
            "nobody outside can reach `serve`: write in config/orchestrator.yaml where it is reached,"
            " `public_url: https://go.shop.example`",
            WRONG,
        )
    with desk.ledger() as ledger:
        seal = ledger.seal(Purpose.CALLBACK, WallClock().now())
        waiting = reports.waiting(ledger.store)
    told = [
        {"provider": name, "url": f"{base}/v1/callbacks/{seal.seal(name)}", "tell": tell}
        for name, tell in where.items()
    ]

    def show() -> None:
        if not told:
            typer.echo("none of the providers in config/orchestrator.yaml tells later what became of messages")
        for one in told:
            typer.echo(f"{one['provider']}\n  {one['url']}\n  {one['tell']}\n")
        if told:
            typer.echo("Whoever knows such a URL can report for its provider: keep it as you keep a key.")
        if waiting:
            typer.echo(f"{waiting:,} reports wait to be taken into the deliveries, which `serve` does.")

    desk.show({"waiting": waiting, "providers": told}, show)


def _where(opened: "Opened") -> dict[str, str]:
    """The providers whose services tell us, and where in each one says which URL."""
    from orchestrator.providers import hears, registry  # noqa: PLC0415 - keeps `--help` fast

    found = {}
    for name, provider in opened.project.settings.providers.items():
        adapter = registry.provider(provider.adapter)
        if hears(adapter):
            found[name] = adapter.declaration.reports
    return found
