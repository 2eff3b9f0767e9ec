"""A segment's file, as YAML gives it, read into the tree; every mistake at once, each with its place and a remedy."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.core.segments.mistakes import Path, Reading, SegmentError, Unreadable, remedy
from orchestrator.core.segments.reading_events import check_keys, read_event
from orchestrator.core.segments.reading_tests import EVERY_WORD, one_text, read_each, read_test
from orchestrator.core.segments.tree import (
    All,
    AnyOf,
    Attribute,
    Bucket,
    Catalogue,
    Listed,
    Member,
    Node,
    Not,
    Segment,
)

NOUNS = ("attribute", "event", "segment", "list", "bucket", "all", "any", "not")
DEEPEST = 60
"""Levels of all, any and not; deeper ones no reader follows, and engines have a limit too."""
_GROUPS = ("all", "any", "not")


def parse(raw: Any, catalogue: Catalogue | None = None) -> Segment:
    """Read a segment from plain mappings and lists; SegmentError with every mistake. Without a catalogue any name will do."""
    reading = Reading(catalogue)
    try:
        segment = _segment(reading, raw)
    except Unreadable:
        segment = None
    if segment is None or reading.mistakes:
        raise SegmentError(tuple(reading.mistakes))
    return segment


def _segment(reading: Reading, raw: Any) -> Segment:
    if not isinstance(raw, Mapping):
        raise reading.wrong((), "a segment is a mapping", "Begin with `about: …` and `all:`.")
    keys = {str(key): value for key, value in raw.items()}
    about = keys.pop("about", None)
    if not isinstance(about, str) or not about.strip():
        reading.wrong(
            ("about",) if about is not None else (),
            "the segment has no `about`",
            "Say in a line who is in it: it is the title everywhere.",
        )
    formerly = read_each(reading, keys.pop("formerly"), ("formerly",), one_text) if "formerly" in keys else ()
    if not keys:
        raise reading.wrong(
            (), "the segment has no condition", "Add `all:`, `any:` or `not:` with conditions under it."
        )
    check_keys(reading, keys, (), _GROUPS)
    if len(keys) > 1:
        raise reading.wrong(
            tuple(list(keys)[1:2]),
            f"has {' and '.join(keys)} side by side: both, or one of them?",
            "Put one under the other.",
            at_key=True,
        )
    return Segment(about=" ".join(str(about).split()), root=_node(reading, keys, (), 0), formerly=formerly)


def _node(reading: Reading, raw: Any, path: Path, depth: int) -> Node:
    """A condition or a group of them."""
    if not isinstance(raw, Mapping):
        raise reading.wrong(
            path, f"'{raw}' is not a condition", "Write it in braces, like `{attribute: country, is: DE}`."
        )
    keys = {str(key): value for key, value in raw.items()}
    nouns = [key for key in keys if key in NOUNS]
    if len(nouns) != 1:
        raise _no_noun(reading, keys, nouns, path)
    noun = nouns[0]
    if noun in _GROUPS:
        check_keys(reading, keys, path, (noun,))
        return _group(reading, noun, keys[noun], (*path, noun), depth + 1)
    return _CONDITIONS[noun](reading, keys, path)


def _no_noun(reading: Reading, keys: Mapping[str, Any], nouns: list[str], path: Path) -> Unreadable:
    if nouns:
        return reading.wrong(
            (*path, nouns[1]),
            f"has {' and '.join(nouns)}: a condition is about one",
            "Write a condition for each.",
            at_key=True,
        )
    first = next(iter(keys), "")
    return reading.wrong(
        (*path, first) if keys else path, f"no condition begins with '{first}'", remedy(first, NOUNS), at_key=bool(keys)
    )


def _group(reading: Reading, word: str, raw: Any, path: Path, depth: int) -> Node:
    if depth > DEEPEST:
        raise reading.wrong(
            path, f"groups are nested deeper than {DEEPEST}", "Make a segment of the inner part and refer to it."
        )
    if word == "not":
        if isinstance(raw, list):
            raise reading.wrong(
                path,
                "`not` over several conditions has two readings",
                "Write `not: {any: […]}` (none of them) or `not: {all: […]}` (not all of them).",
            )
        return Not(_node(reading, raw, path, depth))
    if not isinstance(raw, list) or not raw:
        raise reading.wrong(path, f"`{word}` has no conditions", "Write a list, one condition a line.")
    parts = []
    for index, one in enumerate(raw):
        try:
            parts.append(_node(reading, one, (*path, index), depth))
        except Unreadable:  # noted; the others are read all the same
            continue
    return All(tuple(parts)) if word == "all" else AnyOf(tuple(parts))


def _attribute(reading: Reading, keys: Mapping[str, Any], path: Path) -> Attribute:
    check_keys(reading, keys, path, ("attribute", *EVERY_WORD, "ignore_case"))
    name = one_text(reading, keys["attribute"], (*path, "attribute"))
    declared = None
    if reading.catalogue is not None:
        declared = reading.catalogue.attributes.get(name)
        if declared is None:
            raise reading.unknown((*path, "attribute"), "attribute", name, reading.catalogue.attributes)
    kind, test = read_test(reading, keys, path, name, declared)
    return Attribute(name, kind, test)


def _listed(reading: Reading, keys: Mapping[str, Any], path: Path) -> Listed:
    check_keys(reading, keys, path, ("list",))
    return Listed(one_text(reading, keys["list"], (*path, "list")))


def _member(reading: Reading, keys: Mapping[str, Any], path: Path) -> Member:
    check_keys(reading, keys, path, ("segment",))
    name = one_text(reading, keys["segment"], (*path, "segment"))
    known = reading.catalogue.segments if reading.catalogue else None
    if known is not None and name not in known:
        raise reading.unknown((*path, "segment"), "segment", name, sorted(known))
    return Member(name)


def _bucket(reading: Reading, keys: Mapping[str, Any], path: Path) -> Bucket:
    check_keys(reading, keys, path, ("bucket", "salt"))
    at, raw = (*path, "bucket"), keys["bucket"]
    found = (
        re.fullmatch(r"([0-9]{1,7})(?: to ([0-9]{1,7}))? of ([1-9][0-9]{0,6})", raw) if isinstance(raw, str) else None
    )
    allowed = "Allowed: numbers from 0, like `970 to 999 of 1000` or `3 of 10`."
    if found is None:
        raise reading.wrong(at, f"'{raw}' is not a span of buckets", allowed)
    first, last, of = int(found[1]), int(found[2] or found[1]), int(found[3])
    if not first <= last < of:
        raise reading.wrong(at, f"'{raw}' lies outside the buckets 0 to {of - 1}", allowed)
    return Bucket(first, last, of, one_text(reading, keys.get("salt", "bucket"), (*path, "salt")))


_CONDITIONS: Mapping[str, Callable[[Reading, Mapping[str, Any], Path], Node]] = {
    "attribute": _attribute,
    "event": read_event,
    "list": _listed,
    "segment": _member,
    "bucket": _bucket,
}
