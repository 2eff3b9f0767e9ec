"""From a batch of the engine's answer to people, a column at a time: each value is made ready where its type is known."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from itertools import repeat
from typing import Any

import msgspec
import pyarrow as pa

from orchestrator.audience.casting import REACHED, Question
from orchestrator.audience.columns import ATTRIBUTE, OWN
from orchestrator.core.campaigns import Campaign
from orchestrator.core.nouns import Address, Asked, Channel, Person
from orchestrator.core.times import Instant


def people(batch: Any, question: Question, campaign: Campaign, still_in: Asked) -> Iterator[Person]:
    """The people of one batch (`pyarrow.RecordBatch`), in its order, with their addresses on the campaign's channels."""
    segments, seeds = campaign.audience, campaign.policy.seeds
    columns = {name: _ready(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    found: list[dict[str, Any]] = [
        {"userAttribute": own} if own else {} for own in _attributes(columns, question.attributes, batch.num_rows)
    ]
    for column, path in question.behaviours.items():
        for person, value in zip(found, columns[column], strict=True):
            _remember(person, path, value)
    users, reached = columns["user"], columns.get(REACHED)
    named = [] if seeds is None else zip(users, columns["email"], columns["phone"], strict=True)
    # Column by column: a loop over people would take half as long again.
    return map(
        Person,
        users,
        [segments[place] for place in columns["place"]],
        [zone or "" for zone in columns["zone"]],
        [locale or "" for locale in columns["locale"]],
        repeat(""),
        repeat(False),
        _addresses(columns, campaign.channels, batch.num_rows),
        found,
        repeat(still_in) if reached is None else [Asked.CONVERTED if met else still_in for met in reached],
        repeat(False) if seeds is None else [seeds.name(*one) for one in named],
    )


def _attributes(columns: Mapping[str, Sequence[Any]], names: Sequence[str], rows: int) -> Iterator[dict[str, Any]]:
    """Each row's attributes by the names templates use; what is missing is left out."""
    nothing = [None] * rows
    homes = [columns.get(ATTRIBUTE + name, columns.get(name, nothing) if name in OWN else nothing) for name in names]
    if not names:
        yield from ({} for _ in range(rows))
    elif "rest" not in columns:
        for values in zip(*homes, strict=True):
            yield {name: value for name, value in zip(names, values, strict=True) if value is not None}
    else:
        for rest, *given in zip(columns["rest"], *homes, strict=True):
            told = json.loads(rest) if rest else {}
            own = {name: told.get(name) if value is None else value for name, value in zip(names, given, strict=True)}
            yield {name: value for name, value in own.items() if value is not None}


def _remember(found: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Put a behaviour's value where templates look for it."""
    if value is None:
        return
    told = json.loads(value) if path[0] == "latest" else value
    if len(path) == 1:
        found[path[0]] = told
    else:
        found.setdefault(path[0], {})[path[1]] = told


class _Device(msgspec.Struct, gc=False):
    """A device as profiles keep it."""

    token: str
    seen_at: Instant | None = None
    platform: str | None = None
    app: str | None = None


_DEVICES = msgspec.json.Decoder(list[list[_Device] | None]).decode


def _addresses(
    columns: Mapping[str, Sequence[Any]], channels: Sequence[Channel], rows: int
) -> Iterator[dict[Channel, tuple[Address, ...]]]:
    """Each row's addresses by channel."""
    homes: list[tuple[Channel, Sequence[tuple[Address, ...]]]] = [
        (channel, [(Address(written),) if written else () for written in columns[name]])
        for channel, name in _WRITTEN.items()
        if channel in channels
    ]
    if Channel.PUSH in channels:
        # All of them are read at once: one by one they would take twice as long.
        known = _DEVICES(f"[{','.join([devices or 'null' for devices in columns['devices']])}]")
        homes.append((Channel.PUSH, [_of_devices(devices) if devices else () for devices in known]))
    if len(homes) == 1:
        ((only, values),) = homes
        yield from [{only: found} if found else {} for found in values]
        return
    for number in range(rows):
        yield {channel: values[number] for channel, values in homes if values[number]}


_NEVER_SEEN = Instant(0)
_WRITTEN = {Channel.EMAIL: "email", Channel.SMS: "phone"}


def _of_devices(devices: Sequence[_Device]) -> tuple[Address, ...]:
    if len(devices) == 1:  # most people have one
        (device,) = devices
        return (Address(device.token, device.seen_at or _NEVER_SEEN, device.platform or "", device.app or ""),)
    return tuple([Address(one.token, one.seen_at or _NEVER_SEEN, one.platform or "", one.app or "") for one in devices])


def _ready(column: Any) -> list[Any]:
    """A column's values as JSON can carry them: whole decimals become integers, dates their ISO form."""
    if pa.types.is_decimal(column.type):
        with suppress(pa.ArrowInvalid):  # one that is not whole: each is looked at below
            column = column.cast("int64")
    values: list[Any] = column.to_pylist()
    sample = next((value for value in values if value is not None), None)
    if isinstance(sample, Decimal):
        return [None if value is None else _number(value) for value in values]
    if isinstance(sample, date):  # a datetime is a date
        return [None if value is None else value.isoformat() for value in values]
    return values


def _number(value: Decimal) -> int | float:
    whole = int(value)
    return whole if whole == value else float(value)
