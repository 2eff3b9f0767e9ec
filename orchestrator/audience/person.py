"""One person as the audience store knows them, in the shape the in-memory reading of segments takes."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from orchestrator.audience.columns import ATTRIBUTE, OWN
from orchestrator.audience.compiling import members_sql
from orchestrator.audience.sql_columns import Columns
from orchestrator.audience.sql_crowd import places
from orchestrator.audience.store import Audience
from orchestrator.core.nouns import Channel
from orchestrator.core.segments import Declared, Happened, Kind, Moment, OraclePerson, Place, Segment
from orchestrator.core.segments.tree import Attribute, Event, Sample
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
    there = {
        Channel.EMAIL: values["email"],
        Channel.SMS: values["phone"],
        Channel.PUSH: json.loads(values["devices"] or "[]"),
    }
    addresses = frozenset(str(channel) for channel, value in there.items() if value not in (None, []))
    return OraclePerson(user, attributes, happened, frozenset(name for (name,) in member_of), addresses)


class AskedCrowd:
    """Everybody, asked of the audience store: where one person stands among all."""

    def __init__(self, audience: Audience, moment: Moment, columns: Columns, lists: Sequence[str]) -> None:
        self._audience = audience
        self._moment = moment
        self._columns = columns
        self._lists = lists

    def place(self, of: Attribute | Event, user: str) -> Place | None:
        """Where a person stands by the value that a condition measures."""
        query = places(of, self._moment, self._columns).sql(self._columns.dialect)
        found = self._audience.rows(
            f'SELECT below, everybody FROM ({query}) WHERE "user" = ?', [user], lists=self._lists
        )
        return Place(*found[0]) if found else None

    def sampled(self, sample: Sample, user: str) -> bool:
        """Whether a person is one of a sample."""
        query = members_sql(Segment("a sample", sample), self._moment, self._columns)
        return bool(self._audience.rows(f'SELECT 1 FROM ({query}) WHERE "user" = ?', [user], lists=self._lists))


def _plain(value: Any, kind: Kind) -> Any:
    """A typed value as JSON would have it: moments and days are ISO 8601."""
    if kind is Kind.TIME:
        return iso(Instant(value))
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value
