"""The grammar of settings: what is read, what is refused, and what is then proposed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core import phrases
from orchestrator.core.campaigns import Cap, QuietHours, Repeat
from orchestrator.core.nouns import Channel
from orchestrator.core.phrases import (
    LONGEST,
    PhraseError,
    Rate,
    cap,
    duration,
    outside,
    over,
    percent,
    quiet_hours,
    ramp_step,
    rate,
    repeat,
    say_cap,
    say_duration,
    say_percent,
    say_quiet_hours,
    say_repeat,
    say_time,
    time_of_day,
    undecided,
)  # fmt: skip
from orchestrator.core.times import DAY, HOUR, MINUTE, SECOND


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (duration, "48 hours", 48 * HOUR),
        (duration, "3 days", 3 * DAY),
        (duration, "30 minutes", 30 * MINUTE),
        (duration, "2 Weeks", 14 * DAY),
        (duration, " 1  day ", DAY),
        (cap, "1 push per day", Cap(1, DAY, Channel.PUSH)),
        (cap, "2 emails per week", Cap(2, 7 * DAY, Channel.EMAIL)),
        (cap, "4 messages per week", Cap(4, 7 * DAY)),
        (cap, "3 sms per 12 hours", Cap(3, 12 * HOUR, Channel.SMS)),
        (quiet_hours, "21:00-09:00", QuietHours(1260, 540)),
        (quiet_hours, "00:00 - 06:30", QuietHours(0, 390)),
        (percent, "50%", 50.0),
        (percent, "0.1%", 0.1),
        (percent, "0%", 0.0),
        (rate, "80 per second", Rate(80, SECOND)),
        (rate, "500 per 10 minutes", Rate(500, 10 * MINUTE)),
        (repeat, "never", Repeat(None)),
        (repeat, "Always", Repeat(0)),
        (repeat, "after 90 days", Repeat(90 * DAY)),
        (outside, "outside 2000 to 60000", (2000, 60000)),
        (outside, "outside 0 to 1", (0, 1)),
        (over, "over 0.1%", 0.1),
        (ramp_step, "5% for 3 days", (5.0, 3 * DAY)),
        (undecided, "Reminder after 30 days", ("Reminder", 30 * DAY)),
        (time_of_day, "09:30", 570),
    ],
)
def test_a_phrase_is_read(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "meant"),
    [
        (duration, "48h", ["48 hours"]),
        (duration, "48 huors", ["48 hours"]),
        (duration, "1.5 hours", ["90 minutes"]),
        (duration, "1 hour 30 minutes", ["90 minutes"]),
        (duration, "an hour", ["1 hour"]),
        (duration, "half a day", ["12 hours"]),
        (duration, "1 month", ["30 days", "31 days"]),
        (duration, "2 years", ["730 days", "732 days"]),
        (duration, "0 days", []),
        (duration, "-3 days", []),
        (duration, "99999999 weeks", []),
        (duration, "9" * 5_000 + " weeks", []),
        (duration, "48", []),
        (duration, "", []),
        (duration, "\u0663 days", []),  # a digit, but not one of ours
        (cap, "2 mails per week", ["2 emails per week"]),
        (cap, "one push a day", ["1 push per day"]),
        (cap, "2 emails/week", ["2 emails per week"]),
        (cap, "2 emials per week", ["2 emails per week"]),
        (cap, "1 push per month", ["1 push per 30 days", "1 push per 31 days"]),
        (cap, "0 push per day", []),
        (cap, "push", []),
        (quiet_hours, "9pm-9am", ["21:00-09:00"]),
        (quiet_hours, "21:00-9:00", ["21:00-09:00"]),
        (quiet_hours, "21:00\N{EN DASH}09:00", ["21:00-09:00"]),
        (quiet_hours, "21:00 to 09:00", ["21:00-09:00"]),
        (quiet_hours, "21:00-24:00", ["21:00-00:00"]),
        (quiet_hours, "09:00-09:00", []),
        (time_of_day, "9:30", ["09:30"]),
        (time_of_day, "6:30 pm", ["18:30"]),
        (time_of_day, "25:00", []),
        (percent, "50", ["50%"]),
        (percent, "0.5", ["0.5%", "50%"]),
        (percent, "0,1 %", ["0.1%"]),
        (percent, "101%", []),
        (percent, "nan%", []),
        (rate, "80/s", ["80 per second"]),
        (rate, "80 a minute", ["80 per minute"]),
        (rate, "80", ["80 per second"]),
        (rate, "fast", []),
        (repeat, "90 days", ["after 90 days"]),
        (repeat, "every 90 days", ["after 90 days"]),
        (repeat, "nevr", ["never"]),
        (repeat, "after 90d", ["after 90 days"]),
        (outside, "outside 60000 to 2000", ["outside 2000 to 60000"]),
        (outside, "2,000 - 60,000", ["outside 2000 to 60000"]),
        (outside, "outside 5", []),
        (over, "0.1%", ["over 0.1%"]),
        (over, "> 0.1%", ["over 0.1%"]),
        (over, "over 2", ["over 2%"]),
        (ramp_step, "5 for 3 days", ["5% for 3 days"]),
        (ramp_step, "5% for 3d", ["5% for 3 days"]),
        (ramp_step, "5 for 3d", ["5% for 3 days"]),
        (ramp_step, "5%", []),
        (undecided, "reminder after 1 month", ["reminder after 30 days", "reminder after 31 days"]),
        (undecided, "reminder", []),
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_what_was_meant_is_proposed_if_it_is_known(read, text, meant):
    with pytest.raises(PhraseError) as refused:
        read(text)
    assert list(refused.value.meant) == meant
    assert repr(text)[1:-1] in repr(refused.value.text)
    assert "Allowed: " in refused.value.remedy
    for proposal in meant:
        read(proposal)  # a proposal that is refused again would be a bad joke


@given(st.integers(1, LONGEST))
def test_every_duration_has_a_phrase_that_reads_back(length):
    assert duration(say_duration(length)) == length


@given(st.integers(1, 10**9 - 1), st.sampled_from([None, *Channel]), st.integers(1, LONGEST))
def test_every_cap_has_a_phrase_that_reads_back(limit, channel, within):
    assert cap(say_cap(Cap(limit, within, channel))) == Cap(limit, within, channel)


@given(st.integers(0, 1439), st.integers(0, 1439))
def test_quiet_hours_and_times_read_back(start, end):
    assert time_of_day(say_time(start)) == start
    if start != end:
        assert quiet_hours(say_quiet_hours(QuietHours(start, end))) == QuietHours(start, end)


@given(st.integers(0, 100 * 10**6))
def test_percentages_read_back_to_the_millionth(millionths):
    assert percent(say_percent(millionths / 10**6)) == millionths / 10**6


@given(st.none() | st.integers(0, LONGEST))
def test_rules_for_repeating_read_back(after):
    assert repeat(say_repeat(Repeat(after))) == Repeat(after)


READERS = [cap, duration, outside, over, percent, quiet_hours, ramp_step, rate, repeat, time_of_day, undecided]
PIECES = [
    "1",
    "0",
    "50",
    "%",
    "day",
    "days",
    "h",
    "month",
    "per",
    "push",
    "after",
    "for",
    "at",
    "-",
    ":",
    "é",
    "to",
    "a",
    " ",
    ".",
    ",",
]


@given(
    st.sampled_from(READERS),
    st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join)),
)
def test_no_text_breaks_the_grammar_and_every_proposal_can_be_read(read, text):
    try:
        read(text)
    except PhraseError as refused:
        for proposal in refused.meant:
            read(proposal)


def test_an_ordinary_sentence_of_it():
    with pytest.raises(PhraseError) as refused:
        duration("1 month")
    assert str(refused.value) == (
        "'1 month' is not a duration. Allowed: a whole number and seconds, minutes, hours, days or weeks, like `48 hours`."
        " Did you mean `30 days` or `31 days`?"
    )
    assert phrases.either(["a", "b"]) == "`a` or `b`"
