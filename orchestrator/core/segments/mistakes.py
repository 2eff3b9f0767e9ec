"""Mistakes in a segment's file: where in it, what was read, what is allowed, and what may have been meant."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.phrases import either
from orchestrator.core.segments.tree import Catalogue

T = TypeVar("T")
V = TypeVar("V")
Path = tuple[str | int, ...]
"""Keys and indices (from 0) from the top of the file down to a value."""

_OTHER_WORDS = {
    "equals": "is", "equal": "is", "eq": "is", "in": "is", "one_of": "is", "not_in": "is_not", "not_equals": "is_not",
    "ne": "is_not", "gt": "over", "greater_than": "over", "more_than": "over", "above": "over", "lt": "under",
    "less_than": "under", "below": "under", "fewer_than": "under", "gte": "at_least", "minimum": "at_least",
    "lte": "at_most", "maximum": "at_most", "begins_with": "starts_with", "like": "matches", "pattern": "matches",
    "glob": "matches", "regexp": "regex", "regular_expression": "regex", "exists": "is_set", "set": "is_set", "known": "is_set", "empty": "is_empty",
    "has_any": "contains_any", "has_all": "contains_all", "has_none": "contains_none", "not_contains": "does_not_contain",
    "contains_not": "does_not_contain", "window": "when", "during": "when", "since": "when", "in_the": "when",
    "avg": "average", "mean": "average", "total": "sum", "minimum_of": "min", "count": "at_least", "times": "exactly",
    "filter": "where", "with": "where", "and": "all", "or": "any", "none": "not", "followed_by": "then",
    "not_followed_by": "then_not", "attr": "attribute", "trait": "attribute", "birthday": "anniversary",
    "case": "ignore_case", "description": "about", "not_between": "without", "but_not": "without", "random": "sample",
    "limit": "sample", "decile": "percentile", "quantile": "percentile", "received": "delivered", "open": "opened", "click": "clicked",
    "emailed": "message", "engagement": "message", "opted_out": "unsubscribed", "opted_in": "subscribed", "has_address": "address",
    "users": "user", "user_id": "user", "userId": "user",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SegmentMistake:
    """One mistake. `at_key`: it is the last key of `path` that is wrong, not the value under it."""

    path: Path
    text: str
    remedy: str = ""
    at_key: bool = False

    def __str__(self) -> str:
        place = ".".join(str(step) for step in self.path) or "segment"
        return f"{place}  {self.text}" + (f"\n    {self.remedy}" if self.remedy else "")


class SegmentError(OrchestratorError):
    """Every mistake of one segment at once; none where only what it refers to cannot be read."""

    def __init__(self, mistakes: tuple[SegmentMistake, ...]) -> None:
        told = "\n".join(str(mistake) for mistake in mistakes)
        super().__init__(told or "it asks for conversions, and the goals of the campaigns are not known here")
        self.mistakes = mistakes


class Unreadable(Exception):  # noqa: N818 - a signal inside the parser: its mistake is already noted
    """This part of the file cannot be read; the parser goes on with the next one."""


@dataclass(slots=True)
class Reading:
    """The reading of one file: what is known about the data, and the mistakes so far."""

    catalogue: Catalogue | None
    mistakes: list[SegmentMistake] = field(default_factory=list)
    incomplete: bool = False
    """Something could not be read although nothing is wrong here: what it refers to is unknown, or mistaken itself."""
    written: dict[Path, str] = field(default_factory=dict)
    """Keys that are read as what was probably meant: by the path they would have, what stands in the file."""

    def wrong(self, path: Path, text: str, remedy: str = "", *, at_key: bool = False) -> Unreadable:
        """Note a mistake; to be raised by whoever cannot go on without the part."""
        mistake = SegmentMistake(self._in_file(path), text, remedy, at_key)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)
        return Unreadable()

    def _in_file(self, path: Path) -> Path:
        """A path by the keys that stand in the file."""
        return tuple(self.written.get(path[: place + 1], step) for place, step in enumerate(path))

    def again(self) -> Unreadable:
        """To be raised where a part's mistakes are noted already."""
        return Unreadable()

    def unsure(self) -> Unreadable:
        """To be raised where a part refers to what is unknown or mistaken elsewhere; that is told there."""
        self.incomplete = True
        return Unreadable()

    def attempt(self, read: Callable[[], T]) -> T | None:
        """Read one part of several; None, and its mistakes noted, if it cannot be read."""
        try:
            return read()
        except Unreadable:
            return None

    def each(self, parts: Iterable[V], read: Callable[[V], T]) -> tuple[T, ...]:
        """Read every part of several; Unreadable, with the mistakes of all of them noted, if one cannot be read."""
        found = tuple(self._noted(part, read) for part in parts)
        good = tuple(one for one in found if one is not None)
        if len(good) < len(found):
            raise self.again()
        return good

    def _noted(self, part: V, read: Callable[[V], T]) -> T | None:
        return self.attempt(lambda: read(part))

    def keys(self, keys: Mapping[str, Any], path: Path, allowed: Collection[str]) -> "Keys":
        """Note every key that does not belong here, and read on with the one that was probably meant in its place."""
        found = Keys()
        for key, value in keys.items():
            name = key
            if key not in allowed:
                free = [word for word in allowed if word not in keys]
                self.unknown((*path, key), "key", key, free, at_key=True)
                close = surely_meant(key, [word for word in free if word not in found])
                if close is None:
                    found.lost = True
                    continue
                name = close
                self.written[*path, name] = key
            found[name] = value
        return found

    def unknown(self, path: Path, noun: str, word: str, allowed: Iterable[str], *, at_key: bool = False) -> Unreadable:
        """Note a word that does not exist, with those that do."""
        return self.wrong(path, f"no {noun} '{word}'", remedy(word, allowed), at_key=at_key)


class Keys(dict[str, Any]):
    """What stands under the keys of one condition. `lost`: some say nothing, so what seems to be missing may be there."""

    lost = False


def remedy(word: str, allowed: Iterable[str]) -> str:
    """What is allowed, and what may have been meant."""
    words = list(allowed)
    close = meant(word, words)
    shown = ", ".join(words[:30]) + (", …" if len(words) > 30 else "")
    return (f"Did you mean {either(close)}? " if close else "") + (f"Allowed: {shown}." if words else "")


def meant(word: str, allowed: Iterable[str], alike: float = 0.65) -> list[str]:
    """Words that look or mean alike."""
    words = list(allowed)
    other = _OTHER_WORDS.get(word.lower().replace(" ", "_").replace("-", "_"))
    if other in words:
        return [other]
    lowered = {one.lower(): one for one in words}
    joined = [one for one in words if one.lower().replace("_", "") == word.lower().replace("_", "").replace(" ", "")]
    if joined:
        return joined[:1]
    return [lowered[close] for close in get_close_matches(word.lower(), lowered, 2, alike)]


def slip_of(word: str, allowed: Iterable[str]) -> str | None:
    """The word of which this one is a slip of the pen: one letter dropped, doubled, or swapped with the next; None if of none."""
    return next((one for one in allowed if one != word and (word in _slips(one))), None)


def _slips(word: str) -> set[str]:
    found = {word[:place] + word[place + 1 :] for place in range(len(word))}
    found |= {word[:place] + word[place] + word[place:] for place in range(len(word))}
    return found | {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}


def surely_meant(word: str, allowed: Iterable[str]) -> str | None:
    """The word to read on with in the place of a mistaken one; None where a guess would make up further mistakes."""
    return next(iter(meant(word, allowed, 0.8)), None)
