"""The signed webhook: the standard's own library is the other side."""

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook as Receiver
from standardwebhooks import WebhookVerificationError

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import (
    Address,
    Channel,
    DeliveryKey,
    EmailContent,
    InAppContent,
    Message,
    PushContent,
    TextContent,
    WebhookContent,
)
from orchestrator.core.outcomes import Accepted, Ambiguous, Pause, PauseScope, Permanent, Retry
from orchestrator.core.times import MINUTE, SECOND, instant, later
from orchestrator.providers import CannotBuildError, declaration_for
from orchestrator.providers.webhook import Webhook
from tests.providers.conformance import NOW, Conformance, Suite, told

SECRET = "whsec_" + base64.b64encode(b"the receiver and we know this..!").decode()
OLDER = "whsec_" + base64.b64encode(b"what the receiver knew before...").decode()
URL = "https://hooks.shop.example/orchestrator?key=in-the-url"
SETTINGS = {"url": URL, "secret": SECRET}
CREDENTIAL = PauseScope.CREDENTIAL

CONTENTS = {
    Channel.WEBHOOK: WebhookContent("order.late", {"order": 7, "note": "Größe 42 ✓"}),
    Channel.PUSH: PushContent("Hello", "Your cart waits", link="https://shop.example", data={"a": "b"}),
    Channel.EMAIL: EmailContent("Shop <hello@shop.example>", "Hello", "<p>Hello</p>", "Hello", headers={"X-A": "b"}),
    Channel.IN_APP: InAppContent({"blocks": [{"type": "title", "text": "Hello"}]}, visible_for=60 * SECOND),
    Channel.SMS: TextContent("Hello"),
}


def a_message(number=0, channel=Channel.WEBHOOK, content=None, **over):
    key = DeliveryKey(1, f"u{number}", channel)
    fields = {"address": Address(f"a{number}"), "judged_at": NOW, **over}
    return Message(key, f"{number:032x}", content=content or CONTENTS[channel], **fields)


def the_call(message, settings=SETTINGS, now=NOW):
    return Webhook().build([message], settings, now)


class TestWebhook(Conformance):
    suite = Suite(
        adapter=Webhook,
        credentials=SETTINGS,
        make=lambda count: [a_message(number) for number in range(count)],
        accepts=lambda _: told(200, b'{"ok":true}'),
        bare=True,
        at=lambda url: {**SETTINGS, "url": url},
        table=[
            (told(200), Accepted(f"{0:032x}")),
            (told(202, b"<html>thanks</html>"), Accepted(f"{0:032x}")),
            (told(204), Accepted(f"{0:032x}")),
            (told(301, location="https://elsewhere.example"), Pause(CREDENTIAL, "")),
            (told(307), Pause(CREDENTIAL, "")),
            (told(400), Permanent("")),
            (told(401), Pause(CREDENTIAL, "")),
            (told(403), Pause(CREDENTIAL, "")),
            (told(404), Permanent("")),
            (told(408), Retry("")),
            (told(409), Permanent("")),
            (told(410), Pause(CREDENTIAL, "")),
            (told(413), Permanent("")),
            (told(425, retry_after="5"), Retry("", 5.0)),
            (told(429), Pause(CREDENTIAL, "", 60.0)),
            (told(429, retry_after="7"), Pause(CREDENTIAL, "", 7.0)),
            (told(429, retry_after="Mon, 02 Mar 2026 09:02:00 GMT"), Pause(CREDENTIAL, "", 120.0)),
            (told(429, retry_after="whenever"), Pause(CREDENTIAL, "", 60.0)),
            (told(500), Ambiguous("")),
            (told(502), Ambiguous("")),
            (told(502, retry_after="9"), Pause(CREDENTIAL, "", 9.0)),
            (told(503), Ambiguous("")),
            (told(504), Ambiguous("")),
            (told(504, retry_after="9"), Pause(CREDENTIAL, "", 9.0)),
        ],
        broken={
            "url": {**SETTINGS, "url": "https://user:pa55word@hooks.shop.example/"},
            "url: it must start": {"secret": SECRET},
            "secret": {**SETTINGS, "secret": "whsec_tooshort"},
            "secret: it must be": {**SETTINGS, "secret": SECRET.removeprefix("whsec_")},
            "previous_secret": {**SETTINGS, "previous_secret": "whsec_***not-base64***"},
            "key_life": {**SETTINGS, "key_life": "a while"},
        },
    )


