"""Push through Apple's own service: one message to one device over HTTP/2, signed by a key of the developer account (.p8).

`apns-id` names a message and drops no repeat, so APNs takes no idempotency key; `apns-collapse-id` only lets a newer message
take an older one's place on the screen. Answers as Apple's "Handling notification responses from APNs" lists them (November 2026).
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.frozen import value
from orchestrator.core.nouns import Channel, Message, PushContent
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Outcome, Pause, PauseScope, Permanent, Retry
from orchestrator.core.times import SECOND, Instant
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
from orchestrator.providers.answers import members, parsed
from orchestrator.providers.es256 import private_key, signed

ENDPOINT = "https://api.push.apple.com"
LARGEST = 4096
"""Bytes of payload APNs takes for an alert."""

LONGEST_COLLAPSE = 64
"""Bytes of an `apns-collapse-id`."""

RENEWED = 40 * 60
"""Seconds between two tokens: Apple wants more than 20 minutes, and fewer than 60 old."""

EASE = 5 * 60
"""Seconds that a token is old when it is first used, for the clock of this machine may be ahead of Apple's."""

BREATH = 60.0
REST = 20 * 60.0
"""Seconds of rest after Apple has seen too many new tokens."""

_TOKEN = re.compile(r"[0-9A-Fa-f]{2,200}")
_TEN = re.compile(r"[0-9A-Z]{10}")
_TOPIC = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_ENCODE = msgspec.json.Encoder().encode

_KEY = "check key, key_id and team_id, and that the key is for this endpoint"
_TOPICS = "`topic` must be the bundle id of the app, and the key must be allowed for it"
_REFUSED: Mapping[str, str] = {
    "InvalidProviderToken": _KEY,
    "MissingProviderToken": _KEY,
    "UnrelatedKeyIdInToken": _KEY,
    "BadEnvironmentKeyIdInToken": _KEY,
    "BadCertificate": _KEY,
    "BadCertificateEnvironment": _KEY,
    "Forbidden": _KEY,
    "BadTopic": _TOPICS,
    "MissingTopic": _TOPICS,
    "TopicDisallowed": _TOPICS,
}
"""Reasons that hold for every message, and what to do about them."""


@value(frozen=True, slots=True)
class Notification(HttpRequest):
    """A request that remembers when the device was last seen: Apple says since when a token is dead."""

    seen_at: Instant


class Apns:
    """The adapter. The key and its two ids are those of the developer account, `topic` is the app's bundle id."""

    declaration = Declaration(
        name="apns",
        channels=frozenset({Channel.PUSH}),
        transport=Transport.HTTP2,
        settings=(
            Setting("key", "the signing key, as ${file:/run/secrets/AuthKey.p8}", secret=True),
            Setting("key_id", "its ten letters, in the file's name and in the developer account"),
            Setting("team_id", "the ten letters of the team, in the developer account"),
            Setting("topic", "the app's bundle id, like com.example.shop"),
            Setting(
                "endpoint",
                "another host: https://api.sandbox.push.apple.com for apps that Xcode installed",
                required=False,
                default=ENDPOINT,
            ),
        ),
        answers_twice=True,
        timeout=15.0,
        platforms=frozenset({"ios"}),
    )

    def declare(self, credentials: Credentials) -> Declaration:
        """The same for every account; OrchestratorError for settings that cannot be."""
        try:
            private_key(credentials.get("key", ""))
        except ValueError as problem:
            raise OrchestratorError(
                "apns: key: no signing key; it is the content of the .p8 file from the developer account"
            ) from problem
        for name, form, like in (
            ("key_id", _TEN, "ABC123DEFG"),
            ("team_id", _TEN, "DEF123GHIJ"),
            ("topic", _TOPIC, "com.example.shop"),
        ):
            if form.fullmatch(credentials.get(name, "")) is None:
                raise OrchestratorError(f"apns: {name}: it is written like {like}")
        return self.declaration

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> Notification:
        """One message to one device; the body is the same on every attempt, only the token moves on."""
        (message,) = messages
        if not isinstance(message.content, PushContent):
            raise CannotBuildError(f"apns carries push only, this is {message.key.channel}")
        token = message.address.value
        if _TOKEN.fullmatch(token) is None:
            raise CannotBuildError("apns: the device's token is not in hexadecimal, so another service gave it out")
        url = f"{_endpoint(credentials)}/3/device/{token.lower()}"
        headers = {
            "authorization": f"bearer {_bearer(credentials, now)}",
            "apns-topic": credentials["topic"],
            "apns-push-type": "alert",
            "apns-priority": "10",
            "apns-id": str(UUID(message.id)),
            "content-type": "application/json",
            **_lasting(message, message.content),
        }
        return Notification("POST", url, headers, _payload(message, message.content), message.address.seen_at)

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:
        """What Apple's answer means for the message."""
        if not isinstance(request, Notification) or not isinstance(response, HttpResponse):
            raise TypeError("apns reads answers to its own notifications only")
        if 200 <= response.status < 300:
            name = response.headers.get("apns-id", "")
            return [Accepted(name) if name else Ambiguous("a 2xx without apns-id")]
        return [_refusal(request, response)]


