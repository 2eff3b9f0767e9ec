"""Postmark: the conformance table, what it is told, its codes that look like HTTP's and are not, and batches in parts."""

import json

import jsonschema
import pytest

from orchestrator.core.callbacks import tag
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message, TextContent
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Pause, PauseScope, Permanent, Retry
from orchestrator.providers import CannotBuildError
from orchestrator.providers.postmark import Postmark
from tests.providers.conformance import NOW, Conformance, Suite, told
from tests.providers.mails import CONTENT, PAIR, a_mail, mails
from tests.providers.published import POSTMARK, POSTMARK_BATCH

SETTINGS = {"token": "0a1b2c3d-server-token", "stream": "offers"}
CREDENTIAL, CAMPAIGN = PauseScope.CREDENTIAL, PauseScope.CAMPAIGN
NAME = "b7bc2f4a-e38e-4336-af7d-e6c392c2f817"


def item(code=0, message="OK", **more):
    return {"ErrorCode": code, "Message": message, **({"MessageID": NAME} if code == 0 else {}), **more}


def said(status, code, message="", **headers):
    return told(status, json.dumps(item(code, message)).encode(), **headers)


def all_taken(request):
    if request.url.endswith("/email"):
        return said(200, 0)
    return told(200, json.dumps([item(MessageID=f"m{n}") for n in range(len(json.loads(request.body)))]).encode())


INACTIVE = (
    "You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: U0@mail.example."
)


class TestPostmark(Conformance):
    suite = Suite(
        adapter=Postmark,
        credentials=SETTINGS,
        make=mails,
        accepts=all_taken,
        at=lambda url: {**SETTINGS, "endpoint": url},
        table=[
            (said(200, 0), Accepted(NAME)),
            (told(200, b'{"ErrorCode":0,"Message":"OK"}'), Ambiguous("")),
            (told(200, b'{"ErrorCode":false,"MessageID":""}'), Ambiguous("")),
            (said(200, 406, INACTIVE), AddressGone("")),
            (said(422, 406, INACTIVE), AddressGone("")),
            (said(422, 300, "Invalid 'To' address: 'u0@mail.example'."), AddressGone("")),
            (said(422, 300, "Error parsing 'To': Illegal email domain 'mail.example' in address"), AddressGone("")),
            (said(422, 300, "Invalid 'From' address: 'x'."), Pause(CAMPAIGN, "")),
            (said(422, 300, "Metadata key is too long"), Permanent("")),
            (said(422, 400, "Sender Signature not found"), Pause(CAMPAIGN, "")),
            (said(422, 401, "Sender signature not confirmed"), Pause(CAMPAIGN, "")),
            (said(422, 402, "Invalid JSON"), Permanent("")),
            (said(422, 403, "Invalid request field"), Permanent("")),
            (said(422, 405, "Not allowed to send"), Pause(CREDENTIAL, "")),
            (said(422, 411, "Forbidden attachment type"), Permanent("")),
            (said(422, 412, "Account is pending"), Pause(CREDENTIAL, "")),
            (said(422, 413, "Account may not send"), Pause(CREDENTIAL, "")),
            (said(422, 1235, "The 'MessageStream' does not exist"), Pause(CREDENTIAL, "")),
            (said(422, 1236, "Sending is not supported"), Pause(CREDENTIAL, "")),
            (said(422, 9999, "something new"), Permanent("")),
            (told(422, b"<html>"), Permanent("")),
            (said(401, 10, "Bad or missing API token"), Pause(CREDENTIAL, "")),
            (told(403), Pause(CREDENTIAL, "")),
            (told(404), Pause(CREDENTIAL, "")),
            (told(301, location="https://elsewhere.example"), Pause(CREDENTIAL, "")),
            (told(408), Retry("")),
            (told(413), Permanent("")),
            (told(415), Permanent("")),
            (told(429), Pause(CREDENTIAL, "", 60.0)),
            (told(429, retry_after="7"), Pause(CREDENTIAL, "", 7.0)),
            (said(422, 100, "Maintenance"), Pause(CREDENTIAL, "", 60.0)),
            (said(503, 100, "Maintenance", retry_after="300"), Pause(CREDENTIAL, "", 300.0)),
            (said(500, 406, "a code in an error of the server's own decides nothing"), Ambiguous("")),
            (told(500), Ambiguous("")),
            (told(502, b"<html>"), Ambiguous("")),
            (told(503), Ambiguous("")),
        ],
        broken={
            "token: it is empty": {"token": ""},
            "token: a space": {"token": "0a1b2c3d\n"},
            "stream": {**SETTINGS, "stream": "My Stream"},
            "endpoint": {**SETTINGS, "endpoint": "http://api.postmarkapp.com"},
            "endpoint: it must be https": {**SETTINGS, "endpoint": "https://user:pw@api.postmarkapp.com"},
        },
    )


def built(message, settings=SETTINGS):
    return json.loads(Postmark().build([message], settings, NOW).body)


def test_one_message_is_what_postmark_publishes():
    request = Postmark().build([a_mail()], SETTINGS, NOW)
    assert (request.method, request.url) == ("POST", "https://api.postmarkapp.com/email")
    assert request.headers["X-Postmark-Server-Token"] == SETTINGS["token"]
    found = json.loads(request.body)
    jsonschema.validate(found, POSTMARK)
    assert found["From"] == '"Größe, \\"Shop\\"" <hello@news.shop.example>'
    assert (found["To"], found["ReplyTo"]) == ("u0@mail.example", "Hilfe <help@shop.example>")
    assert (found["Subject"], found["TextBody"], found["HtmlBody"]) == (CONTENT.subject, CONTENT.text, CONTENT.html)
    headers = {header["Name"]: header["Value"] for header in found["Headers"]}
    assert headers == {"Message-ID": f"<{0:032x}@news.shop.example>", **PAIR, "X-PM-KeepID": "true"}
    named = {"orchestrator_id": f"{0:032x}", "orchestrator_tag": tag(a_mail().key)}
    assert found["Metadata"] == named
    assert (found["MessageStream"], found["TrackOpens"], found["TrackLinks"]) == ("offers", False, "None")


