"""SendGrid's event webhook, in the shapes its manual shows (twilio.com/docs/sendgrid, November 2026), signed by a key of our own."""

import json
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from orchestrator.core.callbacks import Stop, tag
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.core.times import HOUR, Instant
from orchestrator.providers import CallbackFormError, CallbackRefusedError, CallbackRequest
from orchestrator.providers.reports import TAG, sendgrid
from tests.ledger.builders import NOW

KEY = DeliveryKey(7, "ada", Channel.EMAIL)
AT = Instant(NOW - HOUR)
PRIVATE = ec.generate_private_key(ec.SECP256R1())


def shown(key):
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def event(name, **more):
    about = {"email": "ada@shop.example", "timestamp": 1_772_438_400, "event": name, TAG: tag(KEY), "sg_event_id": "x"}
    return {**about, **more}


def hear(*events, key="", headers=None, body=None):
    body = json.dumps(events).encode() if body is None else body
    return sendgrid.read(CallbackRequest("https://go.shop.example/", headers or {}, body), key, NOW).reports


def signed(body, at="1772438400", key=PRIVATE):
    signature = b64encode(key.sign(at.encode() + body, ec.ECDSA(SHA256()))).decode()
    return {
        "x-twilio-email-event-webhook-signature": signature,
        "x-twilio-email-event-webhook-timestamp": at,
    }


@pytest.mark.parametrize(
    ("told", "deed", "stop"),
    [
        (event("delivered", response="250 OK"), Deed.DELIVERED, None),
        (event("bounce", type="bounce", reason="550 no", status="5.1.1"), Deed.BOUNCED, Stop.BOUNCED),
        (event("bounce", type="blocked", reason="554 spam"), Deed.BOUNCED, None),
        (event("dropped", reason="Bounced Address"), Deed.BOUNCED, Stop.BOUNCED),
        (event("dropped", reason="Unsubscribed Address"), Deed.BOUNCED, Stop.UNSUBSCRIBED),
        (event("dropped", reason="Spam Reporting Address"), Deed.BOUNCED, Stop.COMPLAINED),
        (event("dropped", reason="Spam Content (if spam checker app enabled)"), Deed.BOUNCED, None),
        (event("spamreport"), Deed.COMPLAINED, Stop.COMPLAINED),
        (event("unsubscribe"), None, Stop.UNSUBSCRIBED),
        (event("group_unsubscribe", asm_group_id=1), None, Stop.UNSUBSCRIBED),
        (event("open", sg_machine_open=False), Deed.OPENED, None),
        (event("click", url="https://shop.example/x"), Deed.CLICKED, None),
    ],
)
def test_an_event_is_what_it_says(told, deed, stop):
    [one] = hear(told)
    assert (one.channel, one.key, one.deed, one.stop) == (Channel.EMAIL, KEY, deed, stop)
    assert (one.at, one.address, one.link) == (AT, "ada@shop.example", told.get("url", ""))


def test_what_a_machine_opened_is_a_machines():
    assert [one.machine for one in hear(event("open", sg_machine_open=True), event("open"))] == [True, False]


@pytest.mark.parametrize("name", ["processed", "deferred", "group_resubscribe", "something_new", ""])
def test_what_says_nothing_new_is_no_report(name):
    assert hear(event(name)) == ()


def test_one_call_reports_of_many_and_of_messages_of_others():
    foreign = {"email": "cy@shop.example", "event": "bounce", "type": "bounce", "timestamp": 1_772_438_400}
    assert [one.key for one in hear(event("delivered"), foreign)] == [KEY, None]


def test_with_a_key_in_the_settings_only_sendgrids_own_word_counts():
    body = json.dumps([event("delivered")]).encode()
    assert len(hear(key=shown(PRIVATE), headers=signed(body), body=body)) == 1
    for headers in (
        {},
        signed(body + b" "),
        signed(body, key=ec.generate_private_key(ec.SECP256R1())),
        {**signed(body), "x-twilio-email-event-webhook-timestamp": "1772438401"},
        {**signed(body), "x-twilio-email-event-webhook-signature": "no base64!"},
    ):
        with pytest.raises(CallbackRefusedError, match="verification_key"):
            hear(key=shown(PRIVATE), headers=headers, body=body)


def test_a_key_that_is_none_is_said_before_anything_comes():
    for told in ("x", b64encode(b"nothing").decode(), shown(ed25519.Ed25519PrivateKey.generate())):
        with pytest.raises(OrchestratorError):
            sendgrid.verifying_key(told)


def test_a_body_that_is_no_list_of_events_is_refused():
    with pytest.raises(CallbackFormError):
        hear(body=b"nothing")
