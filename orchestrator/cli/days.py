"""All campaigns of a day: which of them the clock starts, and what each would do beside the others, in the order of the clock."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import Any

from orchestrator import app, bundles, checking
from orchestrator.cli.desk import Desk, no_such
from orchestrator.cli.foretelling import day_of, told
from orchestrator.cli.occasions import Occasion, on_day
from orchestrator.cli.plan_screen import say_channels, say_messages
from orchestrator.cli.progress import waiting
from orchestrator.cli.rehearsing import Bed, imagining
from orchestrator.cli.screen import say
from orchestrator.cli.times import moment_of
from orchestrator.cli.upcoming import upcoming
from orchestrator.core.campaigns import Campaign
from orchestrator.core.nouns import Channel
from orchestrator.core.plain_reasons import say_reason
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant
from orchestrator.core.timetables import say_schedule
from orchestrator.core.zones import wall_at, zone_of
from orchestrator.ledger import Ledger, Purpose, runs
from orchestrator.pipeline import Forecast, Foreseen, together
from orchestrator.rendering import RenderChild
from orchestrator.wire.clock import WallClock

ALL = "all"


@dataclass(frozen=True, slots=True)
class _Act:
    """What one campaign does that day: its first run, of so many."""

    campaign: Campaign
    runs: int
    last_due_at: Instant
    found: Forecast
    hold: str
    told: dict[str, Any]


def show_day(desk: Desk, which: str, at: str | None) -> None:
    """Tell what the clock starts on a day, and what each of these campaigns would do with today's data."""
    now = WallClock().now()
    opened = desk.open()
    zone = opened.project.settings.time_zone
    day = (None if at is None else day_of(at)) or wall_at(zone_of(zone, ""), moment_of(at, zone)).date()
    wanted = _wanted(opened, which)
    fires = {name: on_day(campaign, day, zone, now) for name, campaign in wanted.items()}
    acts = _acts(desk, opened, {name: found for name, found in fires.items() if found}, now)
    idle = {name: _next(campaign, now) for name, campaign in wanted.items() if not fires[name]}
    messages = sum((act.found.channels for act in acts), Counter[Channel]())
    source = str(opened.origin())
    answer = {
        "day": day.isoformat(),
        "environment": desk.environment,
        "source": source,
        "campaigns": [{**act.told, "runs": act.runs, "last_due_at": act.last_due_at} for act in acts],
        "idle": idle,
        "messages": dict(messages),
        "not_counted": (uncounted := list(_not_counted(opened, acts, wanted, day, now))),
    }
    desk.show(answer, lambda: _tell([desk.environment, source], day, acts, idle, messages, uncounted))


def _wanted(opened: app.Opened, which: str) -> dict[str, Campaign]:
    known = opened.project.campaigns
    if which.strip() == ALL:
        return dict(known)
    names = [name.strip() for name in which.split(",") if name.strip()]
    return {name: known[name] if name in known else no_such("campaign", name, known) for name in names}


def _acts(desk: Desk, opened: app.Opened, fires: dict[str, list[Occasion]], now: Instant) -> list[_Act]:
    """Each campaign's first run, in the order of the clock; what one would send counts for the caps of those after it."""
    for name in fires:
        checking.refuse_broken_templates(opened.project, opened.files, name)
    if not fires:
        return []
    order = sorted(fires, key=lambda name: fires[name][0].due_at)  # as their runs would be fired, and so be worked
    with ExitStack() as stack:
        # The child is forked before there are threads or databases here.
        child = stack.enter_context(RenderChild())
        ledger = opened.ledger()
        stack.callback(ledger.close)
        wait = stack.enter_context(waiting(desk))
        seal, foreseen, staged = ledger.seal(Purpose.UNSUBSCRIBE, now), Foreseen(), []
        for name in order:
            bed = Bed(opened, ledger, bundles.prepared(opened.project, opened.files, name, seal, child), child)
            first = fires[name][0]
            beside = None if _fired(ledger, name, first) else foreseen
            staged.append(stack.enter_context(imagining(desk, bed, first, wait, foreseen=beside)))
        found = together([one.steps for one in staged])
        wait.over()
        shows = [one.rehearsal(counts) for one, counts in zip(staged, found, strict=True)]
        return [
            _Act(show.prepared.campaign, len(fires[name]), fires[name][-1].due_at, show.forecast, show.needs(), told(desk, show))
            for name, show in zip(order, shows, strict=True)
        ]  # fmt: skip


