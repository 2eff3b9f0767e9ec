"""Finding segments: which readable rules have members who convert more than the rest, told honestly.

Rules are made and chosen on one half of people and judged on the other; what is told is what the held-out half says, with
Benjamini and Hochberg's bound on false finds. People are halved by the draw, so the same data gives the same answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import e, erfc, log, sqrt
from typing import Any

from sqlglot import exp

from orchestrator.audience.compiling import members, predicate
from orchestrator.audience.questions import Questions
from orchestrator.audience.sql_columns import Columns, column
from orchestrator.audience.tongue import number
from orchestrator.core.phrases import say_duration
from orchestrator.core.segments import Catalogue, Kind, Moment, Segment, parse
from orchestrator.core.times import Instant

LOOKED_AT = 100_000
"""People looked at; more tell nothing new."""
COMMON = 8
"""So many values of a text are looked at, the commonest."""
BEAM = 40
"""So many single conditions, the strongest, are put together to rules of two and three."""
JUDGED = 60
"""So many rules, the strongest on the first half, are judged on the second."""
FALSE_FINDS = 0.05
SAME = 0.95
"""Two rules are about the same people if of all whom either fits, both fit so many: what is left is less than any lift here could tell apart."""
SMALLEST = 30
"""Members a rule must have in each half; of fewer nothing can be said."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that holds: its conditions as a segment has them, its people, and how they convert against the rest.

    All numbers are of the held-out half. `low` and `high` bound the lift with 95 % confidence; `q` is the share of false
    finds among rules told with this one or better. `same` are the conditions of longer or weaker rules for the same people.
    """

    conditions: tuple[dict[str, Any], ...]
    people: int
    converted: int
    rate: float
    rest: float
    lift: float
    low: float
    high: float
    q: float
    same: tuple[tuple[dict[str, Any], ...], ...] = ()


Places = tuple[int, ...]
"""A rule by the places of its conditions among all that were made."""


@dataclass(slots=True)
class Alike:
    """Rules whose people are the same: `kept` is the simplest of them, its strength as on the first half."""

    kept: Places
    strength: float
    others: list[Places]


@dataclass(frozen=True, slots=True)
class _Counts:
    people: int
    converted: int
    all_people: int
    all_converted: int

    def z(self) -> float:
        """How far the members' rate lies above the rest's, in standard errors of the pooled rate."""
        rest, rest_converted = self.all_people - self.people, self.all_converted - self.converted
        if min(self.people, rest) == 0:
            return 0.0
        pooled = self.all_converted / self.all_people
        error = sqrt(pooled * (1 - pooled) * (1 / self.people + 1 / rest))
        return (self.converted / self.people - rest_converted / rest) / error if error else 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Everybody looked at, as whole numbers whose bits are people: who is held out, who reached the goal, whom a condition fits."""

    people: int
    held_out: int
    converted: int
    fits: tuple[int, ...]

    def members(self, places: Iterable[int]) -> int:
        """Who meets all of these conditions, of both halves."""
        inside = (1 << self.people) - 1
        for place in places:
            inside &= self.fits[place]
        return inside

    def count(self, places: Iterable[int], *, held_out: bool) -> _Counts:
        """The members of a rule and everybody, in one of the halves."""
        half = self.held_out if held_out else ~self.held_out & ((1 << self.people) - 1)
        inside = half & self.members(places)
        return _Counts(
            inside.bit_count(),
            (inside & self.converted).bit_count(),
            half.bit_count(),
            (half & self.converted).bit_count(),
        )


def candidates(
    catalogue: Catalogue, values: Mapping[str, Sequence[Any]], events: Iterable[str]
) -> list[dict[str, Any]]:
    """Single conditions worth a look: the commonest texts, the quarters of numbers, how often and how lately events were done."""
    found: list[dict[str, Any]] = []
    for name, declared in catalogue.attributes.items():
        match declared.kind:
            case Kind.TEXT:
                found += [{"attribute": name, "is": value} for value in values.get(name, ())]
            case Kind.BOOLEAN:
                found += [{"attribute": name, "is": flag} for flag in (True, False)]
            case Kind.NUMBER:
                found += [{"attribute": name, word: share} for word in ("top", "bottom") for share in ("25%", "50%")]
    for name in events:
        found += [{"event": name, "when": f"last {days} days"} for days in (7, 30, 90)]
        found += [{"event": name, "at_least": many, "when": "last 90 days"} for many in (2, 4)]
        found += [{"not": {"event": name, "when": f"last {days} days"}} for days in (30, 90)]
    return found


