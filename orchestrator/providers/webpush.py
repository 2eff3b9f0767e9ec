"""Push to browsers: RFC 8030 with sealed messages (RFC 8291) and VAPID (RFC 8292). One message to one subscription.

A subscription's endpoint is written by whoever subscribes, so only push services that are known are called; else one made-up
endpoint could answer 403 and stop the others' messages. Push services take no idempotency key.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_network
from typing import Any

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
from orchestrator.providers.es256 import private_key
from orchestrator.providers.sealing import ROOM, lock_for, seal
from orchestrator.providers.subscriptions import WEB, Subscription, looks_like_one, subscription
from orchestrator.providers.vapid import authorization

SERVICES = (
    "fcm.googleapis.com",  # Chrome, Edge on Android, Opera, Brave, Samsung
    "jmt17.google.com",  # Chrome, for a while in 2024; these subscriptions live on
    "android.googleapis.com",  # Chrome of old
    "push.services.mozilla.com",  # Firefox
    "notify.windows.com",  # Edge on Windows
    "web.push.apple.com",  # Safari
)
"""Where browsers let themselves be reached (November 2026); hosts below these count as well."""

KEPT = 28 * 24 * 3600
"""Seconds for which a message without `ttl` waits for its browser; push services keep none for longer."""

_OTHER_KEY = (
    "do not correspond to the credentials used to create",  # Google
    "does not correspond to the sender id",  # Google
    "vapid public key mismatch",  # Mozilla
    "vapidpkhashmismatch",  # Apple
)
"""How push services say that a subscription was made with another key than ours."""

_NO_SENDER = ("jwt", "vapid")
"""What a refusal speaks of that is about us, whoever the message is for."""

_ENCODE = msgspec.json.Encoder().encode


@value(frozen=True, slots=True)
class Push(HttpRequest):
    """A request that remembers whose it is: not every push service names what it took."""

    id: str


class WebPush:
    """The adapter. `private_key` is the VAPID key that the page subscribed with, `subject` where push services find us."""

    declaration = Declaration(
        name="webpush",
        channels=frozenset({Channel.PUSH}),
        transport=Transport.HTTP,
        settings=(
            Setting("private_key", "the VAPID key: `orchestrator vapid` makes a pair", secret=True),
            Setting("subject", "where push services find you: mailto:push@shop.example, or a page at https://"),
            Setting("services", "hosts of other push services than the browsers' own, by commas", required=False),
            Setting(
                "network",
                "an inner network where such a service of your own is, like 10.0.0.0/8; there plain HTTP will do",
                required=False,
            ),
        ),
        answers_twice=True,
        timeout=15.0,
        platforms=frozenset({WEB}),
        foreign=True,
    )

    def declare(self, credentials: Credentials) -> Declaration:
        """The same for everybody; OrchestratorError for a key that is none, and a subject nobody could write to."""
        try:
            private_key(credentials.get("private_key", ""))
        except ValueError as problem:
            raise OrchestratorError(
                "webpush: private_key: no VAPID key, which is 32 bytes in base64url, or PEM; make one with: orchestrator vapid"
            ) from problem
        subject = credentials.get("subject", "")
        _, _, rest = subject.partition(":")
        named = subject.startswith("https://") or (subject.startswith("mailto:") and "@" in rest)
        # Apple refuses every message under a subject with a blank or angle brackets in it.
        if not named or any(letter in subject for letter in " <>"):
            raise OrchestratorError("webpush: subject: write mailto: and a plain address, or a URL at https://")
        try:
            ip_network(credentials.get("network") or "10.0.0.0/8")
        except ValueError as problem:
            raise OrchestratorError(f"webpush: network: {problem}; write it like 10.0.0.0/8") from problem
        return self.declaration

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> Push:
        """One message to one browser, sealed; the body is the same on every attempt, only the token of the sender moves on."""
        (message,) = messages
        if not isinstance(message.content, PushContent):
            raise CannotBuildError(f"webpush carries push only, this is {message.key.channel}")
        if not looks_like_one(message.address.value):
            raise CannotBuildError(
                "webpush: the device's token is no browser subscription, so another service gave it out"
            )
        whose = subscription(message.address.value)
        _check_service(whose, credentials.get("services", ""))
        plain = _plain(message, message.content)
        ours = private_key(credentials["private_key"])
        headers = {
            "Authorization": authorization(credentials["private_key"], credentials["subject"], whose.origin, now),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(_ttl(message, message.content)),
            "Urgency": "normal",
        }
        if message.content.collapse:
            headers["Topic"] = _topic(message.content.collapse)
        body = seal(plain, whose, lock_for(plain, whose, message.id, ours))
        return Push("POST", whose.endpoint, headers, body, message.id)

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:
        """What the push service's answer means for the message."""
        if not isinstance(request, Push) or not isinstance(response, HttpResponse):
            raise TypeError("webpush reads answers to its own pushes only")
        if 200 <= response.status < 300:
            # A 201 alone says that it was taken (RFC 8030, 5); the name of what was made is for those who want receipts.
            return [Accepted(response.headers.get("location", "").rpartition("/")[2][:200] or request.id)]
        return [_refusal(response)]


