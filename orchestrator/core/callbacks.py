"""What providers report of a message some time after they took it, and how a message names itself to them."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.keys import read_key, say_key
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.core.times import Instant

LONGEST_TAG = 250
"""Characters: what the narrowest of the providers carries. A user's id of more than some 170 bytes has no tag, and no reports."""


class Stop(StrEnum):
    """Why nothing may go to an address any more, as a provider says it; the words stand in the list of stopped addresses."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True)
class Callback:
    """One thing a provider says of one message.

    Without a `key` the message is none of ours, and only its `address` counts; `deed` is missing where nothing happened to
    the message itself (somebody unsubscribed). `stop`: nothing may go to the address from now on. `detail` holds the
    provider's words, `link` what was clicked; `machine` says that no person did it.
    """

    channel: Channel
    at: Instant
    key: DeliveryKey | None = None
    deed: Deed | None = None
    stop: Stop | None = None
    address: str = ""
    detail: str = ""
    link: str = ""
    machine: bool = False


def tag(key: DeliveryKey) -> str:
    """The key in letters, digits, `-` and `_`, for a provider to give back; empty if it is too long for the narrowest of them."""
    said = urlsafe_b64encode(say_key(key).encode()).rstrip(b"=").decode()
    return said if len(said) <= LONGEST_TAG else ""


def read_tag(text: str) -> DeliveryKey | None:
    """The key of a tag; None for anything else, which a message of somebody else's may well carry."""
    if not 0 < len(text) <= LONGEST_TAG:
        return None
    try:
        return read_key(urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    except (ValueError, binascii.Error):
        return None
