"""Moments as personas write them: `2026-03-02 10:00` on the project's clock, or with a zone behind."""

import re
from dataclasses import dataclass
from datetime import datetime

from orchestrator.config.findings import nearest
from orchestrator.core.phrases import PhraseError
from orchestrator.core.times import Instant, instant
from orchestrator.core.zones import at_wall, find_zone, zone_names, zone_of

_WALL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?: ?(\S+))?")
_OFFSET = re.compile(r"[Zz]|[+-][0-9]{2}:[0-9]{2}")
_ALLOWED = "`2026-03-02 10:00` on the project's clock, or with a zone behind: `2026-03-02 22:00 Asia/Tokyo`"


@dataclass(frozen=True, slots=True)
class WrittenMoment:
    """A moment as it is `written`: what the clock shows, and where that clock hangs (empty: in the project's zone)."""

    written: str
    wall: datetime
    zone: str = ""

    def on(self, project_zone: str) -> Instant:
        """The moment itself."""
        if self.wall.tzinfo is not None:
            return instant(self.wall)
        return at_wall(zone_of(self.zone, project_zone), self.wall)


def moment(text: str) -> WrittenMoment:
    """Read one; PhraseError for anything else."""
    written = " ".join(text.split())
    found = _WALL.fullmatch(written)
    if found is None:
        meant = [f"{written} 10:00"] if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written) else []
        raise PhraseError(text, "a moment", _ALLOWED, meant)
    day, clock, behind = found.groups()
    shifted = behind if behind and _OFFSET.fullmatch(behind) else ""
    if behind and not shifted and find_zone(behind) is None:
        close = nearest(behind, zone_names())
        meant = [f"{day} {clock} {close}"] if close else []
        raise PhraseError(text, "a moment", f"{_ALLOWED}; no time zone is called {behind}", meant)
    try:
        wall = datetime.fromisoformat(f"{day}T{clock}{shifted.upper()}")
    except ValueError:  # 30 February, 25 o'clock
        raise PhraseError(text, "a moment there is", _ALLOWED) from None
    return WrittenMoment(written, wall, "" if shifted else behind or "")
