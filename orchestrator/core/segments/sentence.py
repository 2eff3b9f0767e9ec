"""A segment in words a marketer can check: every rule that decides who is in is spelled out beside its condition."""

from collections.abc import Sequence
from decimal import Decimal

from orchestrator.core.phrases import say_duration
from orchestrator.core.segments.judging import compare
from orchestrator.core.segments.sentence_tests import say_band, say_comparison, say_test, say_within, sayable
from orchestrator.core.segments.tree import (
    NOTHING_IS_ZERO,
    All,
    AnyOf,
    Attribute,
    Band,
    Bucket,
    Comparison,
    Event,
    IsSet,
    Listed,
    Measure,
    Member,
    Node,
    Not,
    Op,
    Picked,
    Property,
    Reach,
    Rfm,
    Sample,
    Segment,
    Step,
)

_ONCE = Comparison(Op.AT_LEAST, Decimal(1))
_OF = {Measure.SUM: "sum", Measure.AVERAGE: "average", Measure.MIN: "lowest", Measure.MAX: "highest"}


def sentences(segment: Segment, zone: str) -> tuple[str, ...]:
    """A sentence for each condition at the top of a segment: the parts of its `all`, or the whole as one."""
    nodes = segment.root.parts if isinstance(segment.root, All) else (segment.root,)
    return tuple(say(node, zone) for node in nodes)


def say(node: Node, zone: str, *, negated: bool = False) -> str:  # noqa: PLR0911 - one answer per node
    """One node in words; `zone` is the project's. Negated, it says who the node's complement is."""
    match node:
        case Not(part):
            return say(part, zone, negated=not negated)
        case All(parts):
            return _group(parts, zone, "not all of" if negated else "", "and")
        case AnyOf(parts):
            return _group(parts, zone, "none of" if negated else "", "or")
        case Member(name):
            return f"is {'not ' * negated}in {name}"
        case Listed(name):
            return f"is {'not ' * negated}on {name}"
        case Bucket():
            return _bucket(node, negated=negated)
        case Attribute():
            return _attribute(node, zone, negated=negated)
        case Event():
            return _event(node, zone, negated=negated)
        case Rfm():
            return f"{'not: ' * negated}{_scores(node, zone)}"
        case Reach(channel):
            return f"has {'no' if negated else 'an'} address for {channel}"
        case Sample():
            return f"is {'not ' * negated}{_sample(node, zone)}"


def _group(parts: Sequence[Node], zone: str, before: str, joint: str) -> str:
    if len(parts) == 1:
        return say(parts[0], zone, negated=bool(before))
    said = [f"({say(part, zone)})" if isinstance(part, All | AnyOf) else say(part, zone) for part in parts]
    return f"{before + ': ' if before else ''}{'; '.join(said[:-1])}; {joint} {said[-1]}"


def _bucket(node: Bucket, *, negated: bool) -> str:
    share = sayable(Decimal(100 * (node.last - node.first + 1)) / node.of)
    span = f"bucket {node.first}" if node.first == node.last else f"the buckets {node.first} to {node.last}"
    salted = "" if node.salt == "bucket" else f" by {node.salt}"
    return f"{'does not fall' if negated else 'falls'} into {span} of {node.of}{salted} ({share}% by a stable draw)"


def _scores(node: Rfm, zone: str) -> str:
    when = f" {say_within(node.window, zone)}" if node.window else " ever"
    asked = {
        "recency (latest time)": node.recency,
        "frequency (count)": node.frequency,
        f"monetary (sum of {node.property})": node.monetary,
    }
    said = [f"{name} {' or '.join(str(score) for score in scores)}" for name, scores in asked.items() if scores]
    return f"scores {', '.join(said)} of 5 (5 is best) among everybody who did {node.event}{_where(node.where, zone)}{when}"


def _sample(node: Sample, zone: str) -> str:
    salted = "" if node.salt == "sample" else f" by {node.salt}"
    of = "everybody" if node.of is None else f"those for whom: {say(node.of, zone)}"
    return f"one of {node.number} drawn at random, always the same ones{salted}, from {of}"


