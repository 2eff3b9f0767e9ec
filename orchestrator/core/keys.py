"""How a delivery is called where people type it: its run, its person and its channel, `7/u00417/email`."""

from orchestrator.core.nouns import Channel, DeliveryKey

_LONGEST = 18
"""Digits of a number, at most: a ledger's numbers have 64 bits."""


def say_key(key: DeliveryKey) -> str:
    """The key in one word; step and slot only where there is more than one: `7/u00417/push/0/1`."""
    word = f"{key.run}/{key.user}/{key.channel}"
    return f"{word}/{key.step}/{key.slot}" if key.step or key.slot else word


def read_key(word: str) -> DeliveryKey | None:
    """The key a word says, None if it is none. It is read from both ends, so a user's id may hold a `/`."""
    run, _, rest = word.partition("/")
    step = slot = "0"
    user, _, channel = rest.rpartition("/")
    if channel.isdigit():
        slot = channel
        user, _, step = user.rpartition("/")
        user, _, channel = user.rpartition("/")
    if not user or channel not in list(Channel) or not all(_is_number(one) for one in (run, step, slot)):
        return None
    return DeliveryKey(int(run), user, Channel(channel), int(step), int(slot))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST
