"""The machine's clock: what time it is outside. Only doors are handed one, everybody else a moment."""

import time

from orchestrator.core.times import Instant


class WallClock:
    """The time of this machine."""

    def now(self) -> Instant:
        """The present moment."""
        return Instant(time.time_ns() // 1000)
