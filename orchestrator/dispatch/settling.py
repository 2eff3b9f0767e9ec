"""What a provider's outcome makes of a delivery: pure, one line of the table for each outcome."""

from typing import Any

from orchestrator.core.frozen import value
from orchestrator.core.nouns import OnAmbiguous, State
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Outcome, Pause, PauseScope, Permanent, Retry
from orchestrator.core.reasons import Reason
from orchestrator.core.times import SECOND, Instant
from orchestrator.core.turns import Ready, Settlement
from orchestrator.wire.retry import MAX_ATTEMPTS, backoff


@value(frozen=True, slots=True)
class Circumstances:
    """What a settlement depends on beside the outcome. `dice` is a number in [0, 1) that spreads the waits."""

    campaign: str
    on_ambiguous: OnAmbiguous
    now: Instant
    dice: float


def settlement(ready: Ready, outcome: Outcome, around: Circumstances) -> Settlement:
    """The settlement of the attempt that was just answered."""
    match outcome:
        case Accepted():
            return accepted(ready, outcome)
        case Permanent(detail, reason):
            return _of(ready, State.FAILED, reason=reason, detail=detail, answer="permanent")
        case AddressGone(detail, reason):
            gone = ready.address.value
            return _of(ready, State.FAILED, reason=reason, detail=detail, gone=gone, answer="address_gone")
        case Retry():
            return _retried(ready, outcome, around)
        case Pause(scope, detail, after):
            return _paused(ready, scope, detail, after, around)
        case Ambiguous(detail):
            return _ambiguous(ready, detail, around)


def accepted(ready: Ready, outcome: Accepted) -> Settlement:
    """The settlement of a message the provider took."""
    return Settlement(
        ready.key, ready.attempt + 1, State.ACCEPTED, ready.provider, outcome.provider_id.replace("\0", "")
    )


def _of(ready: Ready, state: State, detail: str = "", **told: Any) -> Settlement:
    """Without the character NUL, which no database keeps in a text: one provider's word must not stop a whole turn."""
    said = detail.replace("\0", "")
    return Settlement(ready.key, ready.attempt + 1, state, ready.provider, detail=said, **told)


def _wait(attempt: int, after: float | None, around: Circumstances) -> Instant:
    seconds = max(after or 0.0, backoff(attempt, around.dice))
    return Instant(around.now + int(seconds * SECOND))


def _retried(ready: Ready, outcome: Retry, around: Circumstances) -> Settlement:
    """Not this time. It ends no doubt about an attempt before: that one may have arrived still."""
    attempt = ready.attempt + 1
    told: dict[str, Any] = {"detail": outcome.detail, "answer": "retry", "bad": True}
    if attempt >= MAX_ATTEMPTS:
        if ready.doubtful:
            return _of(ready, State.UNKNOWN, reason=Reason.NO_ANSWER, **told)
        return _of(ready, State.FAILED, reason=Reason.ATTEMPTS_USED_UP, **told)
    reason = Reason.OUT_OF_REACH if outcome.unsent else Reason.BUSY
    until = _wait(attempt, outcome.after, around)
    return _of(ready, State.RETRY_WAIT, reason=_doubt(ready) or reason, not_before=until, **told)


def _doubt(ready: Ready) -> Reason | None:
    """The reason of a message in doubt, which stays until it is answered."""
    return Reason.NO_ANSWER if ready.doubtful else None


def _paused(ready: Ready, scope: PauseScope, detail: str, after: float | None, around: Circumstances) -> Settlement:
    """The attempt is given back; a message that was in the air before keeps waiting as what it was."""
    of_campaign = scope is PauseScope.CAMPAIGN
    stopped = f"campaign:{around.campaign}" if of_campaign else f"provider:{ready.provider}"
    until = None if after is None else Instant(around.now + int(after * SECOND))
    state = State.RETRY_WAIT if ready.attempt else State.PLANNED
    reason = Reason.CAMPAIGN_PAUSED if of_campaign else Reason.PROVIDER_PAUSED
    return _of(
        ready,
        state,
        reason=_doubt(ready) or (reason if ready.attempt else ""),
        detail=detail,
        not_before=until if ready.attempt else None,
        spent=False,
        answer="pause",
        pause=(stopped, until),
    )


def _ambiguous(ready: Ready, detail: str, around: Circumstances) -> Settlement:
    """It may have arrived: the same key again while the provider remembers it, else as the campaign says."""
    attempt = ready.attempt + 1
    until = _wait(attempt, None, around)
    waits: dict[str, Any] = {
        "reason": Reason.NO_ANSWER,
        "detail": detail,
        "not_before": until,
        "answer": "ambiguous",
        "bad": True,
    }
    if ready.again_until is not None:
        if until < ready.again_until and attempt < MAX_ATTEMPTS:
            return _of(ready, State.RETRY_WAIT, **waits)
    elif around.on_ambiguous is OnAmbiguous.RESEND and attempt < MAX_ATTEMPTS:
        return _of(ready, State.RETRY_WAIT, maybe_duplicate=True, **waits)
    return _of(ready, State.UNKNOWN, reason=Reason.NO_ANSWER, detail=detail, answer="ambiguous", bad=True)
