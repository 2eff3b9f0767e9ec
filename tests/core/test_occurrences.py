"""Schedules fire once for each wall time, whatever the clocks do: through gaps, folds, a day that never was, and sleep."""

import os
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zlib import crc32
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.campaigns import Cron, Every, Interval, Misfire, Occurrence, Once, Schedule
from orchestrator.core.occurrences import missed, next_occurrence, occurrences, parse_wall, wave
from orchestrator.core.times import DAY, HOUR, MINUTE, SECOND, Instant, instant, iso, moment

PROVE = bool(os.environ.get("ORCHESTRATOR_PROVE"))
"""Set by `make prove`: all zones instead of a fixed tenth of them."""

ZONES = sorted(zone for zone in available_timezones() if not zone.startswith(("posix", "right", "System", "localtime")))
NAMED = {
    "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
    "America/Nuuk", "Asia/Beirut", "Africa/Cairo", "Asia/Kathmandu", "Pacific/Chatham", "Antarctica/Troll", "Antarctica/Casey",
    "Asia/Pyongyang", "America/Havana", "Asia/Gaza", "America/Asuncion", "Pacific/Norfolk", "Europe/Dublin",
}  # fmt: skip
TABLE = [zone for zone in ZONES if PROVE or zone in NAMED or crc32(zone.encode()) % 10 == 0]
QUARTER, A_MINUTE = timedelta(minutes=15), timedelta(minutes=1)


def at(text: str) -> Instant:
    return instant(datetime.fromisoformat(text))


def daily(minute: int, zone: str = "Europe/Berlin", **over) -> Schedule:
    return Schedule(Every(minute), zone, **over)


def fired(schedule: Schedule, after: str, until: str) -> list[tuple[str, str]]:
    return [(found.key, iso(found.at)) for found in occurrences(schedule, at(after), at(until))]


def shifts(zone: ZoneInfo) -> list[datetime]:
    """Days (UTC midnight) of 2015 to 2037 within which the zone's clocks are moved."""
    day, found = datetime(2015, 1, 1, tzinfo=UTC), []
    before = day.astimezone(zone).utcoffset()
    while day.year < 2038:
        following = day + timedelta(days=1)
        after = following.astimezone(zone).utcoffset()
        if after != before:
            found.append(day)
        day, before = following, after
    return found


@pytest.mark.parametrize("name", TABLE)
def test_every_local_day_around_every_shift_fires_exactly_once_at_every_hour_of_the_night(name):
    """Against the plainest reading there is: the first minute at which the clock shows that time or later."""
    zone = ZoneInfo(name)
    for day in shifts(zone):
        grid = [day - timedelta(days=2) + n * QUARTER for n in range(5 * 96)]
        walls = [moment_.astimezone(zone).replace(tzinfo=None) for moment_ in grid]
        happened = sorted({wall.date() for wall in walls})[1:-1]
        for minute in range(0, 240, 30):
            expected = []
            for local in happened:
                wanted = datetime.combine(local, datetime.min.time()) + timedelta(minutes=minute)
                first = grid[next(n for n, wall in enumerate(walls) if wall >= wanted)]
                while (first - A_MINUTE).astimezone(zone).replace(tzinfo=None) >= wanted:
                    first -= A_MINUTE  # Casey in Antarctica moved its clocks at one minute past midnight
                expected.append(Occurrence(f"{wanted.isoformat(timespec='minutes')}[{name}]", instant(first)))
            since, until = Instant(expected[0].at - MINUTE), Instant(expected[-1].at)
            assert list(occurrences(daily(minute, name), since, until)) == expected


def test_a_skipped_wall_time_fires_at_the_first_moment_after_the_gap():
    assert fired(daily(150), "2026-03-28T12:00Z", "2026-03-30T12:00Z") == [
        ("2026-03-29T02:30[Europe/Berlin]", "2026-03-29T01:00:00Z"),  # shown as 03:00
        ("2026-03-30T02:30[Europe/Berlin]", "2026-03-30T00:30:00Z"),
    ]


def test_a_doubled_wall_time_fires_the_first_time_only():
    assert fired(daily(150), "2026-10-24T12:00Z", "2026-10-26T12:00Z") == [
        ("2026-10-25T02:30[Europe/Berlin]", "2026-10-25T00:30:00Z"),
        ("2026-10-26T02:30[Europe/Berlin]", "2026-10-26T01:30:00Z"),
    ]


def test_half_an_hour_of_summer_on_lord_howe_is_a_gap_like_any_other():
    """On 4 October 2026 the island's clocks go from 02:00 to 02:30."""
    assert fired(daily(135, "Australia/Lord_Howe"), "2026-10-03T12:00Z", "2026-10-04T12:00Z") == [
        ("2026-10-04T02:15[Australia/Lord_Howe]", "2026-10-03T15:30:00Z")
    ]


