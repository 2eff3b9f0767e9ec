"""Many segments counted at once: the numbers each alone has, on each engine, by one pass for every name of event."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from sqlglot import exp

from orchestrator.audience import counting
from orchestrator.audience.counting import counts
from orchestrator.audience.grouping import alone
from orchestrator.audience.questions import Questions
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.segments import Everybody, Moment, Segment, SegmentError, member, parse
from orchestrator.core.times import DAY, HOUR, Instant
from tests.audience.conditions import WINDOWS, happenings, trees
from tests.audience.engines import ANSWERING, answering
from tests.audience.population import ANCHORS, CATALOGUE, TYPED, ZONES, population
from tests.audience.test_compiling import SEGMENTS, TREES

MOMENT = Moment(ANCHORS[0], "Europe/Vienna", SEGMENTS)
Asker = Callable[[Moment], Questions]


@pytest.fixture(scope="module")
def people() -> Iterator[Any]:
    found = population(5)
    yield found
    found.close()


@pytest.fixture(scope="module", params=ANSWERING)
def asker(request: pytest.FixtureRequest, people: Any) -> Iterator[Asker]:
    with answering(request, people) as (engine, columns):
        yield lambda moment: Questions(lambda query, _: engine.rows(query.sql(columns.dialect)), columns, moment)


def read(*raws: dict[str, Any]) -> dict[str, Segment]:
    """Segments of one condition each; pairs the wrong way round are left out."""
    found = {}
    for place, raw in enumerate(raws):
        try:
            found[f"s{place}"] = parse({"about": "x", "all": [raw]}, CATALOGUE)
        except SegmentError:
            continue
    return found


def test_together_they_are_what_each_is_in_memory(asker: Asker, people: Any) -> None:
    seen: Counter[str] = Counter()

    @seeded(TREES)
    @settings(max_examples=TREES // 5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        raws=st.lists(st.one_of(happenings(), happenings(), trees), min_size=3, max_size=12),
        zone=st.sampled_from(ZONES),
        at=st.sampled_from(ANCHORS),
        by=st.sampled_from((0, 0, 1, HOUR, -DAY)),
    )
    def on_every_set(raws: list[dict[str, Any]], zone: str, at: Instant, by: int) -> None:
        segments = read(*raws)
        moment = replace(MOMENT, at=Instant(at + by), zone=zone)
        crowd = Everybody(people.people, moment).moment
        expected = {
            name: sum(member(segment, person, crowd) for person in people.people) for name, segment in segments.items()
        }
        assert counts(asker(moment), segments) == expected
        seen["alone"] += sum(alone(segment, moment) for segment in segments.values())
        seen["together"] += sum(not alone(segment, moment) for segment in segments.values())
        seen["neither all nor nobody"] += sum(0 < many < len(people.people) for many in expected.values())

    on_every_set()
    assert min(seen["alone"], seen["together"]) > TREES / 5
    assert seen["neither all nor nobody"] > (seen["alone"] + seen["together"]) / 3


MEASURES: tuple[dict[str, Any], ...] = (
    {"at_least": 2},
    {"exactly": 0},
    {"distinct": "days", "at_least": 2},
    {"sum": "p_number", "under": 5},
    {"average": "p_number", "at_least": 1},
    {"min": "p_number", "under": 2},
    {"max": "p_number", "under": 5},
    {"at_least": 1, "where": {"p_boolean": True}},
)


@pytest.mark.parametrize("measure", MEASURES, ids=" ".join)
def test_windows_of_every_kind_keep_to_their_own_ends_and_so_does_what_is_not(
    measure: dict[str, Any], asker: Asker, people: Any
) -> None:
    raws = [{"event": "purchase", "when": window, **measure} for window in WINDOWS]
    segments = read({"event": "purchase"}, *raws, *({"not": raw} for raw in raws))
    assert not any(alone(segment, MOMENT) for segment in segments.values())
    found = counts(asker(MOMENT), segments)
    assert found == {
        name: sum(member(segment, one, MOMENT) for one in people.people) for name, segment in segments.items()
    }
    assert len(set(found.values())) > 4


WINDOWED = [
    {"event": name, "at_least": number, "when": f"last {days} days"}
    for name in ("purchase", "cart")
    for days in (30, 100, 1000)
    for number in (1, 2, 3)
]


def asked(segments: dict[str, Segment], moment: Moment = MOMENT) -> tuple[dict[str, int], list[exp.Select]]:
    """Every question that is asked; its answer is 1 in each column, for only the questions are looked at."""
    queries: list[exp.Select] = []

    def ask(query: exp.Select, _: Any) -> list[tuple[int, ...]]:
        queries.append(query)
        return [tuple(1 for _ in query.selects)]

    return counts(Questions(ask, DuckColumns(TYPED), moment), segments), queries


def scans(query: exp.Select) -> int:
    return sum(table.name == "event" for table in query.find_all(exp.Table))


def test_each_name_of_event_is_read_once_however_many_segments_measure_it() -> None:
    told, [query] = asked(read(*WINDOWED, {"attribute": "its_text", "is_set": True}, {"segment": "odd"}))
    assert len(told) == 20
    assert scans(query) == 2
    windows = [one for one in query.find_all(exp.Alias) if one.find(exp.Count) and one.alias.startswith("m")]
    assert len(windows) == 7, "three windows of either name, and every purchase there is"


def test_what_is_a_query_of_its_own_is_counted_alone() -> None:
    own = (
        {"event": "cart", "then": {"event": "purchase"}},
        {"event": "purchase", "latest": {"p_text": "DE"}},
        {"attribute": "its_number", "top": "10%"},
        {"event": "purchase", "top": "10%"},
        {"rfm": "purchase", "recency": 5},
        {"sample": 5, "of": {"event": "purchase"}},
        {"not": {"sample": 5, "of": "everybody"}},
    )
    told, queries = asked(read(*WINDOWED, *own))
    assert list(told) == [f"s{place}" for place in range(len(WINDOWED) + len(own))]
    assert len(queries) == 1 + len(own)


def test_many_names_of_events_are_asked_in_several_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "NAMES", 2)
    raws = [{"event": f"event {place % 5}", "at_least": place} for place in range(1, 21)]
    segments = {f"s{place}": parse({"about": "x", "all": [raw]}) for place, raw in enumerate(raws)}
    told, queries = asked(segments)
    assert len(told) == 20
    assert [scans(query) for query in queries] == [2, 2, 1]


def test_who_waits_hears_how_many_are_counted() -> None:
    heard: list[tuple[int, int]] = []
    segments = read(*WINDOWED, {"event": "cart", "then": {"event": "purchase"}})
    questions = Questions(lambda query, _: [tuple(1 for _ in query.selects)], DuckColumns(TYPED), MOMENT)
    counts(questions, segments, lambda done, of: heard.append((done, of)))
    assert heard == [(0, 19), (18, 19), (19, 19)]
    assert counts(questions, {}) == {}
