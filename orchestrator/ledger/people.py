"""A shard's people as one compressed blob: all a worker knows of them, written once by the planner."""

import json
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec

from orchestrator.core.nouns import Address, Asked, Channel, Person

_CHANNELS = {channel.value: channel for channel in Channel}
_ASKED = {asked.value: asked for asked in Asked}


def pack(people: Sequence[Person]) -> bytes:
    """Turn people into bytes; attributes must be JSON-ready, TypeError names one that is not."""
    rows = [
        (
            person.user,
            person.segment,
            person.zone,
            person.locale,
            person.variant,
            int(person.holdout),
            {str(channel): addresses for channel, addresses in person.addresses.items() if addresses},
            person.attributes,
            *((person.asked,) if person.asked is not Asked.NOT_ASKED else ()),
        )
        for person in people
    ]
    # Level 1: the blob shrinks to a quarter, and to little less at five times the cost.
    return zlib.compress(_written(rows), 1)


def _written(rows: Sequence[Sequence[Any]]) -> bytes:
    try:
        return msgspec.json.encode(rows)
    except OverflowError:  # a whole number beyond 64 bits; the slower writer knows them
        return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()


def unpack(blob: bytes) -> tuple[Person, ...]:
    """Turn the bytes back into people, in the order they were packed."""
    return tuple([_person(*row) for row in msgspec.json.decode(zlib.decompress(blob))])


def _person(  # noqa: PLR0913, PLR0917 - the columns of a packed row
    user: str,
    segment: str,
    zone: str,
    locale: str,
    variant: str,
    holdout: int,
    addresses: dict[str, list[Any]],
    attributes: dict[str, Any],
    asked: str = Asked.NOT_ASKED.value,
) -> Person:
    found = {_CHANNELS[channel]: tuple([Address(*one) for one in all_of]) for channel, all_of in addresses.items()}
    return Person(user, segment, zone, locale, variant, bool(holdout), found, attributes, _ASKED[asked])
