"""Times as they are typed after an option: lengths as files have them, `30 days`, or in short, `30d`; moments in ISO 8601."""

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


def moment_of(text: str | None, option: str = "--at") -> "Instant":
    """The moment an option names, or now."""
    from datetime import datetime  # noqa: PLC0415

    from orchestrator.core.times import instant  # noqa: PLC0415

    if text is None:
        return WallClock().now()
    try:
        named = datetime.fromisoformat(text)
    except ValueError:
        example = "2026-11-27T10:00+01:00, or 2026-11-27T09:00Z for UTC"
        fail(f"{option} {text}: there is no such moment; write it as ISO 8601 with its zone: {example}", USAGE)
    try:
        return instant(named)
    except ValueError as problem:
        fail(f"{option} {text}: {problem}", USAGE)
