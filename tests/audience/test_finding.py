"""People are found by what others call them: an id, an e-mail address without case, a phone number however it is written."""

import pytest

from orchestrator.audience.finding import known_as, of_user
from orchestrator.core.nouns import Channel
from tests.doors.shop import NOON, Shop, is_


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", "sqlite:data/ledger.db")
    made = Shop(tmp_path)
    made.load(
        is_("u1", email="Ada@Shop.Example", phone="+43 664 123-45", device="t-old", zone="Europe/Vienna", locale="de"),
        is_("u2", email="bo@shop.example", phone="004366499999"),
        is_("u3", email="bo@shop.example"),
        is_("bo@shop.example"),
        is_("o'hara"),
        is_("00123"),
    )
    yield made
    made.ledger.close()


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("u1", [("u1", "user")]),
        ("ada@shop.example", [("u1", "email")]),
        ("+4366412345", [("u1", "phone")]),
        ("+43 (664) 123/45", [("u1", "phone")]),
        ("004366499999", [("u2", "phone")]),
        ("0043-664-12345", [("u1", "phone")]),
        ("0043 664 123 45", [("u1", "phone")]),
        ("43 664 12345", [("u1", "phone")]),
        ("+43 664 99999", [("u2", "phone")]),
        ("664 12345", []),
        ("+", []),
        ("00", []),
        ("bo@shop.example", [("bo@shop.example", "user"), ("u2", "email"), ("u3", "email")]),
        ("o'hara", [("o'hara", "user")]),
        ("00123", [("00123", "user")]),
        ("123", []),
        ("U1", []),
        ("", []),
        ("' OR 1=1 --", []),
    ],
)
def test_a_word_finds_whoever_is_called_by_it(shop, word, found):
    assert [(one.user, one.by) for one in known_as(shop.audience, word)] == found


def test_who_is_found_comes_with_their_addresses(shop):
    [ada] = known_as(shop.audience, "u1")
    assert (ada.email, ada.phone, ada.zone, ada.locale) == ("Ada@Shop.Example", "+43 664 123-45", "Europe/Vienna", "de")
    assert [(device.value, device.seen_at) for device in ada.devices] == [("t-old", NOON)]
    assert [ada.addresses(channel) for channel in (Channel.EMAIL, Channel.SMS, Channel.IN_APP)] == [
        ("Ada@Shop.Example",), ("+43 664 123-45",), (),
    ]  # fmt: skip


def test_a_user_is_found_by_the_id_alone_with_all_their_addresses(shop):
    known = of_user(shop.audience, "u1")
    assert [(channel, address.value) for channel, address in known.everywhere()] == [
        (Channel.EMAIL, "Ada@Shop.Example"),
        (Channel.SMS, "+43 664 123-45"),
        (Channel.PUSH, "t-old"),
    ]
    assert of_user(shop.audience, "00123").everywhere() == []
    assert of_user(shop.audience, "ada@shop.example") is None
