"""Verbs that lead to messages: send makes it happen now, serve does it by the clock."""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.asking import ask_for, ask_nobody
from orchestrator.cli.desk import USAGE, Desk, fail, honest
from orchestrator.cli.screen import near, say
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.cli.rehearsing import Rehearsal
    from orchestrator.cli.shipping import Sent

Name = Annotated[str, typer.Argument(help="The campaign.")]


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    app.command()(send)
    app.command()(serve)


@honest
def send(  # noqa: PLR0913, PLR0917 - a verb has as many arguments as options
    context: typer.Context,
    campaign: Name,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask; refused for more people than `approve_over`.")
    ] = False,
    test: Annotated[
        str | None,
        typer.Option(
            "--test",
            help="To this one address only (or `me`, `seeds`): marked, needs no consent, counts nowhere. Needs --as.",
        ),
    ] = None,
    user: Annotated[str | None, typer.Option("--as", help="With --test: with whose data (a user's id).")] = None,
    variant: Annotated[str | None, typer.Option(help="With --test: this variant, whatever the draw says.")] = None,
    locale: Annotated[str | None, typer.Option(help="With --test: in this language.")] = None,
    channel: Annotated[
        str | None, typer.Option(help="With --test: on this channel; default: the one the address is for.")
    ] = None,
) -> None:
    """Send a campaign now: shows the exact audience, asks for its number, and works until everybody is accounted for.

    With --test it goes to one address, marked, and is counted nowhere.
    """
    from orchestrator.cli.occasions import by_hand  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.plan_screen import show_plan  # noqa: PLC0415
    from orchestrator.cli.rehearsing import probe, rehearse  # noqa: PLC0415
    from orchestrator.cli.shipping import ship  # noqa: PLC0415

    desk: Desk = context.obj
    if test is not None:
        from orchestrator.cli.trying import Trial, try_out  # noqa: PLC0415 - keeps `--help` fast

        if not user:
            fail("--test needs --as USER: with whose data?", USAGE)
        try_out(desk, Trial(campaign, test, user, variant, locale, channel))
        return
    for option, value in (("--as", user), ("--variant", variant), ("--locale", locale), ("--channel", channel)):
        if value:
            fail(f"{option} goes with --test ADDRESS; a campaign decides this by itself", USAGE)
    ask_nobody(desk, f"send {campaign}", yes=yes, after=f"`orchestrator plan {campaign}` showed the audience")
    with rehearse(desk, campaign, lambda _: by_hand(WallClock().now()), sending=True) as show:
        if not desk.as_json:
            show_plan(desk, show, show.stocks(), sending=True)
        if show.forecast.people == 0:
            fail(f"{campaign}: nobody is in its audience; orchestrator segment show tells why", USAGE)
        if untold := show.untold():
            fail(f"{campaign}: nothing was sent to anybody. {desk.environment} reaches everyone, and {untold}")
        if trouble := probe(show) or show.short():
            fail(f"{campaign}: nothing was sent to anybody; {trouble}")
        seeds = show.seeds()
        if yes and (large := show.large()):
            fail(
                f"{campaign}: nothing was sent to anybody; {large} (`approve_over` of {desk.environment}), and --yes asks"
                f" nobody: type the number yourself: orchestrator --env {desk.environment} send {campaign}"
            )
        if seeds == 0:
            fail(f"{campaign}: nothing was sent to anybody; {_nobody(desk, show)}")
        if not yes:
            others = {show.forecast.people: "the audience", show.forecast.reached: "how many would get a message now"}
            many, whom = (
                (show.forecast.people, "people in the audience")
                if seeds is None
                else (seeds, "seeds in the audience, who alone may get it")
            )
            ask_for(many, whom, others=others)
        sent = ship(desk, show)
    tell_sent(desk, campaign, sent)


def _nobody(desk: Desk, show: "Rehearsal") -> str:
    """Why a send to seeds would be for nobody."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast

    name = show.opened.project.settings.seeds
    return f"{desk.environment}: {app.whom(show.opened)}, and nobody of {name} is in the audience"


def tell_sent(desk: Desk, campaign: str, sent: "Sent", more: "Mapping[str, Any] | None" = None) -> None:
    """How a run stands after it was worked here, with what else a program is told; ends with its exit code."""
    desk.show({**(more or {}), **sent.told}, lambda: _print_sent(campaign, sent))
    if sent.code:
        raise typer.Exit(sent.code)


def _print_sent(campaign: str, how: "Sent") -> None:
    """How a run stands, and what to do next."""
    from orchestrator.cli.following import failed_whole  # noqa: PLC0415 - keeps `--help` fast

    sent = how.told
    say(f" run {sent['run']} of {campaign} is {sent['state']}   {how.people}")
    if how.also:
        say(" messages of other runs were due too, and were worked along with it:")
    for line in how.also:
        say(f"   {line}")
    if sent["sink"]:
        say(f" nothing left this machine: the messages are in {near(sent['sink'])}")
    if sent["state"] == "working":
        for line in how.waits:
            say(f" {line}")
    elif sent["state"] == "paused":
        say(f" it stands still: {how.why}")
        say(f" it goes on with: orchestrator resume {sent['run']}, then orchestrator serve")
    if failed := failed_whole(sent["rows"]):
        states = " ".join(f"--state {state}" for state in ("render_failed", "failed") if state in sent["rows"])
        say(f" nobody got a message: all {failed:,} messages failed")
        say(f" why: orchestrator deliveries {campaign} --run {sent['run']} {states}")
    say(f" look: orchestrator report {campaign}")
    say(f"       orchestrator why {campaign} ID")


@honest
def serve(
    context: typer.Context,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 2,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the web face; 0 for none.")] = 8026,
    host: Annotated[str, typer.Option(help="Address of the web face.")] = "127.0.0.1",
) -> None:
    """Run the daemon: the clock, the workers and the web face, until SIGTERM."""
    desk: Desk = context.obj
    desk.stand()
    command = [sys.executable, "-m", "orchestrator.daemon", "--project", str(desk.root), "--env", desk.environment]
    command += ["--workers", str(workers), "--host", host, "--port", str(port)]
    if desk.as_json:
        os.environ["ORCHESTRATOR_LOG"] = "json"
    # This process becomes the daemon, so that whoever started us holds the daemon itself.
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, our own arguments
