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
from orchestrator.config.shape import Shape
from orchestrator.config.shapes import HoldIfShape
from orchestrator.config.tracking_shape import CampaignTrackingShape
from orchestrator.core.nouns import Channel

Channels = Annotated[list[ChannelWord], Field(min_length=1)]


class ChannelsShape(Shape):
    """On which channels, and whether one message in all or one on each."""

    first_of: Channels | None = Field(
        default=None, description="One message in all: on the first of these channels that can be used for the person."
    )
    all_of: Channels | None = Field(default=None, description="One message on each of these channels.")

    @property
    def all(self) -> list[Channel]:
        """The channels, in the order of the file."""
        return list(self.first_of or self.all_of or [])


class ScheduleShape(Shape):
    """When it fires by itself: exactly one of every, cron and once."""

    every: EveryPhrase | None = Field(
        default=None, description="A time of day, day of the week or month, or a length of time."
    )
    cron: CronPhrase | None = Field(default=None, description="A line of crontab; 0 and 7 are Sunday.")
    once: OncePhrase | None = Field(default=None, description="One moment on the wall clock.")
    time_zone: ScheduleZone | None = Field(
        default=None, description="On whose clock: a zone, or `recipient` for each person's own; unset, the project's."
    )
    start: Wall | None = Field(default=None, description="Not before; a date means its first minute.")
    end: Wall | None = Field(default=None, description="Not after; a date counts with its whole day.")
    misfire: MisfireWord | None = Field(
        default=None,
        description="What becomes of moments nobody was awake for: `run_once` makes up for the latest, `skip` for none;"
        " unset, `run_once`.",
    )
    grace: Duration | None = Field(
        default=None, description="How late a missed moment may still be made up for; unset, 6 hours."
    )


class TriggerShape(Shape):
    """The event that starts it for the one person who did it."""

    event: str = Field(description="The event's name in config/data.yaml.")
    not_older_than: Duration | None = Field(
        default=None, description="An event older than this starts nothing; unset, 1 hour. An import never does."
    )
    where: dict[str, Any] = Field(
        default_factory=dict, description="Conditions on the event's properties, as in a segment."
    )


class GoalShape(Shape):
    """The event that counts as a conversion."""

    event: str = Field(description="The event's name in config/data.yaml.")
    within: Duration = Field(description="How long after the message it still counts.")
    value: str | None = Field(default=None, description="The number among its properties that is added up.")
    where: dict[str, Any] = Field(
        default_factory=dict, description="Conditions on the event's properties, as in a segment."
    )


class StopIfShape(Shape):
    """Limits at which the machine itself stops a variant."""

    complaints: Over | None = Field(default=None, description="Share of people who complained.")
    unsubscribes: Over | None = Field(default=None, description="Share of people who unsubscribed.")
    bounces: Over | None = Field(default=None, description="Share of messages that came back.")
    failures: Over | None = Field(default=None, description="Share of messages that failed.")


class ExperimentShape(Shape):
    """Variants, holdout and ramp, and what happens afterwards."""

    variants: dict[Name, Percent] = Field(
        default_factory=dict, description="Each variant's share; together 100 %, the holdout is counted apart."
    )
    holdout: Percent = Field(default=0.0, description="Share of the audience that gets nothing and is counted.")
    salt: Text | None = Field(
        default=None, description="Campaigns with the same salt draw the same people; unset, the campaign's name."
    )
    ramp: list[RampStep] = Field(
        default_factory=list, description="Sizes of the test, small first, and how long each lasts."
    )
    stop_if: StopIfShape = Field(default=StopIfShape(), description="Limits at which the machine stops a variant.")
    then: str | None = Field(default=None, description="What people outside the test get: `winner`, or a variant.")
    undecided: Undecided | None = Field(
        default=None, description="Which variant everybody gets, and when, if there is no winner by then."
    )


class CampaignShape(Shape):
    """config/campaigns/<name>.yaml."""

    about: Text = Field(description="What it is for, in a line: the title everywhere.")
    owner: Text | None = Field(default=None, description="Whom to ask.")
    state: StateWord = Field(description="Only a live campaign fires by itself; an ended one keeps its file.")
    kind: KindWord = Field(
        description="`marketing` needs consent, a sender's postal address and a way out; `transactional` does not."
    )
    topic: str | None = Field(default=None, description="What people must have agreed to; required for marketing.")
    audience: list[str] = Field(
        default_factory=list, description="Segments in order; the first one a person is in decides on the templates."
    )
    exclude: list[str] = Field(default_factory=list, description="Segments that never get it, on top of the defaults.")
    channels: ChannelsShape = Field(description="On which channels, and whether one message in all or one on each.")
    devices: DevicesWord | None = Field(
        default=None, description="Push to the device seen last (`latest`), or to every one (`all`); unset, `latest`."
    )
    schedule: ScheduleShape | None = Field(
        default=None, description="When it fires by itself; without schedule and trigger it is sent by hand."
    )
    trigger: TriggerShape | None = Field(
        default=None, description="The event that starts it for the person who did it, instead of a schedule."
    )
    repeat: RepeatPhrase | None = Field(
        default=None,
        description="May the same person get it again? `never`, `always`, or `after` a time; required but for `once`.",
    )
    goal: GoalShape | None = Field(default=None, description="The event that counts as a conversion.")
    experiment: ExperimentShape | None = Field(default=None, description="Variants, a holdout, a ramp.")
    quiet_hours: QuietPhrase | None = Field(
        default=None, description="Held during these hours of the recipient's clock; at least those of the defaults."
    )
    caps: list[CapPhrase] = Field(
        default_factory=list, description="So many messages a person in a rolling time, on top of the defaults."
    )
    capped: CappedWord | None = Field(
        default=None, description="Over a cap: no message (`skip`), or wait for room (`hold`); unset, the default's."
    )
    exempt_from_caps: bool = Field(default=False, description="Passes every cap, and still counts towards them.")
    expires: Duration | None = Field(
        default=None, description="So long after the planned moment it is too late; unset, the default's, or 24 hours."
    )
    throttle: PerMinute | None = Field(default=None, description="No faster than this.")
    on_ambiguous: AmbiguousWord | None = Field(
        default=None,
        description="A message that may or may not have arrived: leave it (`hold`) or send it again (`resend`);"
        " unset, hold for marketing and resend for transactional.",
    )
    hold_if: HoldIfShape = Field(default=HoldIfShape(), description="When the run waits for a person.")
    tracking: CampaignTrackingShape | None = Field(
        default=None, description="Whether clicks and opens of its e-mails are known; unset, as the project says."
    )