def _plain(message: Message, content: PushContent) -> bytes:
    """What the page's service worker gets: JSON whose names are those of the Notification API where it has them."""
    told: dict[str, Any] = {"title": content.title, "body": content.body}
    told |= {name: text for name, text in (("link", content.link), ("image", content.image)) if text}
    if content.collapse:
        told["tag"] = content.collapse
    told["data"] = {**content.data, "orchestrator_id": message.id}
    try:
        plain = _ENCODE(told)
    except (TypeError, ValueError) as problem:  # half a surrogate pair
        raise CannotBuildError(
            f"webpush: this message cannot be written as JSON: {type(problem).__name__}"
        ) from problem
    if len(plain) > ROOM:
        raise CannotBuildError(
            f"the push has {len(plain):,} bytes, and {ROOM:,} can be sealed for a browser; shorten the text or the data"
        )
    return plain


def _ttl(message: Message, content: PushContent) -> int:
    """Seconds from the first judging: as the template says, and not beyond the message's own time."""
    ttl = KEPT if content.ttl is None else min(content.ttl, KEPT)
    if message.expires_at is not None:
        ttl = min(ttl, max(0, message.expires_at - message.judged_at) // SECOND)
    return ttl


def _topic(collapse: str) -> str:
    """At most 32 letters of base64url, which is all that a Topic may be: the name, or what stands for it."""
    plain = len(collapse) <= 32 and collapse.isascii() and collapse.replace("-", "").replace("_", "").isalnum()
    return collapse if plain else urlsafe_b64encode(blake2b(collapse.encode(), digest_size=24).digest()).decode()


def _check_service(whose: Subscription, more: str) -> None:
    if not _known(whose.host, more):
        raise CannotBuildError(
            f"webpush: {whose.host} is no push service that is known; if it is one, name it under `services`"
        )


@lru_cache(maxsize=1024)
def _known(host: str, more: str) -> bool:
    known = (*SERVICES, *(one.strip().lower() for one in more.split(",") if one.strip()))
    return any(host == one or host.endswith(f".{one}") for one in known)


def _refusal(response: HttpResponse) -> Outcome:
    status, after, detail = response.status, response.retry_after, _detail(response)
    said = detail.lower()
    if status in (404, 410):
        return AddressGone(detail)
    if status in (400, 401, 403) and any(words in said for words in _OTHER_KEY):
        # Not gone: with a wrong key in the settings, every subscription would be.
        return Permanent(f"{detail}: this browser subscribed with another VAPID key; it must subscribe again")
    if status in (400, 401, 403) and any(words in said for words in _NO_SENDER):
        return Pause(PauseScope.CREDENTIAL, f"{detail}: check private_key, subject and this machine's clock")
    # 406 is Microsoft's word for too many. A 401 or 403 that does not say it is about us may be about this endpoint alone,
    # which anybody can make up: where all are refused, the breaker stops them.
    if status in (401, 403, 406, 408, 425, 429):
        return Retry(detail, after)
    return Permanent(detail) if status < 500 else Ambiguous(detail)


def _detail(response: HttpResponse) -> str:
    said = "".join(c if c.isprintable() else " " for c in response.body[:300].decode("utf-8", "replace"))
    try:
        told = json.loads(response.body[:10_000])
        said = str(told.get("reason") or told.get("message") or said)[:300] if isinstance(told, dict) else said
    except (ValueError, RecursionError):
        pass
    return f"{response.status} {said.strip()}".strip()
