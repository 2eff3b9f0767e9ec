"""The verb that shows what would happen: a campaign at its next moment, at another one, or all campaigns of a day."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import USAGE, Desk, fail, honest, no_such
from orchestrator.cli.screen import say
from orchestrator.cli.times import moment_of, when
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator.cli.occasions import Occasion
    from orchestrator.cli.rehearsing import Rehearsal
    from orchestrator.core.campaigns import Campaign
    from orchestrator.core.reasons import Reason


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(plan)


@honest
def plan(  # noqa: PLR0913, PLR0917 - a verb has as many arguments as options
    context: typer.Context,
    campaign: Annotated[str | None, typer.Argument(help="The campaign.")] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help='As if sent at another moment, "2026-11-27 10:00" on the project\'s clock or with a zone, 2026-11-27T10:00+01:00; or the run of the clock of a day, 2026-11-27.'
        ),
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="As if sent by hand now, whatever the schedule says.")] = False,
    why: Annotated[str | None, typer.Option(help="Name the people who get nothing for this reason.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="With --why: so many people.")] = 50,
    exact: Annotated[
        bool, typer.Option("--exact", help="Write everybody's message to find missing data, not a few of each kind.")
    ] = False,
    campaigns: Annotated[
        str | None, typer.Option(help="`all`, or several with commas: what each does on a day (--at, default today).")
    ] = None,
    diff: Annotated[
        str | None, typer.Option(help="What changes against a git revision: people, messages, words.")
    ] = None,
    user: Annotated[str | None, typer.Option("--as", help="With --diff: whose messages to show (a user's id).")] = None,
    report: Annotated[
        Path | None, typer.Option(help="With --diff: write it as Markdown, for a pull request, to this file.")
    ] = None,
) -> None:
    """Show who would get what, and why the others would not. Nothing is written, nothing leaves.

    A campaign with a schedule is shown as the clock would send it next, everybody at their own moment; --now shows it as if
    sent by hand. With --diff it shows what a change of the files does, before it is merged.
    """
    desk: Desk = context.obj
    _fit(campaign, {"--now": now, "--why": why, "--exact": exact}, campaigns, diff, {"--report": report, "--as": user})
    if at and now:
        fail("--at names another moment than --now: one of them", USAGE)
    if diff is not None:
        from orchestrator.cli.differing import Question, differ  # noqa: PLC0415 - keeps `--help` fast

        differ(desk, Question(diff, campaign, None if at is None else moment_of(at, desk.zone()), user), report)
    elif campaigns is not None:
        from orchestrator.cli.days import show_day  # noqa: PLC0415 - keeps `--help` fast

        show_day(desk, campaigns, at)
    elif campaign is not None:
        _one(desk, campaign, at, now=now, why=why, limit=limit, exact=exact)


def _fit(
    campaign: str | None,
    of_one: dict[str, object],
    campaigns: str | None,
    diff: str | None,
    of_diff: dict[str, object],
) -> None:
    """End where options do not go together, saying which do."""
    if campaign is None and campaigns is None and diff is None:
        fail("Missing argument 'CAMPAIGN': name one, or write --campaigns all for those of a day", USAGE)
    if campaigns is not None and (campaign is not None or diff is not None):
        fail("--campaigns shows a day: leave the campaign's name and --diff away", USAGE)
    if campaigns is not None or diff is not None:
        for option, value in of_one.items():
            if value:
                fail(f"{option} goes with one campaign: orchestrator plan CAMPAIGN {option}", USAGE)
    for option, value in of_diff.items():
        if value is not None and diff is None:
            fail(f"{option} goes with --diff REVISION, as in: orchestrator plan --diff main {option} …", USAGE)


def _one(desk: Desk, campaign: str, at: str | None, *, now: bool, why: str | None, limit: int, exact: bool) -> None:
    from orchestrator.cli.plan_screen import show_plan  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.rehearsing import Wish, probe, rehearse  # noqa: PLC0415
    from orchestrator.pipeline import Asked  # noqa: PLC0415

    asked = None if why is None else Asked(_reason(why), limit)
    zone = desk.project().settings.time_zone if at is not None else ""
    with rehearse(desk, campaign, lambda it: _occasion(it, at, zone, now=now), wish=Wish(exact, asked)) as show:
        if asked is not None:
            _tell_why(desk, show, asked.reason)
            return
        trouble, stocks = probe(show), show.stocks()
        linked = {name: {"asked": one.asked, "unanswered": one.unanswered} for name, one in show.asking.told.items()}

        def tell() -> None:
            show_plan(desk, show, stocks)
            for name, one in linked.items():
                answered = one["asked"] - one["unanswered"]
                say(
                    f" linked data {name}: answered {answered} of the {one['asked']} questions asked to see that it does"
                )
            if trouble:
                say(f" {trouble}")

        left = {name: {"needed": show.forecast.coupons[name], "left": one.left} for name, one in stocks.items()}
        desk.show({**told(desk, show), "coupons": left, "linked_data": linked, "trouble": trouble}, tell)


def _reason(word: str) -> "Reason":
    """The reason somebody named, as the ledger or as the screen writes it."""
    from orchestrator.core.reasons import Reason  # noqa: PLC0415 - keeps `--help` fast

    name = word.strip().lower().replace(" ", "_").replace("-", "_")
    return Reason(name) if name in list(Reason) else no_such("reason", word, list(Reason))


def day_of(text: str) -> date | None:
    """The day somebody named, None if it is no day but a moment."""
    try:
        return date.fromisoformat(text) if len(text) == len("2026-11-27") else None
    except ValueError:
        return None


def _occasion(campaign: "Campaign", at: str | None, zone: str, *, now: bool) -> "Occasion":
    from orchestrator.cli.occasions import by_hand, next_of, on_day  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.upcoming import upcoming  # noqa: PLC0415

    moment = WallClock().now()
    if now:
        return by_hand(moment)
    if at is None:
        return next_of(campaign, moment)
    day = day_of(at)
    if day is None:
        return by_hand(moment_of(at, zone), moment)
    fires = on_day(campaign, day, zone, moment)
    if not fires:
        fail(
            f"the clock starts no run of {campaign.name} on {day}; next: {upcoming(campaign, moment).text}."
            f' As if it were sent by hand: --at "{day} 10:00"',
            USAGE,
        )
    return fires[0]


def told(desk: Desk, show: "Rehearsal") -> dict[str, Any]:
    """A rehearsal for a program."""
    from orchestrator.cli.following import stands_still  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.upcoming import upcoming  # noqa: PLC0415
    from orchestrator.core.holding import ended  # noqa: PLC0415
    from orchestrator.core.reasons import Reason  # noqa: PLC0415

    found, campaign, occasion, foresight = show.forecast, show.prepared.campaign, show.occasion, show.foresight
    return {
        "campaign": campaign.name,
        "environment": desk.environment,
        "source": str(show.opened.origin()),
        "at": show.at,
        "by_clock": occasion.fires is not None,
        "due_at": occasion.due_at,
        "first_at": found.first.at if found.first else None,
        "last_at": found.last.at if found.last else None,
        "people": found.people,
        "segments": dict(found.segments),
        "reached": found.reached,
        "channels": dict(found.channels),
        "variants": dict(found.variants),
        "holdout": found.holdout,
        "holdout_reachable": found.holdout - found.unreachable_holdout,
        "held": dict(found.held),
        "not_in_ramp": found.held[Reason.RAMP] + found.nothing[Reason.RAMP, ""],
        "without_zone": found.zoneless,
        "same_address": found.shared,
        "nothing": [
            {
                "reason": reason,
                "detail": detail,
                "people": people,
                "examples": found.examples[reason, detail],
                "by": dict(found.capped_by.get((reason, detail), {})),
            }
            for (reason, detail), people in found.nothing.most_common()
        ],
        "messages": {"written": foresight.written, "taken": foresight.taken, "unknown": foresight.blind},
        "seconds": show.seconds(),
        "hold": show.needs(),
        "paused": list(stands_still(show.ledger, campaign, occasion.now)),
        "ended": ended(campaign, occasion.now),
        "next_at": upcoming(campaign, occasion.now).at,
    }


def _tell_why(desk: Desk, show: "Rehearsal", reason: "Reason") -> None:
    """Name the people of a reason."""
    from orchestrator.cli.screen import Column, table, width  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.screen import show as show_lines  # noqa: PLC0415
    from orchestrator.core.plain_reasons import say_reason  # noqa: PLC0415
    from orchestrator.core.reasons import Reason  # noqa: PLC0415
    from orchestrator.core.times import NEVER  # noqa: PLC0415

    found, campaign = show.forecast, show.prepared.campaign
    counts = {str(one): 0 for (one, _) in found.nothing}
    for (one, _), people in found.nothing.items():
        counts[one] += people
    for one, people in found.held.items():
        counts[one] = counts.get(one, 0) + people
    if found.holdout:
        counts[Reason.HOLDOUT] = found.holdout
    people = counts.get(reason, 0)
    users = [
        {"user": one.user, "segment": one.segment, "detail": one.detail, "until": one.until} for one in found.named
    ]

    def tell() -> None:
        there = ", ".join(f"{name} {many:,}" for name, many in sorted(counts.items(), key=lambda it: -it[1]))
        if not people:
            say(f" {campaign.name}   nobody gets nothing for {reason}; there are: {there or 'no reasons at all'}")
            return
        rest = f", the first {len(users)} of them" if len(users) < people else ""
        say(f" {campaign.name}   {people:,} people, {reason}{rest}: {reason.meaning}")
        rows = []
        for one in found.named:
            words, where = say_reason(one.reason, one.detail, campaign)
            if one.until is not None:
                words = "waits" if one.until >= NEVER else f"waits until {when(one.until, campaign.policy.time_zone)}"
            rows.append([one.user, one.segment, words + (f" · {where}" if where else "")])
        columns = [Column(""), Column("", gives_way=1), Column("", wraps=True)]
        show_lines(table(columns, rows, width(), indent="   ").lines)
        if rest:
            say(f" more of them: --limit {min(100_000, people)}")

    desk.show({"campaign": campaign.name, "reason": reason, "people": people, "users": users}, tell)
