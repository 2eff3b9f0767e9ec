"""A delivery has a name that people can type, whatever stands in a user's id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.keys import read_key, say_key
from orchestrator.core.nouns import Channel, DeliveryKey

ids = st.text("ab/0 7@ü", min_size=1, max_size=12) | st.sampled_from(["email", "push/0/1", "1/u/email", "a/email/0"])


@given(
    st.builds(
        DeliveryKey,
        run=st.integers(1, 10**15),
        user=ids,
        channel=st.sampled_from(Channel),
        step=st.integers(0, 3),
        slot=st.integers(0, 12),
    )
)
def test_a_name_names_its_delivery_and_no_other(key):
    assert read_key(say_key(key)) == key


def test_step_and_slot_stand_only_where_there_is_more_than_one():
    assert say_key(DeliveryKey(7, "u00417", Channel.EMAIL)) == "7/u00417/email"
    assert say_key(DeliveryKey(7, "u00417", Channel.PUSH, slot=1)) == "7/u00417/push/0/1"


@pytest.mark.parametrize(
    "word",
    ["", "winback", "7", "7/u1", "u1/email", "7//email", "7/u1/letter", "7/u1/email/1", "x/u1/email", "²/u1/email",
     "7/u1/email/0/²", "9999999999999999999/u1/email"],
)  # fmt: skip
def test_what_is_no_name_names_nothing(word):
    assert read_key(word) is None