def _payload(message: Message, content: PushContent) -> bytes:
    """Apple's `aps`, and beside it what the app reads itself; our names come last, so no data can hide them."""
    alert = {name: text for name, text in (("title", content.title), ("body", content.body)) if text}
    aps: dict[str, Any] = {"alert": alert, "sound": "default"}
    if content.image:  # only a service extension of the app can fetch it
        aps["mutable-content"] = 1
    told: dict[str, Any] = {**content.data}
    told |= {name: text for name, text in (("link", content.link), ("image", content.image)) if text}
    told |= {"orchestrator_id": message.id, "aps": aps}
    try:
        body = _ENCODE(told)
    except (TypeError, ValueError) as problem:  # half a surrogate pair
        raise CannotBuildError(f"apns: this message cannot be written as JSON: {type(problem).__name__}") from problem
    if len(body) > LARGEST:
        raise CannotBuildError(
            f"the push has {len(body):,} bytes, APNs takes {LARGEST:,}; shorten the text or the data"
        )
    return body


def _lasting(message: Message, content: PushContent) -> Mapping[str, str]:
    """Until when Apple keeps it, as a moment: counted from the first judging, so that every attempt says the same.

    0 means to try once, and to keep it for no device that is off.
    """
    ends = [] if content.ttl is None else [message.judged_at // SECOND + content.ttl if content.ttl else 0]
    ends += [] if message.expires_at is None else [message.expires_at // SECOND]
    lasts = {"apns-expiration": str(min(ends))} if ends else {}
    if content.collapse:
        lasts["apns-collapse-id"] = _collapse(content.collapse)
    return lasts


@lru_cache(maxsize=256)
def _collapse(name: str) -> str:
    """The name if a header can carry it, else a name made of it; never more than 64 bytes."""
    if len(name) <= LONGEST_COLLAPSE and name.isascii() and name.isprintable():
        return name
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _bearer(credentials: Credentials, now: Instant) -> str:
    """Who sends: the same token in every process, on every machine, for 40 minutes, and 5 to 45 minutes old."""
    begun = (now // SECOND - EASE) // RENEWED * RENEWED
    return _signed(credentials["key"], credentials["key_id"], credentials["team_id"], begun)


@lru_cache(maxsize=16)
def _signed(key: str, key_id: str, team_id: str, begun: int) -> str:
    return signed({"kid": key_id}, {"iss": team_id, "iat": begun}, private_key(key))


def _refusal(request: Notification, response: HttpResponse) -> Outcome:  # noqa: PLR0911 - one line for each answer
    status, after = response.status, response.retry_after
    answer = members(parsed(response.body))
    reason = str(answer.get("reason") or "")
    detail = f"{status} {reason}".strip()[:200]
    if reason == "BadDeviceToken":
        return AddressGone(detail)
    if reason == "DeviceTokenNotForTopic":
        # Not gone: with a wrong topic in the settings, every device would be.
        return Permanent(f"{detail}: the device's token is of another app than `topic` names")
    if status == 410:
        return _gone(request, answer, detail)
    if reason in _REFUSED or (status in (401, 403) and reason != "ExpiredProviderToken"):
        return Pause(PauseScope.CREDENTIAL, f"{detail}: {_REFUSED.get(reason, _KEY)}")
    if reason == "ExpiredProviderToken":
        return Pause(PauseScope.CREDENTIAL, f"{detail}: the clock of this machine is wrong; set it", after or BREATH)
    if reason == "TooManyProviderTokenUpdates":
        return Pause(PauseScope.CREDENTIAL, f"{detail}: another program signs with this key as well", after or REST)
    if status == 429 and reason != "TooManyRequests":
        return Pause(PauseScope.CREDENTIAL, detail, after or BREATH)
    # Too many to this one device; or Apple says that it did not get as far as looking at the message.
    if reason in ("TooManyRequests", "ServiceUnavailable", "Shutdown", "IdleTimeout") or status in (408, 425):
        return Retry(detail, after)
    return Permanent(detail) if status < 500 else Ambiguous(detail)


def _gone(request: Notification, answer: Mapping[str, Any], detail: str) -> Outcome:
    """A token that was registered again since Apple last saw it dead is alive, whatever this answer says."""
    dead = answer.get("timestamp")
    if isinstance(dead, int | float) and 0 < dead * 1000 < request.seen_at:
        return Permanent(f"{detail}: dead before the device was last seen; its token is kept")
    return AddressGone(detail)


def _endpoint(credentials: Credentials) -> str:
    return (credentials.get("endpoint") or ENDPOINT).rstrip("/")
