"""Twilio's status callbacks, in the shapes its manual shows (twilio.com/docs/messaging, November 2026), signed as it signs."""

import hmac
from base64 import b64encode
from hashlib import sha1
from urllib.parse import urlencode

import pytest

from orchestrator.core.callbacks import Stop, tag
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.providers import CallbackFormError, CallbackRefusedError, CallbackRequest
from orchestrator.providers.reports import twilio
from tests.ledger.builders import NOW

KEY = DeliveryKey(7, "Zoë ☃", Channel.SMS)
URL = twilio.told_at("https://go.shop.example/v1/callbacks/ab", tag(KEY))
TOKEN = "12345"
ABOUT = {"MessageSid": "SM1", "AccountSid": "AC1", "From": "+15550100", "To": "+43660111", "ApiVersion": "2010-04-01"}


def hear(status, token="", headers=None, url=URL, **more):
    body = urlencode({**ABOUT, "MessageStatus": status, **more}).encode()
    return twilio.read(CallbackRequest(url, headers or {}, body), token, NOW).reports


def signature(form, url=URL, token=TOKEN):
    signed = url + "".join(name + form[name] for name in sorted(form))
    return {"x-twilio-signature": b64encode(hmac.digest(token.encode(), signed.encode(), sha1)).decode()}


def test_the_signature_of_twilios_own_example():
    """The worked example of its page on webhook security."""
    url = "https://example.com/myapp.php?foo=1&bar=2"
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    assert signature(form, url)["x-twilio-signature"] == "L/OH5YylLD5NRKLltdqwSvS0BnU="


@pytest.mark.parametrize(
    ("status", "code", "deeds", "stop"),
    [
        ("delivered", "", [Deed.DELIVERED], None),
        ("read", "", [Deed.DELIVERED, Deed.OPENED], None),
        ("undelivered", "30003", [Deed.BOUNCED], None),
        ("undelivered", "30005", [Deed.BOUNCED], Stop.BOUNCED),
        ("undelivered", "30006", [Deed.BOUNCED], Stop.BOUNCED),
        ("failed", "21610", [Deed.BOUNCED], Stop.UNSUBSCRIBED),
        ("failed", "30008", [Deed.BOUNCED], None),
        ("canceled", "", [Deed.BOUNCED], None),
        ("queued", "", [], None),
        ("sent", "", [], None),
    ],
)
def test_a_status_is_what_it_says(status, code, deeds, stop):
    found = hear(status, **({"ErrorCode": code} if code else {}))
    assert [one.deed for one in found] == deeds
    for one in found:
        assert (one.channel, one.key, one.stop, one.address, one.at) == (Channel.SMS, KEY, stop, "+43660111", NOW)


def test_a_number_of_whatsapp_is_a_number():
    assert hear("delivered", To="whatsapp:+43660111")[0].address == "+43660111"


def test_a_message_of_somebody_elses_has_no_key():
    assert hear("delivered", url="https://go.shop.example/v1/callbacks/ab")[0].key is None
    assert hear("delivered", url="https://go.shop.example/v1/callbacks/ab?d=x")[0].key is None


def test_with_the_accounts_token_only_twilios_own_word_counts():
    form = {**ABOUT, "MessageStatus": "delivered"}
    assert len(hear("delivered", TOKEN, signature(form))) == 1
    wrong = (
        {}, signature(form, token="other"), signature(form, url=URL + "x"), signature({**form, "To": "+1"}),
        {"x-twilio-signature": "é"},
    )  # fmt: skip
    for headers in wrong:
        with pytest.raises(CallbackRefusedError, match="auth_token"):
            hear("delivered", TOKEN, headers)


@pytest.mark.parametrize("body", [b"", b"\xff", b"x", b"MessageStatus=lost", b'{"MessageStatus":"sent"}'])
def test_what_twilio_never_says_is_refused(body):
    with pytest.raises(CallbackFormError):
        twilio.read(CallbackRequest(URL, {}, body), "", NOW)
