"""A warehouse's own tables, as a project's mapping names them: what in them is a person, an event, a device, a word of consent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Clock(StrEnum):
    """How a column writes moments."""

    TIMESTAMP = "timestamp"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"


@dataclass(frozen=True, slots=True)
class Place:
    """A value in a table: a column, and the keys that lead to it where the column holds JSON (empty: the whole of it).

    `clock` is how moments are written there. `at` is where the mapping says it (`config/warehouse.yaml:4:11`).
    """

    column: str
    keys: tuple[str, ...] | None = None
    clock: Clock = Clock.TIMESTAMP
    at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the column of the user's id in it; `at` is where the mapping names the table."""

    table: str
    user: Place
    at: str = field(default="", compare=False, kw_only=True)

    def places(self) -> Iterator[Place]:
        """Every column that is read."""
        yield self.user


@dataclass(frozen=True, slots=True)
class PeopleTable(Table):
    """One row a user. `values` are attributes and what profiles know by themselves (email, phone, zone, locale)."""

    values: Mapping[str, Place] = field(default_factory=dict)

    def places(self) -> Iterator[Place]:
        """Every column that is read."""
        yield self.user
        yield from self.values.values()


@dataclass(frozen=True, slots=True)
class EventTable(Table):
    """One row an event, all of one name (`event`), or each by the column `name`.

    `properties` is a column of JSON, `more` are properties with places of their own. Without `message_id` events of one
    moment have no order.
    """

    time: Place
    event: str = ""
    name: Place | None = None
    message_id: Place | None = None
    properties: Place | None = None
    more: Mapping[str, Place] = field(default_factory=dict)

    def places(self) -> Iterator[Place]:
        """Every column that is read."""
        yield from (self.user, self.time)
        yield from (one for one in (self.name, self.message_id, self.properties) if one is not None)
        yield from self.more.values()


@dataclass(frozen=True, slots=True)
class DeviceTable(Table):
    """One row a device that gets push messages; the one `seen_at` last comes first."""

    token: Place
    platform: Place | None = None
    app: Place | None = None
    seen_at: Place | None = None

    def places(self) -> Iterator[Place]:
        """Every column that is read."""
        yield from (self.user, self.token)
        yield from (one for one in (self.platform, self.app, self.seen_at) if one is not None)


@dataclass(frozen=True, slots=True)
class ConsentTable(Table):
    """One row a word: yes or no to a topic on a channel, each a column's or the same for all rows."""

    granted: Place
    time: Place
    channel: str | Place
    topic: str | Place

    def places(self) -> Iterator[Place]:
        """Every column that is read."""
        yield from (self.user, self.granted, self.time)
        yield from (one for one in (self.channel, self.topic) if isinstance(one, Place))


@dataclass(frozen=True, slots=True)
class Foreign:
    """A warehouse's tables: people (the first has everybody, the others are joined to it by user), and what they did."""

    people: tuple[PeopleTable, ...]
    events: tuple[EventTable, ...] = ()
    devices: tuple[DeviceTable, ...] = ()
    consent: tuple[ConsentTable, ...] = ()

    def tables(self) -> Iterator[Table]:
        """All of them."""
        yield from self.people
        yield from self.events
        yield from self.devices
        yield from self.consent
