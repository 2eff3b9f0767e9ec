"""The engine's reading of cells held against core's reading of values: the same numbers, days, moments and versions."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audience import coercion
from orchestrator.audience.coercion import Clock
from orchestrator.core.segments.tree import Kind
from orchestrator.core.segments.values import read
from orchestrator.core.times import instant
from orchestrator.core.zones import at_wall, find_zone

ZONES = ("Europe/Vienna", "America/St_Johns", "Australia/Lord_Howe", "Asia/Tokyo", "UTC", "America/Sao_Paulo")


@pytest.fixture(scope="module")
def engine():
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    yield connection
    connection.close()


def values(engine, kind, texts, clock=None):
    """The texts as the engine reads them."""
    clock = clock or Clock()
    engine.register("given", pa.table({"n": range(len(texts)), "t": pa.array(texts, pa.string())}))
    walled = f"(SELECT *, {coercion.wall('s', clock)} AS w FROM (SELECT *, trim(t) AS s FROM given))"
    low, high = engine.sql(f"SELECT min(w), max(w) FROM {walled}").fetchall()[0]
    moment = f"(SELECT *, {coercion.moment_of('s', 'w', clock, low, high)} AS m FROM {walled})"
    rows = engine.sql(f"SELECT {coercion.value(kind, 't', 'm')} FROM {moment} ORDER BY n").fetchall()
    engine.unregister("given")
    return [value for (value,) in rows]


@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6),
        min_size=1,
        max_size=50,
    )
)
@settings(deadline=None, max_examples=40)
def test_numbers_are_read_to_four_decimals_half_away_from_zero(engine, numbers):
    assert values(engine, Kind.NUMBER, [str(number) for number in numbers]) == [
        read(Kind.NUMBER, Decimal(str(number))) for number in numbers
    ]


@pytest.mark.parametrize(
    "text", ["", "12,5", "1 000", "0x1F", "nan", "inf", "1e", "--5", "5-", "1_000", "٣", "true", "1.2.3"]
)
def test_what_looks_like_a_number_to_some_is_none(engine, text):
    assert values(engine, Kind.NUMBER, [text]) == [None]


def a_wall(*parts):
    return datetime(*parts)  # noqa: DTZ001 - a wall time has no zone


@given(
    zone=st.sampled_from(ZONES),
    walls=st.lists(st.datetimes(a_wall(1972, 1, 1), a_wall(2060, 1, 1)), min_size=1, max_size=40),
    shift=st.sampled_from([(2024, 3, 31, 2), (2024, 10, 27, 2), (2024, 4, 7, 1, 30), (2018, 11, 4)]),
    minutes=st.integers(-10, 130),
)
@settings(deadline=None, max_examples=60)
def test_a_wall_time_is_the_moment_core_says_it_is_in_any_zone_and_at_any_shift(engine, zone, walls, shift, minutes):
    walls = [*walls, a_wall(*shift) + timedelta(minutes=minutes)]
    found = values(engine, Kind.TIME, [wall.isoformat(" ") for wall in walls], Clock(zone))
    assert found == [at_wall(find_zone(zone), wall) for wall in walls]


@given(st.datetimes(a_wall(1900, 1, 1), a_wall(2100, 1, 1), timezones=st.timezones()), st.sampled_from("T "))
@settings(deadline=None, max_examples=60)
def test_a_time_with_a_zone_is_that_moment_whatever_the_project_s_zone(engine, at, between):
    text = at.isoformat(between)
    offset = at.utcoffset()
    if offset and offset.seconds % 60:
        return  # ISO 8601 has no seconds in an offset
    assert values(engine, Kind.TIME, [text], Clock("Asia/Tokyo")) == [instant(at)]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("20260105", datetime(2026, 1, 5, tzinfo=UTC)),
        ("2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
        ("2026-01-05 10:00 UTC", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("1767607200", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("1767607200000", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        (" 2026-01-05T10:00:00Z ", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("05.01.2026", None),
        ("2026-02-30", None),
        ("20260230", None),
        ("9999-01-01", None),
        ("yesterday", None),
        ("12345", None),
    ],
)
def test_times_come_in_many_forms_but_not_in_all(engine, text, at):
    assert values(engine, Kind.TIME, [text]) == [instant(at) if at else None]


@given(st.lists(st.from_regex(r"[vV]?[0-9]{1,4}(\.[0-9]{1,4}){0,6}(-rc1)?", fullmatch=True), min_size=1, max_size=20))
@settings(deadline=None, max_examples=30)
def test_a_version_is_kept_as_written_exactly_if_core_can_compare_it(engine, texts):
    found = values(engine, Kind.VERSION, texts)
    assert found == [text if read(Kind.VERSION, text) is not None else None for text in texts]


@given(st.lists(st.text(max_size=8), min_size=1, max_size=30))
@settings(deadline=None, max_examples=40)
def test_a_text_is_composed_as_core_composes_it(engine, texts):
    # No engine but this one could hold a NUL byte, so a text with one is refused.
    expected = [None if "\0" in text else read(Kind.TEXT, text) for text in texts]
    assert values(engine, Kind.TEXT, texts) == expected


def test_yes_and_no_in_the_words_of_spreadsheets(engine):
    words = ["TRUE", "yes", "1", "On", "False", "n", "0", "off", "maybe", "2"]
    assert values(engine, Kind.BOOLEAN, words) == [True] * 4 + [False] * 4 + [None] * 2


def test_lists_come_as_json_or_with_a_separator(engine):
    texts = ['["a", 1, "b"]', "a|b", "a; b", "a,b,", "one", '{"a": 1}', "[torn"]
    assert values(engine, Kind.LIST, texts) == [["a", "b"]] * 4 + [["one"], None, None]
