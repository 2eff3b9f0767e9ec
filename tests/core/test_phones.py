"""Phone numbers: two ways to write one are one, and what is none is told apart."""

import pytest

from orchestrator.core.phones import dialled, international


@pytest.mark.parametrize("written", ["+436601234567", "+43 660 123 45 67", "0043-660-1234567", "+43 (660) 123.45/67"])
def test_signs_and_what_stands_before_the_country_say_nothing(written):
    assert dialled(written) == "+436601234567"


def test_a_number_without_its_country_is_another():
    assert dialled("0660 1234567") == "06601234567"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("+43 660 1234567", True),
        ("+683 4000", True),
        (" +43 660 1234567 ", True),
        ("+1 (555) 010-0199", True),
        ("+43 660 1", False),
        ("+1234567890123456", False),
        ("0660 1234567", False),
        ("+", False),
        ("+43 660 12345x7", False),
    ],
)
def test_a_number_that_can_be_dialled_from_anywhere_has_its_country_and_7_to_15_digits(text, is_one):
    assert international(text) == is_one
