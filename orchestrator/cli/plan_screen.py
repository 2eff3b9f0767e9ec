"""The screen of a plan: people first, rows never; why the others get nothing, when it goes out, how long that takes."""

from collections.abc import Iterator, Mapping

from orchestrator import app
from orchestrator.cli.desk import Desk
from orchestrator.cli.following import stands_still
from orchestrator.cli.laying import Line, figure
from orchestrator.cli.rehearsing import Rehearsal
from orchestrator.cli.screen import say
from orchestrator.cli.times import when
from orchestrator.cli.upcoming import say_fire, upcoming
from orchestrator.core.holding import ended
from orchestrator.core.nouns import Channel
from orchestrator.core.plain_reasons import say_channel, say_reason
from orchestrator.core.reasons import Reason
from orchestrator.core.times import HOUR, MINUTE, SECOND, Instant
from orchestrator.core.timetables import city, say_schedule
from orchestrator.core.zones import wall_at, zone_of
from orchestrator.ledger.coupons import Stock


def show_plan(desk: Desk, show: Rehearsal, stocks: Mapping[str, Stock], *, sending: bool = False) -> None:
    """Print a rehearsal; what was said about the clock is left out where somebody sends it by hand."""
    say(f" {_head(desk, show)}")
    for line in _lines(show, stocks):
        figure(line)
    for one in show.under_way():
        say(f" {one}")
    if not sending:
        say(f" {' · '.join(_foot(show))}")
    for one in _notes(show, stocks):
        say(f" {one}")


def _head(desk: Desk, show: Rehearsal) -> str:
    campaign, occasion = show.prepared.campaign, show.occasion
    if occasion.fires is not None and campaign.schedule is not None:
        how = say_schedule(campaign.schedule)
    else:
        how = when(show.at, show.opened.project.settings.time_zone) if occasion.named else "by hand, now"
    only = [app.whom(show.opened)] if show.seeds() is not None else []
    return f"{campaign.name}   " + " · ".join(filter(None, [desk.environment, str(show.opened.origin()), how, *only]))


def _lines(show: Rehearsal, stocks: Mapping[str, Stock]) -> Iterator[Line]:
    found, campaign = show.forecast, show.prepared.campaign
    segments = " · ".join(f"{name} {count:,}" for name, count in found.segments.most_common())
    yield Line("in the audience", f"{found.people:,}", segments)
    yield from _ramp(show)
    if found.holdout:
        yield Line("holdout", f"−{found.holdout:,}", _held_out(show), 1)
    nothing = [(why, people) for why, people in found.nothing.most_common() if why[0] is not Reason.RAMP]
    if nothing:
        yield Line("nothing, because", f"−{sum(people for _, people in nothing):,}", "", 1)
    for (reason, detail), people in nothing:
        words, where = say_reason(reason, detail, campaign)
        by = [f"{many:,} by {name}" for name, many in found.capped_by.get((reason, detail), {}).items()]
        told = [*([where] if where else []), *by, f"for example {', '.join(found.examples[reason, detail])}"]
        yield Line(words, f"{people:,}", " · ".join(told), 2)
    for reason, people in found.held.most_common():
        if reason is not Reason.RAMP:
            yield Line(f"later: {reason.replace('_', ' ')}", f"{people:,}", "", 1)
    told = [say_channels(dict(found.channels.most_common()))] if found.channels else []
    told += [f"{variant} {count:,}" for variant, count in found.variants.most_common() if variant]
    codes = ", ".join(f"{name} {one.left:,}" if len(stocks) > 1 else f"{one.left:,}" for name, one in stocks.items())
    left = f" (coupons left {codes})" if codes else ""
    then = " now" if show.occasion.fires is None and not show.occasion.named else ""
    yield Line(f"would get a message{then}", f"{found.reached:,}", " · ".join(told) + left, strong=True)


def _ramp(show: Rehearsal) -> Iterator[Line]:
    """Who is outside the ramp: those who wait for its next step in the run, and those whose message is over before."""
    found = show.forecast
    over = found.nothing[Reason.RAMP, ""]
    if not over and not found.held[Reason.RAMP]:
        return
    facts, _ = show.occasion.facts(show.prepared.campaign, show.ledger.began(show.prepared.campaign.name))
    label = f"not in the ramp yet ({facts.ramp:g} %)"
    if over:
        yield Line(label, f"−{over:,}", "asked again at every later run", 1)
    if found.held[Reason.RAMP]:
        yield Line(
            label,
            f"−{found.held[Reason.RAMP]:,}",
            f"wait in the run until {when(facts.ramp_grows_at, show.prepared.campaign.policy.time_zone)}",
            1,
        )


