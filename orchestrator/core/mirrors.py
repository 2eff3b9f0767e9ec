"""What the audience knows of our own doing: messages and consent as events beside the customer's, and what profiles know by themselves.

The names have a dot, which no event of a customer's catalogue may have, so they never meet.
"""

from enum import StrEnum

from orchestrator.core.nouns import Channel


class Deed(StrEnum):
    """What happened to a message, as segments ask for it."""

    SENT = "sent"
    """A provider took it."""
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    CONVERTED = "converted"
    """The campaign's goal was reached within its window."""
    BOUNCED = "bounced"
    COMPLAINED = "complained"


def message_event(deed: Deed) -> str:
    """The name of the event: `message.opened`."""
    return f"message.{deed}"


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
