"""A shard's people as one compressed blob: all a worker knows of them, written once by the planner."""

import json
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec

from orchestrator.core.nouns import Address, Asked, Channel, Person

_CHANNELS = {channel.value: channel for channel in Channel}


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
            {channel.value: addresses for channel, addresses in person.addresses.items() if addresses},
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
    return tuple(
        Person(
            user,
            segment,
            zone,
            locale,
            variant,
            bool(holdout),
            {_CHANNELS[channel]: tuple(Address(*address) for address in found) for channel, found in addresses.items()},
            attributes,
            Asked(asked[0]) if asked else Asked.NOT_ASKED,
        )
        for user, segment, zone, locale, variant, holdout, addresses, attributes, *asked in json.loads(
            zlib.decompress(blob)
        )
    )
