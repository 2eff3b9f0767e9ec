"""What earlier runs of a campaign still have under way: said before anybody sends it once more."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.cli.times import when
from orchestrator.core.campaigns import Campaign
from orchestrator.core.nouns import Person
from orchestrator.core.renaming import Past
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, Run, RunState, deliveries, pace, runs
from orchestrator.ledger.afoot import UNDER_WAY


@dataclass(slots=True)
class Earlier:
    """One run that is not over: `people` of those now in the audience wait in it, `until` is when the last of them is due."""

    run: Run
    waiting: dict[str, Instant]
    people: int = 0
    until: Instant = Instant(0)

    def told(self, now: Instant, zone: str) -> str:
        """One line for a person who is about to send."""
        its = f"run {self.run.id} is {self.run.state}" + (f" ({self.run.reason})" if self.run.reason else "")
        if self.run.state in (RunState.DUE, RunState.PLANNING):
            return f"{its}: its people are not known yet"
        last = f", the last of them until {when(self.until, zone)}" if self.until > now else ""
        return f"{its} and still holds {self.people:,} of these people{last}"


def earlier(ledger: Ledger, campaign: str) -> list[Earlier]:
    """The runs of a campaign that are not over, the newest first."""
    found = runs.listed(ledger.store, campaign, UNDER_WAY)
    return [Earlier(run, deliveries.waiting_users(ledger.store, run.id)) for run in found]


def counted(people: Iterable[Person], runs_: Iterable[Earlier]) -> Iterator[Person]:
    """The same people; afterwards each earlier run knows how many of them it holds."""
    watched = [one for one in runs_ if one.waiting]
    for person in people:
        for one in watched:
            until = one.waiting.get(person.user)
            if until is not None:
                one.people += 1
                one.until = max(one.until, until)
        yield person


def told(found: Iterable[Earlier], campaign: Campaign, now: Instant) -> Iterator[str]:
    """What to know before sending once more; nothing if no earlier run concerns these people."""
    lines = [one.told(now, campaign.policy.time_zone) for one in found if one.people or not one.waiting]
    yield from lines
    if not lines:
        return
    if campaign.repeat.after == 0:
        yield "`repeat: always` lets each of them get it from both; orchestrator cancel RUN ends an earlier run"
    else:
        yield "`repeat` lets each of them get it once: from the run that reaches them first"


def past_of(ledger: Ledger, campaign: str, now: Instant) -> Past:
    """What the ledger has of a campaign that is about to be called something else."""
    under_way = tuple(run.id for run in runs.listed(ledger.store, campaign, UNDER_WAY))
    return Past(None, under_way, any(scope == f"campaign:{campaign}" for scope, _, _ in pace.pauses(ledger.store, now)))
