"""What the audience knows of our own doing: messages and consent as events beside the customer's, and what profiles know by themselves.

The names have a dot, which no event of a customer's catalogue may have, so they never meet.
"""

from enum import StrEnum
from hashlib import blake2b

from orchestrator.core.nouns import Channel
from orchestrator.core.times import Instant


class Deed(StrEnum):
    """What happened to a message, as segments ask for it."""

    SENT = "sent"
    """A provider took it."""
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    CONVERTED = "converted"
    """The campaign's goal was reached in its time after the sending: no event of its own, segments find it among the others."""
    BOUNCED = "bounced"
    COMPLAINED = "complained"


def message_event(deed: Deed) -> str:
    """The name of the event: `message.opened`."""
    return f"message.{deed}"


FAMILIES = ("message.", "consent.")
"""How the names of our own events begin. Only the ledger tells of them; from outside they are refused."""

MARK = "our:"
"""How the message ids of our own events begin; from outside they are refused too, so that nobody can take one beforehand."""


def ours(name: str) -> bool:
    """Whether an event of this name is for the ledger alone to tell."""
    return name.startswith(FAMILIES)


def sent_id(delivery: str) -> str:
    """The message id of the event that says a message was sent; `delivery` is the delivery's id."""
    return f"{MARK}{delivery}:{Deed.SENT}"


def deed_id(delivery: str, deed: Deed, at: Instant) -> str:
    """The message id of what happened to a message later. It may happen again at another moment."""
    return f"{MARK}{delivery}:{deed}:{at}"


def consent_id(user: str, channel: str, topic: str, at: Instant) -> str:
    """The message id of a person's word."""
    text = "\0".join((user, channel, topic, str(at)))
    return f"{MARK}{blake2b(text.encode(), digest_size=16).hexdigest()}:consent"


MESSAGE_TEXTS = ("campaign", "variant", "channel", "segment", "topic")
"""Text properties of every event of a message. A message without a variant has no such property."""
MESSAGE_NUMBERS = ("step",)

CONSENT = "consent.given"
"""A person's word on a channel and topic; the boolean property `granted` is false where they said no."""
CONSENT_TEXTS = ("channel", "topic")
GRANTED = "granted"

ADDRESSED = (Channel.PUSH, Channel.EMAIL, Channel.SMS)
"""Channels that need an address; in-app messages and webhooks reach everybody."""

OWN = ("user", "email", "phone", "zone", "locale", "language")
"""Attributes a profile knows by itself, all text: a declared attribute of the same name wins. `language` is the locale up to its first - or _."""
