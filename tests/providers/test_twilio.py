"""Twilio: the conformance table, its form, numbers as people write them, codes by whose fault they are, and WhatsApp."""

import json
from base64 import b64decode
from urllib.parse import parse_qsl

import jsonschema
import pytest

from orchestrator.core.callbacks import tag
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Address, Channel, DeliveryKey, Message, TextContent
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Pause, PauseScope, Permanent, Retry
from orchestrator.core.reasons import Reason
from orchestrator.providers import CannotBuildError
from orchestrator.providers.addresses import phone
from orchestrator.providers.twilio import Twilio
from tests.providers.conformance import NOW, Conformance, Suite, told
from tests.providers.mails import a_mail
from tests.providers.published import TWILIO

ACCOUNT, KEY, SERVICE = "AC" + "0a" * 16, "SK" + "1b" * 16, "MG" + "2c" * 16
SETTINGS = {"account_sid": ACCOUNT, "auth_token": "only-for-tests", "from": "+15005550006"}
BY_KEY = {"account_sid": ACCOUNT, "api_key": KEY, "api_secret": "another-for-tests", "messaging_service": SERVICE}
CREDENTIAL = PauseScope.CREDENTIAL
SID = "SM" + "3d" * 16


def a_text(number=0, text="Größe 42 ist wieder da ✓", to=""):
    key = DeliveryKey(1, f"u{number}", Channel.SMS)
    return Message(key, f"{number:032x}", Address(to or f"+4366012345{number:02}"), TextContent(text), judged_at=NOW)


def said(status, code, message="", **headers):
    return told(status, json.dumps({"code": code, "message": message, "status": status}).encode(), **headers)


def taken(status="queued", code=None):
    return told(201, json.dumps({"sid": SID, "status": status, "error_code": code, "error_message": None}).encode())


class TestTwilio(Conformance):
    suite = Suite(
        adapter=Twilio,
        credentials=SETTINGS,
        make=lambda count: [a_text(number) for number in range(count)],
        accepts=lambda _: taken(),
        at=lambda url: {**SETTINGS, "endpoint": url},
        table=[
            (taken("queued"), Accepted(SID)),
            (taken("accepted"), Accepted(SID)),
            (taken("sent"), Accepted(SID)),
            (taken("failed", 30005), AddressGone("")),
            (taken("failed", 21610), AddressGone("", Reason.NO_CONSENT)),
            (taken("failed", 30008), Permanent("")),
            (taken("failed"), Permanent("")),
            (taken("canceled"), Permanent("")),
            (told(201, b'{"status":"queued"}'), Ambiguous("")),
            (told(200, b"<html>"), Ambiguous("")),
            (said(400, 21211, "Invalid 'To' Phone Number: +4366012345XX"), AddressGone("")),
            (said(400, 21614, "is not a mobile number"), AddressGone("")),
            (said(400, 21635, "cannot be a landline"), AddressGone("")),
            (said(400, 21610, "Attempt to send to unsubscribed recipient"), AddressGone("", Reason.NO_CONSENT)),
            (said(400, 63014, "blocked by user action"), AddressGone("", Reason.NO_CONSENT)),
            (said(400, 63003), AddressGone("")),
            (said(400, 21408, "Permission to send has not been enabled"), Permanent("")),
            (said(400, 21612), Permanent("")),
            (said(400, 21606), Permanent("")),
            (said(400, 21617, "The body exceeds the limit"), Permanent("")),
            (said(400, 30007, "Message filtered"), Permanent("")),
            (said(400, 63016, "outside the allowed window"), Permanent("")),
            (said(400, 99999, "something new"), Permanent("")),
            (said(400, True, "no code"), Permanent("")),
            (told(400, b"<html>"), Permanent("")),
            (said(400, 21212), Pause(CREDENTIAL, "")),
            (said(400, 21608), Pause(CREDENTIAL, "")),
            (said(400, 21659), Pause(CREDENTIAL, "")),
            (said(400, 21660), Pause(CREDENTIAL, "")),
            (said(400, 21701), Pause(CREDENTIAL, "")),
            (said(400, 63007), Pause(CREDENTIAL, "")),
            (said(401, 20003, "Authenticate"), Pause(CREDENTIAL, "")),
            (said(403, 20005), Pause(CREDENTIAL, "")),
            (said(404, 20404), Pause(CREDENTIAL, "")),
            (told(401), Pause(CREDENTIAL, "")),
            (told(404, b"<html>"), Pause(CREDENTIAL, "")),
            (told(307), Pause(CREDENTIAL, "")),
            (said(429, 20429), Pause(CREDENTIAL, "", 60.0)),
            (said(429, 20429, retry_after="7"), Pause(CREDENTIAL, "", 7.0)),
            (told(429), Pause(CREDENTIAL, "", 60.0)),
            (said(400, 21611, "exceeded the maximum number of queued messages"), Pause(CREDENTIAL, "", 60.0)),
            (told(408), Retry("")),
            (said(500, 20500), Ambiguous("")),
            (said(503, 21610), Ambiguous("")),
            (told(502, b"<html>"), Ambiguous("")),
        ],
        broken={
            "account_sid": {**SETTINGS, "account_sid": "my account"},
            "auth_token: it is empty": {**SETTINGS, "auth_token": ""},
            "auth_token: a space": {**SETTINGS, "auth_token": "two words"},
            "api_key: the SID": {**SETTINGS, "auth_token": "", "api_secret": "a-secret"},
            "api_key: 'x'": {**BY_KEY, "api_key": "x"},
            "api_secret": {**BY_KEY, "api_secret": ""},
            "from: write who sends": {**SETTINGS, "from": ""},
            "from: '12345678": {**SETTINGS, "from": "1234567890"},
            "messaging_service": {**BY_KEY, "messaging_service": "ours"},
            "endpoint": {**SETTINGS, "endpoint": "http://api.twilio.com"},
        },
    )


