"""The last 24 hours of each campaign in people, and how that compares with a usual day of the same campaign."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import median

from orchestrator.config import Project
from orchestrator.core.segments import parse
from orchestrator.core.times import DAY, Instant
from orchestrator.ledger import Ledger, Run, RunState, runs
from orchestrator.ledger.standing import People
from orchestrator.pipeline.today.needs import Count

USUAL_DAYS = 5
"""So many days with a run make a usual day, the latest ones."""
BACK = 35
"""Days one looks back for them: a campaign that runs once a week has five."""

Converted = Callable[[str], int | None]
"""How many people reached a campaign's goal in the last 24 hours after a message of it; None where nobody can tell."""


@dataclass(frozen=True, slots=True)
class Lately:
    """One campaign's runs of the last 24 hours. `usual` is what it reaches on a usual day, None where there was none."""

    campaign: str
    state: str
    runs: tuple[int, ...]
    people: People
    goal: int | None
    usual: float | None
    approved: tuple[str, ...] = ()
    """Who approved one of the runs."""


def lately(ledger: Ledger, project: Project, count: Count, converted: Converted, now: Instant) -> list[Lately]:
    """Every campaign that had a run in the last 24 hours, the largest audience first."""
    by_campaign = _grouped(runs.due_between(ledger.store, Instant(now - BACK * DAY), now))
    found = []
    for campaign, of_it in by_campaign.items():
        by_day = _by_day(of_it, now)
        if 0 not in by_day:
            continue
        numbers = tuple(run.id for run in by_day.pop(0))
        known = project.campaigns.get(campaign)
        goal = converted(campaign) if known is not None and known.goal is not None else None
        approved = runs.approvals(ledger.store, numbers)
        names = tuple(dict.fromkeys(entry.who for entry in approved.values()))
        people = together(count(number) for number in numbers)
        state = str(known.state) if known is not None else "gone"
        found.append(Lately(campaign, state, numbers, people, goal, _usual(count, by_day), names))
    return sorted(found, key=lambda one: -one.people.people)


def goals(project: Project, count: Callable[..., int]) -> Converted:
    """Counts with `count` (of a segment) who was converted in the last 24 hours."""
    goals = {name: campaign.goal for name, campaign in project.campaigns.items()}
    known = replace(project.catalogue.known, campaigns=frozenset(goals), goals=goals)

    def converted(campaign: str) -> int | None:
        asked = {"message": "converted", "campaign": campaign, "when": "last 24 hours"}
        return count(parse({"about": f"They reached the goal of {campaign}", "all": [asked]}, known))

    return converted


def together(parts: Iterable[People]) -> People:
    """The people of several runs; who was in two of them counts in both, as in their reports."""
    total = People()
    for part in parts:
        total.people += part.people
        total.reached += part.reached
        total.waiting += part.waiting
        total.in_doubt += part.in_doubt
        total.failed += part.failed
        total.holdout += part.holdout
        total.nothing.update(part.nothing)
    return total


def _grouped(found: Iterable[Run]) -> dict[str, list[Run]]:
    by_campaign: dict[str, list[Run]] = {}
    for run in found:
        if run.state is not RunState.MISSED:
            by_campaign.setdefault(run.campaign, []).append(run)
    return by_campaign


def _by_day(found: Iterable[Run], now: Instant) -> dict[int, list[Run]]:
    """Runs by how many times 24 hours ago they were due."""
    by_day: dict[int, list[Run]] = {}
    for run in found:
        by_day.setdefault(max(0, now - run.due_at - 1) // DAY, []).append(run)
    return by_day


def _usual(count: Count, by_day: Mapping[int, list[Run]]) -> float | None:
    """How many people the campaign reaches on a day on which it runs."""
    days = [by_day[day] for day in sorted(by_day)[:USUAL_DAYS]]
    reached = [sum(count(run.id).reached for run in day) for day in days]
    return float(median(reached)) if reached else None
