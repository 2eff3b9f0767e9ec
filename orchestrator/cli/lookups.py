"""Verbs that only look: what became of whom, how a run stands, whether everything is well."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import USAGE, WRONG, Desk, fail, honest, no_such, run_of, table
from orchestrator.cli.screen import BOLD, GREEN, RED, Line, beside, say, show, width
from orchestrator.cli.times import say_occurrence, say_zone, wall
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.ledger import Ledger
    from orchestrator.ledger.deliveries import Answered, Delivery


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    app.command()(deliveries)
    app.command()(report)
    app.command()(doctor)


@honest
def deliveries(
    context: typer.Context,
    campaign: Annotated[str | None, typer.Argument(help="Only this campaign's.")] = None,
    user: Annotated[list[str] | None, typer.Option("--user", "-u", help="Only these people's (ids).")] = None,
    run: Annotated[int | None, typer.Option(help="Only this run's.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Only those in these states.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only those with this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="At most so many.")] = 50,
) -> None:
    """Show deliveries: who, on which channel, in which state, and why."""
    from orchestrator.core.keys import say_key  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.nouns import State  # noqa: PLC0415
    from orchestrator.core.reasons import Reason  # noqa: PLC0415
    from orchestrator.ledger import deliveries as looking  # noqa: PLC0415

    desk: Desk = context.obj
    known = [str(one) for one in State]
    wrong = [one for one in state or () if one not in known]
    if wrong:
        fail(f"--state {wrong[0]}: no such state; one of {', '.join(known)}", USAGE)
    if reason is not None and reason not in list(Reason):
        no_such("reason", reason, Reason)
    asked = looking.Asked(
        campaign, run, tuple(user or ()), None, tuple(State(one) for one in state or ()), reason, limit
    )
    with desk.ledger(despite_mistakes=True) as ledger:
        _known(desk, ledger, campaign, run)
        found = list(looking.listed(ledger.store, asked))
        stories = {row.key: looking.story(ledger.store, row.key) for row in found} if user else {}

    def tell() -> None:
        if not found:
            say("nothing")
            return
        zone = desk.zone()
        rows = [
            (
                say_key(row.key),
                row.campaign,
                say_occurrence(row.occurrence, zone),
                row.state,
                row.reason,
                row.detail,
                wall(row.settled_at, zone),
            )
            for row in found
        ]
        columns = ("delivery", "campaign", "occurrence", "state", "reason", "detail", f"settled ({say_zone(zone)})")
        table("", dict.fromkeys(columns, "left"), rows)
        for key, answers in stories.items():
            for answer in answers:
                say(
                    f"   {say_key(key)} {wall(answer.at, zone)} attempt {answer.attempt}: {answer.provider} {answer.outcome} {answer.detail}"
                )
        if len(found) == limit:
            say(f"the first {limit}; --limit shows more")

    desk.show([plain_delivery(row, stories.get(row.key, ())) for row in found], tell)


def _known(desk: Desk, ledger: "Ledger", campaign: str | None, run: int | None) -> None:
    """End, unless the project or the ledger knows this campaign, and the ledger this run."""
    from orchestrator.ledger import runs  # noqa: PLC0415 - keeps `--help` fast

    if campaign is not None and not runs.listed(ledger.store, campaign, limit=1):
        campaigns, _ = desk.names()
        if campaign not in campaigns:
            no_such("campaign", campaign, campaigns)
    if run is not None:
        run_of(ledger, run)


@honest
def report(
    context: typer.Context,
    campaign: Annotated[str | None, typer.Argument(help="The campaign; none for a line about each.")] = None,
) -> None:
    """Show how a campaign's runs stand, newest first: in people, then in rows of the ledger, one a person and channel.

    Without a campaign: of each the state, the newest run, and when the clock starts the next.
    """
    from orchestrator.cli.reporting import all_campaigns, one_campaign  # noqa: PLC0415 - keeps `--help` fast

    now = WallClock().now()
    if campaign is None:
        all_campaigns(context.obj, now)
    else:
        one_campaign(context.obj, campaign, now)


@honest
def doctor(
    context: typer.Context,
    online: Annotated[
        bool, typer.Option("--online", help="Also knock at every provider: is it there, does it take the credentials?")
    ] = False,
) -> None:
    """Look at everything that must hold before messages go out: files, secrets, stores, daemon, queue, pauses, consent."""
    from orchestrator.cli.checkup import examine  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    findings = examine(desk, WallClock().now(), online=online)

    def tell() -> None:
        room = width()
        for finding in findings:
            mark = Line("ok", GREEN) if finding.well else Line("!!", RED)
            show(beside([Line(" "), mark, Line("  ")], f"{finding.what}: {finding.text}", room))
        bad = sum(not finding.well for finding in findings)
        show([Line(f" {bad} of {len(findings)} want a person", BOLD) if bad else Line(" all is well")])

    desk.show([{"what": f.what, "well": f.well, "text": f.text} for f in findings], tell)
    if not all(finding.well for finding in findings):
        raise typer.Exit(WRONG)


def plain_delivery(row: "Delivery", answers: "Sequence[Answered]" = ()) -> dict[str, Any]:
    """A delivery as JSON has it; `delivery` is what `show` takes, `id` what providers and the sink know it by."""
    from orchestrator.core.keys import say_key  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.nouns import delivery_id  # noqa: PLC0415

    return {
        "delivery": say_key(row.key),
        "id": delivery_id(row.campaign, row.occurrence, row.key),
        "run": row.key.run,
        "campaign": row.campaign,
        "occurrence": row.occurrence,
        "user": row.key.user,
        "channel": row.key.channel,
        "step": row.key.step,
        "slot": row.key.slot,
        "segment": row.segment,
        "variant": row.variant,
        "holdout": row.holdout,
        "state": row.state,
        "reason": row.reason,
        "detail": row.detail,
        "attempt": row.attempt,
        "provider": row.provider,
        "provider_id": row.provider_id,
        "exposed_at": row.exposed_at,
        "intent_at": row.intent_at,
        "settled_at": row.settled_at,
        "not_before": row.not_before,
        "maybe_duplicate": row.maybe_duplicate,
        "story": [
            {"at": a.at, "attempt": a.attempt, "provider": a.provider, "outcome": a.outcome, "detail": a.detail}
            for a in answers
        ],
    }
