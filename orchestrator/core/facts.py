"""What the judge is told about a run, a person and their rows at the moment of judging."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.core.frozen import value
from orchestrator.core.nouns import Asked, Channel, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import NEVER, Instant


@value(frozen=True, slots=True)
class RowFacts:
    """One delivery row of the person. `doubtful` says its last attempt may have arrived."""

    channel: Channel
    step: int
    slot: int
    state: State
    reason: Reason | str = ""
    attempt: int = 0
    not_before: Instant | None = None
    provider: str = ""
    body: bytes | None = None
    judged_at: Instant | None = None
    again_until: Instant | None = None

    @property
    def doubtful(self) -> bool:
        """Whether the last attempt ended without an answer."""
        return self.state is State.RETRY_WAIT and self.reason == Reason.NO_ANSWER

    @property
    def unsent(self) -> bool:
        """Whether nothing of the last attempt has left, so that another provider may take it."""
        return self.state is State.RETRY_WAIT and self.reason == Reason.OUT_OF_REACH


@value(frozen=True, slots=True)
class Touch:
    """One message this person was sent (or is being sent): caps count these."""

    at: Instant
    channel: Channel
    campaign: str
    run: int = 0
    step: int = 0


@value(frozen=True, slots=True)
class PersonFacts:
    """A person's rows in this run and what forbids or allows them.

    `consent` holds the latest word on the campaign's topic by channel (absent: never asked). `suppressed` holds those of
    the person's address values nothing may go to. `touches` are all within the widest cap's window, of every campaign.
    Without rows the person is judged as a plan would write them (the dry run).
    """

    rows: tuple[RowFacts, ...] = ()
    consent: Mapping[Channel, bool] = field(default_factory=dict)
    suppressed: frozenset[str] = frozenset()
    touches: tuple[Touch, ...] = ()
    asked: Asked = Asked.NOT_ASKED


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is true for a whole shard: cancelled or not, when the run was due, when its wave opens.

    `ramp` is the percentage of people this run is open to, `ramp_grows_at` when the next step lets in more.
    """

    run: int
    due_at: Instant
    opens_at: Instant
    cancelled: bool = False
    ramp: float = 100.0
    ramp_grows_at: Instant = NEVER
