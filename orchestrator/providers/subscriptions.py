"""Browser subscriptions as addresses: the JSON that a browser gives out for one, in one plain spelling, or a clear error.

`PushSubscription.toJSON()` says `{"endpoint": …, "expirationTime": …, "keys": {"p256dh": …, "auth": …}}`. As an address it is
text like any device's token, so one subscription must be one text: the same keys in the same order, no blanks.
"""

from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from orchestrator.providers import CannotBuildError
from orchestrator.providers.es256 import based, unbased

WEB = "web"
"""The platform of every subscription."""

SECRET = 16
"""Bytes of a subscription's authentication secret (RFC 8291, 3.2)."""

LONGEST = 2_000
"""Characters of an endpoint: some of them are five hundred long."""

_HOW = "bring JSON.stringify(subscription) as the browser gives it"
_ENCODE = msgspec.json.Encoder().encode


class Subscription(NamedTuple):
    """Where a browser is reached, and what its messages are sealed with: its public key (65 bytes) and a shared secret."""

    endpoint: str
    key: bytes
    secret: bytes

    @property
    def text(self) -> str:
        """The subscription as an address, in its one spelling."""
        keys = {"auth": based(self.secret), "p256dh": based(self.key)}
        return _ENCODE({"endpoint": self.endpoint, "keys": keys}).decode()

    @property
    def origin(self) -> str:
        """Scheme and host of the push service, and its port if it is not the usual one (RFC 6454)."""
        parts = urlsplit(self.endpoint)
        host = parts.hostname or ""
        shown = f"[{host}]" if ":" in host else host
        usual = parts.port in (None, 443 if parts.scheme == "https" else 80)
        return f"{parts.scheme}://{shown}{'' if usual else f':{parts.port}'}"

    @property
    def host(self) -> str:
        """The host of the push service, in lower case."""
        return urlsplit(self.endpoint).hostname or ""


def looks_like_one(text: str) -> bool:
    """Whether an address means to be a subscription; every other token is the business of its own service."""
    return text.lstrip().startswith("{")


def subscription(text: str) -> Subscription:
    """Read one in any spelling; CannotBuildError says what is wrong, and never repeats it: it is a person's address."""
    found = _read(text)
    return subscribed(found)


@lru_cache(maxsize=4096)
def spelled(text: str) -> str:
    """The address in its one spelling: a subscription's; any other token as it is. CannotBuildError for a broken one."""
    return subscription(text).text if looks_like_one(text) else text


def subscribed(found: Any) -> Subscription:
    """The same of JSON that was read already."""
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(keys, dict):
        raise CannotBuildError(f"browser subscription: it has no endpoint with keys; {_HOW}")
    endpoint, key, secret = found.get("endpoint"), keys.get("p256dh"), keys.get("auth")
    if not isinstance(endpoint, str) or not isinstance(key, str) or not isinstance(secret, str):
        raise CannotBuildError(f"browser subscription: endpoint, keys.p256dh or keys.auth is missing; {_HOW}")
    return Subscription(_endpoint(endpoint), _key(key), _secret(secret))


def _read(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
        raise CannotBuildError(f"browser subscription: not JSON; {_HOW}") from problem


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        well = (
            parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:
        well = False
    if (
        not well
        or len(text) > LONGEST
        or not text.isascii()
        or any(letter <= " " or letter == "\x7f" for letter in text)
    ):
        raise CannotBuildError("browser subscription: its endpoint is no URL that could be called")
    return text


@lru_cache(maxsize=4096)
def _key(text: str) -> bytes:
    """A point on P-256; one that is not on the curve must not be calculated with."""
    try:
        found = unbased(text)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), found)
    except ValueError as problem:
        raise CannotBuildError("browser subscription: keys.p256dh is no public key") from problem
    if len(found) != 65:
        raise CannotBuildError("browser subscription: keys.p256dh is no public key of 65 bytes")
    return found


def _secret(text: str) -> bytes:
    try:
        found = unbased(text)
    except ValueError:
        found = b""
    if len(found) != SECRET:
        raise CannotBuildError(f"browser subscription: keys.auth is not {SECRET} bytes in base64url")
    return found
