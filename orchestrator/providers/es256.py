"""Tokens that a service checks with our public key: JSON Web Tokens signed by ECDSA on P-256 (RFC 7515, ES256).

Signatures are deterministic (RFC 6979): every process signs the same claims to the same bytes, so that a token is one token
however many workers use it.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

SCALAR = 32
"""Bytes of a private key, and of each half of a signature."""

_PEM = re.compile(r"-----BEGIN (?:EC )?PRIVATE KEY-----(?P<inside>.*?)-----END (?:EC )?PRIVATE KEY-----", re.DOTALL)
_ENCODE = msgspec.json.Encoder().encode


@lru_cache(maxsize=64)
def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """A private key as its 32 bytes in base64url, or as PEM, which Apple's .p8 files hold; ValueError never repeats it."""
    pem = _PEM.search(text)
    if pem is None:
        scalar = unbased(text.strip())
        if len(scalar) != SCALAR:
            raise ValueError(f"it has {len(scalar)} bytes, not {SCALAR}")
        return ec.derive_private_key(int.from_bytes(scalar), ec.SECP256R1())
    # An environment variable often holds a PEM in one line, its line breaks lost or written as \\n.
    inside = "".join(pem["inside"].replace("\\n", "").split())
    try:
        key = load_der_private_key(unbased(inside), None)
    except (TypeError, UnsupportedAlgorithm) as problem:  # locked with a password, or of another kind
        raise ValueError("it cannot be read") from problem
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("it is no key on the curve P-256")


def public_bytes(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> bytes:
    """The public key as the 65 bytes of an uncompressed point."""
    public = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def signed(head: Mapping[str, Any], claims: Mapping[str, Any], key: ec.EllipticCurvePrivateKey) -> str:
    """The token of these claims."""
    said = f"{based(_ENCODE({**head, 'alg': 'ES256'}))}.{based(_ENCODE(claims))}"
    r, s = decode_dss_signature(key.sign(said.encode(), _algorithm()))
    return f"{said}.{based(r.to_bytes(SCALAR) + s.to_bytes(SCALAR))}"


@lru_cache(maxsize=1)
def _algorithm() -> ec.ECDSA:
    try:
        return ec.ECDSA(SHA256(), deterministic_signing=True)
    except UnsupportedAlgorithm:  # OpenSSL before 3.2: the tokens of two processes differ, and hold all the same
        return ec.ECDSA(SHA256())


def based(data: bytes) -> str:
    """Bytes in base64url, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unbased(text: str) -> bytes:
    """Bytes out of base64 in either alphabet, padded or not; ValueError for anything else."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    found = urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    if based(found) != plain:  # the library skips over letters that are none of it
        raise ValueError("not base64url")
    return found
