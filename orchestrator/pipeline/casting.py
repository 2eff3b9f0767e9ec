"""From the engine's answer to people: each with their addresses, and just the attributes the templates touch."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from orchestrator.audience.casting import Question, Wish, question
from orchestrator.audience.columns import ATTRIBUTE, OWN
from orchestrator.audience.store import Audience
from orchestrator.config import Project
from orchestrator.core.campaigns import Campaign
from orchestrator.core.nouns import Address, Channel, Person
from orchestrator.core.segments import Moment
from orchestrator.core.times import Instant

Touched = frozenset[tuple[str, ...]]


class Casting:
    """The people of one run, spooled to disk in the order they are sent. Close it to remove the spool."""

    def __init__(self, audience: Audience, project: Project, campaign: Campaign, at: Instant, touched: Touched) -> None:
        known = project.catalogue.known
        wish = Wish(
            [project.segments[name] for name in campaign.audience],
            [project.segments[name] for name in campaign.exclude],
            Moment(at, project.settings.time_zone, project.segments),
            known.attributes,
            touched,
            project.catalogue.revenue,
        )
        self._campaign = campaign
        self._question: Question = question(wish)
        # A wave is a matter of the zone, so people of one zone stand together.
        order = ("zone", "user") if campaign.schedule is not None and campaign.schedule.recipient else ("user",)
        self._spool = audience.members(
            self._question.sql, self._question.columns, order=order, lists=self._question.lists
        )

    def __len__(self) -> int:
        return int(self._spool.rows)

    def __iter__(self) -> Iterator[Person]:
        """Everybody once, read from the spool batch by batch."""
        for batch in self._spool:
            columns = batch.to_pydict()
            names = list(columns)
            for values in zip(*columns.values(), strict=True):
                yield self._person(dict(zip(names, values, strict=True)))

    def close(self) -> None:
        """Remove the spool."""
        self._spool.close()

    def _person(self, row: Mapping[str, Any]) -> Person:
        return Person(
            row["user"],
            self._campaign.audience[row["place"]],
            row["zone"] or "",
            row["locale"] or "",
            addresses=_addresses(row),
            attributes=self._attributes(row),
        )

    def _attributes(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The values templates read, under the names they use; what is missing is left out."""
        rest = json.loads(row["rest"]) if row.get("rest") else {}
        own = {}
        for name in self._question.attributes:
            value = row.get(ATTRIBUTE + name)
            if value is None:
                value = row.get(name) if name in OWN else rest.get(name)
            if value is not None:
                own[name] = _plain(value)
        found: dict[str, Any] = {"userAttribute": own} if own else {}
        for column, path in self._question.behaviours.items():
            value = row[column]
            if value is None:
                continue
            told = json.loads(value) if path[0] == "latest" else _plain(value)
            if len(path) == 1:
                found[path[0]] = told
            else:
                found.setdefault(path[0], {})[path[1]] = told
        return found


def _addresses(row: Mapping[str, Any]) -> dict[Channel, tuple[Address, ...]]:
    found: dict[Channel, tuple[Address, ...]] = {}
    if row["email"]:
        found[Channel.EMAIL] = (Address(row["email"]),)
    if row["phone"]:
        found[Channel.SMS] = (Address(row["phone"]),)
    devices = json.loads(row["devices"]) if row["devices"] else []
    if devices:
        found[Channel.PUSH] = tuple(
            Address(
                device["token"],
                Instant(device.get("seen_at") or 0),
                device.get("platform") or "",
                device.get("app") or "",
            )
            for device in devices
        )
    return found


def _plain(value: Any) -> Any:
    """A value as JSON can carry it: whole decimals become integers, dates their ISO form."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value
