"""Who sends, as push services want to know it: a signed token for each of them, good for half a day (VAPID, RFC 8292)."""

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec

from orchestrator.core.times import SECOND, Instant
from orchestrator.providers.es256 import SCALAR, based, private_key, public_bytes, signed

RENEWED = 3600
"""Seconds after which a token is signed anew: all of one hour are the same."""

LIFE = 12 * 3600
"""Seconds from that hour's beginning to its end; push services refuse more than 24 hours."""


def authorization(key: str, subject: str, origin: str, now: Instant) -> str:
    """The header's value for the push service of this origin (`https://push.example`)."""
    hour = now // (RENEWED * SECOND)
    return _authorization(key, subject, origin, hour)


@lru_cache(maxsize=256)
def _authorization(key: str, subject: str, origin: str, hour: int) -> str:
    ours = private_key(key)
    token = signed({"typ": "JWT"}, {"aud": origin, "exp": hour * RENEWED + LIFE, "sub": subject}, ours)
    return f"vapid t={token}, k={based(public_bytes(ours))}"


def pair() -> tuple[str, str]:
    """A new pair of keys, both in base64url: the private one for the settings, the public one for the page."""
    made = ec.generate_private_key(ec.SECP256R1())
    return based(made.private_numbers().private_value.to_bytes(SCALAR)), based(public_bytes(made))
