"""What a person's events come to: which of them count for a condition, and the measure taken over those."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orchestrator.core.segments.judging import compare, compare_average, holds, lies
from orchestrator.core.segments.moments import local_day
from orchestrator.core.segments.tree import (
    NOTHING_IS_ZERO,
    Comparison,
    During,
    Event,
    Measure,
    Picked,
    PointTest,
    Property,
    Step,
)
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
    """A measure's value (None: missing) and whether the condition holds. Averages are shown to four decimals.

    For EARLIEST and LATEST the value is the event's properties.
    """

    value: Any
    holds: bool


def measure(condition: Event, events: Sequence[Happened], at: Instant, zone: str) -> Measured:
    """The condition over one person's events as they stood just before `at`; its test is no Band."""
    counted = counted_events(condition, events, at, zone)
    match condition.measure:
        case Measure.COUNT | Measure.DISTINCT:
            return _compared(condition, int(value_of(condition, counted, zone) or 0))
        case Measure.FIRST | Measure.LAST:
            return _edge(condition, value_of(condition, counted, zone), at, zone)
        case Measure.EARLIEST | Measure.LATEST:
            return _picked(condition, counted, at, zone)
        case _:
            return _numbers(condition, counted)


def value_of(condition: Event, counted: Sequence[Happened], zone: str) -> Decimal | int | None:
    """The measure over these events, None where there is nothing to measure (a count of none, too); not for averages."""
    if not counted:
        return None
    match condition.measure:
        case Measure.COUNT:
            return len(counted)
        case Measure.DISTINCT:
            return len({local_day(event.time, zone) for event in counted})
        case Measure.FIRST | Measure.LAST:
            return counted[0 if condition.measure is Measure.FIRST else -1].time
    found = _found(condition, counted)
    if not found:
        return None
    return _OF[condition.measure](found)


def counted_events(condition: Event, events: Sequence[Happened], at: Instant, zone: str) -> list[Happened]:
    """The events a condition counts, in order."""
    past = sorted(event for event in events if event.time < at)
    start, until = bounds(condition.window, at, zone) if condition.window else (BEGINNING, at)
    return [
        event
        for place, event in enumerate(past)
        if event.name == condition.name
        and start <= event.time < until
        and _fits(condition.where, event, at, zone)
        and _goes_on(condition, past, place, at, zone)
    ]


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
        if (
            event.name == step.event
            and _inside(step, event, at, zone)
            and _fits(step.where, event, at, zone)
            and _goes_on(step, past, later, at, zone)
        ):
            return True
        if any(event.name == one.event and _fits(one.where, event, at, zone) for one in step.without):
            return False
    return False


def _inside(step: Step, event: Happened, at: Instant, zone: str) -> bool:
    """Whether an event happened in the window of a step."""
    if step.window is None:
        return True
    start, until = bounds(step.window, at, zone)
    return start <= event.time < until


def _edge(condition: Event, moment: Decimal | int | None, at: Instant, zone: str) -> Measured:
    """The first or the last of them: a moment."""
    if moment is None:
        return Measured(None, holds=False)
    if not isinstance(condition.test, PointTest | During):
        raise TypeError(condition.test)
    return Measured(moment, lies(condition.test, Instant(int(moment)), at, zone))


def _picked(condition: Event, counted: Sequence[Happened], at: Instant, zone: str) -> Measured:
    """What the first or the last of them was like."""
    if not isinstance(condition.test, Picked):
        raise TypeError(condition.test)
    if not counted:
        return Measured(None, holds=False)
    event = counted[0 if condition.measure is Measure.EARLIEST else -1]
    return Measured(dict(event.properties), _fits(condition.test.where, event, at, zone))


_OF: Mapping[Measure, Callable[[list[Decimal]], Decimal]] = {
    Measure.SUM: lambda found: sum(found, Decimal(0)),
    Measure.MIN: min,
    Measure.MAX: max,
}


def _found(condition: Event, counted: Sequence[Happened]) -> list[Decimal]:
    """The numbers of the measured property; events without it are left out."""
    return [value for event in counted if (value := number(event.properties.get(condition.property))) is not None]


def _numbers(condition: Event, counted: Sequence[Happened]) -> Measured:
    """Sum, average, least and greatest of a property."""
    found = _found(condition, counted)
    if not found and condition.measure not in NOTHING_IS_ZERO:
        return Measured(None, holds=False)
    if condition.measure is not Measure.AVERAGE:
        return _compared(condition, _OF[condition.measure](found))
    total = sum(found, Decimal(0))
    if not isinstance(condition.test, Comparison):
        raise TypeError(condition.test)
    return Measured(round(total / len(found), 4), compare_average(condition.test, total, len(found)))


def _compared(condition: Event, value: Decimal | int) -> Measured:
    if not isinstance(condition.test, Comparison):
        raise TypeError(condition.test)
    return Measured(value, compare(condition.test, value))
