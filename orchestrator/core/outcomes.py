"""What a provider's answer means for one message: six outcomes, and every adapter answers with one of them."""

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.frozen import value
from orchestrator.core.reasons import Reason


class PauseScope(StrEnum):
    """Whom a pause stops: everybody who uses the credential, or the campaign alone."""

    CREDENTIAL = "credential"
    CAMPAIGN = "campaign"


@value(frozen=True, slots=True)
class Accepted:
    """The provider took it and named it."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Permanent:
    """It will never work for this message. `whole` says that a batch was refused as one and may be split."""

    detail: str
    reason: Reason = Reason.REFUSED
    whole: bool = False


@dataclass(frozen=True, slots=True)
class AddressGone:
    """The address is dead: failed, and suppressed unless it was seen since.

    `reason` is another one where the address lives and may not be written to: no_consent if its owner told the service to stop.
    """

    detail: str
    reason: Reason = Reason.ADDRESS_GONE


@dataclass(frozen=True, slots=True)
class Retry:
    """A passing trouble of this message. `after` is the provider's wish in seconds, None if it has none.

    `unsent` says that nothing of it has left: another provider may take it.
    """

    detail: str
    after: float | None = None
    unsent: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """A trouble of the credential or the campaign: rows stay planned and no attempt is spent.

    `after` in seconds; None means until a person resumes it.
    """

    scope: PauseScope
    detail: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may have arrived: a time-out after the request left, a reset, a 2xx without the provider's id."""

    detail: str


Outcome = Accepted | Permanent | AddressGone | Retry | Pause | Ambiguous
