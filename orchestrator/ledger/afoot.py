"""What is under way in the whole ledger, at one moment: runs in people, the queue, who works, what stands still."""

from dataclasses import dataclass

from orchestrator.core.times import Instant
from orchestrator.ledger import figures, pace, runs, standing
from orchestrator.ledger.figures import Pace, Queue
from orchestrator.ledger.runs import Run, RunState
from orchestrator.ledger.standing import People
from orchestrator.ledger.store import Store

UNDER_WAY = (RunState.DUE, RunState.PLANNING, RunState.WAITING, RunState.WORKING, RunState.PAUSED)
"""States of runs that are not over."""
_MESSAGES = "messages\t"


@dataclass(frozen=True, slots=True)
class Going:
    """One run that is not over, in people, and when the next of them is looked at (None: nobody knows)."""

    run: Run
    people: People
    next_due: Instant | None


@dataclass(frozen=True, slots=True)
class Afoot:
    """All of it. `answered` is how many messages processes have ever counted as answered: two looks tell the pace."""

    going: tuple[Going, ...]
    queue: Queue
    daemons: tuple[str, ...]
    workers: int
    planners: int
    pauses: tuple[tuple[str, Instant, str], ...]
    paces: tuple[Pace, ...]
    events_waiting: int
    answered: int


def afoot(store: Store, now: Instant) -> Afoot:
    """Look at everything that is under way."""
    found = runs.listed(store, states=UNDER_WAY)
    counted = figures.counted(store)
    return Afoot(
        tuple(_going(store, run) for run in reversed(found)),
        figures.queue(store, now),
        tuple(figures.alive(store, "supervisor")),
        len(figures.alive(store, "worker")),
        len(figures.alive(store, "planner")),
        tuple(pace.pauses(store, now)),
        tuple(figures.paces(store)),
        figures.events_waiting(store),
        int(sum(many for name, many in counted.items() if name.startswith(_MESSAGES))),
    )


def _going(store: Store, run: Run) -> Going:
    return Going(run, standing.people(store, run.id), standing.standing(store, run.id).next_due)
