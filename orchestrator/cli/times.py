"""Times as people meet them: typed after an option (`30 days`, or in short `30d`; moments in ISO 8601), and read on a screen.

People read moments on the clock of the project, which is named beside them or once on their screen. Programs and logs get UTC.
"""

import re
from typing import TYPE_CHECKING

from orchestrator.cli.desk import USAGE, fail
from orchestrator.wire.clock import WallClock

if TYPE_CHECKING:
    from orchestrator.core.times import Instant

_SHORT = {"w": "weeks", "d": "days", "h": "hours", "min": "minutes", "s": "seconds"}
"""No `m`: it is a minute to some and a month to others."""
_ALLOWED = (
    "Write a whole number and seconds, minutes, hours, days or weeks, like `30 days`, or in short `30d`, `12h`, `2w`."
)


def length(option: str, text: str) -> int:
    """What an option says, in microseconds. The verb ends with a sentence if that is no length of time."""
    from orchestrator.core.phrases import PhraseError, duration, either, words  # noqa: PLC0415 - keeps `--help` fast

    phrase = words(text)
    short = re.fullmatch(r"([0-9]+)([a-z]+)", phrase)
    try:
        return duration(f"{short[1]} {_SHORT[short[2]]}" if short and short[2] in _SHORT else phrase)
    except PhraseError as problem:
        meant = f" Did you mean {either(problem.meant)}?" if problem.meant and not short else ""
        fail(f"{option} {text}: {_objection(phrase)}. {_ALLOWED}{meant}", USAGE)


def _objection(phrase: str) -> str:
    """What is wrong with a phrase that is no length of time."""
    from orchestrator.core.phrases import UNITS  # noqa: PLC0415

    if re.fullmatch(r"[0-9]+", phrase):
        return "the unit is missing"
    found = re.fullmatch(r"([0-9]+) ?([a-z]+)", phrase)
    if found is None or not (found[2] in _SHORT or found[2].removesuffix("s") in UNITS):
        return "that is no length of time"
    return "that is longer than 100 years" if found[1].strip("0") else "that is no time at all"


def moment_of(text: str | None, zone: str, option: str = "--at") -> "Instant":
    """The moment an option names, or now. One without a zone stands on the project's clock, as on every screen."""
    from datetime import datetime  # noqa: PLC0415

    from orchestrator.config.moments import moment as written  # noqa: PLC0415
    from orchestrator.core.phrases import PhraseError  # noqa: PLC0415
    from orchestrator.core.times import instant  # noqa: PLC0415

    if text is None:
        return WallClock().now()
    try:
        return instant(datetime.fromisoformat(text))
    except ValueError:  # no zone, or one by its name
        pass
    try:
        return written(text).on(zone)
    except PhraseError as problem:
        meant = f" Did you mean {problem.meant[0]}?" if problem.meant else ""
        example = f"2026-11-27 10:00 for the clock of {say_zone(zone)}, or with a zone: 2026-11-27T10:00+01:00"
        fail(f"{option} {text}: there is no such moment; write it like {example}.{meant}", USAGE)


def when(at: "Instant | None", zone: str) -> str:
    """A moment for people, with the clock it is read from: `2026-03-02 10:00:00 Europe/Vienna`; empty for none."""
    return "" if at is None else f"{wall(at, zone)} {say_zone(zone)}"


def wall(at: "Instant | None", zone: str) -> str:
    """The same on a screen that has named the clock already: `2026-03-02 10:00:00`.

    In the hour that a clock shows twice, its distance from UTC is said as well.
    """
    from orchestrator.core.times import moment  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.core.zones import zone_of  # noqa: PLC0415

    if at is None:
        return ""
    there = moment(at).astimezone(zone_of(zone, ""))
    twice = there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset()
    return f"{there:%Y-%m-%d %H:%M:%S}" + (f" ({there.isoformat()[-6:]})" if twice else "")


def say_zone(zone: str) -> str:
    """A zone as people know it."""
    return zone.removeprefix("Etc/")


def say_occurrence(occurrence: str, zone: str) -> str:
    """What makes a run unique, for people: one by hand has the moment in its key."""
    from datetime import datetime  # noqa: PLC0415 - keeps `--help` fast

    from orchestrator.core.times import instant  # noqa: PLC0415

    text = occurrence.removeprefix(BY_HAND)
    if text == occurrence:
        return occurrence
    try:
        return BY_HAND + when(instant(datetime.fromisoformat(text)), zone)
    except ValueError:  # a key that somebody chose
        return occurrence


BY_HAND = "by hand "
"""How the occurrence of a run begins that somebody started."""
