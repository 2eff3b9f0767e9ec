"""Amazon SES: the conformance table, the signed request, the mail in it, and errors by their type."""

import json
import re
from base64 import b64decode
from email import message_from_bytes, policy

import jsonschema
import pytest

from orchestrator.core.callbacks import tag
from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message, TextContent
from orchestrator.core.outcomes import Accepted, Ambiguous, Pause, PauseScope, Permanent, Retry
from orchestrator.core.times import HOUR, later
from orchestrator.providers import CannotBuildError, mime
from orchestrator.providers.aws_signature import AwsKeys, Scope, sign
from orchestrator.providers.ses import Ses
from tests.providers.conformance import NOW, Conformance, Suite, told
from tests.providers.mails import CONTENT, PAIR, a_mail, mails
from tests.providers.published import SES

SETTINGS = {
    "region": "eu-central-1",
    "access_key": "AKIAIOSFODNN7EXAMPLE",
    "secret_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "configuration_set": "campaigns",
}
LENT = {**SETTINGS, "access_key": "ASIAIOSFODNN7EXAMPLE", "session_token": "IQoJb3JpZ2luX2VjEXAMPLE"}
CREDENTIAL, CAMPAIGN = PauseScope.CREDENTIAL, PauseScope.CAMPAIGN
NAME = "010701923f1c2a3b-5d0f7d1e-0000-4444-8888-abcdefabcdef-000000"
UNVERIFIED = (
    "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: u0@mail.example"
)


def said(status, kind, message="", **headers):
    return told(status, json.dumps({"message": message}).encode(), x_amzn_errortype=kind, **headers)


class TestSes(Conformance):
    suite = Suite(
        adapter=Ses,
        credentials=SETTINGS,
        make=mails,
        accepts=lambda _: told(200, json.dumps({"MessageId": NAME}).encode()),
        at=lambda url: {**SETTINGS, "endpoint": url},
        table=[
            (told(200, json.dumps({"MessageId": NAME}).encode()), Accepted(NAME)),
            (told(200, b'{"MessageId":null}'), Ambiguous("")),
            (said(429, "TooManyRequestsException", "Maximum sending rate exceeded."), Pause(CREDENTIAL, "", 60.0)),
            (said(429, "TooManyRequestsException", "Daily message quota exceeded."), Pause(CREDENTIAL, "", 600.0)),
            (said(429, "TooManyRequestsException", "x", retry_after="7"), Pause(CREDENTIAL, "", 7.0)),
            (said(400, "ThrottlingException", "Rate exceeded"), Pause(CREDENTIAL, "", 60.0)),
            (said(400, "Throttling", "Rate exceeded"), Pause(CREDENTIAL, "", 60.0)),
            (told(429), Pause(CREDENTIAL, "", 60.0)),
            (said(400, "LimitExceededException"), Pause(CREDENTIAL, "", 600.0)),
            (said(400, "AccountSuspendedException"), Pause(CREDENTIAL, "")),
            (said(400, "SendingPausedException"), Pause(CREDENTIAL, "")),
            (said(404, "NotFoundException", "Configuration set does not exist"), Pause(CREDENTIAL, "")),
            (said(400, "MailFromDomainNotVerifiedException"), Pause(CAMPAIGN, "")),
            (said(400, "MessageRejected", UNVERIFIED), Pause(CAMPAIGN, "")),
            (said(400, "MessageRejected", "contains invalid content"), Permanent("")),
            (said(400, "BadRequestException", "Illegal address"), Permanent("")),
            (said(400, "BadRequestException:http://internal.amazon.com/coral/", "x"), Permanent("")),
            (told(400, b'{"__type":"com.amazonaws.sesv2#SendingPausedException"}'), Pause(CREDENTIAL, "")),
            (said(403, "AccessDeniedException"), Pause(CREDENTIAL, "")),
            (
                said(403, "InvalidSignatureException", "Signature expired: 1 is now earlier than 2"),
                Pause(CREDENTIAL, ""),
            ),
            (said(403, "SignatureDoesNotMatch"), Pause(CREDENTIAL, "")),
            (said(403, "UnrecognizedClientException"), Pause(CREDENTIAL, "")),
            (said(403, "ExpiredTokenException"), Pause(CREDENTIAL, "")),
            (said(400, "RequestExpired"), Pause(CREDENTIAL, "")),
            (told(403), Pause(CREDENTIAL, "")),
            (told(404, b"<html>"), Pause(CREDENTIAL, "")),
            (told(301), Pause(CREDENTIAL, "")),
            (told(400, b"<html>"), Permanent("")),
            (told(408), Retry("")),
            (told(413), Permanent("")),
            (said(500, "InternalFailure"), Ambiguous("")),
            (said(503, "ServiceUnavailable"), Ambiguous("")),
            (said(503, "ThrottlingException"), Ambiguous("")),
            (told(502, b"<html>"), Ambiguous("")),
        ],
        broken={
            "region": {**SETTINGS, "region": "Frankfurt"},
            "access_key": {**SETTINGS, "access_key": ""},
            "secret_key": {**SETTINGS, "secret_key": "with a space"},
            "session_token": {**SETTINGS, "access_key": "ASIAIOSFODNN7EXAMPLE"},
            "session_token: a space": {**LENT, "session_token": "broken\nin two"},
            "configuration_set": {**SETTINGS, "configuration_set": "my set"},
            "endpoint": {**SETTINGS, "endpoint": "ftp://x.example"},
        },
    )


