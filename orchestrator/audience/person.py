"""One person as the audience store knows them, in the shape the in-memory reading of segments takes."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlglot import exp

from orchestrator.audience.columns import OWN
from orchestrator.audience.compiling import members
from orchestrator.audience.reader import Reader
from orchestrator.audience.sql_crowd import places
from orchestrator.audience.tongue import column, text
from orchestrator.core.nouns import Channel
from orchestrator.core.segments import Declared, Happened, Kind, Moment, OraclePerson, Place, Segment
from orchestrator.core.segments.tree import Attribute, Event, Sample
from orchestrator.core.times import Instant, iso


def read_person(
    audience: Reader, user: str, declared: Mapping[str, Declared], lists: Sequence[str] = ()
) -> OraclePerson | None:
    """Everything known of a user: attributes as JSON has them, events in order, the lists they stand in; None if nobody is known."""
    columns = audience.columns
    typed = [name for name in declared if name not in OWN]
    wanted = [column("profile", name) for name in (*OWN, *(columns.home(name) for name in typed))]
    documents = [exp.cast(column("profile", name), "TEXT", dialect=columns.dialect) for name in ("devices", "rest")]
    found = audience.ask(_of("profile", user, *documents, *wanted))
    if not found:
        return None
    devices, rest, *values = found[0]
    own = dict(zip(OWN, values, strict=False))
    attributes: dict[str, Any] = json.loads(rest) if rest else {}
    attributes |= {name: value for name, value in own.items() if value is not None}
    for name, value in zip(typed, values[len(OWN) :], strict=True):
        if value is not None:
            attributes[name] = _plain(value, declared[name].kind)
    there = {Channel.EMAIL: own["email"], Channel.SMS: own["phone"], Channel.PUSH: json.loads(devices or "[]")}
    addresses = frozenset(str(channel) for channel, value in there.items() if value not in (None, []))
    member_of = audience.ask(_of("list_member", user, column("list_member", "list")), lists) if lists else []
    return OraclePerson(
        user, attributes, _happened(audience, user), frozenset(name for (name,) in member_of), addresses
    )


def _happened(audience: Reader, user: str) -> tuple[Happened, ...]:
    columns = audience.columns
    properties = exp.cast(column("event", "properties"), "TEXT", dialect=columns.dialect)
    at, message_id = column("event", "time"), column("event", "message_id")
    query = _of("event", user, at, message_id, column("event", "name"), properties)
    order = [exp.Ordered(this=at.copy()), exp.Ordered(this=columns.tongue.by_code_point(message_id.copy()))]
    return tuple(
        Happened(Instant(when), message, name, json.loads(said) if said else {})
        for when, message, name, said in audience.ask(query.order_by(*order))
    )


def _of(table: str, user: str, *wanted: exp.Expr) -> exp.Select:
    """What a table has of a user, without names of their own: they are told apart by their places."""
    named = [exp.alias_(one, f"v{place}", quoted=True) for place, one in enumerate(wanted)]
    return exp.select(*named).from_(table).where(_is(column(table, "user"), user))


class AskedCrowd:
    """Everybody, asked of the audience: where one person stands among all."""

    def __init__(self, audience: Reader, moment: Moment, lists: Sequence[str]) -> None:
        self._audience = audience
        self._moment = moment
        self._lists = lists

    def place(self, of: Attribute | Event, user: str) -> Place | None:
        """Where a person stands by the value that a condition measures."""
        key = self._audience.columns.key
        query = places(of, self._moment, self._audience.columns).subquery("crowd")
        wanted = exp.select(column("crowd", "below"), column("crowd", "everybody")).from_(query)
        known = exp.select(column("profile", key)).from_("profile").where(_is(column("profile", "user"), user))
        mine = exp.In(this=column("crowd", key), query=known.subquery())
        found = self._audience.ask(wanted.where(mine), self._lists)
        return Place(*found[0]) if found else None

    def sampled(self, sample: Sample, user: str) -> bool:
        """Whether a person is one of a sample."""
        query = members(Segment("a sample", sample), self._moment, self._audience.columns).subquery("drawn")
        wanted = exp.select(column("drawn", "user")).from_(query).where(_is(column("drawn", "user"), user))
        return bool(self._audience.ask(wanted, self._lists))


def _is(value: exp.Expr, user: str) -> exp.Expr:
    return exp.EQ(this=value, expression=text(user))


def _plain(value: Any, kind: Kind) -> Any:
    """A typed value as JSON would have it: moments and days are ISO 8601."""
    if kind is Kind.TIME:
        return iso(Instant(value))
    if kind is Kind.LIST and isinstance(value, str):
        return json.loads(value)  # where lists are kept as JSON
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value