def _fired(ledger: Ledger, name: str, occasion: Occasion) -> bool:
    """Whether the run is there already: then what it sent is in the ledger."""
    fires = occasion.fires
    return fires is not None and any(run.occurrence == fires.key for run in runs.listed(ledger.store, name))


def _not_counted(
    opened: app.Opened, acts: Sequence[_Act], wanted: dict[str, Campaign], day: date, now: Instant
) -> Iterator[str]:
    """What may be sent that day and counts for no cap here, or counts otherwise than it will be."""
    waits = [(act.campaign.name, act.found.held.total() - act.found.held[Reason.RAMP]) for act in acts]
    if any(many for _, many in waits):
        yield f"messages that leave later are not counted ({', '.join(f'{name} {many:,}' for name, many in waits if many)})"
    if further := [f"{act.campaign.name} {act.runs - 1:,}" for act in acts if act.runs > 1]:
        yield f"further runs of that day are not counted ({', '.join(further)})"
    zone = opened.project.settings.time_zone
    others = [
        name
        for name, one in opened.project.campaigns.items()
        if name not in wanted and next(iter(on_day(one, day, zone, now)), None)
    ]
    if others:
        yield f"campaigns you did not name are not counted ({', '.join(others)})"
    if halted := [act.campaign.name for act in acts if act.hold]:
        yield f"what would wait for a person is counted as if it were let go at once ({', '.join(halted)})"
    if slowed := [act.campaign.name for act in acts if act.campaign.policy.throttle]:
        yield f"what a throttle slows down is counted as if all of it left at once ({', '.join(slowed)})"


def _next(campaign: Campaign, now: Instant) -> str:
    soon = upcoming(campaign, now)
    return f"next {soon.text}" if soon.at is not None else soon.text


def _tell(
    head: Sequence[str],
    day: date,
    acts: Sequence[_Act],
    idle: dict[str, str],
    messages: Counter[Channel],
    uncounted: Sequence[str],
) -> None:
    title = f"{day:%A} {day.day} {day:%B %Y}"
    told_ = " · ".join(filter(None, [*head, "with the data of now"]))
    say(f" {title}   {told_}")
    for act in acts:
        _tell_one(act)
    if idle:
        words = [f"{name} ({text})" for name, text in idle.items()]
        say(f" not on that day: {' · '.join(words)}")
    if len(acts) > 1:
        say(
            f" in all {say_messages(messages.total())}: {say_channels(dict(messages.most_common()))}"
            if messages
            else " in all no message"
        )
        say(
            " caps count what was sent until now, and what these campaigns would send each person before, in the order of the clock"
        )
        for one in uncounted:
            say(f"   {one}")
    if acts:
        say(f" more of one: orchestrator plan {acts[0].campaign.name} --at {day}")


def _tell_one(act: _Act) -> None:
    found, campaign = act.found, act.campaign
    often = f" · {act.runs:,} runs, the first of them here" if act.runs > 1 else ""
    schedule = say_schedule(campaign.schedule) if campaign.schedule is not None else ""
    say(f" {campaign.name}   {schedule}{often}")
    by = f": {say_channels(dict(found.channels.most_common()))}" if found.channels else ""
    say(f"   {found.reached:,} of {found.people:,} people would get a message{by}")
    rest = list(_rest(found, campaign))
    if rest:
        say(f"   {' · '.join(rest)}")
    if act.hold:
        say(f"   needs a person: {act.hold}")


def _rest(found: Forecast, campaign: Campaign) -> Iterator[str]:
    """The others, in a few words."""
    outside = found.nothing[Reason.RAMP, ""] + found.held[Reason.RAMP]
    if outside:
        yield f"not in the ramp yet {outside:,}"
    if found.holdout:
        yield f"holdout {found.holdout:,}"
    nothing = {why: people for why, people in found.nothing.most_common() if why[0] is not Reason.RAMP}
    if nothing:
        (reason, detail), people = next(iter(nothing.items()))
        words, _ = say_reason(reason, detail, campaign)
        yield f"nothing {sum(nothing.values()):,} ({words} {people:,}{', …' if len(nothing) > 1 else ''})"
    by = sum(found.capped_by.values(), Counter[str]())
    if by:
        yield f"capped by {', '.join(f'{name} {many:,}' for name, many in by.most_common())}"
    later = found.held.total() - found.held[Reason.RAMP]
    if later:
        yield f"later {later:,}"