def built(message, settings=SETTINGS):
    request = Twilio().build([message], settings, NOW)
    form = parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
    found = dict(form)
    assert len(form) == len(found)
    jsonschema.validate(found, TWILIO)
    return request, found


def whose(request):
    return b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()


def test_it_is_what_twilio_publishes():
    request, found = built(a_text())
    assert request.url == f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert found == {"To": "+436601234500", "From": "+15005550006", "Body": "Größe 42 ist wieder da ✓"}
    assert whose(request) == f"{ACCOUNT}:only-for-tests"


def test_a_key_speaks_for_the_account_and_a_messaging_service_picks_the_sender():
    Twilio().declare(BY_KEY)
    request, found = built(a_text(), BY_KEY)
    assert f"/Accounts/{ACCOUNT}/" in request.url
    assert whose(request) == f"{KEY}:another-for-tests"
    assert (found["MessagingServiceSid"], "From" in found) == (SERVICE, False)


@pytest.mark.parametrize("sender", ["+15005550006", "12345", "Shop AT", "whatsapp:+15005550006"])
def test_these_may_send(sender):
    Twilio().declare({**SETTINGS, "from": sender})


def test_from_a_whatsapp_sender_it_goes_by_whatsapp():
    _, found = built(a_text(), {**SETTINGS, "from": "whatsapp:+15005550006"})
    assert (found["To"], found["From"]) == ("whatsapp:+436601234500", "whatsapp:+15005550006")


@pytest.mark.parametrize(
    ("sender", "outcome"),
    [("12345", Permanent), ("", Permanent), ("+15005550006", Pause), ("whatsapp:+15005550006", Pause)],
)
def test_a_number_that_is_not_ours_stops_all_and_a_short_code_in_another_country_stops_one(sender, outcome):
    request, _ = built(a_text(), {**SETTINGS, "from": sender, "messaging_service": SERVICE})
    (only,) = Twilio().read(request, said(400, 21659))
    assert isinstance(only, outcome)


@pytest.mark.parametrize(
    "written", ["+436601234567", "+43 660 123 45 67", "0043 (660) 1234567", "+43-660/123.45.67", "+43\u00a06601234567"]
)
def test_a_number_is_read_however_people_write_it(written):
    assert phone(written) == "+436601234567"


@pytest.mark.parametrize(
    "written",
    ["", "0660 1234567", "436601234567", "+43", "+0660123456", "+1234567890123456", "+43x660", "anna@x.example"],
)
def test_a_number_without_its_country_is_not_guessed_and_not_repeated(written):
    with pytest.raises(CannotBuildError, match="with its country") as problem:
        phone(written)
    assert not written or written not in str(problem.value).replace("+43 660 1234567", "")


@pytest.mark.parametrize("words", ["Invalid number +436601234500", "Invalid number 436601234500", "to '436601234500'"])
def test_the_number_is_not_kept_with_the_words(words):
    request, _ = built(a_text())
    (only,) = Twilio().read(request, said(400, 21211, words))
    assert "6601234500" not in only.detail
    assert "the address" in only.detail


@pytest.mark.parametrize(
    ("code", "says"), [(20003, "account_sid"), (21608, "trial"), (21701, "messaging_service"), (21408, "country")]
)
def test_what_to_do_stands_behind_twilios_words(code, says):
    request, _ = built(a_text())
    (only,) = Twilio().read(request, said(400, code, "words"))
    assert says in only.detail


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (a_text(text="  \n"), "empty"),
        (a_text(text="x" * 1601), "1,600"),
        (a_text(text="half \ud83d"), "surrogate"),
        (a_text(to="0660 1234567"), "country"),
        (a_mail(), "email"),
    ],
)
def test_what_cannot_be_sent_is_named(message, says):
    with pytest.raises(CannotBuildError, match=says):
        Twilio().build([message], SETTINGS, NOW)


def test_twilio_is_told_where_to_report_of_each_message():
    told_to = {**SETTINGS, "callback": "https://go.shop.example/v1/callbacks/ab"}
    form = dict(parse_qsl(Twilio().build([a_text()], told_to, NOW).body.decode()))
    jsonschema.validate(form, TWILIO)
    assert form["StatusCallback"] == f"https://go.shop.example/v1/callbacks/ab?d={tag(a_text().key)}"


def test_a_callback_that_is_no_url_is_refused_before_anything_is_sent():
    with pytest.raises(OrchestratorError, match="twilio: callback: it is the URL"):
        Twilio().declare({**SETTINGS, "callback": "ab"})
