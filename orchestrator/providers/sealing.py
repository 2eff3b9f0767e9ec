"""Messages that only one browser can open: RFC 8291, content coding aes128gcm (RFC 8188), one record.

The RFC draws a key pair and a salt for every message. Here both come out of our own private key, the message's id and all that
it says: a repeat is the same to the byte, two messages never share a key, and nobody without our key can find it.
"""

import hmac
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from orchestrator.providers.es256 import SCALAR, public_bytes
from orchestrator.providers.subscriptions import Subscription

LARGEST = 4096
"""Bytes of a sealed message that every push service takes (RFC 8030, 7.2)."""

OVERHEAD = 16 + 4 + 1 + 65 + 1 + 16
"""Bytes that sealing adds: salt, record size, length of the key, the key; the mark of the last record, and the tag."""

ROOM = LARGEST - OVERHEAD
"""Bytes of a message before it is sealed."""

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""How many keys P-256 has."""


class Lock(NamedTuple):
    """What one message is sealed with, and nothing else: a key pair and 16 bytes of salt."""

    key: ec.EllipticCurvePrivateKey
    salt: bytes


def lock_for(plain: bytes, whose: Subscription, message: str, ours: ec.EllipticCurvePrivateKey) -> Lock:
    """The lock of this message of this id to this subscription: always the same, and another for anything else."""
    told = b"\0".join((b"orchestrator web push", message.encode(), whose.text.encode(), plain))
    secret = ours.private_numbers().private_value.to_bytes(SCALAR)
    drawn = HKDFExpand(SHA256(), 64, b"key and salt").derive(hmac.digest(secret, told, "sha256"))
    # 48 bytes for a number below 2**256: what the remainder prefers is beyond finding (FIPS 186-5, A.2.1).
    number = int.from_bytes(drawn[:48]) % (_ORDER - 1) + 1
    return Lock(ec.derive_private_key(number, ec.SECP256R1()), drawn[48:])


def seal(plain: bytes, whose: Subscription, lock: Lock) -> bytes:
    """The message as it goes over the wire; at most `ROOM` bytes become at most `LARGEST`."""
    sender = public_bytes(lock.key)
    receiver = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), whose.key)
    shared = lock.key.exchange(ec.ECDH(), receiver)
    both = b"WebPush: info\0" + whose.key + sender
    mixed = _expand(hmac.digest(whose.secret, shared, "sha256"), both, 32)
    drawn = hmac.digest(lock.salt, mixed, "sha256")
    content = _expand(drawn, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _expand(drawn, b"Content-Encoding: nonce\0", 12)
    head = lock.salt + LARGEST.to_bytes(4) + bytes([len(sender)]) + sender
    return head + AESGCM(content).encrypt(nonce, plain + b"\x02", None)


def _expand(key: bytes, info: bytes, length: int) -> bytes:
    """HKDF's second step for one block (RFC 5869): 32 bytes at most."""
    return hmac.digest(key, info + b"\x01", "sha256")[:length]
