"""Windows of time: read, refused with both readings, and cut to the microsecond in the project's zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.phrases import LONGEST, PhraseError
from orchestrator.core.times import DAY, Instant, instant, moment
from orchestrator.core.windows import (
    BEGINNING,
    Before,
    Between,
    Calendar,
    Last,
    Since,
    Unit,
    bounds,
    say_window,
    window,
)  # fmt: skip

VIENNA = "Europe/Vienna"


def at(text: str, zone: str = VIENNA) -> Instant:
    return instant(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


NOW = at("2026-03-18T10:30")


@pytest.mark.parametrize(
    ("text", "value", "start", "end"),
    [
        ("last 30 days", Last(30 * DAY), Instant(NOW - 30 * DAY), NOW),
        ("previous month", Calendar(Unit.MONTH), at("2026-02-01"), at("2026-03-01")),
        ("previous week", Calendar(Unit.WEEK), at("2026-03-09"), at("2026-03-16")),
        ("previous day", Calendar(Unit.DAY), at("2026-03-17"), at("2026-03-18")),
        ("previous quarter", Calendar(Unit.QUARTER), at("2025-10-01"), at("2026-01-01")),
        ("previous year", Calendar(Unit.YEAR), at("2025-01-01"), at("2026-01-01")),
        ("this month", Calendar(Unit.MONTH, 0), at("2026-03-01"), NOW),
        ("since 2026-01-01", Since("2026-01-01"), at("2026-01-01"), NOW),
        ("since 2026-01-01 08:00", Since("2026-01-01T08:00"), at("2026-01-01T08:00"), NOW),
        ("before 2026-01-01", Before("2026-01-01"), BEGINNING, at("2026-01-01")),
        ("between 2026-01-01 and 2026-01-31", Between("2026-01-01", "2026-01-31"), at("2026-01-01"), at("2026-02-01")),
        ("between 2026-03-01 and 2026-03-31", Between("2026-03-01", "2026-03-31"), at("2026-03-01"), NOW),
    ],
)  # fmt: skip
def test_a_window_is_read_and_cut(text, value, start, end):
    assert window(text) == value
    assert window(say_window(value)) == value
    assert bounds(value, NOW, VIENNA) == (start, end)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("last month", ["previous month", "last 30 days"]),
        ("Last Year", ["previous year", "last 365 days"]),
        ("last day", ["previous day", "last 24 hours"]),
        ("yesterday", ["previous day"]),
        ("30 days", ["last 30 days"]),
        ("past 3 days", ["last 3 days"]),
        ("last 30d", ["last 30 days"]),
        ("last hour", ["last 1 hour"]),
        ("between 2026-02-01 and 2026-01-01", ["between 2026-01-01 and 2026-02-01"]),
        ("since 2026-02-30", []),
        ("ever", []),
        ("", []),
    ],
)
def test_words_with_two_readings_are_refused_with_both(text, meant):
    with pytest.raises(PhraseError) as refused:
        window(text)
    assert list(refused.value.meant) == meant
    for proposal in meant:
        window(proposal)


def test_a_month_is_the_projects_month_through_the_change_of_clocks():
    start, end = bounds(Calendar(Unit.MONTH), at("2026-04-15"), VIENNA)
    assert end - start == 31 * DAY - DAY // 24


def test_a_day_whose_midnight_was_skipped_begins_when_it_began():
    """In Cairo the clocks went from 00:00 to 01:00 on 28 April 2023."""
    start, end = bounds(Calendar(Unit.DAY), at("2023-04-29T12:00", "Africa/Cairo"), "Africa/Cairo")
    assert (start, end) == (at("2023-04-28T01:00", "Africa/Cairo"), at("2023-04-29T00:00", "Africa/Cairo"))


@given(
    st.sampled_from([Calendar(unit, back) for unit in Unit for back in (0, 1)]),
    st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2037-01-01")),
    st.sampled_from([VIENNA, "America/Santiago", "Africa/Cairo", "Australia/Lord_Howe", "UTC"]),
)
def test_stretches_of_the_calendar_touch_and_never_overlap(when, wall, zone):
    now = at(wall.isoformat(), zone)
    start, end = bounds(when, now, zone)
    assert start < end <= now or (when.back == 0 and start == end == now)
    assert bounds(Calendar(when.unit), start, zone)[1] == start
    shown = moment(start).astimezone(ZoneInfo(zone))
    assert (moment(Instant(start - 1)).astimezone(ZoneInfo(zone)) + timedelta(microseconds=1)).date() <= shown.date()


@given(st.integers(1, LONGEST))
def test_a_rolling_window_reads_back(by):
    assert window(say_window(Last(by))) == Last(by)


@given(
    st.one_of(
        st.text(max_size=30),
        st.lists(
            st.sampled_from(["last", "month", "30", "days", "since", "2026-01-01", "and", "between", "the", "in"]),
            max_size=6,
        ).map(" ".join),
    )
)
def test_no_text_breaks_the_grammar_of_windows(text):
    try:
        window(text)
    except PhraseError as refused:
        for proposal in refused.meant:
            window(proposal)
