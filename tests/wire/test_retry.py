"""Waits between attempts, and what a Retry-After asks for."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.times import Instant, instant
from orchestrator.wire import Lost, NotSent
from orchestrator.wire.retry import MAX_ATTEMPTS, again, backoff, retry_after

NOW = instant(datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("   ", None),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("0", 1.0),
        ("-5", 1.0),
        ("999999999", 21600.0),
        ("1e400", 21600.0),
        ("inf", 21600.0),
        ("nan", None),
        ("Mon, 02 Mar 2026 09:02:00 GMT", 120.0),
        ("Mon, 02 Mar 2026 10:02:00 +0100", 120.0),
        ("Monday, 02-Mar-26 09:02:00 GMT", 120.0),
        ("Mon, 02 Mar 2026 08:00:00 GMT", 1.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 1.0),
        ("Tue, 01 Jan 2999 00:00:00 GMT", 21600.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 21600.0),
        ("Mon, 31 Feb 2026 09:02:00 GMT", None),
        ("Mon, 02 Mar 2026 09:02:00 -0000", None),
        ("soon", None),
        ("120 seconds", None),
        ("<html>", None),
        ("\x00", None),
    ],
)
def test_every_form_of_retry_after_is_read_sensibly(header, seconds):
    assert retry_after(header, NOW) == seconds


@given(st.text(max_size=60), st.integers(0, 2**52).map(Instant))
def test_no_header_breaks_the_reader_or_its_bounds(header, now):
    read = retry_after(header, now)
    assert read is None or 1.0 <= read <= 21600.0


@given(st.text(st.sampled_from("0123456789:,-+ GMTMonarJuUC().e"), max_size=60), st.integers(0, 2**52).map(Instant))
def test_no_date_like_header_breaks_it_either(header, now):
    read = retry_after(header, now)
    assert read is None or 1.0 <= read <= 21600.0


def test_the_longest_wait_grows_from_a_second_to_five_minutes():
    longest = [backoff(attempt, 0.999999) for attempt in range(1, 12)]
    assert [round(wait) for wait in longest] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert MAX_ATTEMPTS == 8


@given(st.integers(1, 1000), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_drawn_from_the_whole_range_by_the_dice_alone(attempt, dice):
    wait = backoff(attempt, dice)
    assert 0.5 <= wait <= 300
    assert wait == backoff(attempt, dice)
    assert wait == max(0.5, min(300, 2 ** min(attempt - 1, 20)) * dice)


async def test_what_was_not_sent_is_tried_again_and_the_answer_comes_back():
    answers = iter([NotSent("no route"), "answer"])

    async def exchange():
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    assert await again(lambda: exchange()) == "answer"  # noqa: PLW0108 - a lambda is what callers hand over


@pytest.mark.parametrize(("trouble", "tries"), [(NotSent("no route"), 3), (Lost("torn"), 1), (OSError("odd"), 1)])
async def test_only_what_was_not_sent_is_tried_again_and_the_last_trouble_is_told(trouble, tries):
    made = []

    async def exchange():
        made.append(1)
        raise trouble

    with pytest.raises(type(trouble)) as problem:
        await again(exchange, tries=3)
    assert problem.value is trouble
    assert len(made) == tries
