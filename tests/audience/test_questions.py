"""What is asked about segments: every answer is the one that counting people in memory gives, on each engine."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.audience.questions import Questions
from orchestrator.core.draw import draw
from orchestrator.core.segments import Everybody, Kind, Moment, OraclePerson, Segment, member, parse
from orchestrator.core.times import DAY, Instant
from tests.audience.engines import ANSWERING, answering
from tests.audience.population import ANCHORS, CATALOGUE, population

MOMENT = Moment(ANCHORS[0], "Europe/Vienna")


def a_segment(*conditions: dict[str, Any]) -> Segment:
    return parse({"about": "x", "all": list(conditions)}, CATALOGUE)


KNOWN = a_segment({"attribute": "its_text", "is_set": True})
BUYERS = a_segment(
    {"event": "purchase", "when": "last 1000 days"},
    {"attribute": "its_text", "is_not": "DE"},
    {"not": {"list": "lists/staff.csv"}},
)
RECENT = a_segment({"event": "purchase", "when": "last 30 days"}, {"attribute": "its_boolean", "is_set": True})


@pytest.fixture(scope="module")
def people() -> Iterator[Any]:
    found = population(7)
    yield found
    found.close()


@pytest.fixture(scope="module", params=ANSWERING)
def questions(request: pytest.FixtureRequest, people: Any) -> Iterator[Questions]:
    with answering(request, people) as (engine, columns):
        yield Questions(lambda query, _: engine.rows(query.sql(columns.dialect)), columns, MOMENT)


def inside(segment: Segment, people: tuple[OraclePerson, ...], at: Instant = MOMENT.at) -> set[str]:
    moment = Everybody(people, replace(MOMENT, at=at)).moment
    return {one.user for one in people if member(segment, one, moment)}


def test_counts_and_samples(questions: Questions, people: Any) -> None:
    found = inside(BUYERS, people.people)
    assert questions.everybody() == len(people.people)
    assert questions.count(BUYERS) == len(found)
    assert questions.sample(BUYERS, 3) == sorted(found, key=lambda user: (draw("sample", user), user))[:3]


def test_a_funnel(questions: Questions, people: Any) -> None:
    everybody, steps = questions.funnel(BUYERS)
    parts = [inside(Segment("part", node), people.people) for node in BUYERS.root.parts]  # type: ignore[union-attr]  # its root is an `all`
    left = [set.intersection(*parts[: place + 1]) for place in range(3)]
    assert everybody == len(people.people)
    assert [(step.alone, step.left) for step in steps] == [
        (len(part), len(rest)) for part, rest in zip(parts, left, strict=True)
    ]
    assert 0 < len(left[2]) < len(left[0])


def test_an_overlap(questions: Questions, people: Any) -> None:
    three = {"known": KNOWN, "buyers": BUYERS, "recent": RECENT}
    members = {name: inside(segment, people.people) for name, segment in three.items()}
    found = questions.overlap(three)
    assert found == {(one, other): len(members[one] & members[other]) for one in three for other in three}
    assert 0 < found["buyers", "recent"] < found["buyers", "buyers"]


def test_whom_messages_reach(questions: Questions, people: Any) -> None:
    for channel, many in questions.reachable(BUYERS).items():
        reachable = inside(a_segment({"reachable": channel}), people.people)
        assert many == len(reachable & inside(BUYERS, people.people))


def test_how_values_spread(questions: Questions, people: Any) -> None:
    found = inside(BUYERS, people.people)
    spread = questions.spread(BUYERS, "its_boolean", Kind.BOOLEAN)
    values = [one.attributes.get("its_boolean") for one in people.people if one.user in found]
    assert spread.known == sum(isinstance(value, bool) for value in values)
    assert {bool(value): many for value, many in spread.commonest} == {
        flag: sum(value is flag for value in values) for flag in (True, False) if flag in values
    }
    numbers = questions.spread(KNOWN, "its_number", Kind.NUMBER)
    assert float(numbers.lowest) < 0 < float(numbers.highest)


def test_who_came_and_went_and_by_which_condition(questions: Questions, people: Any) -> None:
    since = Instant(MOMENT.at - 3 * DAY)
    then, now = inside(RECENT, people.people, since), inside(RECENT, people.people)
    found = questions.difference(RECENT, since, 100)
    assert (found.before, found.after) == (len(then), len(now))
    assert set(found.who_entered) == now - then
    assert set(found.who_left) == then - now
    assert (found.entered, found.left) == (len(now - then), len(then - now))
    assert found.entered + found.left > 0
    # Only the first condition looks at events, so it alone can have let anybody in or go.
    assert [(one.let_in, one.let_go) for one in found.changes] == [(found.entered, found.left), (0, 0)]
