"""Values for a look at messages without anybody's data: what the catalogue says there may be, and otherwise the name of what would stand there."""

from collections.abc import Iterator
from typing import Any

from orchestrator.core.nouns import CODES
from orchestrator.core.times import DAY, Instant, iso
from orchestrator.rendering.rendering import BUILT_IN, Compiled
from orchestrator.rendering.trials import TEXTS, Kinds, made_up

_TIMES = frozenset({"firstOccurrenceOf", "lastOccurrenceOf", "firstRun", "lastActive"})
_NAMES = {"firstname": "Ada", "lastname": "Lovelace", "name": "Ada Lovelace", "city": "Vienna", "currency": "EUR"}


def samples(compiled: Compiled, kinds: Kinds, now: Instant) -> Iterator[dict[str, Any]]:
    """What people made up for a campaign's messages have, the best to look at first.

    The others have another word each where any will do, for a template that wants a currency or a number in it.
    """
    paths = {path for path in compiled.touched() if path[0] not in BUILT_IN and path[0] != "unsubscribe_url"}
    codes = {pool: {"code": "SAMPLE-CODE", "expires": iso(Instant(now + 14 * DAY))} for pool in compiled.coupons()}
    for word in ("", *TEXTS):
        values = made_up(paths, kinds, 0)
        for path in paths:
            _name(values, path, kinds, now, word)
        yield {**values, CODES: codes}


def _name(values: dict[str, Any], path: tuple[str, ...], kinds: Kinds, now: Instant, word: str) -> None:
    """Put a word or a moment that looks like one where a path leads."""
    inside: Any = values
    for step in path[:-1]:
        inside = inside[step]
    name, kind = path[-1], kinds.get(path)
    if path[0] in _TIMES:
        inside[name] = iso(Instant(now - 12 * DAY))
    elif isinstance(inside[name], str) and (kind is None or (kind.word == "text" and not kind.values)):
        inside[name] = word or _NAMES.get(name.replace("_", "").lower(), f"[{name.replace('_', ' ')}]")
    elif kind is not None and kind.word == "number" and not kind.values:
        inside[name] = 49
