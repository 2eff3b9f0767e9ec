"""What a segment's file may ask of a value's place among everybody's: `top: 10%`, `bottom: 25%`, `percentile: [80, 90]`."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orchestrator.core.segments.mistakes import Path, Reading
from orchestrator.core.segments.reading_values import one_number
from orchestrator.core.segments.tree import Band

BAND_WORDS = ("top", "bottom", "percentile")
_ALL = Decimal(100)


def read_band(reading: Reading, word: str, raw: Any, at: Path) -> Band:
    """One of the three words; `percentile: [80, 90]` is above 80 and up to 90."""
    if word != "percentile":
        share = _share(reading, raw, at)
        return Band(_ALL - share, _ALL) if word == "top" else Band(Decimal(0), share)
    if not isinstance(raw, list) or len(raw) != 2:
        raise reading.wrong(at, f"'{raw}' is not a pair", "Write two per cents from 0 to 100, like [80, 90].")
    low, high = reading.each(enumerate(raw), lambda it: one_number(reading, it[1], (*at, it[0])))
    if not 0 <= low < high <= 100:
        raise reading.wrong(
            at, f"[{raw[0]}, {raw[1]}] is no band", "Write two per cents from 0 to 100, the smaller one first."
        )
    return Band(low, high)


def _share(reading: Reading, raw: Any, at: Path) -> Decimal:
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?%", raw) if isinstance(raw, str) else None
    if found is None or not 0 < Decimal(found[1]) <= 100:
        hint = f" Did you mean {raw}%?" if isinstance(raw, int | float) and not isinstance(raw, bool) else ""
        raise reading.wrong(
            at, f"'{raw}' is not a share of everybody", f"Write per cents from above 0 to 100, like 10%.{hint}"
        )
    return Decimal(found[1])


def band_words(keys: Mapping[str, Any]) -> list[str]:
    """The words for bands among the keys of a condition."""
    return [word for word in BAND_WORDS if word in keys]