def discover(
    questions: Questions, columns: Columns, moment: Moment, catalogue: Catalogue, goal: str, within: int
) -> tuple[list[Rule], int]:
    """The rules that hold, the strongest first, and how many were judged. The goal is reached `within` microseconds.

    Conditions are taken at the moment that long ago, so that nobody is told apart by what they did afterwards.
    """
    start = Instant(moment.at - within)
    then = Moment(start, moment.zone, moment.segments)
    texts = [name for name, declared in catalogue.attributes.items() if declared.kind is Kind.TEXT]
    everybody = parse({"about": "everybody", "any": [{"event": goal}, {"not": {"event": goal}}]}, catalogue)
    values = {
        name: [
            value for value, many in questions.spread(everybody, name, Kind.TEXT).commonest[:COMMON] if many >= SMALLEST
        ]
        for name in texts
    }
    made = candidates(catalogue, values, catalogue.events)
    reached = {"event": goal, "when": f"last {say_duration(within)}"}
    return judge(made, _look(questions, columns, then, moment, catalogue, made, reached))


def _look(
    questions: Questions, columns: Columns, then: Moment, now: Moment, catalogue: Catalogue, made: Sequence[dict[str, Any]], goal: dict[str, Any]
) -> Seen:  # fmt: skip
    """A random hundred thousand people, or everybody: which conditions fit each."""
    half = parse({"about": "half", "all": [{"bucket": "0 of 2", "salt": "discover"}]})
    parts = [(half, now), (parse({"about": "goal", "all": [goal]}, catalogue), now)]
    parts += [(parse({"about": "rule", "all": [one]}, catalogue), then) for one in made]
    bits = [_bit(segment, at, columns, f"c{place}") for place, (segment, at) in enumerate(parts)]
    some = parse({"about": "some", "all": [{"sample": LOOKED_AT, "of": "everybody", "salt": "discover people"}]})
    inner = members(some, now, columns).select(*bits, copy=False).subquery("flags")
    names = [column("flags", f"c{place}") for place in range(len(parts))]
    rows = questions.ask(exp.select(*names).from_(inner), ())
    masks = [int("".join("1" if bit else "0" for bit in bits) or "0", 2) for bits in zip(*rows, strict=True)] or [
        0
    ] * len(parts)
    return Seen(len(rows), masks[0], masks[1], tuple(masks[2:]))


def _bit(segment: Segment, moment: Moment, columns: Columns, name: str) -> exp.Expr:
    held = predicate(segment.root, moment, columns)
    return exp.alias_(exp.Case().when(held, number(1)).else_(number(0)), name, quoted=True)


