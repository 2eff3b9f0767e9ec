"""What a time without a zone means: the clock on the wall of the project's zone, turned into moments inside the engine.

The engine has a table of zones of its own, with other rules for the hour that happens twice; so the shifts come from core.
"""

from itertools import pairwise

from orchestrator.core.segments.moments import shifts
from orchestrator.core.times import Instant, moment


def in_utc(wall: str, zone: str, low: int, high: int) -> str:
    """SQL for the moment a wall time (SQL, microseconds as if it were UTC) names; walls lie between `low` and `high`.

    Shown twice: the first time. Never shown: the first moment after the gap.
    """
    found = shifts(zone, moment(Instant(low)).year - 1, moment(Instant(high)).year + 1)
    cases = []
    for (_, before), (at, after) in pairwise(found):
        if after > before:
            cases += [f"WHEN {wall} >= {at + before} AND {wall} < {at + after} THEN {at}"]
        cases += [f"WHEN {wall} >= {at + max(before, after)} THEN {wall} - {after}"]
    if not cases:
        return f"({wall} - {found[0][1]})"
    # The latest shift comes first: most data is young, and a row leaves at its first match.
    return f"CASE {' '.join(reversed(cases))} ELSE {wall} - {found[0][1]} END"
