"""Amazon SES by way of SNS: events of a configuration set, wrapped or raw; the topic asks once whether we are there.

SNS signs with a certificate that one must fetch from it; the URL's token is what shows that it is our topic (manual, 2026-08).
"""

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from orchestrator.core.callbacks import Callback, Stop
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel
from orchestrator.core.times import Instant
from orchestrator.providers import CallbackFormError, CallbackRefusedError, CallbackRequest, Heard
from orchestrator.providers.reports import Told, every, key, moment, objects, part, text, words

_SNS = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")


def read(request: CallbackRequest, now: Instant) -> Heard:
    """The reports of one call, or the URL by which a topic wants to know that we are there."""
    [told, *more] = objects(request) or [{}]
    if more:
        raise CallbackFormError("SNS posts one message a call")
    kind = text(told, "Type")
    if kind == "SubscriptionConfirmation":
        return Heard(confirm=_confirmation(text(told, "SubscribeURL")))
    if kind == "UnsubscribeConfirmation":
        return Heard()
    if kind == "Notification":
        return Heard(tuple(_reports(_unwrapped(text(told, "Message")), now)))
    return Heard(tuple(_reports(told, now)))


def _confirmation(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not _SNS.fullmatch(parts.hostname or "") or parts.port not in (None, 443):
        raise CallbackRefusedError("SubscribeURL does not lead to SNS, so it is not asked")
    return url


def _unwrapped(message: str) -> Told:
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return {}  # what SES posts as a trial when a topic is tied to it is a sentence
    return found if isinstance(found, dict) else {}


def _reports(told: Told, now: Instant) -> list[Callback]:
    kind = text(told, "eventType", "notificationType")
    make = _KINDS.get(kind)
    return [] if make is None else make(told, now)


def _said(
    told: Told,
    at: Instant,
    deed: Deed | None,
    address: str = "",
    stop: Stop | None = None,
    detail: str = "",
    link: str = "",
) -> Callback:
    mail = part(told, "mail")
    tags = {name: said[0] for name, said in part(mail, "tags").items() if isinstance(said, list) and said}
    return Callback(Channel.EMAIL, at, key(tags), deed, stop, address or _recipient(mail), detail, link)


def _recipient(mail: Told) -> str:
    """Whom it was for; nobody if it was for several, of whom only one may be meant."""
    found = mail.get("destination")
    return found[0] if isinstance(found, list) and len(found) == 1 and isinstance(found[0], str) else ""


def _delivered(told: Told, now: Instant) -> list[Callback]:
    return [_said(told, moment(part(told, "delivery").get("timestamp"), now), Deed.DELIVERED)]


def _bounced(told: Told, now: Instant) -> list[Callback]:
    bounce = part(told, "bounce")
    stop = Stop.BOUNCED if text(bounce, "bounceType") == "Permanent" else None
    kind = words(text(bounce, "bounceType"), text(bounce, "bounceSubType"))
    at = moment(bounce.get("timestamp"), now)
    return [
        _said(told, at, Deed.BOUNCED, text(one, "emailAddress"), stop, words(kind, text(one, "diagnosticCode")))
        for one in every(bounce, "bouncedRecipients") or [{}]
    ]


def _complained(told: Told, now: Instant) -> list[Callback]:
    complaint = part(told, "complaint")
    kind = text(complaint, "complaintFeedbackType")
    if kind == "not-spam":  # somebody took it out of the spam folder
        return []
    at = moment(complaint.get("timestamp"), now)
    detail = words(kind, text(complaint, "complaintSubType"))
    return [
        _said(told, at, Deed.COMPLAINED, text(one, "emailAddress"), Stop.COMPLAINED, detail)
        for one in every(complaint, "complainedRecipients") or [{}]
    ]


def _rejected(told: Told, now: Instant) -> list[Callback]:
    """SES took it, looked, and did not send it: a virus."""
    detail = words("rejected", text(part(told, "reject"), "reason"))
    return [_said(told, moment(part(told, "mail").get("timestamp"), now), Deed.BOUNCED, detail=detail)]


def _opened(told: Told, now: Instant) -> list[Callback]:
    return [_said(told, moment(part(told, "open").get("timestamp"), now), Deed.OPENED)]


def _clicked(told: Told, now: Instant) -> list[Callback]:
    click = part(told, "click")
    return [_said(told, moment(click.get("timestamp"), now), Deed.CLICKED, link=text(click, "link"))]


def _subscribed(told: Told, now: Instant) -> list[Callback]:
    change = part(told, "subscription")
    if part(change, "newTopicPreferences").get("unsubscribeAll") is not True:
        return []
    return [_said(told, moment(change.get("timestamp"), now), None, stop=Stop.UNSUBSCRIBED)]


_KINDS: Mapping[str, Callable[[Told, Instant], list[Callback]]] = {
    "Delivery": _delivered,
    "Bounce": _bounced,
    "Complaint": _complained,
    "Reject": _rejected,
    "Open": _opened,
    "Click": _clicked,
    "Subscription": _subscribed,
}
"""Events that say something; Send and DeliveryDelay say nothing new, and templates of SES's own are not used."""
