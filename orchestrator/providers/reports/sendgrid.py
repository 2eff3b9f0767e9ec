"""SendGrid's event webhook: many reports a call, signed with ECDSA if that is switched on there (its manual, 2026-08)."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from orchestrator.core.callbacks import Callback, Stop
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel
from orchestrator.core.times import Instant
from orchestrator.providers import CallbackRefusedError, CallbackRequest, Heard
from orchestrator.providers.reports import Told, key, moment, objects, text, words

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_AT = "x-twilio-email-event-webhook-timestamp"

_DEEDS: Mapping[str, Deed | None] = {
    "delivered": Deed.DELIVERED,
    "bounce": Deed.BOUNCED,
    "dropped": Deed.BOUNCED,
    "open": Deed.OPENED,
    "click": Deed.CLICKED,
    "spamreport": Deed.COMPLAINED,
    "unsubscribe": None,
    "group_unsubscribe": None,
}
"""Events that say something; that it is on its way (processed, deferred) or wanted again says nothing new."""

_DROPPED: Mapping[str, Stop] = {
    "Bounced Address": Stop.BOUNCED,
    "Invalid": Stop.BOUNCED,
    "Unsubscribed Address": Stop.UNSUBSCRIBED,
    "Spam Reporting Address": Stop.COMPLAINED,
}
"""Why SendGrid did not even try, where that is about the address."""


def read(request: CallbackRequest, public_key: str, now: Instant) -> Heard:
    """The reports of one call. With the public key (DER in base64, as SendGrid shows it) the signature must be right."""
    if public_key:
        _check(request, verifying_key(public_key))
    return Heard(tuple(one for told in objects(request) for one in _report(told, now)))


@lru_cache(maxsize=8)
def verifying_key(told: str) -> EllipticCurvePublicKey:
    """The key that reports are signed with; OrchestratorError for a text that is none."""
    try:
        found = load_der_public_key(b64decode(told.strip(), validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as problem:
        raise OrchestratorError(f"it is no public key in base64: {problem}") from problem
    if not isinstance(found, EllipticCurvePublicKey):
        raise OrchestratorError("it is a key of another kind; SendGrid signs with ECDSA")
    return found


def _check(request: CallbackRequest, public_key: EllipticCurvePublicKey) -> None:
    try:
        signature = b64decode(request.headers.get(_SIGNATURE, ""), validate=True)
        public_key.verify(signature, request.headers.get(_AT, "").encode() + request.body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError, binascii.Error) as problem:
        raise CallbackRefusedError(
            "the signature is not SendGrid's; is `verification_key` in the settings the one SendGrid shows"
            " (Mail Settings, Event Webhooks, Signed Event Webhook)?"
        ) from problem


def _report(told: Told, now: Instant) -> list[Callback]:
    event = text(told, "event")
    if event not in _DEEDS:
        return []
    reason = text(told, "reason", "response")
    return [
        Callback(
            Channel.EMAIL,
            moment(told.get("timestamp"), now),
            key(told),
            _DEEDS[event],
            _stop(told, event, reason),
            text(told, "email"),
            words(text(told, "status"), reason),
            text(told, "url"),
            told.get("sg_machine_open") is True,
        )
    ]


def _stop(told: Told, event: str, reason: str) -> Stop | None:
    if event == "bounce":  # one that was blocked was refused for what it said, or for who we are
        return None if text(told, "type") == "blocked" else Stop.BOUNCED
    if event == "dropped":
        return _DROPPED.get(reason)
    return {
        "spamreport": Stop.COMPLAINED,
        "unsubscribe": Stop.UNSUBSCRIBED,
        "group_unsubscribe": Stop.UNSUBSCRIBED,
    }.get(event)
