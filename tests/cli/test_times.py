"""Lengths of time after an option: as files have them or in short; nonsense is refused with a sentence and what to write."""

import pytest

from orchestrator.cli.desk import USAGE, Failed
from orchestrator.cli.times import length
from orchestrator.core.phrases import LONGEST
from orchestrator.core.times import DAY, HOUR, MINUTE, SECOND
from tests.cli.conftest import orchestrator


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("30d", 30 * DAY),
        ("30 days", 30 * DAY),
        ("1 Day", DAY),
        ("12h", 12 * HOUR),
        ("2W", 14 * DAY),
        ("45min", 45 * MINUTE),
        ("90s", 90 * SECOND),
        (" 3d ", 3 * DAY),
        ("36525d", LONGEST),
    ],
)
def test_a_length_is_read_in_full_and_in_short(text, asked):
    assert length("--within", text) == asked


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        ("0d", "that is no time at all"),
        ("00 days", "that is no time at all"),
        ("30", "the unit is missing"),
        ("30x", "that is no length of time"),
        ("-3d", "that is no length of time"),
        ("1.5d", "that is no length of time"),
        ("", "that is no length of time"),
        ("d", "that is no length of time"),
        ("3m", "that is no length of time"),  # minutes or months?
        ("\u0663d", "that is no length of time"),  # a digit, but not one of ours
        ("36526d", "that is longer than 100 years"),
        ("9" * 5000 + " weeks", "that is longer than 100 years"),
    ],
)
def test_anything_else_is_refused_with_what_is_wrong_and_what_to_write(text, objection):
    with pytest.raises(Failed) as refused:
        length("--within", text)
    said = refused.value.text
    assert said.startswith(f"--within {text}: {objection}. Write a whole number and")
    assert "`30d`" in said
    assert refused.value.code == USAGE


def test_what_was_meant_is_proposed():
    with pytest.raises(Failed) as refused:
        length("--within", "1 month")
    assert refused.value.text.endswith("Did you mean `30 days` or `31 days`?")


def test_discover_takes_the_short_form_and_days_are_told_as_a_number(shop):
    short = orchestrator(shop, "segment", "discover", "--goal", "purchase", "--within", "2w", "--json")
    assert (short.code, short.told["within"]) == (0, 14), short.err
    at = ("--at", "2026-03-02T10:00+01:00", "--json")
    full, half = (
        orchestrator(shop, "segment", "discover", "--goal", "purchase", "--within", within, *at).told
        for within in ("30 days", "12h")
    )
    assert full == orchestrator(shop, "segment", "discover", "--goal", "purchase", "--within", "30d", *at).told
    assert (full["within"], half["within"]) == (30, 0.5)
    refused = orchestrator(shop, "segment", "discover", "--goal", "purchase", "--within", "30")
    assert refused.code == USAGE
    assert "the unit is missing" in refused.err