@pytest.mark.parametrize("channel", list(Channel))
def test_the_other_side_reads_what_was_signed_for_every_channel(channel):
    message = a_message(3, channel, test=True, topic="offers")
    moment = instant(datetime.now(UTC))  # the receiver's library trusts no clock but its own
    call = the_call(message, now=moment)
    event = Receiver(SECRET).verify(call.body, call.headers)
    assert event["timestamp"] == "2026-03-02T09:00:00Z"
    data = event["data"]
    assert (data["channel"], data["user"], data["address"]) == (channel.value, "u3", "a3")
    assert (data["topic"], data["test"]) == ("offers", True)
    words = json.dumps(data["content"], ensure_ascii=False)
    assert ("order" if channel is Channel.WEBHOOK else "Hello") in words
    assert event["type"] == ("order.late" if channel is Channel.WEBHOOK else f"message.{channel}")


def test_a_changed_byte_is_noticed_by_the_other_side():
    call = the_call(a_message(), now=instant(datetime.now(UTC)))
    with pytest.raises(WebhookVerificationError):
        Receiver(SECRET).verify(call.body.replace(b"7", b"8"), call.headers)


def test_while_secrets_change_either_of_them_verifies():
    settings = {**SETTINGS, "previous_secret": OLDER}
    call = the_call(a_message(), settings, instant(datetime.now(UTC)))
    for secret in (SECRET, OLDER):
        Receiver(secret).verify(call.body, call.headers)
    with pytest.raises(WebhookVerificationError):
        Receiver("whsec_" + base64.b64encode(b"x" * 32).decode()).verify(call.body, call.headers)


def test_a_second_attempt_has_the_same_id_and_body_and_its_own_time():
    first, second = the_call(a_message()), the_call(a_message(), now=later(NOW, 5 * MINUTE))
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == a_message().id
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 300
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.parametrize(
    ("written", "seconds"), [(None, 86400), ("", 86400), ("12 hours", 43200), ("none", 0), ("0", 0)]
)
def test_the_receivers_memory_is_a_setting(written, seconds):
    settings = SETTINGS if written is None else {**SETTINGS, "key_life": written}
    declared = declaration_for(Webhook(), settings)
    assert declared.key_life == seconds
    assert declared.window == (1024 if seconds else 128)


def test_a_gateway_that_throttles_before_a_forgetful_receiver_leaves_doubt():
    """It may have acted; only a receiver that knows a repeated message may be asked again without a word."""
    call = the_call(a_message(), {**SETTINGS, "key_life": "none"})
    for status in (502, 504):
        (only,) = Webhook().read(call, told(status, retry_after="9"))
        assert isinstance(only, Ambiguous)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, "\ud83d", b"bytes"])
def test_what_json_cannot_say_concerns_this_message_only(value):
    with pytest.raises(CannotBuildError):
        the_call(a_message(content=WebhookContent("t", {"value": value})))


def test_what_the_endpoint_said_is_kept_short_and_on_one_line():
    (only,) = Webhook().read(the_call(a_message()), told(400, b"no\r\nsuch\x00 thing " + b"x" * 5000))
    assert isinstance(only, Permanent)
    assert only.detail.startswith("400 no  such  thing")
    assert len(only.detail) < 210
    assert only.detail.isprintable()


def test_a_secret_that_cannot_be_is_explained():
    with pytest.raises(OrchestratorError, match="openssl rand -base64 32"):
        declaration_for(Webhook(), {**SETTINGS, "secret": "hello"})


def test_a_key_in_the_url_does_not_show():
    assert "in-the-url" not in repr(the_call(a_message()))
