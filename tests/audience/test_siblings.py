"""Conditions that hold together and are asked as one: the same people, on every engine, and no second look at the events."""

from collections import Counter
from itertools import product

import pytest
from sqlglot import exp

from orchestrator.audience.compiling import members
from orchestrator.core.segments import Moment
from tests.audience.population import ANCHORS
from tests.audience.test_compiling import COLUMNS, SEGMENTS, Engines, a_segment, agree, engines, everybody

__all__ = ["engines"]
MOMENT = Moment(ANCHORS[0], "Europe/Vienna", SEGMENTS)
DEAR = (
    {"event": "purchase", "sum": "p_number", "over": 0, "when": "last 1000 days"},
    {"event": "purchase", "average": "p_number", "under": 5},
    {"event": "purchase", "sum": "p_number", "at_most": 3},
    {"not": {"event": "purchase", "sum": "p_number", "at_most": 3}},
    {"not": {"event": "cart", "max": "p_number", "over": 2}},
    {"event": "cart", "then": {"event": "purchase"}},
    {"event": "purchase", "latest": {"p_boolean": True}},
)
CHEAP = (
    {"event": "cart"},
    {"not": {"event": "cart", "when": "last 300 days"}},
    {"event": "purchase", "at_most": 2},
    {"not": {"event": "purchase", "last": "time", "before": "2 days ago"}},
)


def test_dear_and_cheap_conditions_agree_in_every_pair(engines: Engines) -> None:
    seen: Counter[str] = Counter()
    for dear, cheap in product(DEAR, CHEAP):
        for raw in (
            {"all": [cheap, dear]},
            {"all": [dear, cheap, {"attribute": "its_text", "is_set": True}, {"event": "cart", "at_most": 5}]},
            {"not": {"any": [dear, {"not": cheap}]}},
            {"any": [dear, cheap]},
        ):
            agree(raw, everybody(0), MOMENT, seen, engines[0])
    assert seen["both verdicts"] > seen["trees"] / 2


@pytest.mark.parametrize(
    ("raw", "outside"),
    [
        ({"all": [CHEAP[0], DEAR[0], CHEAP[1]]}, 1),
        ({"not": {"any": [CHEAP[0], {"not": DEAR[5]}]}}, 1),
        ({"all": [CHEAP[0], DEAR[0], DEAR[1]]}, 2),
        ({"all": [CHEAP[0], CHEAP[1]]}, 2),
        ({"all": [CHEAP[0], DEAR[2]]}, 2),  # who fails the sum is looked for, and others are members
        ({"any": [CHEAP[0], DEAR[0]]}, 2),
        ({"all": [CHEAP[0], {"event": "purchase", "sum": "p_number", "top": "10%"}]}, 2),  # a place among everybody
    ],
)
def test_a_dear_condition_is_asked_of_those_whom_its_siblings_let_through(raw: object, outside: int) -> None:
    query = members(a_segment(raw), MOMENT, COLUMNS)
    of_profiles = [one for one in query.find_all(exp.In) if one.this.table == "profile"]
    assert len(of_profiles) == outside
