"""The one draw: stable for good, even, and the same in any language that has md5."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.draw import SPACE, bucket, draw, pick, share

TEXT = st.text(max_size=40)


@given(TEXT, TEXT)
def test_the_draw_is_the_first_eight_hex_digits_of_md5(salt, user):
    assert draw(salt, user) == int(hashlib.md5(f"{salt}:{user}".encode()).hexdigest()[:8], 16)


def test_drawn_values_never_change():
    """Written down once: experiments that run would be reshuffled."""
    assert [draw("winback", user) for user in ("u1", "u2", "Zoë")] == [1753186391, 3744580850, 1999513162]


@given(TEXT, st.integers(1, 1000))
def test_a_bucket_lies_within_its_number(user, buckets):
    assert 0 <= bucket("s", user, buckets) < buckets


@given(TEXT, st.floats(0, 100), st.floats(0, 100))
def test_a_larger_share_keeps_everybody_the_smaller_one_had(user, one, other):
    small, large = sorted((one, other))
    assert share("s", user, small) <= share("s", user, large)
    assert not share("s", user, 0.0)
    assert share("s", user, 100.0)


def test_a_pick_follows_the_weights():
    drawn = [pick("s", f"u{n}", {"a": 1, "none": 0, "b": 3}) for n in range(20_000)]
    assert abs(drawn.count("a") / 20_000 - 0.25) < 0.01
    assert "none" not in drawn


def test_a_pick_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one weight"):
        pick("s", "u", {"a": 0})


def test_buckets_are_even():
    counts = [0] * 10
    for n in range(50_000):
        counts[bucket("s", f"u{n}", 10)] += 1
    assert max(counts) - min(counts) < 500
    assert SPACE == 2**32
