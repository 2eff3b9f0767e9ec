"""Signed links: what stands behind an unsubscribe link is sealed, so a link can be neither read nor made by others.

Sealing is deterministic (AES-SIV): the same message carries the same link on every attempt, byte for byte.
"""

import base64
import secrets
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from orchestrator.core.times import Instant
from orchestrator.ledger.store import Store


class Purpose(StrEnum):
    """What a link may do. One made for one purpose opens nothing for another."""

    UNSUBSCRIBE = "unsubscribe"
    INBOX = "inbox"
    CLICK = "click"
    OPEN = "open"
    CALLBACK = "callback"
    """No link, but the URL a provider posts its reports to."""
    WRITE = "write"
    """No link, but the write key that events come in under."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One secret of 32 bytes, named by a short id that links carry."""

    id: str
    secret: bytes


def write_key(key: SigningKey) -> str:
    """A key in the form SDKs are given it."""
    return key.id + key.secret.hex()


class Seal:
    """Seals and opens links of one purpose: with the newest key, and with every key that is not retired."""

    def __init__(self, purpose: Purpose, keys: tuple[SigningKey, ...]) -> None:
        self.keys = keys
        self._about = [purpose.encode()]
        self._ciphers = {key.id: AESSIV(key.secret) for key in keys}

    def seal(self, *parts: str) -> str:
        """A token of letters, digits, `-` and `_`; parts carry no NUL."""
        key = self.keys[0]
        sealed = self._ciphers[key.id].encrypt("\0".join(parts).encode(), self._about)
        return key.id + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, token: str, most: int = 600) -> tuple[str, ...] | None:
        """The parts, or None for anything that was not sealed here for this purpose, or is longer than `most` characters."""
        cipher = self._ciphers.get(token[:2])
        if cipher is None or len(token) > most:
            return None
        try:
            sealed = base64.b64decode(token[2:] + "=" * (-len(token[2:]) % 4), altchars=b"-_", validate=True)
            return tuple(cipher.decrypt(sealed, self._about).decode().split("\0"))
        except (ValueError, InvalidTag):
            return None


def seal(store: Store, purpose: Purpose, now: Instant) -> Seal:
    """The seal of a purpose; its first key is made when it is first asked for."""
    keys = _keys(store, purpose)
    if not keys:
        rotate(store, purpose, now)
        keys = _keys(store, purpose)
    return Seal(purpose, keys)


def rotate(store: Store, purpose: Purpose, now: Instant) -> None:
    """Make a new key for fresh links; older links stay good until their key is retired."""
    with store.transaction():
        taken = {row[0] for row in store.rows("SELECT id FROM signing_key")}
        name = next(made for made in iter(lambda: secrets.token_hex(1), "") if made not in taken)
        store.change(
            "INSERT INTO signing_key (id, purpose, secret, created_at) VALUES (?, ?, ?, ?)",
            (name, purpose, secrets.token_hex(32), now),
        )


def retire(store: Store, key: str, now: Instant) -> bool:
    """Make every link of a key worthless; False if there is no such active key."""
    with store.transaction():
        return bool(
            store.change("UPDATE signing_key SET retired_at = ? WHERE id = ? AND retired_at IS NULL", (now, key))
        )


def _keys(store: Store, purpose: Purpose) -> tuple[SigningKey, ...]:
    return tuple(
        SigningKey(name, bytes.fromhex(secret))
        for name, secret in store.rows(
            "SELECT id, secret FROM signing_key WHERE purpose = ? AND retired_at IS NULL ORDER BY created_at DESC, id",
            (purpose,),
        )
    )
