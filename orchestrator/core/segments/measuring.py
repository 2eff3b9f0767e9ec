"""What a person's events come to: which of them count for a condition, and the measure taken over those."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orchestrator.core.segments.judging import compare, compare_average, holds, lies
from orchestrator.core.segments.moments import local_day
from orchestrator.core.segments.tree import NOTHING_IS_ZERO, Comparison, Event, Measure, Property, Step
from orchestrator.core.segments.values import number, read
from orchestrator.core.times import Instant
from orchestrator.core.windows import BEGINNING, bounds


@dataclass(frozen=True, slots=True, order=True)
class Happened:
    """One event of a person; events stand in the order of (time, message id)."""

    time: Instant
    message_id: str
    name: str = field(compare=False)
    properties: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure's value (None: missing) and whether the condition holds. Averages are shown to four decimals."""

    value: Decimal | int | None
    holds: bool


def measure(condition: Event, events: Sequence[Happened], at: Instant, zone: str) -> Measured:
    """The condition over one person's events as they stood just before `at`."""
    past = sorted(event for event in events if event.time < at)
    start, until = bounds(condition.window, at, zone) if condition.window else (BEGINNING, at)
    counted = [
        event
        for place, event in enumerate(past)
        if event.name == condition.name
        and start <= event.time < until
        and _fits(condition.where, event, at, zone)
        and _goes_on(condition, past, place, at, zone)
    ]
    match condition.measure:
        case Measure.COUNT:
            return _compared(condition, len(counted))
        case Measure.DISTINCT:
            return _compared(condition, len({local_day(event.time, zone) for event in counted}))
        case Measure.FIRST | Measure.LAST:
            return _edge(condition, counted, at, zone)
        case _:
            return _numbers(condition, counted)


def _fits(where: tuple[Property, ...], event: Happened, at: Instant, zone: str) -> bool:
    return all(holds(one.test, one.kind, read(one.kind, event.properties.get(one.name)), at, zone) for one in where)


def _goes_on(step: Event | Step, past: Sequence[Happened], place: int, at: Instant, zone: str) -> bool:
    """Whether what must follow the event at `place` did, and what must not did not."""
    if step.then is not None and not _followed(step.then, past, place, at, zone):
        return False
    unwanted = step.then_not
    if unwanted is None:
        return True
    over = unwanted.within is None or past[place].time + unwanted.within <= at
    return over and not _followed(unwanted, past, place, at, zone)


def _followed(step: Step, past: Sequence[Happened], place: int, at: Instant, zone: str) -> bool:
    """Whether an event after the one at `place` fits the step, in time, and itself goes on as it should."""
    for later in range(place + 1, len(past)):
        event = past[later]
        if step.within is not None and event.time >= past[place].time + step.within:
            return False
        if event.name == step.event and _fits(step.where, event, at, zone) and _goes_on(step, past, later, at, zone):
            return True
    return False


def _edge(condition: Event, counted: Sequence[Happened], at: Instant, zone: str) -> Measured:
    """The first or the last of them: a moment."""
    if not counted:
        return Measured(None, holds=False)
    moment = counted[0 if condition.measure is Measure.FIRST else -1].time
    if isinstance(condition.test, Comparison):
        raise TypeError(condition.test)
    return Measured(moment, lies(condition.test, moment, at, zone))


def _numbers(condition: Event, counted: Sequence[Happened]) -> Measured:
    """Sum, average, least and greatest of a property; events without it are left out."""
    found = [value for event in counted if (value := number(event.properties.get(condition.property))) is not None]
    if not found and condition.measure not in NOTHING_IS_ZERO:
        return Measured(None, holds=False)
    match condition.measure:
        case Measure.SUM:
            return _compared(condition, sum(found, Decimal(0)))
        case Measure.MIN:
            return _compared(condition, min(found))
        case Measure.MAX:
            return _compared(condition, max(found))
        case _:
            total = sum(found, Decimal(0))
            if not isinstance(condition.test, Comparison):
                raise TypeError(condition.test)
            return Measured(round(total / len(found), 4), compare_average(condition.test, total, len(found)))


def _compared(condition: Event, value: Decimal | int) -> Measured:
    if not isinstance(condition.test, Comparison):
        raise TypeError(condition.test)
    return Measured(value, compare(condition.test, value))
