"""Twilio's status callbacks: a form for each step of a text message, signed with the account's token (its manual, 2026-08)."""

import hmac
from base64 import b64encode
from hashlib import sha1
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

from orchestrator.core.callbacks import Callback, Stop, read_tag
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel
from orchestrator.core.times import Instant
from orchestrator.providers import CallbackFormError, CallbackRefusedError, CallbackRequest, Heard
from orchestrator.providers.reports import words

_TAG = "d"
_SIGNATURE = "x-twilio-signature"
_KNOWN = frozenset({
    "accepted", "scheduled", "queued", "sending", "sent", "receiving", "received", "delivered", "read", "undelivered", "failed",
    "canceled", "partially_delivered",
})  # fmt: skip
_FAILED = frozenset({"undelivered", "failed", "canceled"})
_DEAD = frozenset({"21211", "21614", "21635", "30005", "30006", "63003", "63024"})
"""No number, no mobile, a landline, a handset nobody knows, nobody at WhatsApp."""
_SAID_STOP = frozenset({"21610", "63014"})


def told_at(url: str, tag: str) -> str:
    """The URL at which Twilio reports of one message: ours, with the message's tag."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{_TAG}={quote(tag)}" if tag else url


def read(request: CallbackRequest, token: str, now: Instant) -> Heard:
    """The report of one call. With the account's token the signature must be right: an API key's secret signs nothing."""
    try:
        form = parse_qsl(request.body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(request.body))
    except ValueError as problem:
        raise CallbackFormError(f"the body is no form: {problem}") from problem
    if token:
        _check(request, form, token)
    told = dict(form)
    status = told.get("MessageStatus") or told.get("SmsStatus", "")
    if status not in _KNOWN:
        raise CallbackFormError(f"MessageStatus {status!r} is none that Twilio documents")
    key = read_tag(parse_qs(urlsplit(request.url).query).get(_TAG, [""])[0])
    address, code = told.get("To", "").removeprefix("whatsapp:"), told.get("ErrorCode", "")
    if status in _FAILED:
        stop = Stop.BOUNCED if code in _DEAD else Stop.UNSUBSCRIBED if code in _SAID_STOP else None
        detail = words(status, code, told.get("ErrorMessage", ""))
        return Heard((Callback(Channel.SMS, now, key, Deed.BOUNCED, stop, address, detail),))
    deeds = {"delivered": (Deed.DELIVERED,), "read": (Deed.DELIVERED, Deed.OPENED)}.get(status, ())
    return Heard(tuple(Callback(Channel.SMS, now, key, deed, address=address) for deed in deeds))


def _check(request: CallbackRequest, form: list[tuple[str, str]], token: str) -> None:
    signed = request.url + "".join(f"{name}{said}" for name, said in sorted(form))
    right = b64encode(hmac.digest(token.encode(), signed.encode(), sha1)).decode()
    if not hmac.compare_digest(right.encode(), request.headers.get(_SIGNATURE, "").encode()):
        raise CallbackRefusedError(
            "the signature is not Twilio's: `auth_token` must be the account's primary one, and `public_url` must be just what"
            " the URL in `callback` begins with"
        )
