"""Blanks in an address: whatever a person's data says, it stays a value in its place."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.blanks import Blanks, as_text

ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def test_a_blank_is_filled_and_a_secret_is_none():
    blanks = Blanks("https://api.example/{user}/now?city={home city}&key=${env:KEY}")
    assert blanks.names == ("user", "home city")
    resolved = blanks.resolved(lambda piece: piece.replace("${env:KEY}", "{user}"))
    assert resolved.names == blanks.names
    assert resolved.fill(["u 1", "Wien&x=1"]) == "https://api.example/u%201/now?city=Wien%26x%3D1&key={user}"


@given(ANY, ANY)
def test_no_value_reaches_beyond_its_blank(one, other):
    made = urlsplit(Blanks("https://api.example/of/{a}/end?city={b}&n=1").fill([one, other]))
    assert (made.scheme, made.netloc, made.fragment) == ("https", "api.example", "")
    first, name, value, last = made.path.split("/")
    assert (first, name, unquote(value), last) == ("", "of", one, "end")
    assert parse_qsl(made.query, keep_blank_values=True) == [("city", other), ("n", "1")]


@pytest.mark.parametrize(
    ("written", "chooses"),
    [
        ("https://api.example/{a}", False),
        ("https://api.example?x={a}", False),
        ("https://{a}.example/x", True),
        ("https://api.example{a}/x", True),
        ("https://{a}", True),
        ("{a}", True),
        ("https://api.example:{a}/", True),
        ("https://api.example/no/blank", False),
        ("https://[::1/{a}", True),
    ],
)
def test_a_blank_must_not_choose_the_host(written, chooses):
    assert Blanks(written).choose_the_host() is chooses


@pytest.mark.parametrize(
    ("value", "text"),
    [("Wien", "Wien"), (7, "7"), (7.5, "7.5"), (True, "true"), (None, ""), ([1], ""), ({}, ""), ("..", ""), (".", ""), (" ", "")],
)  # fmt: skip
def test_what_has_no_place_in_an_address_is_no_text(value, text):
    assert as_text(value) == text
