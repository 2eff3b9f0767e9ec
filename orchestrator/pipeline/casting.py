"""From the engine's answer to people: each with their addresses, and just the attributes the templates touch."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from orchestrator.audience.behaviours import Told
from orchestrator.audience.casting import REACHED, Question, Wish, question
from orchestrator.audience.columns import ATTRIBUTE, OWN
from orchestrator.audience.store import Audience
from orchestrator.config import Project
from orchestrator.core.campaigns import Campaign, Goal
from orchestrator.core.nouns import Address, Asked, Channel, Person
from orchestrator.core.segments import Catalogue, Moment, Segment, parse
from orchestrator.core.segments.tree import All, Event
from orchestrator.core.times import Instant
from orchestrator.core.windows import Last
from orchestrator.pipeline.linking import Linked

Touched = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Again:
    """Who is asked about again, and since when reaching the campaign's goal counts."""

    users: Sequence[str]
    since: Instant


class Casting:
    """The people of one run, spooled to disk in the order they are sent. Close it to remove the spool.

    With `again`, only those of its users who still belong, each with the engine's answer.
    """

    def __init__(
        self,
        audience: Audience,
        project: Project,
        campaign: Campaign,
        at: Instant,
        touched: Touched,
        again: Again | None = None,
    ) -> None:
        known = project.catalogue.known
        goal = campaign.goal if again is not None else None
        self._linked = Linked(audience.root, project.settings.sources, touched)
        touched |= self._linked.attributes()
        wish = Wish(
            [project.segments[name] for name in campaign.audience],
            [project.segments[name] for name in campaign.exclude],
            Moment(at, project.settings.time_zone, project.segments),
            known.attributes,
            touched,
            Told(project.catalogue.revenue, project.catalogue.session),
            reached(goal, known, at - again.since) if goal is not None and again is not None else None,
        )
        self._campaign = campaign
        self._still_in = Asked.NOT_ASKED if again is None else Asked.STILL_IN
        self._question: Question = question(wish)
        # A wave is a matter of the zone, so people of one zone stand together.
        order = ("zone", "user") if campaign.schedule is not None and campaign.schedule.recipient else ("user",)
        self._spool = audience.members(
            self._question.sql,
            self._question.columns,
            order=order,
            lists=self._question.lists,
            among=None if again is None else again.users,
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
            asked=Asked.CONVERTED if row.get(REACHED) else self._still_in,
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
        linked = self._linked.of(row["user"], own)
        if linked:
            found["linkedData"] = linked
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


def reached(goal: Goal, known: Catalogue, within: int) -> Segment:
    """The segment of everybody who reached a goal within so many microseconds of the moment it is asked at."""
    segment = parse({"about": "the goal", "all": [{"event": goal.event, "where": dict(goal.where)}]}, known)
    parts = segment.root.parts if isinstance(segment.root, All) else (segment.root,)
    recent = tuple(replace(part, window=Last(within)) if isinstance(part, Event) else part for part in parts)
    return replace(segment, root=All(recent))


def _addresses(row: Mapping[str, Any]) -> dict[Channel, tuple[Address, ...]]:
    found: dict[Channel, tuple[Address, ...]] = {}
    if row["email"]:
        found[Channel.EMAIL] = (Address(row["email"]),)
    if row["phone"]:
        found[Channel.SMS] = (Address(row["phone"]),)
    if row["devices"] and (devices := msgspec.json.decode(row["devices"])):
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
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        whole = int(value)
        return whole if whole == value else float(value)
    return value.isoformat() if isinstance(value, date) else value  # a datetime is a date
