"""When to try again: the waits between attempts, and what a provider's Retry-After asks for. The only user of tenacity."""

import math
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential

from orchestrator.core.times import SECOND, Instant, instant
from orchestrator.wire import NotSent, WireError

MAX_ATTEMPTS = 8
"""So many attempts of one message, then it has failed."""

_LONGEST = 6 * 3600.0
_GROWTH = wait_exponential(multiplier=1, min=1, max=300)

Answer = TypeVar("Answer")


def backoff(attempt: int, dice: float) -> float:
    """Seconds to wait after this attempt (from 1): a point between 0.5 s and 1, 2, 4 … 300 s, chosen by `dice` in [0, 1).

    The spread is full, so that a thousand messages refused together do not come back together.
    """
    state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type] # only the number is read
    state.attempt_number = attempt
    return max(0.5, _GROWTH(state) * dice)


def retry_after(header: str | None, now: Instant) -> float | None:
    """Seconds a Retry-After header asks for, within [1 s, 6 h]; None if it is absent or unreadable.

    Both forms of RFC 9110 are read. Zero and the past mean one second; a year far away means six hours.
    """
    text = (header or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (instant(parsedate_to_datetime(text)) - now) / SECOND
        except (ValueError, TypeError, OverflowError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 1.0), _LONGEST)


async def again(
    exchange: Callable[[], Awaitable[Answer]], tries: int = 2, on: tuple[type[WireError], ...] = (NotSent,)
) -> Answer:
    """Repeat an exchange of which nothing was sent. Enter it only after a first failure, so that success costs nothing.

    A question that changes nothing may be repeated `on` any failure. Raises what the last try raised.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(on),
        stop=stop_after_attempt(tries),
        wait=wait_exponential(0.05, max=1),
        reraise=True,
    )

    async def once() -> Answer:  # tenacity awaits coroutine functions only, and not what a lambda returns
        return await exchange()

    return await retrying(once)