def built(message, settings=SETTINGS, now=NOW):
    return Ses().build([message], settings, now)


def test_it_is_what_the_service_model_says_and_the_same_mail_as_over_smtp():
    request = built(a_mail())
    assert (request.method, request.url) == (
        "POST",
        "https://email.eu-central-1.amazonaws.com/v2/email/outbound-emails",
    )
    found = json.loads(request.body)
    jsonschema.validate(found, SES)
    assert found["Destination"] == {"ToAddresses": ["u0@mail.example"]}
    assert found["ConfigurationSetName"] == "campaigns"
    tags = {one["Name"]: one["Value"] for one in found["EmailTags"]}
    assert tags == {"orchestrator_id": f"{0:032x}", "orchestrator_tag": tag(a_mail().key)}
    raw = b64decode(found["Content"]["Raw"]["Data"])
    assert raw == mime.as_seven_bit(mime.compose(a_mail(), CONTENT).data)
    mail = message_from_bytes(raw, policy=policy.default)
    assert raw.isascii()
    assert (mail["subject"], mail["from"].addresses[0].display_name) == (CONTENT.subject, 'Größe, "Shop"')
    assert {name: mail[name] for name in PAIR} == PAIR
    assert mail.get_body(("plain",)).get_content().strip() == CONTENT.text
    assert mail.get_body(("html",)).get_content().strip() == CONTENT.html


def test_without_a_configuration_set_none_is_named():
    found = json.loads(built(a_mail(), {k: v for k, v in SETTINGS.items() if k != "configuration_set"}).body)
    assert "ConfigurationSetName" not in found


@pytest.mark.parametrize("settings", [SETTINGS, LENT])
def test_it_is_signed_by_the_account_for_this_moment(settings):
    request = built(a_mail(), settings)
    keys = AwsKeys(settings["access_key"], settings["secret_key"], settings.get("session_token", ""))
    again = sign(
        "POST", request.url, {"Content-Type": "application/json"}, request.body, keys, Scope("eu-central-1", "ses"), NOW
    )
    assert request.headers == again
    assert request.headers.get("X-Amz-Security-Token") == settings.get("session_token")
    assert re.fullmatch(r"20260302T090000Z", request.headers["X-Amz-Date"])
    assert "host" not in {name.lower() for name in request.headers}


def test_a_later_attempt_is_signed_anew_and_says_the_same():
    first, second = built(a_mail()), built(a_mail(), now=later(NOW, HOUR))
    assert first.body == second.body
    assert first.headers["Authorization"] != second.headers["Authorization"]


@pytest.mark.parametrize(
    ("kind", "message", "says"),
    [
        ("InvalidSignatureException", "Signature expired: x", "clock"),
        ("SignatureDoesNotMatch", "", "access_key"),
        ("AccessDeniedException", "not authorized", "ses:SendEmail"),
        ("ExpiredTokenException", "", "session_token"),
        ("MessageRejected", UNVERIFIED, "sandbox"),
        ("NotFoundException", "", "configuration_set"),
    ],
)
def test_a_refusal_of_all_says_what_to_do_and_keeps_no_address(kind, message, says):
    (only,) = Ses().read(built(a_mail()), said(400, kind, message))
    assert says in only.detail
    assert "u0@" not in only.detail


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (a_mail(content=EmailContent("a@shop.example", "Hello\r\nBcc: x@y.example", "h", "t")), "subject"),
        (a_mail(content=EmailContent("a@shop.example", "s", "x" * 32_000_000, "t")), "41,943,040"),
        (Message(DeliveryKey(1, "u1", Channel.SMS), "ab" * 16, Address("+431"), TextContent("hi")), "sms"),
    ],
)
def test_what_cannot_be_sent_is_named(message, says):
    with pytest.raises(CannotBuildError, match=says):
        built(message)
