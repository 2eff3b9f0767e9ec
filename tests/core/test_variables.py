"""Variables that are read from events: the same names in memory as in the engine. That they come to the same is held in tests/personas."""

import pytest

from orchestrator.audience import behaviours as engine
from orchestrator.core.segments import Happened
from orchestrator.core.times import MINUTE, Instant
from orchestrator.core.variables import OCCURRENCES, SESSIONS, Told, behaviours, placed

AT = Instant(1_772_449_200_000_000)


def did(name, minutes, **properties):
    return Happened(Instant(AT + minutes * MINUTE), f"{name}{minutes:06}", name, properties)


def test_the_engine_and_the_memory_know_the_same_variables():
    assert set(engine._OCCURRENCES) == OCCURRENCES
    assert set(engine._SESSIONS) == SESSIONS


EVENTS = [
    did("app_open", -100),
    did("purchase", -90, amount=12.5, value=3),
    did("app_open", -60),
    did("message.sent", -20),  # ours is no visit
    did("purchase", -10, amount="gift"),
    did("purchase", 5, amount=99),  # after the moment
]


@pytest.mark.parametrize(
    ("session", "path", "value"),
    [
        ("", ("occurrencesOf", "purchase"), 2),
        ("", ("latest", "purchase"), {"amount": "gift"}),
        ("", ("firstOccurrenceOf", "purchase"), AT - 90 * MINUTE),
        ("", ("lastOccurrenceOf", "nothing"), None),
        ("", ("valueOf", "purchase"), 12.5),
        ("", ("valueOf", "app_open"), 0),
        ("", ("lifetimeValue",), 12.5),
        ("", ("numPriorSessions",), 3),  # 100 to 90, 60, 10 minutes before
        ("", ("minutesSpentInApp",), 10),
        ("app_open", ("numPriorSessions",), 2),
        ("app_open", ("lastActive",), AT - 60 * MINUTE),
        ("never", ("firstRun",), None),
    ],
)
def test_a_variable_comes_to_what_was_done_before_the_moment(session, path, value):
    found = behaviours([path], Told(("purchase", "amount"), session), EVENTS, AT)
    assert found.get(path) == value


def test_without_a_word_on_revenue_nobody_knows_what_a_life_is_worth():
    assert behaviours([("lifetimeValue",)], Told(), EVENTS, AT) == {}
    assert behaviours([("valueOf", "purchase")], Told(), EVENTS, AT) == {("valueOf", "purchase"): 3}


def test_variables_stand_where_templates_look_for_them():
    assert placed({("latest", "a"): {"b": 1}, ("lifetimeValue",): 2}) == {"latest": {"a": {"b": 1}}, "lifetimeValue": 2}