def test_without_a_stream_it_is_postmarks_own_for_transactional_mail():
    assert built(a_mail(), {"token": "t"})["MessageStream"] == "outbound"


@pytest.mark.parametrize(("html", "text"), [("", "only text"), ("<p>only HTML</p>", "")])
def test_a_form_that_is_not_there_is_not_told(html, text):
    found = built(a_mail(content=EmailContent("a@shop.example", "s", html, text)))
    jsonschema.validate(found, POSTMARK)
    assert ("HtmlBody" in found, "TextBody" in found, "ReplyTo" in found) == (bool(html), bool(text), False)


def test_a_batch_is_what_postmark_publishes_and_each_member_has_its_own_answer():
    request = Postmark().build(mails(5), SETTINGS, NOW)
    assert request.url == "https://api.postmarkapp.com/email/batch"
    jsonschema.validate(json.loads(request.body), POSTMARK_BATCH)
    answers = [
        item(MessageID="m0"),
        item(406, INACTIVE.replace("U0", "u1")),
        item(300, "x"),
        item(10, "y"),
        item(MessageID=None),
    ]
    found = Postmark().read(request, told(200, json.dumps(answers).encode()))
    assert [type(one) for one in found] == [Accepted, AddressGone, Permanent, Pause, Ambiguous]
    assert found[0] == Accepted("m0")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", json.dumps([item()] * 2).encode(), json.dumps([item()] * 4).encode()]
)
def test_a_batch_whose_answers_are_not_one_each_is_in_doubt(body):
    found = Postmark().read(Postmark().build(mails(3), SETTINGS, NOW), told(200, body))
    assert [type(one) for one in found] == [Ambiguous] * 3


@pytest.mark.parametrize(
    "answer", [said(422, 300, "Invalid 'To' address: 'u1@mail.example'."), said(422, 410, "Too many"), told(413)]
)
def test_a_batch_that_was_refused_whole_may_be_split(answer):
    found = Postmark().read(Postmark().build(mails(3), SETTINGS, NOW), answer)
    assert [(type(one), one.whole) for one in found] == [(Permanent, True)] * 3


def test_a_refused_key_says_where_to_find_another_for_a_batch_too():
    for count in (1, 3):
        found = Postmark().read(
            Postmark().build(mails(count), SETTINGS, NOW), said(401, 10, "Bad or missing API token")
        )
        assert all("API Tokens" in one.detail for one in found)


@pytest.mark.parametrize(
    "words",
    [
        INACTIVE,
        "Invalid 'To' address: 'u0@mail.example'.",
        "Error parsing 'To': Illegal email mailbox 'U0' in address 'u0@mail.example'.",
    ],
)
def test_the_address_is_not_kept_with_the_words(words):
    code = 406 if words is INACTIVE else 300
    (only,) = Postmark().read(Postmark().build([a_mail()], SETTINGS, NOW), said(422, code, words))
    assert "u0" not in only.detail.lower()
    assert "the address" in only.detail
    assert "u0@" not in repr(Postmark().build([a_mail()], SETTINGS, NOW))


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (a_mail(content=EmailContent("a@shop.example", "Hello\r\nBcc: x@y.example", "h", "t")), "subject"),
        (a_mail(content=EmailContent("a\nb <a@shop.example>", "s", "h", "t")), "from"),
        (a_mail(content=EmailContent("a@shop.example", "s", "h", "t", "x\u2028y <b@shop.example>")), "reply_to"),
        (a_mail(content=EmailContent("a@shop.example", "s", "h", "t", headers={"Bcc": "x@y.example"})), "Bcc"),
        (a_mail(content=EmailContent("a@shop.example", "s", "h", "t", headers={"List-ID": "a\r\nb"})), "List-ID"),
        (a_mail(content=EmailContent("a@shop.example", "s", "", "")), "neither a text nor HTML"),
        (a_mail(content=EmailContent("a@shop.example", "s", "x" * 10_000_000, "t")), "10,000,000"),
        (a_mail(content=EmailContent("a@shop.example", "s", "half \ud83d", "t")), "JSON"),
        (a_mail(address="u1@mail.example, u2@mail.example"), "e-mail address"),
    ],
)
def test_what_cannot_be_sent_is_named(message, says):
    with pytest.raises(CannotBuildError, match=says):
        built(message)


def test_an_address_that_only_postmark_does_not_know_is_not_suppressed():
    request = Postmark().build([a_mail(address="anna..b@mail.example")], SETTINGS, NOW)
    (only,) = Postmark().read(request, said(422, 300, "Error parsing 'To': Illegal email mailbox"))
    assert isinstance(only, Permanent)


def test_it_carries_email_only():
    text = Message(DeliveryKey(1, "u1", Channel.SMS), "ab" * 16, Address("+431"), TextContent("hi"))
    with pytest.raises(CannotBuildError, match="sms"):
        built(text)


def test_a_batch_is_no_larger_than_postmark_takes():
    big = [a_mail(n, EmailContent("a@shop.example", "s", "x" * 9_000_000, "")) for n in range(6)]
    with pytest.raises(CannotBuildError, match="50,000,000"):
        Postmark().build(big, SETTINGS, NOW)


def test_a_key_is_never_shown_in_an_error():
    with pytest.raises(OrchestratorError) as problem:
        Postmark().declare({"token": "sec ret"})
    assert "sec ret" not in str(problem.value)
