"""The grammar of schedules, crontab lines and wall times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.campaigns import Cron, Every, Interval
from orchestrator.core.phrases import LONGEST, PhraseError
from orchestrator.core.times import DAY, HOUR, MINUTE
from orchestrator.core.timetables import cron, every, say_every, wall_time


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("day at 10:00", Every(600)),
        ("weekday at 09:30", Every(570, weekdays=(0, 1, 2, 3, 4))),
        ("monday at 08:00", Every(480, weekdays=(0,))),
        ("Monday and Thursday at 08:00", Every(480, weekdays=(0, 3))),
        ("sunday, monday and friday at 08:00", Every(480, weekdays=(0, 4, 6))),
        ("month on the 1st at 09:00", Every(540, month_days=(1,))),
        ("month on the 15th and 1st at 09:00", Every(540, month_days=(1, 15))),
        ("month on the last day at 09:00", Every(540, month_days=(-1,))),
        ("15 minutes", Interval(15 * MINUTE)),
        ("hour", Interval(HOUR)),
        ("2 days", Interval(2 * DAY)),
    ],
)
def test_a_schedule_is_read(text, value):
    assert every(text) == value
    assert every(say_every(value)) == value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("day at 9:00", ["day at 09:00"]),
        ("daily at 10:00", ["day at 10:00"]),
        ("mondays at 08:00", ["monday at 08:00"]),
        ("mondays at 8am", ["monday at 08:00"]),
        ("weekdays at 08:00", ["weekday at 08:00"]),
        ("monday and thrusday at 08:00", ["monday and thursday at 08:00"]),
        ("monday and monday at 08:00", []),
        ("day", ["day at 10:00"]),
        ("month on the 1th at 09:00", ["month on the 1st at 09:00"]),
        ("month on the 2 at 09:00", ["month on the 2nd at 09:00"]),
        ("month on the 31st at 09:00", []),
        ("15m", ["15 minutes"]),
        ("30 seconds", []),
        ("week", []),
        ("hourly at 10:00", []),
        ("", []),
        (" at ", []),
    ],
)
def test_another_schedule_is_refused(text, meant):
    with pytest.raises(PhraseError) as refused:
        every(text)
    assert list(refused.value.meant) == meant
    for proposal in meant:
        every(proposal)


def test_the_31st_is_refused_with_the_reason():
    with pytest.raises(PhraseError, match="not every month has one"):
        every("month on the 31st at 09:00")


DAYS = st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days)))
DATES = st.tuples(st.sets(st.integers(1, 28)), st.booleans()).filter(any).map(lambda d: (*sorted(d[0]), *([-1] * d[1])))


@given(
    st.one_of(
        st.integers(0, 1439).map(Every),
        st.tuples(st.integers(0, 1439), DAYS).map(lambda when: Every(when[0], weekdays=when[1])),
        st.tuples(st.integers(0, 1439), DATES).map(lambda when: Every(when[0], month_days=when[1])),
        st.integers(MINUTE, LONGEST).map(Interval),
    )
)
def test_every_schedule_has_a_phrase_that_reads_back(when):
    assert every(say_every(when)) == when


PIECES = [
    "day",
    "monday",
    "and",
    "month",
    "on",
    "the",
    "1st",
    "31st",
    "last",
    "at",
    "10:00",
    "9",
    "hour",
    "15",
    "minutes",
    ",",
]


@given(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join)))
def test_no_text_breaks_the_grammar_of_schedules(text):
    for read in (every, cron, wall_time):
        try:
            read(text)
        except PhraseError as refused:
            for proposal in refused.meant:
                read(proposal)


def test_a_crontab_line_is_checked():
    assert cron(" 0  9 * * 1-5 ") == Cron("0 9 * * 1-5")
    for line, why in [
        ("0 9 * *", "five fields"),
        ("0 0 9 * * 1", "five fields"),
        ("0 25 * * *", "hour"),
        ("0 9 30 2 *", "day-of-month"),
        ("0 9 * * mo", "day-of-week"),
    ]:
        with pytest.raises(PhraseError, match=why):
            cron(line)


def test_wall_times_have_one_form():
    assert wall_time("2026-03-02") == "2026-03-02"
    assert wall_time("2026-03-02 10:00") == wall_time("2026-03-02T10:00") == "2026-03-02T10:00"
    for wrong in ("2026-02-30", "2026-03-02T10:00Z", "2026-03-02T24:30", "2.3.2026", "2026-3-2"):
        with pytest.raises(PhraseError):
            wall_time(wrong)