def test_the_day_samoa_skipped_does_not_fire_and_its_neighbours_fire_once():
    found = fired(daily(600, "Pacific/Apia"), "2011-12-29T00:00Z", "2012-01-01T00:00Z")
    assert [key[:10] for key, _ in found] == ["2011-12-29", "2011-12-31"] + (["2012-01-01"] if len(found) == 3 else [])


def test_a_message_planned_once_for_the_day_samoa_skipped_still_goes_out():
    schedule = Schedule(Once("2011-12-30T10:00"), "Pacific/Apia")
    assert next_occurrence(schedule, at("2011-01-01T00:00Z")) == Occurrence("once", at("2011-12-30T10:00Z"))


def test_several_wall_times_of_one_gap_are_one_run_and_not_a_burst():
    found = fired(Schedule(Interval(15 * MINUTE), "Europe/Berlin"), "2026-03-29T00:30Z", "2026-03-29T01:20Z")
    assert found == [
        ("2026-03-29T01:45[Europe/Berlin]", "2026-03-29T00:45:00Z"),
        ("2026-03-29T03:00[Europe/Berlin]", "2026-03-29T01:00:00Z"),
        ("2026-03-29T03:15[Europe/Berlin]", "2026-03-29T01:15:00Z"),
    ]


def test_a_crontab_line_means_what_crontab_means():
    monday = fired(Schedule(Cron("0 9 * * 1"), "UTC"), "2026-03-01T00:00Z", "2026-03-08T00:00Z")
    assert monday == [("2026-03-02T09:00[UTC]", "2026-03-02T09:00:00Z")]
    for sunday in ("0", "7"):
        found = fired(Schedule(Cron(f"0 9 * * {sunday}"), "UTC"), "2026-03-02T00:00Z", "2026-03-09T00:00Z")
        assert [key for key, _ in found] == ["2026-03-08T09:00[UTC]"]
    either = fired(Schedule(Cron("0 9 13 * 5"), "UTC"), "2026-03-05T00:00Z", "2026-03-21T00:00Z")
    assert [key[8:10] for key, _ in either] == ["06", "13", "20"]  # Fridays, and the 13th (a Friday as well)
    both = fired(Schedule(Cron("0 9 */13 * 1"), "UTC"), "2026-03-01T00:00Z", "2026-06-30T00:00Z")
    assert {datetime.fromisoformat(key[:10]).weekday() for key, _ in both} == {0}


def test_weekdays_and_days_of_the_month_count_as_people_do():
    weekly = fired(Schedule(Every(480, weekdays=(0, 6)), "UTC"), "2026-03-02T12:00Z", "2026-03-09T12:00Z")
    assert [key[:10] for key, _ in weekly] == ["2026-03-08", "2026-03-09"]  # Sunday, Monday
    monthly = fired(Schedule(Every(540, month_days=(1, -1)), "UTC"), "2026-02-01T12:00Z", "2026-04-01T12:00Z")
    assert [key[:10] for key, _ in monthly] == ["2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01"]


def test_start_and_end_are_both_included():
    schedule = daily(600, "UTC", start="2026-03-02", end="2026-03-04")
    assert [key[:10] for key, _ in fired(schedule, "2026-01-01T00:00Z", "2027-01-01T00:00Z")] == [
        "2026-03-02", "2026-03-03", "2026-03-04",
    ]  # fmt: skip
    exact = daily(600, "UTC", start="2026-03-02T10:00", end="2026-03-03T10:00")
    assert len(fired(exact, "2026-01-01T00:00Z", "2027-01-01T00:00Z")) == 2
    assert next_occurrence(exact, at("2026-03-03T10:00Z")) is None


def test_an_interval_counts_from_its_start():
    schedule = Schedule(Interval(7 * HOUR), "UTC", start="2026-03-02T01:00")
    found = fired(schedule, "2026-03-01T00:00Z", "2026-03-03T00:00Z")
    assert [key[8:16] for key, _ in found] == ["02T01:00", "02T08:00", "02T15:00", "02T22:00"]


def test_everybodys_own_ten_o_clock_is_one_run_that_begins_in_the_east():
    schedule = daily(600, "Europe/Vienna", recipient=True)
    first = next_occurrence(schedule, at("2026-03-02T00:00Z"))
    assert first == Occurrence("2026-03-03T10:00", at("2026-03-02T20:00Z"))
    assert wave(schedule, first.key, "Pacific/Kiritimati") == first.at
    assert wave(schedule, first.key, "America/Los_Angeles") == at("2026-03-03T18:00Z")
    assert wave(schedule, first.key, "") == wave(schedule, first.key, "Mars/Base") == at("2026-03-03T09:00Z")
    once = Schedule(Once("2026-03-29T02:30"), "Europe/Vienna", recipient=True)
    assert wave(once, "once", "Europe/Vienna") == at("2026-03-29T01:00Z")


@pytest.mark.parametrize("name", ZONES)
def test_no_wave_opens_before_its_run(name):
    schedule = daily(600, "UTC", recipient=True)
    found = next_occurrence(schedule, at("2026-12-01T00:00Z"))
    assert 0 <= wave(schedule, found.key, name) - found.at <= 26 * HOUR


