"""What a campaign says, as the workers and the judge read it: audience, channels, schedule, experiment, policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orchestrator.core.devices import ByPlatform
from orchestrator.core.lists import Seeds
from orchestrator.core.nouns import Channel, OnAmbiguous
from orchestrator.core.times import DAY, HOUR, Instant


class CampaignState(StrEnum):
    """A merge is not a launch: only a live campaign fires by itself."""

    DRAFT = "draft"
    LIVE = "live"
    ENDED = "ended"


class Kind(StrEnum):
    """Marketing needs consent, a sender's postal address and an unsubscribe link; transactional does not."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


class Mode(StrEnum):
    """One message on the first channel that can be used, or one on each."""

    FIRST_OF = "first_of"
    ALL_OF = "all_of"


class Consent(StrEnum):
    """What a topic asks for before a message may go out."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    NONE = "none"


class Misfire(StrEnum):
    """What happens to an occurrence whose moment passed while nobody was awake."""

    RUN_ONCE = "run_once"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` messages within a rolling window (microseconds), on one channel or, if None, on all together."""

    limit: int
    within: int
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` to `end`, minutes after midnight on the recipient's clock; `start` > `end` spans midnight."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Every:
    """Fires at `minute` after midnight on the given weekdays (0 = Monday) or days of the month; both None: every day."""

    minute: int
    weekdays: tuple[int, ...] | None = None
    month_days: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Cron:
    """A crontab expression, with crontab's meaning of weekday numbers (0 and 7 are Sunday)."""

    expression: str


@dataclass(frozen=True, slots=True)
class Interval:
    """Fires every `by` microseconds, counted from the schedule's start on the wall clock."""

    by: int


@dataclass(frozen=True, slots=True)
class Once:
    """Fires once, at this wall time (`2026-03-02T10:00`)."""

    wall: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a campaign fires by itself. `zone` is an IANA name; `recipient` means each person's own, sent in waves.

    `start` and `end` are wall times of the zone (a date means its first minute, the end's day is included).
    """

    when: Every | Cron | Interval | Once
    zone: str
    recipient: bool = False
    start: str = ""
    end: str = ""
    misfire: Misfire = Misfire.RUN_ONCE
    grace: int = 6 * HOUR


@dataclass(frozen=True, slots=True)
class Repeat:
    """May the same person get this campaign again? `after` microseconds; 0 is always, None is never."""

    after: int | None


@dataclass(frozen=True, slots=True)
class Goal:
    """The event that counts as a conversion, within microseconds of exposure; `value` is the property to add up."""

    event: str
    within: int
    value: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Experiment:
    """Variants with their weights and the holdout in percent, drawn as in core/draw.py."""

    variants: Mapping[str, float] = field(default_factory=dict)
    holdout: float = 0.0
    salt: str = ""
    ramp: tuple[tuple[float, int], ...] = ()
    """Steps of (percent, microseconds)."""
    stop_if: Mapping[str, float] = field(default_factory=dict)
    """Limits in percent of complaints, unsubscribes, bounces and failures at which a variant is stopped."""
    then: str = ""
    """What people get who are not part of the test: `winner`, or a variant; empty: what the draw says."""
    undecided: tuple[str, int] | None = None
    """(variant, microseconds): what everybody gets from then on if there is no winner yet."""


@dataclass(frozen=True, slots=True)
class HoldIf:
    """When the run waits for a person: an odd audience size, or an event not seen for too long (microseconds)."""

    audience_outside: tuple[int, int] | None = None
    no_recent: Mapping[str, int] = field(default_factory=dict)
    approve_over: int | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event that starts a run for the one person who did it, unless it is older than this (microseconds)."""

    event: str
    not_older_than: int = HOUR
    where: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """Every rule between a member and a message, the project's and the campaign's already put together.

    `time_zone` is the project's, for people whose own is unknown. `throttle` is in messages a minute. A campaign that is
    `caps_exempt` passes every cap and still counts towards them.
    """

    time_zone: str
    topic: str = ""
    consent: Consent = Consent.OPT_IN
    quiet_hours: QuietHours | None = None
    caps: tuple[Cap, ...] = ()
    caps_exempt: bool = False
    capped: str = "skip"
    """`skip`: over a cap means no message; `hold`: it waits until the window has room."""
    expires: int | None = DAY
    """Microseconds after the planned moment (or the wave's), then it is too late."""
    throttle: int | None = None
    on_ambiguous: OnAmbiguous = OnAmbiguous.HOLD
    project_holdout: float = 0.0
    seeds: Seeds | None = None
    """The only people who may be reached; None where everyone may."""
    clicks: bool = False
    """Whether links of its e-mails lead over our own address, so that clicks are known."""
    opens: bool = False
    """Whether its e-mails have a picture that says they were opened."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it stands in its file, with the project's defaults filled in."""

    name: str
    channels: tuple[Channel, ...]
    policy: Policy
    mode: Mode = Mode.FIRST_OF
    kind: Kind = Kind.MARKETING
    state: CampaignState = CampaignState.DRAFT
    about: str = ""
    owner: str = ""
    audience: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    devices: str = "latest"
    """`latest`: the device seen last; `all`: one row for each."""
    schedule: Schedule | None = None
    trigger: Trigger | None = None
    repeat: Repeat = Repeat(after=0)
    goal: Goal | None = None
    experiment: Experiment | None = None
    hold_if: HoldIf = HoldIf()
    routes: Mapping[Channel, tuple[str, ...]] = field(default_factory=dict)
    """Providers of each channel, in the order of failing over."""
    by_platform: ByPlatform = field(default_factory=dict)
    """Those of push by platform, where not every one of them knows every device."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One planned moment of a campaign. `key` makes its run unique; `at` is the moment it is due.

    The key is the wall time with its zone (`2026-03-29T09:00[Europe/Berlin]`, without a zone for a recipient's-zone
    schedule), `once`, a trigger event's message id, or the key of a manual send.
    """

    key: str
    at: Instant
