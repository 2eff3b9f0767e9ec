"""The verb that makes the keys of Web Push: the settings get the one, the page the other."""

import typer

from orchestrator.cli.desk import Desk, honest
from orchestrator.cli.screen import say


def register(app: typer.Typer) -> None:
    """Add this verb."""
    app.command()(vapid)


@honest
def vapid(context: typer.Context) -> None:
    """Make a pair of keys for Web Push. Nothing is written down; a page that subscribed with one pair hears from no other."""
    from orchestrator.providers.vapid import pair  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    private, public = pair()

    def tell() -> None:
        say(f" private key   {private}")
        say(
            "               a secret: private_key of the provider in config/orchestrator.yaml, as ${env:…} or ${file:…}"
        )
        say(f" public key    {public}")
        say("               applicationServerKey of pushManager.subscribe() in your page")

    desk.show({"private_key": private, "public_key": public}, tell)
