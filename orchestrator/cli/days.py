"""All campaigns of a day: which of them the clock starts, and what each would do, one after the other."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from orchestrator import app, bundles, checking
from orchestrator.cli.desk import Desk, no_such
from orchestrator.cli.foretelling import day_of, told
from orchestrator.cli.occasions import Occasion, on_day
from orchestrator.cli.plan_screen import say_channels, say_messages
from orchestrator.cli.rehearsing import Bed, imagined
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
from orchestrator.ledger import Purpose
from orchestrator.pipeline import Forecast
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
    day = (None if at is None else day_of(at)) or wall_at(zone_of(zone, ""), moment_of(at)).date()
    wanted = _wanted(opened, which)
    fires = {name: on_day(campaign, day, zone, now) for name, campaign in wanted.items()}
    acts = list(_acts(desk, opened, {name: found for name, found in fires.items() if found}, now))
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
    }
    desk.show(answer, lambda: _tell([desk.environment, source], day, acts, idle, messages))


def _wanted(opened: app.Opened, which: str) -> dict[str, Campaign]:
    known = opened.project.campaigns
    if which.strip() == ALL:
        return dict(known)
    names = [name.strip() for name in which.split(",") if name.strip()]
    return {name: known[name] if name in known else no_such("campaign", name, known) for name in names}


def _acts(desk: Desk, opened: app.Opened, fires: dict[str, list[Occasion]], now: Instant) -> Iterator[_Act]:
    """One campaign at a time: nothing of its people is kept but counts."""
    for name in fires:
        checking.refuse_broken_templates(opened.project, opened.files, name)
    if not fires:
        return
    # The child is forked before there are threads or databases here.
    with RenderChild() as child:
        ledger = opened.ledger()
        try:
            seal = ledger.seal(Purpose.UNSUBSCRIBE, now)
            for name, occasions in fires.items():
                prepared = bundles.prepared(opened.project, opened.files, name, seal, child)
                with imagined(desk, Bed(opened, ledger, prepared, child), occasions[0]) as show:
                    last = occasions[-1].due_at
                    yield _Act(prepared.campaign, len(occasions), last, show.forecast, show.needs(), told(desk, show))
        finally:
            ledger.close()


def _next(campaign: Campaign, now: Instant) -> str:
    soon = upcoming(campaign, now)
    return f"next {soon.text}" if soon.at is not None else soon.text


def _tell(
    head: Sequence[str], day: date, acts: Sequence[_Act], idle: dict[str, str], messages: Counter[Channel]
) -> None:
    title = f"{day:%A} {day.day} {day:%B %Y}"
    told_ = " · ".join(filter(None, [*head, "with the data of now, each campaign by itself"]))
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
        say(" caps count what was sent until now, not what these campaigns would send each other's people that day")
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
    later = found.held.total() - found.held[Reason.RAMP]
    if later:
        yield f"later {later:,}"
