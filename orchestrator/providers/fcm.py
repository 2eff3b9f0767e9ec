"""Push through Firebase Cloud Messaging, HTTP v1: one message a request, a short-lived token by a service account.

FCM takes no idempotency key, and a 5xx may come for a message that was delivered; so both are ambiguous. It reads errors
from `error.details[].errorCode`, not from the status alone (discovery revision 2026-10-23).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Channel, Message, PushContent
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Outcome, Pause, PauseScope, Permanent
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
    Token,
    Transport,
)
from orchestrator.providers.answers import members, parsed

ENDPOINT = "https://fcm.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
LARGEST = 4096
"""Bytes of payload FCM takes."""

MINUTE = 60.0
_JSON = {"Content-Type": "application/json; charset=utf-8"}


_ENCODE = msgspec.json.Encoder().encode


class Fcm:
    """The adapter. `credentials` is the service account's JSON file, `endpoint` may name another host (a sink, a proxy)."""

    declaration = Declaration(
        name="fcm",
        channels=frozenset({Channel.PUSH}),
        transport=Transport.HTTP,
        settings=(
            Setting("credentials", "the service account's JSON, as ${file:/run/secrets/fcm.json}", secret=True),
            Setting("endpoint", "another host than Google's", required=False, default=ENDPOINT),
        ),
        rate=10_000.0,
        answers_twice=True,
        timeout=15.0,
    )

    def declare(self, credentials: Credentials) -> Declaration:
        """The same for every account; OrchestratorError if the account's file cannot be read."""
        _account(credentials.get("credentials", ""))
        return self.declaration

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> HttpRequest:  # noqa: ARG002 - nothing hangs on the moment
        """One message to one device."""
        (message,) = messages
        if not isinstance(message.content, PushContent):
            raise CannotBuildError(f"fcm carries push only, this is {message.key.channel}")
        try:
            body = _ENCODE({"message": _message(message, message.content)})
        except (TypeError, ValueError) as problem:  # half a surrogate pair
            raise CannotBuildError(
                f"fcm: this message cannot be written as JSON: {type(problem).__name__}"
            ) from problem
        if len(body) > LARGEST:
            raise CannotBuildError(
                f"the push has {len(body):,} bytes, FCM takes {LARGEST:,}; shorten the text or the data"
            )
        project = _account(credentials["credentials"])["project_id"]
        headers = {"Authorization": f"Bearer {credentials['access_token']}", **_JSON}
        return HttpRequest("POST", f"{_endpoint(credentials)}/v1/projects/{project}/messages:send", headers, body)

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:  # noqa: ARG002 - the answer says it all
        """What Google's answer means for the message."""
        if not isinstance(response, HttpResponse):
            raise TypeError("fcm reads HTTP answers only")
        answer = members(parsed(response.body))
        if 200 <= response.status < 300:
            name = answer.get("name")
            return [
                Accepted(name)
                if isinstance(name, str) and "/messages/" in name
                else Ambiguous("a 2xx without a message name")
            ]
        return [_refusal(response, answer)]

    def grant(self, credentials: Credentials, now: Instant) -> HttpRequest:
        """A signed claim that Google turns into a token for an hour (RFC 7523)."""
        account = _account(credentials["credentials"])
        seconds = now // SECOND
        url = account.get("token_uri", "https://oauth2.googleapis.com/token")
        claims = {"iss": account["client_email"], "scope": SCOPE, "aud": url, "iat": seconds, "exp": seconds + 3600}
        headers = {"kid": account["private_key_id"]} if "private_key_id" in account else None
        assertion = jwt.encode(claims, account["private_key"], algorithm="RS256", headers=headers)
        body = f"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
        return HttpRequest("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, body.encode())

    def read_grant(self, response: HttpResponse) -> Token | Outcome:
        """The token; a refusal is about the account, so everything waits for a person."""
        answer = members(parsed(response.body))
        value, lifetime = answer.get("access_token"), answer.get("expires_in", 3600)
        if response.status == 200 and isinstance(value, str) and isinstance(lifetime, int | float):
            return Token(value, float(lifetime))
        detail = (
            f"token refused: {response.status} {answer.get('error_description') or answer.get('error') or ''}".strip()
        )
        passing = response.status == 429 or response.status >= 500
        return Pause(PauseScope.CREDENTIAL, detail, (response.retry_after or MINUTE) if passing else None)


def _message(message: Message, content: PushContent) -> dict[str, Any]:
    """FCM's message; values of `data` are text, and carry our id so that reports can be told apart."""
    notification = {"title": content.title, "body": content.body, **({"image": content.image} if content.image else {})}
    data = {**content.data, "orchestrator_id": message.id, **({"link": content.link} if content.link else {})}
    android: dict[str, Any] = {}
    apns: dict[str, Any] = {}
    if content.collapse:
        android |= {"collapse_key": content.collapse, "notification": {"tag": content.collapse}}
        apns["apns-collapse-id"] = content.collapse[:64]
    if content.ttl is not None:
        android["ttl"] = f"{content.ttl}s"
        # Apple's is a moment, not a span: from the first judging, so that every attempt says the same.
        apns["apns-expiration"] = str(message.judged_at // SECOND + content.ttl)
    found: dict[str, Any] = {"token": message.address.value, "notification": notification, "data": data}
    if android:
        found["android"] = android
    if apns:
        found["apns"] = {"headers": apns}
    return found


def _refusal(response: HttpResponse, answer: Mapping[str, Any]) -> Outcome:
    error = answer.get("error")
    error = error if isinstance(error, dict) else {}
    details = [one for one in error.get("details") or () if isinstance(one, dict)]
    code = next((str(one["errorCode"]) for one in details if "errorCode" in one), "")
    detail = f"{response.status} {code or error.get('status', '')} {error.get('message', '')}".strip()[:300]
    if code in ("UNREGISTERED", "SENDER_ID_MISMATCH"):
        return AddressGone(detail)
    if code == "INVALID_ARGUMENT" and "registration token" in str(error.get("message", "")):
        return AddressGone(detail)
    if code == "THIRD_PARTY_AUTH_ERROR" or response.status in (401, 403):
        return Pause(PauseScope.CREDENTIAL, detail)
    if code == "QUOTA_EXCEEDED" or response.status == 429:
        return Pause(PauseScope.CREDENTIAL, detail, response.retry_after or MINUTE)
    if response.status >= 500:
        return Ambiguous(detail)
    return Permanent(detail)


def _endpoint(credentials: Credentials) -> str:
    return (credentials.get("endpoint") or ENDPOINT).rstrip("/")


@lru_cache(maxsize=8)
def _account(text: str) -> Mapping[str, str]:
    """The service account's file; OrchestratorError says what it lacks, never what it holds."""
    found = members(parsed(text.encode()))
    lacking = [name for name in ("project_id", "client_email", "private_key") if not isinstance(found.get(name), str)]
    if lacking:
        raise OrchestratorError(
            f"fcm: credentials: no service account's JSON, it lacks {', '.join(lacking)}; download it from the Firebase console"
        )
    if not _signs(found["private_key"]):
        raise OrchestratorError(
            "fcm: credentials: its private_key is no RSA key in PEM, so nothing can be signed with it; download the file"
            " anew from the Firebase console, and keep it as it is: its line breaks are written \\n"
        )
    return found


def _signs(pem: str) -> bool:
    """Whether Google's grants can be signed with this key."""
    try:
        return isinstance(load_pem_private_key(pem.encode(), None), RSAPrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # torn, behind a password, of a kind nobody knows
        return False
