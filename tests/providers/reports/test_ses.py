"""Events of Amazon SES by way of SNS, in the shapes its manual shows (docs.aws.amazon.com/ses, November 2026)."""

import json

import pytest

from orchestrator.core.callbacks import Stop, tag
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.core.times import Instant
from orchestrator.providers import CallbackFormError, CallbackRefusedError, CallbackRequest
from orchestrator.providers.reports import TAG, ses
from tests.ledger.builders import NOW

KEY = DeliveryKey(7, "ada", Channel.EMAIL)
AT = Instant(NOW - 3_600_000_000)
WHEN = "2026-03-02T08:00:00.000Z"
MAIL = {
    "timestamp": WHEN,
    "messageId": "EXAMPLE7c191be45",
    "destination": ["ada@shop.example"],
    "tags": {"ses:configuration-set": ["shop"], TAG: [tag(KEY)]},
}


def hear(body):
    return ses.read(CallbackRequest("https://go.shop.example/", {}, json.dumps(body).encode()), NOW)


def told(kind, mail=MAIL, **parts):
    event = {"eventType": kind, "mail": mail, **parts}
    raw = hear(event).reports
    wrapped = hear({"Type": "Notification", "TopicArn": "arn:aws:sns:x", "Message": json.dumps(event)}).reports
    assert raw == wrapped
    return raw


def bounce(kind, sub="General", **more):
    gone = [{"emailAddress": "ada@shop.example", "action": "failed", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}]
    return told("Bounce", bounce={"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": gone, "timestamp": WHEN}, **more)  # fmt: skip


def test_a_delivery():
    [one] = told("Delivery", delivery={"timestamp": WHEN, "recipients": ["ada@shop.example"], "smtpResponse": "250 ok"})
    assert (one.key, one.deed, one.at, one.address, one.stop) == (KEY, Deed.DELIVERED, AT, "ada@shop.example", None)


@pytest.mark.parametrize(("kind", "stop"), [("Permanent", Stop.BOUNCED), ("Transient", None), ("Undetermined", None)])
def test_only_what_will_never_arrive_stops_an_address(kind, stop):
    [one] = bounce(kind)
    assert (one.key, one.deed, one.at, one.stop) == (KEY, Deed.BOUNCED, AT, stop)
    assert one.detail == f"{kind} General smtp; 550 5.1.1 user unknown"


def test_a_complaint_and_what_was_taken_out_of_the_spam_folder():
    who = [{"emailAddress": "ada@shop.example"}]
    [one] = told(
        "Complaint", complaint={"complainedRecipients": who, "timestamp": WHEN, "complaintFeedbackType": "abuse"}
    )
    assert (one.deed, one.stop, one.detail) == (Deed.COMPLAINED, Stop.COMPLAINED, "abuse")
    assert told("Complaint", complaint={"complainedRecipients": who, "complaintFeedbackType": "not-spam"}) == ()


def test_a_rejection_an_open_a_click_and_an_unsubscribe():
    [rejected] = told("Reject", reject={"reason": "Bad content"})
    assert (rejected.deed, rejected.stop, rejected.detail) == (Deed.BOUNCED, None, "rejected Bad content")
    [opened] = told("Open", open={"timestamp": WHEN, "userAgent": "x", "ipAddress": "192.0.2.1"})
    assert (opened.deed, opened.at) == (Deed.OPENED, AT)
    [clicked] = told("Click", click={"timestamp": WHEN, "link": "https://shop.example/x", "linkTags": None})
    assert (clicked.deed, clicked.link) == (Deed.CLICKED, "https://shop.example/x")
    [gone] = told("Subscription", subscription={"timestamp": WHEN, "newTopicPreferences": {"unsubscribeAll": True}})
    assert (gone.deed, gone.stop) == (None, Stop.UNSUBSCRIBED)
    assert told("Subscription", subscription={"newTopicPreferences": {"unsubscribeAll": False}}) == ()


@pytest.mark.parametrize("kind", ["Send", "DeliveryDelay", "Rendering Failure", "Something new"])
def test_what_says_nothing_new_is_no_report(kind):
    assert told(kind) == ()


def test_a_report_without_tags_stops_its_address_all_the_same():
    """What SES tells of an identity, without a configuration set."""
    event = {"notificationType": "Bounce", "mail": {"destination": ["ada@shop.example"]}, "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "ada@shop.example"}], "timestamp": WHEN}}  # fmt: skip
    [one] = hear(event).reports
    assert (one.key, one.stop, one.address) == (None, Stop.BOUNCED, "ada@shop.example")


def test_a_topic_that_asks_whether_we_are_there_is_answered():
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn&Token=2336"
    assert hear({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).confirm == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "https://evil.example/sns.eu-west-1.amazonaws.com",
        "https://sns.eu-west-1.amazonaws.com:8443/",
        "https://u@evil.example/",
        "https://169.254.169.254/",
    ],
)
def test_a_url_that_leads_elsewhere_is_never_asked(url):
    with pytest.raises(CallbackRefusedError):
        hear({"Type": "SubscriptionConfirmation", "SubscribeURL": url})


def test_a_trial_and_a_goodbye_say_nothing():
    trial = {"Type": "Notification", "Message": "Successfully validated SNS topic for Amazon SES event publishing."}
    assert hear(trial).reports == ()
    assert hear({"Type": "UnsubscribeConfirmation"}).reports == ()
    assert hear({}).reports == ()


def test_several_messages_at_once_are_no_form_of_sns():
    with pytest.raises(CallbackFormError):
        hear([{}, {}])
