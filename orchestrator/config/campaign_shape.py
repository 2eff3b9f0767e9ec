"""Which keys a campaign's file has, and what each holds."""

from typing import Annotated, Any

from pydantic import Field

from orchestrator.config.fields import (
    AmbiguousWord,
    CappedWord,
    CapPhrase,
    ChannelWord,
    CronPhrase,
    DevicesWord,
    Duration,
    EveryPhrase,
    KindWord,
    MisfireWord,
    Name,
    OncePhrase,
    Over,
    Percent,
    PerMinute,
    QuietPhrase,
    RampStep,
    RepeatPhrase,
    ScheduleZone,
    StateWord,
    Text,
    Undecided,
    Wall,
)
from orchestrator.config.shapes import HoldIfShape, Shape
from orchestrator.core.nouns import Channel

Channels = Annotated[list[ChannelWord], Field(min_length=1)]


class ChannelsShape(Shape):
    """On which channels, and whether one message in all or one on each."""

    first_of: Channels | None = None
    all_of: Channels | None = None

    @property
    def all(self) -> list[Channel]:
        """The channels, in the order of the file."""
        return list(self.first_of or self.all_of or [])


class ScheduleShape(Shape):
    """When it fires by itself: exactly one of every, cron and once."""

    every: EveryPhrase | None = None
    cron: CronPhrase | None = None
    once: OncePhrase | None = None
    time_zone: ScheduleZone | None = None
    start: Wall | None = None
    end: Wall | None = None
    misfire: MisfireWord | None = None
    grace: Duration | None = None


class TriggerShape(Shape):
    """The event that starts it for the one person who did it."""

    event: str
    not_older_than: Duration | None = None
    where: dict[str, Any] = Field(default_factory=dict)


class GoalShape(Shape):
    """The event that counts as a conversion."""

    event: str
    within: Duration
    value: str | None = None
    where: dict[str, Any] = Field(default_factory=dict)


class StopIfShape(Shape):
    """Limits at which the machine itself stops a variant."""

    complaints: Over | None = None
    unsubscribes: Over | None = None
    bounces: Over | None = None
    failures: Over | None = None


class ExperimentShape(Shape):
    """Variants, holdout and ramp, and what happens afterwards."""

    variants: dict[Name, Percent] = Field(default_factory=dict)
    holdout: Percent = 0.0
    salt: Text | None = None
    ramp: list[RampStep] = Field(default_factory=list)
    stop_if: StopIfShape = StopIfShape()
    then: str | None = None
    undecided: Undecided | None = None


class CampaignShape(Shape):
    """config/campaigns/<name>.yaml."""

    about: Text
    owner: Text | None = None
    state: StateWord
    kind: KindWord
    topic: str | None = None
    audience: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)
    channels: ChannelsShape
    devices: DevicesWord | None = None
    schedule: ScheduleShape | None = None
    trigger: TriggerShape | None = None
    repeat: RepeatPhrase | None = None
    goal: GoalShape | None = None
    experiment: ExperimentShape | None = None
    quiet_hours: QuietPhrase | None = None
    caps: list[CapPhrase] = Field(default_factory=list)
    capped: CappedWord | None = None
    exempt_from_caps: bool = False
    expires: Duration | None = None
    throttle: PerMinute | None = None
    on_ambiguous: AmbiguousWord | None = None
    hold_if: HoldIfShape = HoldIfShape()
