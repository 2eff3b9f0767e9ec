"""One person as the audience store knows them, in the shape the in-memory reading of segments takes."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from orchestrator.audience.columns import ATTRIBUTE, OWN
from orchestrator.audience.store import Audience
from orchestrator.core.segments import Declared, Happened, Kind, OraclePerson
from orchestrator.core.times import Instant, iso


def read_person(
    audience: Audience, user: str, declared: Mapping[str, Declared], lists: Sequence[str] = ()
) -> OraclePerson | None:
    """Everything known of a user: attributes as JSON has them, events in order, the lists they stand in; None if nobody is known."""
    with audience.reading(lists) as connection:
        found = connection.execute('SELECT * FROM profile WHERE "user" = ?', [user])
        names = [column[0] for column in found.description or ()]
        row = found.fetchone()
        if row is None:
            return None
        events = connection.execute(
            'SELECT "time", message_id, name, properties FROM event WHERE "user" = ? ORDER BY "time", message_id',
            [user],
        ).fetchall()
        member_of = connection.execute('SELECT list FROM list_member WHERE "user" = ?', [user]).fetchall()
    values = dict(zip(names, row, strict=True))
    attributes: dict[str, Any] = json.loads(values["rest"]) if values["rest"] else {}
    attributes |= {name: values[name] for name in OWN if values[name] is not None}
    for name, known in declared.items():
        value = values.get(ATTRIBUTE + name)
        if value is not None:
            attributes[name] = _plain(value, known.kind)
    happened = tuple(
        Happened(Instant(at), message_id, name, json.loads(properties) if properties else {})
        for at, message_id, name, properties in events
    )
    return OraclePerson(user, attributes, happened, frozenset(name for (name,) in member_of))


def _plain(value: Any, kind: Kind) -> Any:
    """A typed value as JSON would have it: moments and days are ISO 8601."""
    if kind is Kind.TIME:
        return iso(Instant(value))
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value
