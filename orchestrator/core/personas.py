"""Personas: made-up people with a life so far, and what campaigns are expected to say to them. Tests of campaigns are made of these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Address, Channel
from orchestrator.core.reasons import Reason
from orchestrator.core.segments.measuring import Happened
from orchestrator.core.times import Instant


class Outside(StrEnum):
    """Why somebody is in no audience. The ledger has no word for it: who is in none has no row."""

    meaning: str

    def __new__(cls, word: str, meaning: str = "") -> Self:
        made = str.__new__(cls, word)
        made._value_ = word
        made.meaning = meaning
        return made

    NOT_IN_AUDIENCE = "not_in_audience", "The person is in none of the campaign's segments."
    EXCLUDED = "excluded", "The person is in one of them, and in an excluded segment too."


BY_DRAW = frozenset({Reason.RAMP, Reason.HOLDOUT, Reason.PROJECT_HOLDOUT})
"""Reasons that chance gives. Only an expectation of one of these looks at the draw; all others are told as if it let them through."""

ANSWERS: tuple[Reason | Outside, ...] = (
    *Outside,
    Reason.PROJECT_HOLDOUT,
    Reason.REPEAT,
    Reason.NO_CONSENT,
    Reason.NO_ADDRESS,
    Reason.SUPPRESSED,
    Reason.OTHER_CHANNEL,
    Reason.RAMP,
    Reason.QUIET_HOURS,
    Reason.CAPPED,
    Reason.HOLDOUT,
    Reason.MISSING_DATA,
    Reason.TEMPLATE_ERROR,
    Reason.TEMPLATE_TOO_SLOW,
    Reason.TEMPLATE_TOO_LARGE,
)
"""Why a persona may get nothing. The other reasons of the ledger come of what happens later, or of other people."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message the persona has had already, and what became of it."""

    campaign: str
    at: Instant
    channel: Channel
    segment: str = ""
    variant: str = ""
    deeds: Mapping[Deed, Instant] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a campaign that runs at a moment is expected to do: to write these words on this channel, or nothing, for this reason.

    What is empty or None is not asked for. `line` and `column` say where it stands, `when` how its moment is written.
    """

    campaign: str
    at: Instant
    when: str
    line: int
    column: int
    segment: str = ""
    channel: Channel | None = None
    variant: str = ""
    locale: str = ""
    subject: str = ""
    contains: tuple[str, ...] = ()
    not_contains: tuple[str, ...] = ()
    nothing: Reason | Outside | None = None

    @property
    def by_draw(self) -> bool:
        """Whether it is about what chance gave."""
        return self.nothing in BY_DRAW


@dataclass(frozen=True, slots=True)
class Persona:
    """A person of a test. `attributes` are as the audience keeps them, with the address, phone, zone and locale of the profile.

    `consent` is by topic and channel; `linked` is what sources of linked data say of them, by source.
    """

    name: str
    file: str
    user: str
    expect: tuple[Expectation, ...]
    about: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    addresses: Mapping[Channel, tuple[Address, ...]] = field(default_factory=dict)
    consent: Mapping[str, Mapping[Channel, bool]] = field(default_factory=dict)
    suppressed: frozenset[Channel] = frozenset()
    events: tuple[Happened, ...] = ()
    sent: tuple[Sent, ...] = ()
    linked: Mapping[str, Any] = field(default_factory=dict)
