"""The verb that shows what is under way just now: the daemon, the queue, what stands still, and every run in people."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.desk import Desk, honest
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator import app as parts
    from orchestrator.cli.screen import Section
    from orchestrator.core.phrases import Rate
    from orchestrator.core.times import Instant
    from orchestrator.ledger.afoot import Afoot, Going
    from orchestrator.ledger.figures import Pace

LOOK_EVERY = 2.0
"""Seconds between two looks of `--watch`: workers write their counts down as often."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(status)


@honest
def status(
    context: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until ctrl-c.")] = False,
) -> None:
    """Show what is under way: is the daemon alive, the queue, what is paused, how fast it goes, and each run in people."""
    from orchestrator.ledger.afoot import afoot  # noqa: PLC0415 - keeps `--help` fast

    desk: Desk = context.obj
    opened = desk.open()
    ledger = opened.ledger()
    before: tuple[Instant, int] | None = None
    try:
        while True:
            now = WallClock().now()
            found = afoot(ledger.store, now)
            _show(desk, opened, found, _rate(before, now, found), now, again=before is not None)
            if not watch:
                return
            before = (now, found.answered)
            time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        return  # that is how watching ends
    finally:
        ledger.close()


def _rate(before: "tuple[Instant, int] | None", now: "Instant", found: "Afoot") -> float | None:
    """Messages answered a second since the last look; None at the first one."""
    if before is None or now <= before[0]:
        return None
    return max(0, found.answered - before[1]) * 1_000_000 / (now - before[0])


def _show(
    desk: Desk, opened: "parts.Opened", found: "Afoot", rate: float | None, now: "Instant", *, again: bool
) -> None:
    from orchestrator.cli import screen  # noqa: PLC0415 - keeps `--help` fast

    def tell() -> None:
        height = screen.height()
        if again and height is not None:
            screen.clear()
        screen.show(screen.fit(_sections(opened, found, rate, now), height and height - 1))

    desk.show(_told(desk, opened, found, rate, now), tell)
    sys.stdout.flush()  # whoever watches through a pipe is not to wait for a full buffer


def _sections(opened: "parts.Opened", found: "Afoot", rate: float | None, now: "Instant") -> "list[Section]":
    from orchestrator.cli.morning import heading  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.screen import BOLD, YELLOW, Line, Section, fitted, width  # noqa: PLC0415

    room = width()
    title = [Line(one, BOLD) for one in fitted(f" {heading(opened)}", room)]
    above = [("daemon", _daemon(found), "" if found.daemons else YELLOW)]
    above += [("queue", _queue(found, now), ""), ("pace", _pace(opened, found, rate), "")]
    above += [("paused", text, YELLOW) for text in _pauses(found, opened.project.settings.time_zone)]
    lines = [Line(line, style) for name, text, style in above for line in fitted(f" {name:<8}{text}", room, hang=8)]
    return [Section([*title, *lines], []), _runs(opened, found, now, room)]


def _daemon(found: "Afoot") -> str:
    if not found.daemons:
        others = f"; {found.workers} workers are still alive" if found.workers else ""
        return f"none runs: nothing is sent by the clock; orchestrator serve{others}"
    planners = f" · {found.planners} planning" if found.planners else ""
    return f"{', '.join(found.daemons)} · {found.workers} {'worker' if found.workers == 1 else 'workers'}{planners}"


def _queue(found: "Afoot", now: "Instant") -> str:
    from orchestrator.cli.morning_lines import length  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.screen import many  # noqa: PLC0415
    from orchestrator.pipeline.today import say_waiting  # noqa: PLC0415

    queue = found.queue
    since = f", the oldest for {length(now - queue.oldest_due_at)}" if queue.oldest_due_at is not None else ""
    events = f" · {say_waiting(found.events_waiting)} to be loaded" if found.events_waiting else ""
    some = " (of some 2,000 people each)" if queue.due + queue.claimed + queue.later else ""
    return f"{many(queue.due, 'shard')} due{since}, {queue.claimed:,} being worked, {queue.later:,} later{some}{events}"


def _pace(opened: "parts.Opened", found: "Afoot", rate: float | None) -> str:
    said = [] if rate is None else [f"{rate:,.0f} messages a second just now"]
    limits = {name: one.rate for name, one in opened.project.settings.providers.items()}
    said += [f"{name} at most {_rate_in_words(limit)}" for name, limit in limits.items() if limit is not None]
    said += [_failures(one) for one in found.paces if one.failures]
    return " · ".join(said) or "no provider has a limit"


