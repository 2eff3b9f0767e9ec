"""Verbs about the in-app inbox: the key your server signs tokens with, and a token to try things out."""

from typing import Annotated

import typer

from orchestrator.cli.desk import USAGE, Desk, fail, honest
from orchestrator.cli.times import length
from orchestrator.wire.clock import WallClock

inbox = typer.Typer(help="The keys of the in-app inbox.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    inbox.command()(key)
    inbox.command()(token)
    app.add_typer(inbox, name="inbox")


@honest
def key(context: typer.Context) -> None:
    """Show the key that tokens are signed with, for your own server: its id and its secret, in hexadecimal."""
    from orchestrator.ledger import Purpose  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    with desk.ledger() as ledger:
        newest = ledger.seal(Purpose.INBOX, WallClock().now()).keys[0]
    told = {"kid": newest.id, "secret": newest.secret.hex()}
    desk.show(told, lambda: typer.echo(f"kid     {told['kid']}\nsecret  {told['secret']}"))


@honest
def token(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="For whom (a user's id).")],
    lasts: Annotated[
        str, typer.Option("--for", help="How long it is good, 12h or 12 hours; a day at most.")
    ] = "1 hour",
) -> None:
    """Make a token by hand, with which the inbox of one person can be read and acknowledged."""
    from orchestrator.core.times import DAY, Instant  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.ledger import Purpose  # noqa: PLC0415
    from orchestrator.web.inbox import token_for  # noqa: PLC0415

    desk: Desk = context.obj
    good = length("--for", lasts)
    if good > DAY:
        fail(f"--for {lasts}: a token is good for a day at most", USAGE)
    now = WallClock().now()
    with desk.ledger() as ledger:
        newest = ledger.seal(Purpose.INBOX, now).keys[0]
    made = token_for(user, newest.id, newest.secret, Instant(now + good))
    desk.show({"user": user, "token": made}, lambda: typer.echo(made))
