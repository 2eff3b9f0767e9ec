"""Calls to the customer's own endpoint, signed as Standard Webhooks 1.0.0 says; carries every channel's content."""

import hmac
import json
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.frozen import value
from orchestrator.core.nouns import (
    Channel,
    Content,
    EmailContent,
    InAppContent,
    Message,
    PushContent,
    TextContent,
    WebhookContent,
)
from orchestrator.core.outcomes import Accepted, Ambiguous, Outcome, Pause, PauseScope, Permanent, Retry
from orchestrator.core.phrases import PhraseError, duration
from orchestrator.core.times import SECOND, Instant, iso
from orchestrator.providers import (
    CannotBuildError,
    Credentials,
    Declaration,
    HttpRequest,
    HttpResponse,
    Request,
    Response,
    Setting,
    Transport,
)

DAY = 24 * 3600
BREATH = 60.0
"""Seconds of rest after a 429 that names no time."""

_FORGETS = frozenset({"0", "none"})


@value(frozen=True, slots=True)
class Call(HttpRequest):
    """A signed request that remembers whose it is, and whether the receiver knows a repeated one."""

    id: str
    remembers: bool


class Webhook:
    """The adapter. A bare 2xx is acceptance, says the standard: the message is known by the id we gave it.

    A 410, a 3xx and a 401 are about the endpoint, not about the person: nothing leaves until somebody resumes it.
    """

    declaration = Declaration(
        name="webhook",
        channels=frozenset(Channel),
        transport=Transport.HTTP,
        settings=(
            Setting("url", "where messages are posted; ${env:…} if a key stands in it"),
            Setting("secret", "signs every message: whsec_ and 24 to 64 bytes in base64", secret=True),
            Setting(
                "previous_secret", "the one before, while receivers still know it only", required=False, secret=True
            ),
            Setting(
                "key_life",
                "how long the receiver remembers webhook-id and drops repeats, `24 hours`; none if it does not",
                required=False,
                default="24 hours",
            ),
        ),
        key_life=DAY,
        timeout=20.0,
    )

    def declare(self, credentials: Credentials) -> Declaration:
        """A receiver that forgets makes a message without answer doubtful; OrchestratorError for settings that cannot be."""
        parts = urlsplit(credentials.get("url", ""))
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise OrchestratorError("webhook: url: it must start with https:// and name no user or password")
        for name in ("secret", "previous_secret"):
            if name == "secret" or credentials.get(name):
                _check_key(name, credentials.get(name, ""))
        return replace(self.declaration, key_life=_key_life(credentials))

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> Call:
        """One message, signed; the body is the same on every attempt, only the timestamp and the signature move on."""
        (message,) = messages
        body = _body(message)
        at = str(now // SECOND)
        signed = f"{message.id}.{at}.".encode() + body
        signature = _sign(credentials["secret"], signed)
        if previous := credentials.get("previous_secret"):
            signature += " " + _sign(previous, signed)
        headers = {
            "content-type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": at,
            "webhook-signature": signature,
        }
        remembers = credentials.get("key_life") not in _FORGETS
        return Call("POST", credentials["url"], headers, body, message.id, remembers)

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:
        """What the endpoint's answer means for the message."""
        if not isinstance(request, Call) or not isinstance(response, HttpResponse):
            raise TypeError("webhook reads answers to its own calls only")
        if 200 <= response.status < 300:
            return [Accepted(request.id)]
        return [_refusal(request, response)]


def _refusal(request: Call, response: HttpResponse) -> Outcome:
    status, after = response.status, response.retry_after
    detail = _detail(response)
    if status == 429 or (status in (502, 504) and after is not None and request.remembers):
        # The standard calls all three throttling. Behind a gateway, a receiver that forgets may have acted all the same.
        return Pause(PauseScope.CREDENTIAL, detail, after or BREATH)
    if status in (401, 403, 410):
        return Pause(PauseScope.CREDENTIAL, detail)
    if 300 <= status < 400:
        return Pause(PauseScope.CREDENTIAL, f"{detail}: the endpoint has moved; write its new url into the settings")
    if status in (408, 425):  # it did not arrive whole, or came too early: both say it was not worked on
        return Retry(detail, after)
    return Permanent(detail) if 400 <= status < 500 else Ambiguous(detail)


def _detail(response: HttpResponse) -> str:
    said = "".join(c if c.isprintable() else " " for c in response.body[:200].decode("utf-8", "replace"))
    return f"{response.status} {said}".strip()


# The body.

_stamp = lru_cache(maxsize=1024)(iso)  # a shard's people are judged at few moments


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode
"""For what customers hand in: it refuses a number that is none."""
_ENCODE_TEXTS = msgspec.json.Encoder(enc_hook=_plain).encode
"""For contents whose values are texts, nine times as fast."""


def _body(message: Message) -> bytes:
    kind, content = _content(message.content)
    key, address = message.key, message.address
    data: dict[str, Any] = {"channel": key.channel, "user": key.user, "address": address.value, "content": content}
    if address.platform:
        data["platform"] = address.platform
    if address.app:
        data["app"] = address.app
    if message.topic:
        data["topic"] = message.topic
    if message.test:
        data["test"] = True
    told = {"type": kind, "timestamp": _stamp(message.judged_at), "data": data}
    try:
        if isinstance(message.content, WebhookContent | InAppContent):
            return _ENCODE(told).encode()
        return _ENCODE_TEXTS(told)
    except (TypeError, ValueError) as problem:  # a value of no JSON type, not a number, half a surrogate pair
        raise CannotBuildError(
            f"webhook: this message cannot be written as JSON: {type(problem).__name__}"
        ) from problem


def _content(content: Content) -> tuple[str, Mapping[str, Any]]:
    """The event's type, and what the customer wrote for this channel."""
    match content:
        case WebhookContent(kind, data):
            return kind, data
        case PushContent():
            return "message.push", {
                "title": content.title,
                "body": content.body,
                "link": content.link,
                "image": content.image,
                "collapse": content.collapse,
                "ttl": content.ttl,
                "data": content.data,
            }
        case EmailContent():
            return "message.email", {
                "from": content.sender,
                "reply_to": content.reply_to,
                "subject": content.subject,
                "html": content.html,
                "text": content.text,
                "headers": content.headers,
            }
        case InAppContent():
            visible = None if content.visible_for is None else content.visible_for // SECOND
            return "message.in_app", {"payload": content.payload, "visible_for": visible}
        case TextContent():
            return "message.sms", {"text": content.text}


# The signature.


@lru_cache(maxsize=64)
def _key(secret: str) -> bytes:
    coded = secret.removeprefix("whsec_").rstrip("=")
    return b64decode(coded + "=" * (-len(coded) % 4), validate=True)


@lru_cache(maxsize=64)
def _mac(secret: str) -> hmac.HMAC:
    return hmac.new(_key(secret), digestmod="sha256")


def _sign(secret: str, signed: bytes) -> str:
    mac = _mac(secret).copy()  # the key is worked in once; and unlike hmac.digest it does not let go of the interpreter
    mac.update(signed)
    return "v1," + b2a_base64(mac.digest(), newline=False).decode()


def _check_key(name: str, secret: str) -> None:
    """The error never repeats the secret."""
    try:
        key = _key(secret) if secret.startswith("whsec_") else b""
    except ValueError:
        key = b""
    if not 24 <= len(key) <= 64:
        raise OrchestratorError(
            f"webhook: {name}: it must be whsec_ followed by 24 to 64 random bytes in base64;"
            " make one with: echo whsec_$(openssl rand -base64 32)"
        )


def _key_life(credentials: Credentials) -> int:
    written = credentials.get("key_life") or "24 hours"
    if written in _FORGETS:
        return 0
    try:
        return duration(written) // SECOND
    except PhraseError as problem:
        raise OrchestratorError(
            f"webhook: key_life: {written!r} is no duration; write `24 hours`, or none"
        ) from problem