def _held_out(show: Rehearsal) -> str:
    """How many of the holdout would have got a message: the judge puts nobody there who would not, templates may."""
    found = show.forecast
    if not found.unreachable_holdout:
        return "all of them would have been reached" if found.holdout > 1 else "would have been reached"
    return f"{found.holdout - found.unreachable_holdout:,} of them would have been reached"


def _foot(show: Rehearsal) -> Iterator[str]:
    """When it goes out, how long that takes, and whether anybody has to say yes."""
    campaign = show.prepared.campaign
    over = ended(campaign, show.occasion.now)
    by_clock = show.occasion.fires is not None
    if by_clock:
        yield _from_to(show)
    if show.forecast.reached:
        seconds = show.seconds()
        if seconds is not None:
            yield f"about {lasting(seconds)} of sending"
    if by_clock:
        yield f"needs a person: {'yes' if show.needs() else 'no'}"
    elif not over:
        yield f"next: {upcoming(campaign, show.occasion.now).text}"


def _from_to(show: Rehearsal) -> str:
    """From when to when, each on the clock of those who get it then; `here` is the project's clock."""
    project, fires = show.opened.project.settings.time_zone, show.occasion.fires
    schedule, first, last = show.prepared.campaign.schedule, show.forecast.first, show.forecast.last
    at = fires.at if fires is not None else show.at
    if schedule is None or not schedule.recipient or first is None or last is None:
        if schedule is not None and schedule.recipient and fires is not None:
            return say_fire(schedule, fires)
        zone = schedule.zone if schedule is not None else project
        return f"{_on(at, zone)} at {_clock(at, zone)} {city(zone)}"

    def said(at: Instant, zone: str) -> str:
        own = zone or project
        here = f" ({_clock(at, project)} here)" if _clock(at, project) != _clock(at, own) else ""
        return f"{_clock(at, own)} {city(own)}{here}"

    if first.at == last.at:
        return f"{_on(first.at, first.zone or project)} at {said(first.at, first.zone)}"
    return f"{_on(first.at, first.zone or project)}, from {said(first.at, first.zone)} to {said(last.at, last.zone)}"


def _clock(at: Instant, zone: str) -> str:
    return f"{wall_at(zone_of(zone, ''), at):%H:%M}"


def _on(at: Instant, zone: str) -> str:
    wall = wall_at(zone_of(zone, ""), at)
    return f"{wall:%a} {wall.day} {wall:%b %Y}"


def lasting(seconds: float) -> str:
    """About how long, in one or two words: `40 s`, `3 min`, `2 h`."""
    length = max(1, round(seconds)) * SECOND
    if length < 100 * SECOND:
        return f"{length // SECOND} s"
    return f"{round(length / MINUTE)} min" if length < 100 * MINUTE else f"{round(length / HOUR)} h"


def _notes(show: Rehearsal, stocks: Mapping[str, Stock]) -> Iterator[str]:
    """What keeps the clock from sending it, and what else a person who sends it should know."""
    campaign, found, foresight = show.prepared.campaign, show.forecast, show.foresight
    if over := ended(campaign, show.occasion.now):
        yield f"it has ended ({over}): the clock starts no run of it any more; orchestrator send still does"
    yield from stands_still(show.ledger, campaign, show.occasion.now)
    untold = show.untold()
    if show.hold:
        by_hand = "" if untold else "; orchestrator send only asks for the number"
        yield f"a run of the clock would wait for a person: {show.hold}{by_hand}"
    if untold:
        yield f"nothing of it may be sent yet, by orchestrator send no more than by the clock: {untold}"
    if campaign.schedule is not None and found.zoneless:
        zone = campaign.schedule.zone
        yield f"{found.zoneless:,} of them have no time zone we know; the clock sends to them by {zone}"
    for name, stock in stocks.items():
        needed = found.coupons[name]
        short = f"   {needed - stock.left:,} people would get none" if needed > stock.left else ""
        yield f"coupons {name}: {stock.left:,} left, {needed:,} needed at most{short}"
    if found.shared:
        yield f"{found.shared:,} of the messages go to an address that another member's goes to as well; each of them is sent"
    if foresight.blind:
        why = foresight.trouble or f"they read what {', '.join(show.casting.linked.asks)} says of each person"
        yield f"of {foresight.blind:,} messages it is not known whether they can be written: {why}"
    if found.nothing:
        reason = min(found.nothing, key=lambda why: (why[0] is Reason.RAMP, -found.nothing[why]))[0]
        yield f"who they are: orchestrator plan {campaign.name} --why {reason}"


def say_channels(found: Mapping[Channel, int]) -> str:
    """Messages by channel, in words."""
    return " · ".join(f"{say_channel(channel)} {count:,}" for channel, count in found.items())


def say_messages(many: int) -> str:
    """So many messages, in words."""
    return f"{many:,} message{'' if many == 1 else 's'}"
