"""Postmark's webhooks, in the shapes its manual shows (postmarkapp.com/developer/webhooks, November 2026)."""

import json

import pytest

from orchestrator.core.callbacks import Stop, tag
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.core.times import Instant
from orchestrator.providers import CallbackFormError, CallbackRequest, hears
from orchestrator.providers.postmark import Postmark
from orchestrator.providers.reports import pieces
from tests.ledger.builders import NOW
from tests.providers.mails import mails
from tests.providers.test_postmark import SETTINGS

KEY = DeliveryKey(7, "ada" * 40, Channel.EMAIL)
AT = Instant(NOW - 3_600_000_000)
WHEN = "2026-03-02T08:00:00.0000000Z"
ABOUT = {"MessageID": "00000000-0000-0000-0000-000000000000", "ServerID": 23, "MessageStream": "outbound", "Tag": ""}


def told(kind, **more):
    body = {"RecordType": kind, **ABOUT, "Metadata": pieces(tag(KEY), 80), **more}
    return hear(body)


def hear(body):
    request = CallbackRequest("https://go.shop.example/v1/callbacks/x", {}, json.dumps(body).encode())
    return Postmark().hear(request, SETTINGS, NOW).reports


def bounce(kind, **more):
    return told("Bounce", Type=kind, Email="ada@shop.example", BouncedAt=WHEN, Details="smtp;550 no", **more)


def test_it_tells_later_what_became_of_messages():
    assert hears(Postmark())


def test_the_key_that_was_sent_is_the_key_that_comes_back():
    [message] = mails(1)
    sent = json.loads(Postmark().build([message], SETTINGS, NOW).body)["Metadata"]
    [report] = hear({"RecordType": "Delivery", "DeliveredAt": WHEN, "Recipient": "a@b.example", "Metadata": sent})
    assert report.key == message.key


def test_a_delivery():
    [one] = told("Delivery", Recipient="ada@shop.example", DeliveredAt=WHEN, Details="Test delivery")
    assert (one.channel, one.key, one.deed, one.at, one.stop) == (Channel.EMAIL, KEY, Deed.DELIVERED, AT, None)
    assert one.address == "ada@shop.example"


@pytest.mark.parametrize(
    ("kind", "inactive", "deed", "stop"),
    [
        ("HardBounce", True, Deed.BOUNCED, Stop.BOUNCED),
        ("HardBounce", False, Deed.BOUNCED, Stop.BOUNCED),
        ("BadEmailAddress", False, Deed.BOUNCED, Stop.BOUNCED),
        ("SoftBounce", False, Deed.BOUNCED, None),
        ("SpamNotification", False, Deed.BOUNCED, None),
        ("Blocked", False, Deed.BOUNCED, None),
        ("DnsError", True, Deed.BOUNCED, Stop.BOUNCED),
        ("SpamComplaint", True, Deed.COMPLAINED, Stop.COMPLAINED),
        ("Unsubscribe", False, None, Stop.UNSUBSCRIBED),
    ],
)
def test_a_bounce_is_what_its_type_says(kind, inactive, deed, stop):
    [one] = bounce(kind, Inactive=inactive)
    assert (one.key, one.deed, one.at, one.stop) == (KEY, deed, AT, stop)
    assert one.detail == f"{kind} smtp;550 no"


@pytest.mark.parametrize("kind", ["Transient", "AutoResponder", "AddressChange", "ChallengeVerification", "Subscribe"])
def test_an_answer_is_no_bounce(kind):
    assert bounce(kind) == ()


def test_a_complaint_an_open_and_a_click():
    [complaint] = told("SpamComplaint", Email="ada@shop.example", BouncedAt=WHEN)
    assert (complaint.deed, complaint.stop) == (Deed.COMPLAINED, Stop.COMPLAINED)
    [opened] = told("Open", Recipient="ada@shop.example", ReceivedAt=WHEN, FirstOpen=True)
    assert (opened.deed, opened.at, opened.stop) == (Deed.OPENED, AT, None)
    [clicked] = told("Click", Recipient="ada@shop.example", ReceivedAt=WHEN, OriginalLink="https://shop.example/x")
    assert (clicked.deed, clicked.link) == (Deed.CLICKED, "https://shop.example/x")


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("HardBounce", Stop.BOUNCED),
        ("SpamComplaint", Stop.COMPLAINED),
        ("ManualSuppression", Stop.UNSUBSCRIBED),
        (None, Stop.UNSUBSCRIBED),
    ],
)
def test_whoever_postmark_stops_is_stopped_here(reason, stop):
    [one] = told(
        "SubscriptionChange", Recipient="a@b.example", ChangedAt=WHEN, SuppressSending=True, SuppressionReason=reason
    )
    assert (one.deed, one.stop, one.at) == (None, stop, AT)


def test_nobody_is_let_in_again_by_postmark():
    assert told("SubscriptionChange", Recipient="a@b.example", ChangedAt=WHEN, SuppressSending=False) == ()


def test_a_message_of_somebody_elses_has_no_key():
    [one] = told("Delivery", Recipient="a@b.example", DeliveredAt=WHEN, Metadata={"color": "blue"})
    assert one.key is None


@pytest.mark.parametrize("body", [{}, {"RecordType": "Fax"}, {"RecordType": 7}, [[]], "x"])
def test_what_postmark_never_says_is_refused(body):
    with pytest.raises(CallbackFormError):
        hear(body)
