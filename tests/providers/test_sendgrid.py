"""SendGrid: the conformance table, what it is told, its answers without a body, and moments that it names."""

import json

import jsonschema
import pytest

from orchestrator.core.callbacks import tag
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message, TextContent
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Pause, PauseScope, Permanent, Retry
from orchestrator.core.times import SECOND
from orchestrator.providers import CannotBuildError
from orchestrator.providers.sendgrid import Sendgrid
from tests.providers.conformance import NOW, Conformance, Suite, told
from tests.providers.mails import CONTENT, PAIR, a_mail, mails
from tests.providers.published import SENDGRID

SETTINGS = {"api_key": "SG.only-for-tests.aaaa"}
CREDENTIAL, CAMPAIGN = PauseScope.CREDENTIAL, PauseScope.CAMPAIGN
NAME = "Zw_5hU5uTwqIq2h7mXq0hA"


def said(status, *errors, **headers):
    """An answer with these (field, message) in it."""
    told_ = [{"field": field, "message": message, "help": None} for field, message in errors]
    return told(status, json.dumps({"errors": told_}).encode(), **headers)


NO_ADDRESS = ("personalizations.0.to.0.email", "Does not contain a valid address.")
NO_SENDER = ("from", "The from address does not match a verified Sender Identity.")


class TestSendgrid(Conformance):
    suite = Suite(
        adapter=Sendgrid,
        credentials=SETTINGS,
        make=mails,
        accepts=lambda _: told(202, x_message_id=NAME),
        at=lambda url: {**SETTINGS, "endpoint": url},
        table=[
            (told(202, x_message_id=NAME), Accepted(NAME)),
            (told(202), Ambiguous("")),
            (told(202, x_message_id=" "), Ambiguous("")),
            (told(200, b'{"id":"a"}'), Ambiguous("")),  # the sandbox of SendGrid answers so, and sends nothing
            (said(400, NO_ADDRESS), AddressGone("")),
            (said(400, ("personalizations.0.to", "must have a valid email address")), AddressGone("")),
            (said(400, NO_ADDRESS, ("subject", "is required")), Permanent("")),
            (said(400, ("from.email", "Does not contain a valid address.")), Pause(CAMPAIGN, "")),
            (said(403, NO_SENDER), Pause(CAMPAIGN, "")),
            (said(400, ("content.0.value", "must be a string at least one character in length")), Permanent("")),
            (told(400, b"<html>"), Permanent("")),
            (said(401, (None, "The provided authorization grant is invalid")), Pause(CREDENTIAL, "")),
            (said(401, (None, "Maximum credits exceeded")), Pause(CREDENTIAL, "", 3600.0)),
            (said(403, (None, "access forbidden")), Pause(CREDENTIAL, "")),
            (told(403), Pause(CREDENTIAL, "")),
            (told(404), Pause(CREDENTIAL, "")),
            (told(405), Pause(CREDENTIAL, "")),
            (told(302), Pause(CREDENTIAL, "")),
            (told(406), Permanent("")),
            (told(408), Retry("")),
            (told(413), Permanent("")),
            (told(415), Permanent("")),
            (told(429), Pause(CREDENTIAL, "", 60.0)),
            (told(429, retry_after="7"), Pause(CREDENTIAL, "", 7.0)),
            (told(429, x_ratelimit_reset=str(NOW // SECOND + 90)), Pause(CREDENTIAL, "", 90.0)),
            (told(429, x_ratelimit_reset=str(NOW // SECOND - 90)), Pause(CREDENTIAL, "", 1.0)),
            (told(429, x_ratelimit_reset="999999999999"), Pause(CREDENTIAL, "", 3600.0)),
            (told(429, x_ratelimit_reset="soon"), Pause(CREDENTIAL, "", 60.0)),
            (told(429, x_ratelimit_reset="9" * 5000), Pause(CREDENTIAL, "", 60.0)),
            (told(500), Ambiguous("")),
            (told(502, b"<html>"), Ambiguous("")),
            (told(503), Ambiguous("")),
        ],
        broken={
            "api_key: it is empty": {},
            "api_key: a space": {"api_key": "SG.a b"},
            "region": {**SETTINGS, "region": "europe"},
            "endpoint": {**SETTINGS, "endpoint": "http://api.sendgrid.com"},
        },
    )


def built(message, settings=SETTINGS):
    return json.loads(Sendgrid().build([message], settings, NOW).body)


def test_it_is_what_sendgrid_publishes():
    request = Sendgrid().build([a_mail()], SETTINGS, NOW)
    assert (request.method, request.url) == ("POST", "https://api.sendgrid.com/v3/mail/send")
    assert request.headers["Authorization"] == f"Bearer {SETTINGS['api_key']}"
    found = json.loads(request.body)
    jsonschema.validate(found, SENDGRID)
    [envelope] = found["personalizations"]
    named = {"orchestrator_id": f"{0:032x}", "orchestrator_tag": tag(a_mail().key)}
    assert envelope == {"to": [{"email": "u0@mail.example"}], "custom_args": named}
    assert found["from"] == {"email": "hello@news.shop.example", "name": 'Größe, "Shop"'}
    assert found["reply_to"] == {"email": "help@shop.example", "name": "Hilfe"}
    assert found["subject"] == CONTENT.subject
    assert [(one["type"], one["value"]) for one in found["content"]] == [
        ("text/plain", CONTENT.text),
        ("text/html", CONTENT.html),
    ]
    assert found["headers"] == {"Message-ID": f"<{0:032x}@news.shop.example>", **PAIR}


def test_nothing_is_counted_or_added_by_sendgrid_itself():
    settings = built(a_mail())["tracking_settings"]
    assert {name: one["enable"] for name, one in settings.items()} == dict.fromkeys(
        ("click_tracking", "open_tracking", "subscription_tracking"), False
    )
    assert settings["click_tracking"]["enable_text"] is False


@pytest.mark.parametrize(
    ("region", "host"), [("", "api.sendgrid.com"), ("global", "api.sendgrid.com"), ("eu", "api.eu.sendgrid.com")]
)
def test_an_account_of_the_eu_is_asked_there(region, host):
    request = Sendgrid().build([a_mail()], {**SETTINGS, "region": region}, NOW)
    assert request.url == f"https://{host}/v3/mail/send"


@pytest.mark.parametrize(("html", "text", "kinds"), [("", "a", ["text/plain"]), ("<p>a</p>", "", ["text/html"])])
def test_a_form_that_is_not_there_is_not_told(html, text, kinds):
    found = built(a_mail(content=EmailContent("a@shop.example", "s", html, text)))
    jsonschema.validate(found, SENDGRID)
    assert [one["type"] for one in found["content"]] == kinds
    assert "reply_to" not in found
    assert found["from"] == {"email": "a@shop.example"}


def test_the_address_is_not_kept_with_the_words_and_help_stands_behind_them():
    request = Sendgrid().build([a_mail()], SETTINGS, NOW)
    (gone,) = Sendgrid().read(request, said(400, ("personalizations.0.to.0.email", "U0@mail.example is no address")))
    assert "u0@" not in gone.detail.lower()
    (stranger,) = Sendgrid().read(request, said(401, (None, "invalid")))
    assert "Mail Send" in stranger.detail
    (sender,) = Sendgrid().read(request, said(403, NO_SENDER))
    assert "verify the sender" in sender.detail


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (a_mail(content=EmailContent("a@shop.example", "Hello\r\nBcc: x@y.example", "h", "t")), "subject"),
        (a_mail(content=EmailContent("a@shop.example", "s", "x" * 30_000_000, "t")), "30,000,000"),
        (a_mail(content=EmailContent("a@shop.example", "s", "half \ud83d", "t")), "JSON"),
        (Message(DeliveryKey(1, "u1", Channel.SMS), "ab" * 16, Address("+431"), TextContent("hi")), "sms"),
    ],
)
def test_what_cannot_be_sent_is_named(message, says):
    with pytest.raises(CannotBuildError, match=says):
        built(message)


def test_a_verification_key_that_is_none_is_refused_before_anything_is_sent():
    with pytest.raises(OrchestratorError, match="sendgrid: verification_key: it is no public key"):
        Sendgrid().declare({**SETTINGS, "verification_key": "x"})
