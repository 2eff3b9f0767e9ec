"""How a request to Amazon proves whose it is: AWS Signature Version 4, as a pure function of the request, the keys and the moment."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlsplit

from orchestrator.core.times import Instant, moment

ALGORITHM = "AWS4-HMAC-SHA256"
_PLAIN = "-_.~"


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """Who signs: an access key, its secret, and the token that comes with keys lent for a while (empty for one's own)."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for: one service in one region."""

    region: str
    service: str


def sign(
    method: str, url: str, headers: Mapping[str, str], body: bytes, keys: AwsKeys, scope: Scope, now: Instant
) -> dict[str, str]:
    """The headers to send: those given, the moment, the token if there is one, and Authorization. `url` is encoded already.

    Host is signed and not among them: whoever carries the request writes it, as it stands in the URL.
    """
    at = moment(now).strftime("%Y%m%dT%H%M%SZ")
    sent = {**headers, "X-Amz-Date": at}
    if keys.session_token:
        sent["X-Amz-Security-Token"] = keys.session_token
    names, canonical = _canonical(method, url, sent, body)
    day = at[:8]
    within = f"{day}/{scope.region}/{scope.service}/aws4_request"
    to_sign = f"{ALGORITHM}\n{at}\n{within}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(_key(keys.secret_key, day, scope), to_sign.encode(), "sha256").hexdigest()
    credential = f"{keys.access_key}/{within}"
    sent["Authorization"] = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return sent


def _canonical(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """The names that are signed, and the request in the one spelling that both sides hash."""
    parts = urlsplit(url)
    lines = {name.lower(): re.sub(" +", " ", value.strip()) for name, value in headers.items()}
    lines["host"] = _host(url)
    names = ";".join(sorted(lines))
    asked = sorted(
        (quote(name, _PLAIN), quote(value, _PLAIN)) for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return names, "\n".join(
        (
            method,
            quote(parts.path or "/", f"/{_PLAIN}"),
            "&".join(f"{name}={value}" for name, value in asked),
            *(f"{name}:{lines[name]}" for name in sorted(lines)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )


def _host(url: str) -> str:
    """Host as HTTP writes it: without the port where it is the usual one."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return shown if parts.port in (None, usual) else f"{shown}:{parts.port}"


@lru_cache(maxsize=64)
def _key(secret: str, day: str, scope: Scope) -> bytes:
    """The key of one day, region and service."""
    key = f"AWS4{secret}".encode()
    for step in (day, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, step.encode(), "sha256").digest()
    return key
