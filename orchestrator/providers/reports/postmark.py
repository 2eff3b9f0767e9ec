"""Postmark's webhooks: one report a call, not signed; the URL's token is what shows that Postmark calls (its manual, 2026-08)."""

from collections.abc import Callable, Mapping

from orchestrator.core.callbacks import Callback, Stop
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel
from orchestrator.core.times import Instant
from orchestrator.providers import CallbackFormError, CallbackRequest, Heard
from orchestrator.providers.reports import Told, key, moment, objects, part, text, words

WIDTH = 80
"""Characters of a value of Postmark's metadata, at most."""

_NO_FAILURE = frozenset({
    "Transient", "Subscribe", "AutoResponder", "AddressChange", "ChallengeVerification", "OpenRelayTest", "VirusNotification",
})  # fmt: skip
"""Bounces that are none: the message arrived and something answered, or Postmark still tries."""


def read(request: CallbackRequest, now: Instant) -> Heard:
    """The reports of one call."""
    return Heard(tuple(one for told in objects(request) for one in _report(told, now)))


def _report(told: Told, now: Instant) -> list[Callback]:
    kind = text(told, "RecordType")
    make = _KINDS.get(kind)
    if make is None:
        raise CallbackFormError(f"RecordType {kind!r} is none that Postmark documents")
    found = make(told, now)
    return [] if found is None else [found]


def _said(
    told: Told,
    at: Instant,
    deed: Deed | None,
    *,
    stop: Stop | None = None,
    detail: str = "",
    link: str = "",
) -> Callback:
    delivery = key(part(told, "Metadata"))
    address = text(told, "Email", "Recipient")
    return Callback(Channel.EMAIL, at, delivery, deed, stop, address, detail, link)


def _delivered(told: Told, now: Instant) -> Callback:
    return _said(told, moment(told.get("DeliveredAt"), now), Deed.DELIVERED)


def _bounced(told: Told, now: Instant) -> Callback | None:
    kind, at = text(told, "Type"), moment(told.get("BouncedAt"), now)
    detail = words(kind, text(told, "Details", "Description"))
    if kind == "SpamComplaint":
        return _said(told, at, Deed.COMPLAINED, stop=Stop.COMPLAINED, detail=detail)
    if kind == "Unsubscribe":
        return _said(told, at, None, stop=Stop.UNSUBSCRIBED, detail=detail)
    if kind in _NO_FAILURE:
        return None
    # An address that Postmark has made inactive gets nothing more from it, whatever the kind.
    dead = kind in ("HardBounce", "BadEmailAddress") or told.get("Inactive") is True
    return _said(told, at, Deed.BOUNCED, stop=Stop.BOUNCED if dead else None, detail=detail)


def _complained(told: Told, now: Instant) -> Callback:
    at = moment(told.get("BouncedAt"), now)
    return _said(told, at, Deed.COMPLAINED, stop=Stop.COMPLAINED, detail=text(told, "Details", "Description"))


def _opened(told: Told, now: Instant) -> Callback:
    return _said(told, moment(told.get("ReceivedAt"), now), Deed.OPENED)


def _clicked(told: Told, now: Instant) -> Callback:
    return _said(told, moment(told.get("ReceivedAt"), now), Deed.CLICKED, link=text(told, "OriginalLink"))


def _changed(told: Told, now: Instant) -> Callback | None:
    """Somebody is on Postmark's own list of those who get nothing, or off it: only a person here lifts a stop."""
    if told.get("SuppressSending") is not True:
        return None
    why = {"HardBounce": Stop.BOUNCED, "SpamComplaint": Stop.COMPLAINED}
    reason = text(told, "SuppressionReason")
    return _said(told, moment(told.get("ChangedAt"), now), None, stop=why.get(reason, Stop.UNSUBSCRIBED), detail=reason)


_KINDS: Mapping[str, Callable[[Told, Instant], Callback | None]] = {
    "Delivery": _delivered,
    "Bounce": _bounced,
    "SpamComplaint": _complained,
    "Open": _opened,
    "Click": _clicked,
    "SubscriptionChange": _changed,
}
