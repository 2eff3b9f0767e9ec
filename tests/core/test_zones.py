"""Zones: offsets exact to the second of a shift, wall times through gaps and folds, names nobody knows."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.times import DAY, HOUR, MICROSECOND, Instant, instant, moment
from orchestrator.core.zones import MOST_EAST, MOST_WEST, at_wall, find_zone, next_shift, offset, wall_at, zone_of

ZONES = sorted(zone for zone in available_timezones() if find_zone(zone))
MOMENTS = st.integers(0, int(instant(datetime(2050, 1, 1, tzinfo=UTC)))).map(Instant)


def plain_offset(name: str, at: int) -> int:
    return moment(Instant(at)).astimezone(ZoneInfo(name)).utcoffset() // timedelta(microseconds=1)


@given(st.sampled_from(ZONES), MOMENTS)
def test_an_offset_is_that_of_the_tables_and_no_clock_on_earth_is_further_off(name, at):
    zone = find_zone(name)
    assert offset(zone, at) == plain_offset(name, at)
    assert MOST_WEST - 4 * HOUR <= offset(zone, at) <= MOST_EAST + 2 * HOUR  # some were, before 2000
    if at > instant(datetime(2000, 1, 1, tzinfo=UTC)):
        assert MOST_WEST <= offset(zone, at) <= MOST_EAST


@given(st.sampled_from(ZONES), MOMENTS, st.integers(0, 400))
def test_a_shift_is_found_to_the_microsecond(name, start, days):
    zone = find_zone(name)
    at = Instant(start + days * DAY)
    shift = next_shift(zone, at, Instant(at + 2 * DAY))
    if shift is None:
        assert offset(zone, at) == offset(zone, Instant(at + 2 * DAY))
    else:
        assert at < shift <= at + 2 * DAY
        before = Instant(shift - MICROSECOND)
        assert offset(zone, before) == plain_offset(name, before) != plain_offset(name, shift) == offset(zone, shift)


@given(st.sampled_from(ZONES), MOMENTS)
def test_a_wall_time_that_is_shown_leads_back_to_its_first_moment(name, at):
    zone = find_zone(name)
    wall = wall_at(zone, at)
    first = at_wall(zone, wall)
    assert wall_at(zone, first) == wall
    assert first <= at


@given(st.sampled_from(ZONES), MOMENTS)
def test_a_wall_time_that_is_never_shown_leads_to_the_first_moment_after_the_gap(name, at):
    zone = find_zone(name)
    wall = moment(at).replace(tzinfo=None)
    found = at_wall(zone, wall)
    assert wall_at(zone, found) >= wall
    if wall_at(zone, found) != wall:
        assert wall_at(zone, Instant(found - MICROSECOND)) < wall


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "../etc/passwd", "localtime", "right/UTC", "America", "\0", "x" * 300]
)
def test_a_name_nobody_knows_is_the_projects_zone(name):
    assert find_zone(name) is None
    assert zone_of(name, "Europe/Vienna") is find_zone("Europe/Vienna")
    assert zone_of(name, name) is find_zone("UTC")