def _attribute(node: Attribute, zone: str, *, negated: bool) -> str:
    said = f"{node.name} {say_test(node.test, zone)}"
    if isinstance(node.test, IsSet):
        return f"{node.name} {say_test(IsSet(node.test.known is not negated), zone)}"
    if negated:
        return f"not: {said} ({node.name} unknown: in)"
    return f"{said} ({node.name} unknown: not in)"


def _event(node: Event, zone: str, *, negated: bool) -> str:
    what = node.name + _where(node.where, zone)
    clock = zone if node.measure is not Measure.DISTINCT else ""
    when = f" {say_within(node.window, clock)}" if node.window else " ever"
    when += "" if clock else f" (days of {zone})"
    then = _then(node, node.name, zone)
    if node.measure is Measure.COUNT and node.test == _ONCE:
        return f"did {'not ' * negated}{what}{when}{then}"
    said = f"{'not: ' * negated}{_measured(node, what, when, zone)}{then}"
    return said + _nothing(node, negated=negated)


def _measured(node: Event, what: str, when: str, zone: str) -> str:
    if isinstance(node.test, Band):
        return f"{_ranked(node, what, when)} is {say_band(node.test)} of everybody with any"
    if isinstance(node.test, Picked):
        edge = "first" if node.measure is Measure.EARLIEST else "latest"
        return f"the {edge} {what}{when} is one where{_where(node.test.where, zone).removeprefix(' where')}"
    if not isinstance(node.test, Comparison):
        edge = "first" if node.measure is Measure.FIRST else "latest"
        return f"the {edge} {what} ever {say_test(node.test, zone)}"
    compared = say_comparison(node.test)
    if node.measure is Measure.COUNT:
        return f"did {what} {compared} {'time' if node.test.value == 1 and not node.test.upto else 'times'}{when}"
    if node.measure is Measure.DISTINCT:
        return f"did {what} on {compared} different days{when}"
    return f"{_OF[node.measure]} of {node.property} of {what}{when} is {compared}"


def _ranked(node: Event, what: str, when: str) -> str:
    """What a band puts people in order by."""
    match node.measure:
        case Measure.COUNT:
            return f"number of {what}{when}"
        case Measure.DISTINCT:
            return f"number of different days with {what}{when}"
        case Measure.FIRST | Measure.LAST:
            return f"time of the {'first' if node.measure is Measure.FIRST else 'latest'} {what}{when}"
    return f"{_OF[node.measure]} of {node.property} of {what}{when}"


def _nothing(node: Event, *, negated: bool) -> str:
    """A word on people without such an event, where they are in."""
    if isinstance(node.test, Band | Picked):
        return f" (without any {node.name}: {'in' if negated else 'not in'})"
    passes = node.measure in NOTHING_IS_ZERO and isinstance(node.test, Comparison) and compare(node.test, Decimal(0))
    return f" (without any {node.name}: in)" if passes is not negated else ""


def _where(where: Sequence[Property], zone: str) -> str:
    if not where:
        return ""
    return " where " + " and ".join(f"{one.name} {say_test(one.test, zone)}" for one in where)


def _then(node: Event | Step, before: str, zone: str) -> str:
    parts = []
    if node.then is not None:
        parts.append(f", then {_step(node.then, zone)}")
    if node.then_not is not None:
        over = ""
        if node.then_not.within is not None:
            over = f" (counts once the {say_duration(node.then_not.within)} are over; one such {before} is enough)"
        parts.append(f", then no {_step(node.then_not, zone)}{over}")
    return "".join(parts)


def _step(step: Step, zone: str) -> str:
    within = f" within {say_duration(step.within)}" if step.within is not None else " since"
    within += f" and {say_within(step.window, zone)}" if step.window else ""
    between = "".join(f" without {one.event}{_where(one.where, '')} in between" for one in step.without)
    return f"{step.event}{_where(step.where, '')}{within}{between}{_then(step, step.event, zone)}"
