"""Which segments given people are in: the same as each segment alone says of them, on our own store and on other engines."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from sqlglot import exp

from orchestrator.audience import membership as asking
from orchestrator.audience.membership import membership
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.segments import Everybody, Moment, Segment, member
from orchestrator.core.times import DAY, HOUR, Instant
from tests.audience.conditions import conditions, happenings, trees
from tests.audience.engines import ANSWERING, answering
from tests.audience.population import ANCHORS, TYPED, ZONES, population
from tests.audience.test_compiling import SEGMENTS, TREES
from tests.audience.test_counting import WINDOWED, read

MOMENT = Moment(ANCHORS[0], "Europe/Vienna", SEGMENTS)


@pytest.fixture(scope="module")
def people() -> Iterator[Any]:
    found = population(6)
    yield found
    found.close()


@pytest.fixture(scope="module", params=ANSWERING)
def audience(request: pytest.FixtureRequest, people: Any) -> Iterator[Any]:
    """An engine as a reader: all that membership asks of one is its columns and its answers."""
    with answering(request, people) as (engine, columns):
        yield SimpleNamespace(columns=columns, ask=lambda query, _=(): engine.rows(query.sql(columns.dialect)))


def in_memory(segments: dict[str, Segment], users: Sequence[str], people: Any, moment: Moment) -> dict[str, Any]:
    crowd = Everybody(people.people, moment).moment
    known = {one.user: one for one in people.people}
    return {
        user: frozenset(
            name for name, segment in segments.items() if user in known and member(segment, known[user], crowd)
        )
        for user in users
    }


def test_people_are_in_what_each_segment_alone_says(audience: Any, people: Any) -> None:
    seen: Counter[str] = Counter()
    names = [one.user for one in people.people]

    @seeded(TREES)
    @settings(max_examples=TREES // 5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        raws=st.lists(st.one_of(happenings(), conditions, trees), min_size=3, max_size=10),
        users=st.lists(st.sampled_from([*names, "nobody", "it's nobody"]), max_size=12),
        zone=st.sampled_from(ZONES),
        at=st.sampled_from(ANCHORS),
        by=st.sampled_from((0, 0, 1, HOUR, -DAY)),
    )
    def on_every_set(raws: list[dict[str, Any]], users: list[str], zone: str, at: Instant, by: int) -> None:
        segments = read(*raws)
        moment = replace(MOMENT, at=Instant(at + by), zone=zone)
        expected = in_memory(segments, users, people, moment)
        assert membership(audience, users, segments, moment) == expected
        seen["in"] += sum(len(one) for one in expected.values())
        seen["out"] += sum(len(segments) - len(one) for one in expected.values())

    on_every_set()
    assert min(seen["in"], seen["out"]) > TREES / 2


def test_many_people_and_many_segments_are_asked_in_steps(
    audience: Any, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "USERS", 7)
    monkeypatch.setattr(asking, "SEGMENTS", 4)
    segments = read(*WINDOWED, {"attribute": "its_number", "top": "50%"}, {"sample": 5, "of": "everybody"})
    users = [one.user for one in people.people][:20]
    found = membership(audience, users, segments, MOMENT)
    assert found == in_memory(segments, users, people, MOMENT)
    assert list(found) == users
    assert {"s18", "s19"} <= set().union(*found.values())


def test_the_events_of_everybody_are_read_once_however_many_segments_there_are() -> None:
    queries: list[exp.Select] = []
    audience: Any = SimpleNamespace(columns=DuckColumns(TYPED), ask=lambda query, _: queries.append(query) or [])
    segments = read(*WINDOWED, {"event": "cart", "then": {"event": "purchase"}}, {"attribute": "its_text", "is": "DE"})
    assert membership(audience, ["ada"], segments, MOMENT) == {"ada": frozenset()}
    [query] = queries
    named = [table.name for table in query.find_all(exp.Table)]
    assert (named.count("event"), named.count("profile")) == (1, 1)
    assert not any(one.name == "properties" for one in query.find_all(exp.Column))


def test_nothing_is_asked_where_nobody_or_nothing_is_asked_about() -> None:
    audience: Any = SimpleNamespace(columns=DuckColumns(TYPED))
    assert membership(audience, [], read(*WINDOWED), MOMENT) == {}
    assert membership(audience, ["ada"], {}, MOMENT) == {"ada": frozenset()}
