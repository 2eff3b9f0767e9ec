"""A message of a test, written here and not in a child: what takes too long is stopped all the same."""

import signal
from types import FrameType

from orchestrator.core.nouns import Content
from orchestrator.core.reasons import Reason
from orchestrator.rendering import Compiled, Limits, Refusal, RenderRequest

SECONDS = Limits().seconds
"""What one message may take, as where messages are sent."""


class _TooLong(BaseException):
    """Nothing that a template's own mistakes are caught by may catch it."""


def rendered(compiled: Compiled, request: RenderRequest) -> Content | Refusal:
    """Write one message. For the main thread only: it sets the process's alarm."""
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return compiled.render(request)
    except _TooLong:
        return Refusal(Reason.TEMPLATE_TOO_SLOW, f"took over {SECONDS:g} s ({compiled.file_of(request)})")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise _TooLong
