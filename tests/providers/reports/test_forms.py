"""What the forms of reports have in common: moments, tags in pieces, and bodies that are none."""

import pytest

from orchestrator.core.callbacks import LONGEST_TAG, read_tag, tag
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.core.times import HOUR, Instant
from orchestrator.providers import CallbackFormError, CallbackRequest
from orchestrator.providers.reports import key, moment, objects, pieces, words
from tests.ledger.builders import NOW


@pytest.mark.parametrize("user", ["u1", "a/b", "Zoë ☃", "x" * 128, "0/email"])
def test_a_tag_says_its_key_and_nothing_else(user):
    its = DeliveryKey(7, user, Channel.EMAIL, 2, 1)
    said = tag(its)
    assert read_tag(said) == its
    assert len(said) <= LONGEST_TAG
    assert set(said) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def test_an_id_too_long_for_the_narrowest_service_has_no_tag():
    assert tag(DeliveryKey(7, "☃" * 128, Channel.EMAIL)) == ""
    assert pieces("", 80) == {}


@pytest.mark.parametrize("text", ["", "x", "!", "bm90IGEga2V5", "a" * 251, "☃", "Ny91MS9wYXBlcg"])
def test_what_somebody_elses_message_carries_is_no_key(text):
    assert read_tag(text) is None


@pytest.mark.parametrize("width", [1, 7, 80, 1000])
def test_a_tag_in_pieces_is_put_together_again(width):
    its = DeliveryKey(12, "someone with a name" * 5, Channel.EMAIL)
    assert key(pieces(tag(its), width)) == its
    assert key({}) is None


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (1_772_438_400, NOW - HOUR),
        (1_772_438_400.5, NOW - HOUR + 500_000),
        ("2026-03-02T08:00:00Z", NOW - HOUR),
        ("2026-03-02T08:00:00.0000000Z", NOW - HOUR),
        ("2026-03-02T03:00:00.2735393-05:00", NOW - HOUR + 273_539),
        ("2026-03-02T08:00:00", NOW - HOUR),
        ("2026-03-02T09:00:01Z", NOW),
        (99e99, NOW),
        (-5, NOW),
        (float("nan"), NOW),
        ("yesterday", NOW),
        ("0000-00-00T00:00:00", NOW),
        (None, NOW),
        (True, NOW),
        ([], NOW),
    ],
)
def test_a_moment_is_read_and_never_one_to_come(said, found):
    assert moment(said, NOW) == Instant(found)


@pytest.mark.parametrize("body", [b"", b"{", b"7", b'"x"', b"[1]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused_in_words(body):
    with pytest.raises(CallbackFormError, match="the body is"):
        objects(CallbackRequest("https://go.shop.example/", {}, body))


def test_words_are_one_line():
    assert words("550\r\n no  such", "", "user\t") == "550 no such user"
