"""The next 24 hours: what the clock will start, for how many people, over which providers, and whom two campaigns share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from orchestrator.config import Project
from orchestrator.core.campaigns import Campaign, Once
from orchestrator.core.holding import by_clock
from orchestrator.core.nouns import Channel
from orchestrator.core.occurrences import occurrences, parse_wall
from orchestrator.core.segments import Segment, parse
from orchestrator.core.times import DAY, HOUR, Instant
from orchestrator.core.zones import wall_at, zone_of
from orchestrator.ledger import Ledger, RunState, runs

LAST_RUNS = 5
"""The audiences of so many last runs make the range that is expected."""
MOST = 1440
"""Moments of one campaign that are counted: one a minute."""

Overlap = Callable[[Mapping[str, Segment]], Mapping[tuple[str, str], int]]
"""How many people are in both, for every two of these segments."""


@dataclass(frozen=True, slots=True)
class Load:
    """The provider a channel goes to first. `share`: the largest expected audience of its quota of a day, None without a quota."""

    channel: Channel
    provider: str
    share: float | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """One campaign the clock starts: first at `at` (`wall` on the schedule's own clock), `times` in all.

    `expected` are the smallest and the largest audience of its last runs, None before the first. `overlaps`: how many of
    those in its audience now are in that of another campaign of these hours; None where nobody could be asked.
    """

    campaign: str
    at: Instant
    wall: str
    times: int
    expected: tuple[int, int] | None
    loads: tuple[Load, ...]
    overlaps: Mapping[str, int] | None


def ahead(ledger: Ledger, project: Project, overlap: Overlap | None, now: Instant) -> list[Ahead]:
    """What the clock starts in the next 24 hours, in the order of time."""
    found = {
        name: one for name, campaign in project.campaigns.items() if (one := _next(ledger, project, campaign, now))
    }
    shared: Mapping[tuple[str, str], int] | None = {}
    if len(found) > 1:
        shared = overlap({name: audience_of(project, name) for name in found}) if overlap is not None else None
    told = [_with(one, shared, found) for one in found.values()]
    return sorted(told, key=lambda one: (one.at, one.campaign))


def audience_of(project: Project, campaign: str) -> Segment:
    """A campaign's audience as one segment: in one of its segments, in none that it leaves out."""
    found = project.campaigns[campaign]
    conditions: list[dict[str, object]] = [{"any": [{"segment": name} for name in found.audience]}]
    conditions += [{"not": {"segment": name}} for name in found.exclude]
    return parse({"about": f"The audience of {campaign}", "all": conditions}, project.catalogue.known)


def _next(ledger: Ledger, project: Project, campaign: Campaign, now: Instant) -> Ahead | None:
    schedule = by_clock(campaign)
    if schedule is None:
        return None
    moments = list(islice(occurrences(schedule, now, Instant(now + DAY)), MOST))
    if not moments:
        return None
    first = moments[0]
    if schedule.recipient:
        named = parse_wall(schedule.when.wall if isinstance(schedule.when, Once) else first.key)
        wall = f"{named:%H:%M} their time"
    else:
        wall = f"{wall_at(zone_of(schedule.zone, project.settings.time_zone), first.at):%H:%M}"
    planned = [
        run.audience
        for run in runs.listed(ledger.store, campaign.name)
        if run.audience is not None and run.state is not RunState.MISSED
    ]
    sizes = planned[:LAST_RUNS]
    expected = (min(sizes), max(sizes)) if sizes else None
    loads = tuple(
        _load(project, channel, provider, expected, len(moments))
        for channel in campaign.channels
        for provider in _first(campaign, channel)
    )
    return Ahead(campaign.name, first.at, wall, len(moments), expected, loads, None)


def _first(campaign: Campaign, channel: Channel) -> tuple[str, ...]:
    """The provider a channel goes to first; for push by platform, that of each."""
    by_platform = campaign.by_platform if channel is Channel.PUSH else {}
    routes = by_platform.values() or (campaign.routes.get(channel, ()),)
    return tuple(dict.fromkeys(next(iter(route), "") for route in routes))


def _load(project: Project, channel: Channel, provider: str, expected: tuple[int, int] | None, times: int) -> Load:
    settings = project.settings.providers.get(provider)
    rate = settings.rate if settings is not None else None
    # A rate over an hour or a day is a quota; one over a second is only how fast it goes.
    quota = rate.limit * DAY / rate.within if rate is not None and rate.within >= HOUR else None
    share = expected[1] * times / quota if quota and expected is not None else None
    return Load(channel, provider, share)


def _with(one: Ahead, shared: Mapping[tuple[str, str], int] | None, found: Mapping[str, Ahead]) -> Ahead:
    overlaps = None
    if shared is not None:
        others = [name for name in found if name != one.campaign]
        overlaps = {name: many for name in others if (many := shared.get((one.campaign, name), 0))}
    return Ahead(one.campaign, one.at, one.wall, one.times, one.expected, one.loads, overlaps)
