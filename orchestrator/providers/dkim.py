"""DKIM signatures (RFC 6376, RFC 8463): relaxed in head and body, by RSA or Ed25519, the same bytes on every attempt.

RFC 8058 wants the pair of headers for one-click unsubscribing signed, so all that say anything are. From is named once more
than it stands there: nobody can add a second one.
"""

import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from orchestrator.core.errors import OrchestratorError

SMALLEST = 1024
"""Bits of an RSA key; verifiers take no smaller ones (RFC 8301)."""

_SIGNED = (
    b"from", b"reply-to", b"to", b"subject", b"date", b"message-id", b"in-reply-to", b"references", b"mime-version",
    b"content-type", b"content-transfer-encoding", b"list-id", b"list-help", b"list-archive", b"list-owner", b"list-unsubscribe",
    b"list-unsubscribe-post", b"feedback-id", b"precedence", b"auto-submitted",
)  # fmt: skip
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_FIELD = re.compile(rb"\r\n(?![ \t])")


class Signer:
    """Signs for one domain under one selector."""

    def __init__(self, domain: str, selector: str, key: RSAPrivateKey | Ed25519PrivateKey) -> None:
        self._key = key
        kind = "rsa" if isinstance(key, RSAPrivateKey) else "ed25519"
        self._head = f"v=1; a={kind}-sha256; c=relaxed/relaxed; d={domain}; s={selector};".encode("ascii")

    def sign(self, mail: bytes) -> bytes:
        """The mail with its signature in front. Lines end with CRLF, and all of it is 7 bit: what a server recodes is broken."""
        head, _, body = mail.partition(b"\r\n\r\n")
        fields = [_relaxed(field) for field in _FIELD.split(head)]
        signed = [field for field in fields if field.partition(b":")[0] in _SIGNED]
        names = [*(field.partition(b":")[0] for field in reversed(signed)), b"from"]
        covers = b"%b h=%b; bh=%b; b=" % (self._head, b":".join(names), _hash(body))
        # Of several headers of one name the last is named first (RFC 6376 5.4.2): so is every other one here.
        told = b"".join(field + b"\r\n" for field in reversed(signed)) + b"dkim-signature:" + covers
        return b"DKIM-Signature: %b\r\n%b" % (_folded(covers, b64encode(self._signature(told))), mail)

    def _signature(self, told: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(told, PKCS1v15(), SHA256())
        return self._key.sign(sha256(told).digest())


def _relaxed(field: bytes) -> bytes:
    """A header as verifiers read it: its name small, on one line, blanks as one (RFC 6376 3.4.2)."""
    name, _, said = field.partition(b":")
    return name.strip().lower() + b":" + _one_blank(said.replace(b"\r\n", b"")).strip(b" ")


def _hash(body: bytes) -> bytes:
    """The body's hash in base64; blanks as one, none before the end of a line, no empty lines at the end (RFC 6376 3.4.4)."""
    plain = _one_blank(body).replace(b" \r\n", b"\r\n").rstrip(b"\r\n ")
    return b64encode(sha256(plain + b"\r\n" if plain else b"").digest())


def _one_blank(text: bytes) -> bytes:
    """Every run of blanks as one. Most texts have few: an expression that stops at each of them takes as long as RSA does."""
    if b"\t" in text:
        text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _folded(covers: bytes, signature: bytes) -> bytes:
    """The signature's header in lines that any server carries; where it is folded counts for nothing."""
    lines = covers.replace(b"; ", b";\r\n ")
    cut = [signature[at : at + 70] for at in range(0, len(signature), 70)]
    return lines + b"\r\n  ".join(cut)


@lru_cache(maxsize=64)
def signer(domain: str, selector: str, pem: str) -> Signer:
    """The signer that these settings mean; OrchestratorError says which of them cannot be: `name: why`."""
    for name, said in (("dkim_domain", domain), ("dkim_selector", selector)):
        if not said:
            raise OrchestratorError(f"{name}: missing; a signature names the domain and the selector its key stands at")
        if _NAME.fullmatch(said) is None:
            raise OrchestratorError(f"{name}: {said!r} is no name as DNS has them, in small letters")
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise OrchestratorError(
            "dkim_key: no private key in PEM without a password; `openssl genrsa 2048` makes one"
        ) from problem
    if isinstance(key, RSAPrivateKey):
        if key.key_size < SMALLEST:
            raise OrchestratorError(f"dkim_key: {key.key_size} bits are too few for RSA; take 2048")
        return Signer(domain, selector, key)
    if isinstance(key, Ed25519PrivateKey):
        return Signer(domain, selector, key)
    raise OrchestratorError("dkim_key: a key of another kind; DKIM signs with RSA or Ed25519")
