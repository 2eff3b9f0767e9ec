"""From a batch of the engine's answer to people, a column at a time: each value is made ready where its type is known."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from orchestrator.audience.casting import REACHED, Question
from orchestrator.audience.columns import ATTRIBUTE, OWN
from orchestrator.core.nouns import Address, Asked, Channel, Person
from orchestrator.core.times import Instant


def people(batch: Any, question: Question, segments: Sequence[str], still_in: Asked) -> Iterator[Person]:
    """The people of one batch (`pyarrow.RecordBatch`), in its order."""
    columns = {name: _ready(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    nothing = [None] * batch.num_rows
    reached = columns.get(REACHED, nothing)
    behaviours = [(path, columns[column]) for column, path in question.behaviours.items()]
    together = zip(
        columns["user"],
        columns["place"],
        columns["zone"],
        columns["locale"],
        map(_addresses, columns["email"], columns["phone"], columns["devices"]),
        _attributes(columns, question.attributes, batch.num_rows),
        reached,
        strict=True,
    )
    for number, (user, place, zone, locale, addresses, own, converted) in enumerate(together):
        found: dict[str, Any] = {"userAttribute": own} if own else {}
        for path, values in behaviours:
            _remember(found, path, values[number])
        asked = Asked.CONVERTED if converted else still_in
        yield Person(user, segments[place], zone or "", locale or "", "", False, addresses, found, asked)


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


def _addresses(email: str | None, phone: str | None, devices: str | None) -> dict[Channel, tuple[Address, ...]]:
    found: dict[Channel, tuple[Address, ...]] = {}
    if email:
        found[Channel.EMAIL] = (Address(email),)
    if phone:
        found[Channel.SMS] = (Address(phone),)
    if devices and (known := msgspec.json.decode(devices)):
        found[Channel.PUSH] = tuple(
            [
                Address(one["token"], Instant(one.get("seen_at") or 0), one.get("platform") or "", one.get("app") or "")
                for one in known
            ]
        )
    return found


def _ready(column: Any) -> list[Any]:
    """A column's values as JSON can carry them: whole decimals become integers, dates their ISO form."""
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