WHENS = st.one_of(
    st.integers(0, 1439).map(Every),
    st.tuples(st.integers(0, 1439), st.sets(st.integers(0, 6), min_size=1)).map(lambda w: Every(w[0], tuple(w[1]))),
    st.sampled_from([5, 15, 30, 45, 60, 90, 420, 1440, 2880]).map(lambda minutes: Interval(minutes * MINUTE)),
    st.sampled_from(["*/20 * * * *", "30 2 * * *", "0,30 1-3 * * *", "15 2 * * 0"]).map(Cron),
)
MOMENTS = st.integers(int(at("2015-01-01T00:00Z")) // SECOND, int(at("2037-01-01T00:00Z")) // SECOND)


@given(WHENS, st.sampled_from(sorted(NAMED)), MOMENTS, st.lists(st.integers(0, 3 * DAY), max_size=6), st.booleans())
def test_any_tick_at_any_moment_names_the_same_occurrences(when, zone, second, jumps, recipient):
    """Two daemons, a restart or a clock that jumps about: whoever looks, whenever, sees rows of one and the same list."""
    schedule = Schedule(when, zone, recipient=recipient)
    since = Instant(second * SECOND)
    whole = list(islice(occurrences(schedule, since, Instant(since + 40 * DAY)), 900))
    assert len({found.key for found in whole}) == len(whole)
    assert all(early.at < late.at for early, late in pairwise(whole))
    for jump in jumps:
        looked = Instant(since + jump)
        assert next_occurrence(schedule, looked) == next((found for found in whole if found.at > looked), None)


@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(sorted(NAMED - {"Pacific/Apia"})), MOMENTS)
def test_a_fixed_hour_agrees_with_a_cron_that_knows_the_clocks_itself(hour, minute, zone, second):
    line = f"{minute} {hour} * * *"
    start = datetime.fromtimestamp(second, ZoneInfo(zone))
    theirs = [instant(found.astimezone(UTC)) for found in islice(CronSim(line, start), 3)]
    ours = list(islice(occurrences(Schedule(Cron(line), zone), Instant(second * SECOND), Instant(2**60)), 4))
    later = [found for found in theirs if found > second * SECOND]
    assert later == [found.at for found in ours[: len(later)]]


@pytest.mark.parametrize(
    ("asleep", "misfire", "fires", "misses"),
    [
        (timedelta(seconds=30), Misfire.SKIP, 1, 0),
        (timedelta(minutes=5), Misfire.SKIP, 0, 1),
        (timedelta(minutes=5), Misfire.RUN_ONCE, 1, 0),
        (timedelta(hours=6), Misfire.RUN_ONCE, 1, 0),
        (timedelta(hours=7), Misfire.RUN_ONCE, 0, 1),
        (timedelta(days=3, minutes=5), Misfire.RUN_ONCE, 1, 3),
        (timedelta(days=3, minutes=5), Misfire.SKIP, 0, 4),
        (timedelta(days=30, hours=8), Misfire.RUN_ONCE, 0, 31),
    ],
)
def test_what_was_slept_through_fires_once_or_is_written_down(asleep, misfire, fires, misses):
    seen = at("2026-03-02T09:59Z")
    found = missed(daily(600, "UTC", misfire=misfire), seen, instant(moment(at("2026-03-02T10:00Z")) + asleep))
    assert (found.fire is not None, len(found.missed)) == (bool(fires), misses)
    assert not found.fire or all(old.at < found.fire.at for old in found.missed)


def test_a_clock_that_goes_back_misses_and_fires_nothing():
    assert missed(daily(600, "UTC"), at("2026-03-02T11:00Z"), at("2026-03-01T00:00Z")) == missed(
        daily(600, "UTC"), at("2026-03-02T11:00Z"), at("2026-03-02T11:00Z")
    )


def test_a_run_of_everybodys_own_time_is_late_only_when_its_last_wave_has_passed():
    schedule = daily(600, "UTC", recipient=True)
    found = missed(schedule, at("2026-03-01T19:59Z"), at("2026-03-02T19:59Z"))
    assert found.fire == Occurrence("2026-03-02T10:00", at("2026-03-01T20:00Z"))


def test_a_line_that_never_fires_ends():
    """A fifth Monday of February comes in leap years only, the next one long after the end."""
    fifth_of_february = Schedule(Cron("0 0 * 2 1#5"), "UTC", end="2030-01-01")
    assert next_occurrence(fifth_of_february, at("2026-01-01T00:00Z")) is None
    assert next_occurrence(Schedule(Cron("0 0 29 2 *"), "UTC"), at("2026-01-01T00:00Z")).key == "2028-02-29T00:00[UTC]"


def test_a_wall_time_with_an_offset_is_refused():
    with pytest.raises(ValueError, match="write the wall time alone"):
        parse_wall("2026-03-02T10:00+01:00")
