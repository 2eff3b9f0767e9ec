"""Text messages as networks carry them: the alphabet, the parts, and what makes a text dearer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.text_messages import parts


@pytest.mark.parametrize(
    ("text", "alphabet", "count", "used"),
    [
        ("", "GSM-7", 1, 0),
        ("a" * 160, "GSM-7", 1, 160),
        ("a" * 161, "GSM-7", 2, 161),
        ("a" * 306, "GSM-7", 2, 306),
        ("a" * 307, "GSM-7", 3, 307),
        ("€" * 80, "GSM-7", 1, 160),  # letters of the extension count twice
        ("€" * 81, "GSM-7", 2, 162),
        ("ä" * 160, "GSM-7", 1, 160),
        ("я" * 70, "UCS-2", 1, 70),
        ("я" * 71, "UCS-2", 2, 71),
        ("я" * 134, "UCS-2", 2, 134),
        ("я" * 135, "UCS-2", 3, 135),
        ("👋" * 35, "UCS-2", 1, 70),
        ("👋" * 36, "UCS-2", 2, 72),
    ],
)
def test_a_text_has_the_parts_that_networks_count(text, alphabet, count, used):
    found = parts(text)
    assert (found.alphabet, len(found), found.used) == (alphabet, count, used)


def test_the_letters_that_make_it_dearer_are_named_once():
    assert parts("It\u2019s “yours”, and that\u2019s it").outside == "\u2019“”"
    assert parts("It's yours {now} ~ for 5 €").outside == ""


def test_a_letter_of_two_units_is_never_torn():
    # 153 places, of which the euro sign needs two: with 152 letters before it, it stands in the second part.
    assert parts("a" * 152 + "€" + "b" * 20).texts == ("a" * 152, "€" + "b" * 20)
    assert parts("я" * 66 + "👋" + "я" * 10).texts == ("я" * 66, "👋" + "я" * 10)


@given(st.text(max_size=700))
def test_the_parts_together_are_the_text_and_each_fits(text):
    found = parts(text)
    assert "".join(found.texts) == text
    most = {("GSM-7", True): 160, ("GSM-7", False): 153, ("UCS-2", True): 70, ("UCS-2", False): 67}
    alone = len(found) == 1
    for part in found.texts:
        its = parts(part)
        size = its.used if its.alphabet == found.alphabet else sum(1 + (ord(letter) > 0xFFFF) for letter in part)
        assert size <= most[found.alphabet, alone]
    assert found.used <= found.room
