"""What the files come to once they are read: the project's settings, its catalogue of data, its segments and campaigns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.config.fields import Deliver, Type
from orchestrator.config.secret import Secret, SecretSource
from orchestrator.core.campaigns import Campaign, Consent
from orchestrator.core.foreign import Foreign
from orchestrator.core.nouns import Channel
from orchestrator.core.phrases import Rate
from orchestrator.core.segments import Catalogue as KnownData
from orchestrator.core.segments import Segment
from orchestrator.core.times import SECOND


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the two stores live: `sqlite:data/ledger.db`, `duckdb:data/audience.duckdb`, paths relative to the project. An audience that is not `duckdb:` is somebody else's, and only read."""

    ledger: Secret
    audience: Secret


@dataclass(frozen=True, slots=True)
class Environment:
    """Whom a process may reach, and above how many people a run waits for a person (None: never)."""

    name: str
    deliver: Deliver
    stores: Stores
    approve_over: int | None = None


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One account with an outside service. `adapter` is the name of the adapter; `rate` overrules the adapter's own."""

    name: str
    adapter: str
    settings: Mapping[str, Secret]
    rate: Rate | None = None

    def credentials(self, source: SecretSource) -> dict[str, str]:
        """The settings as the adapter reads them, secrets resolved; SecretMissingError names what is not there."""
        return {name: setting.resolve(source) for name, setting in self.settings.items()}

    @property
    def per_second(self) -> float | None:
        """The rate in messages a second, None if none is set."""
        return self.rate.limit * SECOND / self.rate.within if self.rate else None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message comes from; marketing mail shows `postal`."""

    name: str
    address: str
    reply_to: str = ""
    postal: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """What people agree to."""

    name: str
    label: str
    consent: Consent


@dataclass(frozen=True, slots=True)
class Coupons:
    """A pool of codes: one a person, valid for `valid` microseconds (None: for ever). `codes` is their file, empty for none."""

    name: str
    codes: str = ""
    valid: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where templates have `linkedData.NAME` from: a table (the row whose `key` is the value of the attribute `by`), or a service.

    `url` with blanks answers for one person; without, and without `key`, for everybody. `timeout` is in microseconds,
    `network` the inner network it may lead into. `skips`: when it cannot be read, who needs it gets no message; else the
    run waits.
    """

    name: str
    file: str = ""
    key: str = ""
    by: str = ""
    skips: bool = False
    url: str = field(default="", repr=False)
    """As written, with its `${…}`."""
    headers: Mapping[str, Secret] = field(default_factory=dict)
    timeout: int = 5 * SECOND
    rate: Rate | None = None
    network: str = ""

    @property
    def per_second(self) -> float | None:
        """The rate in questions a second, None if none is set."""
        return self.rate.limit * SECOND / self.rate.within if self.rate else None


@dataclass(frozen=True, slots=True)
class Settings:
    """config/orchestrator.yaml. The first of `locales` is the one that templates without a locale are written in."""

    project: str
    time_zone: str
    locales: tuple[str, ...]
    public_url: str
    environments: Mapping[str, Environment]
    seeds: str = ""
    providers: Mapping[str, ProviderSettings] = field(default_factory=dict)
    route: Mapping[Channel, tuple[str, ...]] = field(default_factory=dict)
    """Providers of each channel, in the order of failing over; for push those of all platforms."""
    senders: Mapping[str, Sender] = field(default_factory=dict)
    topics: Mapping[str, Topic] = field(default_factory=dict)
    coupons: Mapping[str, Coupons] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    tracked_hosts: tuple[str, ...] = ()
    """Where links may lead whose host comes from data, and still be followed."""


@dataclass(frozen=True, slots=True)
class DataType:
    """What an attribute or a property holds; `values` are all it may hold, empty for any."""

    type: Type
    values: tuple[str | int | float, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """config/data.yaml: the attributes people have, the events they do, where money is (event, property), what begins a session.

    `known` is the same in the words of segments, with the names of all segments.
    """

    attributes: Mapping[str, DataType] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, DataType]] = field(default_factory=dict)
    revenue: tuple[str, str] | None = None
    session: str = ""
    known: KnownData = field(default_factory=KnownData)


@dataclass(frozen=True, slots=True)
class Project:
    """A whole tree without a mistake, seen from one environment."""

    settings: Settings
    environment: Environment
    catalogue: Catalogue
    segments: Mapping[str, Segment]
    campaigns: Mapping[str, Campaign]
    warehouse: Foreign | None = None
    """config/warehouse.yaml: the tables of an audience that is not ours; None for tables shaped like ours."""


@dataclass(frozen=True, slots=True)
class Outline:
    """As much of a campaign as its templates must fit: `trigger` is the event that starts it, None if nobody can tell."""

    trigger: str | None
    marketing: bool
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Sketch:
    """As much of a project as its templates must fit; None is what cannot be read for mistakes, and never held against them."""

    settings: Settings | None
    catalogue: Catalogue | None
    campaigns: Mapping[str, Outline]
