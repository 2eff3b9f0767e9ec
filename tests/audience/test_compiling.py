"""The SQL of a segment and the evaluation in memory are the same meaning, for everybody, everywhere, at any moment."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any
from unicodedata import normalize

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from sqlglot import exp

from orchestrator.audience.columns import OWN
from orchestrator.audience.compiling import funnel, lists, members, members_sql, steps
from orchestrator.audience.engines.clickhouse import ClickHouseColumns
from orchestrator.audience.engines.postgresql import PostgresColumns
from orchestrator.audience.sql_columns import Columns, DuckColumns
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.mirrors import OWN as CORE_OWN
from orchestrator.core.segments import (
    Declared,
    Everybody,
    Happened,
    Kind,
    Moment,
    OraclePerson,
    Segment,
    SegmentError,
    member,
    parse,
)
from orchestrator.core.segments.moments import local_day
from orchestrator.core.segments.parsing import DEEPEST
from orchestrator.core.segments.reading_tests import CASELESS, EVERY_WORD
from orchestrator.core.times import DAY, HOUR, Instant
from tests.audience.conditions import EVENTS, IN_TURN, NEEDLES, WINDOWS, trees, words_for
from tests.audience.engines import InClickHouse, InPostgres
from tests.audience.population import ANCHORS, CATALOGUE, KINDS, TYPED, ZONES, Population, loaded, population

TREES = int(os.environ.get("SEGMENT_TREES", "300"))
"""More trees, and others, when the variable is set; SEGMENT_SHIFT makes yet others."""
SHIFT = TREES * 1000 + int(os.environ.get("SEGMENT_SHIFT", "0"))
SEEDS = 3
COLUMNS = DuckColumns(TYPED)
COLUMNS_OF: Mapping[str, Columns] = {
    "duckdb": COLUMNS, "postgres": PostgresColumns(TYPED), "clickhouse": ClickHouseColumns(TYPED),
}  # fmt: skip
SEGMENTS = {
    "known": parse({"about": "We know where they live", "all": [{"attribute": "its_text", "is_set": True}]}, CATALOGUE),
    "odd": parse(
        {"about": "Known, or no buyers", "any": [{"segment": "known"}, {"not": {"event": "purchase"}}]}, CATALOGUE
    ),
}
MOMENT = Moment(ANCHORS[0], "Europe/Vienna", SEGMENTS)
MUST_OCCUR = {
    *EVERY_WORD, "exactly", "ignore_case", "attribute", "event", "list", "bucket", "salt", "segment", "all", "any", "not",
    "sum", "average", "min", "max", "first", "last", "distinct", "where", "then", "then_not", "within",
    *(f"its_{kind}" for kind in KINDS), *(f"any/{kind}~" for kind in KINDS), *(f"p_{kind}" for kind in KINDS),
    "message", "converted", "campaign", "variant", "channel", "topic", "step", "latest", "earliest", "without", "top", "bottom", "percentile", "rfm",
    "recency", "frequency", "monetary", "address", "reachable", "subscribed", "unsubscribed", "sample", "of", *CORE_OWN,
    "not > rfm", "not > address", "of > event", "then > without",
    "not > event", "not > attribute", "not > list", "not > bucket", "not > segment", "not > not", "then > then",
    "then > then_not",
}  # fmt: skip

everybody = cache(population)
Engines = Sequence[tuple[InPostgres, InClickHouse]]


@pytest.fixture(scope="module", autouse=True)
def _closed_at_the_end() -> Iterator[None]:
    yield
    for number in range(SEEDS):
        everybody(number).connection.close()
    everybody.cache_clear()


@pytest.fixture(scope="module")
def engines(fresh_postgresql: Callable[[], str]) -> Iterator[Engines]:
    """Every population in PostgreSQL and in ClickHouse."""
    found = [
        (InPostgres(fresh_postgresql(), everybody(number).people, TYPED), InClickHouse(everybody(number).people, TYPED))
        for number in range(SEEDS)
    ]
    yield found
    for both in found:
        for engine in both:
            engine.close()


def said(raw: Any, under: str = "") -> Iterator[str]:
    """Every key of a segment's file, alone and with the one it stands under, and the names of what it asks about."""
    for key, value in raw.items() if isinstance(raw, dict) else ():
        yield key
        yield f"{under} > {key}"
        if key in {"attribute", "message"}:
            yield value
        yield from said(value, key)
    for one in raw if isinstance(raw, list) else ():
        yield from said(one, under)