def judge(made: Sequence[dict[str, Any]], seen: Seen) -> tuple[list[Rule], int]:
    """The rules that hold on the held-out half, each about other people, and how many were judged there."""
    singles = sorted(((seen.count((place,), held_out=False).z(), place) for place in range(len(made))), reverse=True)
    alone = collapse(seen, made, [(z, (place,)) for z, place in singles if z > 0], BEAM)
    strong = [one.kept[0] for one in alone]
    rules: list[tuple[float, Places]] = []
    for size in (1, 2, 3):
        for places in combinations(strong if size < 3 else strong[: BEAM // 2], size):
            counts = seen.count(places, held_out=False)
            if counts.people >= SMALLEST and counts.all_people - counts.people >= SMALLEST:
                # A condition more must earn its place, or the shorter rule says the same.
                rules.append((counts.z() - 0.5 * (size - 1), places))
    chosen = collapse(seen, made, sorted(rules, reverse=True), JUDGED)
    for one in chosen:
        one.others += _in_other_words(seen, one, alone)
    told = [(one, seen.count(one.kept, held_out=True)) for one in chosen]
    judged = [(one, counts) for one, counts in told if counts.people >= SMALLEST]
    return _without_false_finds(made, judged), len(judged)


def collapse(
    seen: Seen, made: Sequence[dict[str, Any]], rules: Iterable[tuple[float, Places]], most: int
) -> list[Alike]:
    """The rules, the strongest first, each about other people: of those about the same only the simplest, with the others beside it.

    Who reached the goal is not asked, so the held-out half stays unseen.
    """
    found: list[tuple[int, Alike]] = []
    for strength, places in rules:
        inside = seen.members(places)
        alike = next((one for people, one in found if same_people(people, inside)), None)
        if alike is None:
            if len(found) < most:
                found.append((inside, Alike(places, strength, [])))
        elif _plainness(made, places) < _plainness(made, alike.kept):
            alike.others.insert(0, alike.kept)
            alike.kept = places
        else:
            alike.others.append(places)
    return [one for _, one in found]


def same_people(one: int, other: int) -> bool:
    """Whether two sets, as whole numbers whose bits are people, are nearly the same."""
    few, many = sorted((one.bit_count(), other.bit_count()))
    if few < SAME * many:
        return False
    return (one & other).bit_count() >= SAME * (one | other).bit_count()


def _plainness(made: Sequence[dict[str, Any]], places: Places) -> tuple[int, int]:
    """How much there is to read in a rule: its conditions, and those of them that say what people are not."""
    return len(places), sum("not" in made[place] for place in places)


def _in_other_words(seen: Seen, rule: Alike, alone: Sequence[Alike]) -> list[Places]:
    """The same rule with one of its conditions replaced by another for the same people."""
    twins = {one.kept[0]: [it[0] for it in one.others] for one in alone}
    inside, found = seen.members(rule.kept), list[Places]()
    for place in rule.kept:
        for twin in twins.get(place, ()):
            other = tuple(twin if it == place else it for it in rule.kept)
            if same_people(inside, seen.members(other)):
                found.append(other)
    return found


def _without_false_finds(made: Sequence[dict[str, Any]], judged: Sequence[tuple[Alike, _Counts]]) -> list[Rule]:
    """Benjamini and Hochberg over one-sided tests: of what is told, at most `FALSE_FINDS` is expected to be false."""
    ordered = sorted(judged, key=lambda one: -one[1].z())
    tests = len(ordered)
    q, found = 1.0, []
    for rank in range(tests, 0, -1):
        alike, counts = ordered[rank - 1]
        q = min(q, 0.5 * erfc(counts.z() / sqrt(2)) * tests / rank)
        if q <= FALSE_FINDS:
            same = tuple(tuple(made[place] for place in places) for places in alike.others)
            found.append(replace(_rule(tuple(made[place] for place in alike.kept), counts, q), same=same))
    return sorted(found, key=lambda rule: (-rule.low, len(rule.conditions)))


def _rule(conditions: tuple[dict[str, Any], ...], counts: _Counts, q: float) -> Rule:
    rest, rest_converted = counts.all_people - counts.people, counts.all_converted - counts.converted
    # Half a person is added on each side, so that nobody converting among the rest makes no infinite lift.
    rate, other = (counts.converted + 0.5) / (counts.people + 1), (rest_converted + 0.5) / (rest + 1)
    error = sqrt((1 - rate) / (rate * (counts.people + 1)) + (1 - other) / (other * (rest + 1)))
    middle = log(rate / other)
    low, high = (e ** (middle + sign * 1.959964 * error) for sign in (-1, 1))
    said = counts.converted / counts.people, rest_converted / rest, rate / other
    return Rule(conditions, counts.people, counts.converted, *said, low, high, q)


def as_segment(rule: Rule, goal: str, within: str) -> dict[str, Any]:
    """The rule as the content of a segment's file."""
    about = f"Found by discover: {rule.lift:.1f} times as likely to {goal} within {within} as the rest"
    return {"about": about, "all": list(rule.conditions)}
