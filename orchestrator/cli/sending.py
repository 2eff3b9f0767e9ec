"""Verbs that lead to messages: plan shows what would happen, send makes it happen, serve does it by the clock."""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.asking import ask_for, ask_nobody
from orchestrator.cli.desk import USAGE, Desk, fail, honest, when
from orchestrator.cli.screen import say
from orchestrator.cli.times import moment_of
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.cli.shipping import Rehearsal, Sent
    from orchestrator.ledger.coupons import Stock
    from orchestrator.pipeline import Forecast

Name = Annotated[str, typer.Argument(help="The campaign.")]


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    app.command()(plan)
    app.command()(send)
    app.command()(serve)


@honest
def plan(
    context: typer.Context,
    campaign: Name,
    at: Annotated[str | None, typer.Option(help="At another moment: 2026-11-27T10:00+01:00.")] = None,
) -> None:
    """Show who would get what, and why the others would not. Nothing is written, nothing leaves."""
    from orchestrator.cli.shipping import probe, rehearse  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.upcoming import upcoming  # noqa: PLC0415
    from orchestrator.core.holding import ended  # noqa: PLC0415

    desk: Desk = context.obj
    with rehearse(desk, campaign, moment_of(at)) as show:
        trouble, stocks = probe(show), show.stocks()
        hold, over, soon = show.hold, ended(show.prepared.campaign, show.at), upcoming(show.prepared.campaign, show.at)
        linked = {name: {"asked": one.asked, "unanswered": one.unanswered} for name, one in show.asking.told.items()}

        def tell() -> None:
            _print(desk, campaign, show)
            _print_clock(hold, over)
            if not over:
                say(f" next: {soon.text}")
            _print_zones(show)
            _print_coupons(show.forecast, stocks)
            _print_linked(linked, trouble)

        left = {name: {"needed": show.forecast.coupons[name], "left": one.left} for name, one in stocks.items()}
        more = {
            "hold": hold,
            "ended": over,
            "next_at": soon.at,
            "coupons": left,
            "linked_data": linked,
            "trouble": trouble,
        }
        desk.show({**_told(show.forecast), **more}, tell)


def _print_clock(hold: str, over: str) -> None:
    """What keeps the clock from sending it, which a person who sends it by hand should know."""
    if over:
        say(f" it has ended ({over}): the clock starts no run of it any more; orchestrator send still does")
    if hold:
        say(f" a run of the clock would wait for a person: {hold}; orchestrator send does not")


def _print_zones(show: "Rehearsal") -> None:
    """Who a schedule in everybody's own zone reaches by the project's clock."""
    schedule, zoneless = show.prepared.campaign.schedule, show.forecast.zoneless
    if schedule is not None and zoneless:
        say(f" {zoneless:,} of them have no time zone we know; the clock sends to them by {schedule.zone}")


def _print_coupons(found: "Forecast", stocks: "Mapping[str, Stock]") -> None:
    """How far the pools of coupons reach."""
    for name, stock in stocks.items():
        needed = found.coupons[name]
        short = f"   {needed - stock.left:,} people would get none" if needed > stock.left else ""
        say(f" coupons {name}: {stock.left:,} left, {needed:,} needed at most{short}")


def _print_linked(linked: "Mapping[str, Mapping[str, int]]", trouble: str) -> None:
    """How the services of linked data answered about the first few people."""
    for name, one in linked.items():
        answered = one["asked"] - one["unanswered"]
        say(f" linked data {name}: answered {answered} of the {one['asked']} questions asked to see that it does")
    if trouble:
        say(f" {trouble}")


@honest
def send(  # noqa: PLR0913, PLR0917 - a verb has as many arguments as options
    context: typer.Context,
    campaign: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
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
    from orchestrator.cli.shipping import probe, rehearse, ship  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.holding import ended  # noqa: PLC0415

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
    with rehearse(desk, campaign, WallClock().now(), sending=True) as show:
        if not desk.as_json:
            _print(desk, campaign, show)
            _print_clock(show.hold, ended(show.prepared.campaign, show.at))
            _print_coupons(show.forecast, show.stocks())
        if show.forecast.people == 0:
            fail(f"{campaign}: nobody is in its audience; orchestrator segment show tells why", USAGE)
        if untold := show.untold():
            fail(f"{campaign}: nothing was sent to anybody. {desk.environment} reaches everyone, and {untold}")
        if trouble := probe(show) or show.short():
            fail(f"{campaign}: nothing was sent to anybody; {trouble}")
        seeds = show.seeds()
        if seeds == 0:
            fail(f"{campaign}: nothing was sent to anybody; {_nobody(desk, show)}")
        if not yes and seeds is not None:
            ask_for(seeds, "seeds in the audience, who alone may get it")
        elif not yes:
            ask_for(show.forecast.people, "people in the audience")
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
    if sent["sink"]:
        say(f" nothing left this machine: the messages are in {sent['sink']}")
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
    say(f" look: orchestrator report {campaign} · orchestrator why {campaign} ID")


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


def _told(found: "Forecast") -> dict[str, object]:
    return {
        "people": found.people,
        "segments": dict(found.segments),
        "reached": found.reached,
        "channels": dict(found.channels),
        "variants": dict(found.variants),
        "holdout": found.holdout,
        "held": dict(found.held),
        "without_zone": found.zoneless,
        "nothing": [
            {"reason": reason, "detail": detail, "people": people, "examples": found.examples[reason, detail]}
            for (reason, detail), people in found.nothing.most_common()
        ],
    }


def _print(desk: Desk, campaign: str, show: "Rehearsal") -> None:
    """People first, rows never; at last what else is under way."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast

    found = show.forecast

    def line(text: str, number: str, more: str = "") -> None:
        say(f" {text:<38}{number:>9}" + (f"   {more}" if more else ""), hang=50)

    only = f" · {app.whom(show.opened)}" if show.seeds() is not None else ""
    source = f" · {origin}" if (origin := str(show.opened.origin())) else ""
    say(f" {campaign}   {desk.environment}{source} · {when(show.at)}{only}")
    line(
        "in the audience",
        f"{found.people:,}",
        " · ".join(f"{name} {count:,}" for name, count in found.segments.most_common()),
    )
    if found.holdout:
        line("  holdout", f"−{found.holdout:,}")
    if found.nothing:
        line("  nothing, because", f"−{sum(found.nothing.values()):,}")
        for (reason, detail), people in found.nothing.most_common():
            examples = ", ".join(found.examples[reason, detail])
            line(
                f"    {reason.replace('_', ' ')}" + (f" ({detail})" if detail else ""),
                f"{people:,}",
                f"for example {examples}",
            )
    for reason, people in found.held.most_common():
        line(f"  later: {reason.replace('_', ' ')}", f"{people:,}")
    told = [f"{channel} {count:,}" for channel, count in found.channels.most_common()]
    told += [f"{variant} {count:,}" for variant, count in found.variants.most_common() if variant]
    line("would get a message now", f"{found.reached:,}", " · ".join(told))
    for one in show.under_way():
        say(f" {one}")