def a_segment(raw: Any) -> Segment:
    return parse({"about": "made up", "all": [raw]}, CATALOGUE)


def agree(
    raw: Any, people: Population, moment: Moment, seen: Counter[str], engines: Sequence[InPostgres | InClickHouse] = ()
) -> None:
    try:
        segment = a_segment(raw)
    except SegmentError as error:
        told = [one.text for one in error.mistakes]
        if not all("is above" in text or "is after" in text for text in told):  # pairs come in any order
            raise
        return
    with_all = Everybody(people.people, moment).moment
    expected = {person.user for person in people.people if member(segment, person, with_all)}
    for engine in (people, *engines):
        sql = members_sql(segment, moment, COLUMNS_OF[engine.dialect])
        assert engine.answer(sql) == expected, sql
    seen.update(set(said(raw)))
    seen["both verdicts"] += 0 < len(expected) < len(people.people)
    seen["trees"] += 1


def test_every_engine_and_memory_agree_on_every_user(engines: Engines) -> None:
    seen: Counter[str] = Counter()
    each = -(-TREES // len(IN_TURN))
    for turn, leaf in enumerate(IN_TURN):

        @seeded(turn + SHIFT)
        @settings(max_examples=each, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(
            raw=trees,
            one=leaf,
            word=st.sampled_from(("all", "any")),
            of=st.integers(0, SEEDS - 1),
            zone=st.sampled_from(ZONES),
            at=st.sampled_from(ANCHORS),
            by=st.sampled_from((0, 0, 0, 1, HOUR, -DAY, 6 * HOUR)),
        )
        def on_every_tree(raw: Any, one: Any, word: str, of: int, zone: str, at: Instant, by: int) -> None:
            agree({word: [raw, one]}, everybody(of), Moment(Instant(at + by), zone, SEGMENTS), seen, engines[of])

        on_every_tree()
    assert seen["trees"] >= TREES * 0.8
    assert seen["both verdicts"] >= seen["trees"] / 3
    assert {word for word in MUST_OCCUR if not seen[word]} == set()


@pytest.mark.parametrize(("kind", "word"), [(kind, word) for kind in KINDS for word in words_for(kind)])
def test_every_word_agrees_for_every_kind_of_value_wherever_it_stands(kind: Kind, word: str, engines: Engines) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=4, deadline=None, derandomize=True, database=None)
    @given(value=words_for(kind)[word], caseless=st.booleans(), seed=st.integers(0, SEEDS - 1))
    def in_three_places(value: Any, caseless: bool, seed: int) -> None:
        test = {word: value, **({"ignore_case": True} if caseless and kind is Kind.TEXT and word in CASELESS else {})}
        for raw in ({"attribute": f"its_{kind}"} | test, {"attribute": f"any/{kind}~"} | test):
            agree({"not": raw}, everybody(seed), MOMENT, seen)
        agree({"event": "purchase", "where": {f"p_{kind}": test}}, everybody(seed), MOMENT, seen, engines[seed])

    in_three_places()
    assert word == "between" or seen["trees"] >= 4


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("zone", ZONES)
def test_distinct_days_agree_in_every_window_and_zone(window: str, zone: str) -> None:
    seen: Counter[str] = Counter()
    for at in ANCHORS:
        raw = {"event": "purchase", "distinct": "days", "at_least": 2, "when": window}
        agree(raw, everybody(0), Moment(at, zone, SEGMENTS), seen)
    assert seen["trees"] == len(ANCHORS)


def test_the_population_is_as_awkward_as_it_should_be() -> None:
    people = [person for number in range(SEEDS) for person in everybody(number).people]
    events = [event for person in people for event in person.events]
    values = [value for person in people for value in person.attributes.values()]
    texts = [value for value in values if isinstance(value, str)]
    ties = [
        (one, two)
        for person in people
        for one, two in pairwise(sorted(person.events))
        if one.time == two.time and one.name != two.name
    ]
    assert len(ties) > 50
    assert values.count(None) > 50
    assert any(len(person.attributes) < len(CATALOGUE.attributes) for person in people)
    assert sum(not text.isascii() for text in texts) > 50
    assert any(text != normalize("NFC", text) for text in texts)
    assert any(isinstance(value, float) and value < 0 for value in values)
    assert not all(person.user.isascii() for person in people)
    for zone in ("Europe/Vienna", "America/New_York"):
        shifted = [event for event in events if local_day(event.time, zone) != event.time // DAY]
        assert len(shifted) > 50
    for anchor in ANCHORS[:2]:  # the days on which Vienna moves its clocks
        assert sum(local_day(event.time, "Europe/Vienna") == anchor // DAY for event in events) > 20


HOSTILE = (
    "'",
    "''",
    "'; DROP TABLE profile; --",
    "\\",
    "\\'",
    "%",
    "_",
    "\n",
    "$$",
    "{{x}}",
    "\u0027",
    "\u02bc",
    ")",
    "/*",
    "?",
    ":a",
    "💥'",
    "--",
)


def shape(sql: str) -> str:
    """A query with every literal taken out."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    for literal in tree.find_all(exp.Literal):
        literal.replace(exp.Literal.string("?"))
    return tree.sql("duckdb")


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "template",
    [
        lambda text: {"attribute": "its_text", "is": [text, "b"]},
        lambda text: {"attribute": "its_text", "contains": text, "ignore_case": True},
        lambda text: {"attribute": "any/text~", "ends_with": text},
        lambda text: {"attribute": "its_list", "contains_any": text},
        lambda text: {
            "event": "purchase",
            "where": {"p_text": text},
            "then": {"event": "cart", "where": {"p_text": text}},
        },
        lambda text: {"list": text},
        lambda text: {"bucket": "1 to 2 of 9", "salt": text},
    ],
)
def test_a_value_never_changes_the_shape_of_the_query(template: Any, value: str) -> None:
    harmless = members_sql(a_segment(template("a")), MOMENT, COLUMNS)
    hostile = members_sql(a_segment(template(value)), MOMENT, COLUMNS)
    assert shape(hostile) == shape(harmless)
    agree(template(value), everybody(0), MOMENT, Counter())


@given(
    name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(
        lambda name: name not in {*OWN, *CORE_OWN}
    )
)
@settings(max_examples=200, deadline=None, database=None, derandomize=True)
def test_names_of_any_letters_stay_names(name: str) -> None:
    name = normalize("NFC", name)
    segment, harmless = (
        parse({"about": "x", "all": [{"attribute": one, "is": "a"}, {"event": one, "where": {one: 1}}]})
        for one in (name, "n")
    )
    sql = members_sql(segment, MOMENT, DuckColumns({}))
    assert shape(sql) == shape(members_sql(harmless, MOMENT, DuckColumns({})))
    assert people_of(name, sql) == {"u"}
    typed = DuckColumns({name: Declared(Kind.TEXT)})
    found = sqlglot.parse_one(members_sql(segment, MOMENT, typed), dialect="duckdb").find_all(exp.Column)
    assert {column.name for column in found} == {"user", "who", "name", "time", "properties", f"a.{name}"}


def people_of(name: str, sql: str) -> set[str]:
    """Whom a query finds where one person has an attribute, an event and a property of this name."""
    one = OraclePerson("u", {name: "a"}, (Happened(Instant(0), "m", name, {name: 1}),))
    with loaded([one], {}) as connection:
        return Population((one,), connection).answer(sql)


def test_a_funnel_counts_each_condition_alone_and_those_left() -> None:
    people = everybody(1)
    segment = parse(
        {
            "about": "three conditions",
            "all": [
                {"attribute": "its_text", "is_not": "DE"},
                {"event": "purchase", "when": "last 1000 days"},
                {"not": {"list": "lists/staff.csv"}},
            ],
        },
        CATALOGUE,
    )
    parts = [parse({"about": "part", "all": [raw]}, CATALOGUE) for raw in (
        {"attribute": "its_text", "is_not": "DE"}, {"event": "purchase", "when": "last 1000 days"}, {"not": {"list": "lists/staff.csv"}},
    )]  # fmt: skip
    passed = [{one.user for one in people.people if member(part, one, MOMENT)} for part in parts]
    unknown = sum(not isinstance(one.attributes.get("its_text"), str) for one in people.people)
    row = people.connection.sql(funnel(segment, MOMENT, COLUMNS).sql("duckdb")).fetchall()[0]
    left = [len(passed[0]), len(passed[0] & passed[1]), len(passed[0] & passed[1] & passed[2])]
    expected = [len(people.people)]
    for number in range(3):
        expected += [len(passed[number]), left[number], unknown if number == 0 else 0]
    assert list(row) == expected
    assert len(steps(segment)) == 3
    assert 0 < left[2] < left[0]


def test_lists_are_found_through_other_segments() -> None:
    inner = a_segment({"not": {"list": "lists/a.csv"}})
    outer = parse({"about": "x", "any": [{"segment": "inner"}, {"list": "lists/b.csv"}]})
    assert lists(outer, Moment(ANCHORS[0], "UTC", {"inner": inner})) == ("lists/a.csv", "lists/b.csv")


def test_a_segment_that_refers_to_itself_is_refused_with_the_way_round() -> None:
    circle = {
        "a": parse({"about": "a", "all": [{"segment": "b"}]}),
        "b": parse({"about": "b", "all": [{"segment": "a"}]}),
    }
    moment = Moment(ANCHORS[0], "UTC", circle)
    for read in (lambda: members(circle["a"], moment, COLUMNS), lambda: member(circle["a"], OraclePerson("u"), moment)):
        with pytest.raises(OrchestratorError, match="b → a → b"):
            read()


def test_the_deepest_nesting_allowed_still_runs() -> None:
    raw: Any = {"attribute": "its_text", "is": "DE"}
    for level in range(DEEPEST - 1):
        raw = ({"all": [raw, {"event": "cart"}]}, {"not": raw}, {"any": [{"list": "x"}, raw]})[level % 3]
    agree(raw, everybody(0), MOMENT, seen := Counter())
    assert seen["trees"] == 1
    with pytest.raises(SegmentError, match="deeper than"):
        a_segment({"all": [raw]})


def test_a_segment_of_many_conditions_still_runs() -> None:
    raw = {"any": [{"attribute": "its_number", "is": number} for number in range(2000)]}
    agree(raw, everybody(0), MOMENT, Counter())


def test_a_list_of_many_values_still_runs() -> None:
    raw = {"attribute": "its_text", "is": [*NEEDLES, *(f"value {number}" for number in range(20_000))]}
    agree(raw, everybody(0), MOMENT, Counter())


def test_a_person_without_events_is_asked_too() -> None:
    people = (OraclePerson("quiet"), OraclePerson("busy", events=(Happened(Instant(ANCHORS[0] - 1), "m", EVENTS[0]),)))
    for raw, expected in (
        ({"event": "purchase", "at_most": 0}, {"quiet"}),
        ({"event": "purchase", "under": 5}, {"quiet", "busy"}),
        ({"event": "purchase", "sum": "p_number", "under": 5}, {"quiet", "busy"}),
        ({"event": "purchase", "max": "p_number", "under": 5}, set()),
        ({"not": {"event": "purchase", "max": "p_number", "under": 5}}, {"quiet", "busy"}),
    ):
        with loaded(people, TYPED) as connection:
            assert Population(people, connection).answer(members_sql(a_segment(raw), MOMENT, COLUMNS)) == expected