def _rate_in_words(rate: "Rate") -> str:
    from orchestrator.core.phrases import say_duration  # noqa: PLC0415 - keeps `--help` fast

    return f"{rate.limit:,} per {say_duration(rate.within).removeprefix('1 ')}"


def _failures(pace: "Pace") -> str:
    times = "1 failure" if pace.failures == 1 else f"{pace.failures:,} failures in a row"
    return f"{_named(pace.scope)}: {times}{', its breaker is open' if pace.open else ''}"


def _pauses(found: "Afoot", zone: str) -> list[str]:
    from orchestrator.cli.times import when  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.times import NEVER  # noqa: PLC0415

    return [
        f"{_named(scope)} {'until somebody resumes it' if until >= NEVER else f'until {when(until, zone)}'}"
        f" ({reason or 'by hand'}): orchestrator resume {scope.removeprefix('campaign:')}"
        for scope, until, reason in found.pauses
    ]


def _named(scope: str) -> str:
    return scope.partition(":")[2]


def _runs(opened: "parts.Opened", found: "Afoot", now: "Instant", room: int | None) -> "Section":
    from orchestrator.cli.screen import BOLD, YELLOW, Column, Line, Section, fitted, table  # noqa: PLC0415 - keeps `--help` fast

    if not found.going:
        return Section([Line(" RUNS UNDER WAY: none", BOLD)], [])
    columns = [
        Column("RUNS UNDER WAY"),
        Column("state"),
        Column("people", right=True),
        Column("reached", right=True),
        Column("waiting", right=True),
        Column("nothing", right=True),
        Column("failed", right=True),
        Column("next", right=True),
    ]
    zone = opened.project.settings.time_zone
    rows = [_row(one, zone, now) for one in found.going]
    stops = [YELLOW if one.run.state in ("waiting", "paused") else "" for one in found.going]
    shown = table(columns, rows, room, styles=stops)
    for lines, one in zip(shown.rows, found.going, strict=True):
        if verb := {"waiting": "approve", "paused": "resume"}.get(one.run.state):
            text = f"   {one.run.reason or 'by hand'}: orchestrator {verb} {one.run.id}"
            lines.extend(Line(line, YELLOW) for line in fitted(text, room))
    return Section(shown.head or [Line(" RUNS UNDER WAY", BOLD)], shown.rows)


def _row(one: "Going", zone: str, now: "Instant") -> list[str]:
    from orchestrator.cli.morning_lines import clock  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.times import NEVER  # noqa: PLC0415

    run, people = one.run, one.people
    due = one.next_due
    next_ = "" if due is None else "no date" if due >= NEVER else "now" if due <= now else clock(due, zone, now)
    known = [
        people.people,
        people.reached,
        people.waiting,
        people.nothing.total() + people.holdout,
        people.failed + people.in_doubt,
    ]
    return [
        f"{run.id} {run.campaign}",
        str(run.state),
        *(f"{many:,}" for many in known),
        next_ if run.state == "working" else "",
    ]


def _told(desk: Desk, opened: "parts.Opened", found: "Afoot", rate: float | None, now: "Instant") -> dict[str, Any]:
    from orchestrator.cli.following import told  # noqa: PLC0415 - keeps `--help` fast

    queue = found.queue
    return {
        "at": now,
        "environment": desk.environment,
        "source": str(opened.origin()),
        "daemons": found.daemons,
        "workers": found.workers,
        "planners": found.planners,
        "queue": {
            "due": queue.due,
            "claimed": queue.claimed,
            "later": queue.later,
            "oldest_due_at": queue.oldest_due_at,
        },
        "events_waiting": found.events_waiting,
        "messages_a_second": rate,
        "failures": {one.scope: one.failures for one in found.paces if one.failures},
        "paused": [{"scope": scope, "until": until, "reason": reason} for scope, until, reason in found.pauses],
        "runs": [
            {
                "run": one.run.id,
                "campaign": one.run.campaign,
                "occurrence": one.run.occurrence,
                "state": one.run.state,
                "reason": one.run.reason,
                "source": one.run.source,
                "people": told(one.people),
                "next_at": one.next_due,
            }
            for one in found.going
        ],
    }
