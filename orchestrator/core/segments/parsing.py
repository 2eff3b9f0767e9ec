"""A segment's file, as YAML gives it, read into the tree; every mistake at once, each with its place and a remedy."""

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.core.mirrors import OWN, Deed
from orchestrator.core.segments.mistakes import Keys, Path, Reading, SegmentError, Unreadable, remedy, surely_meant
from orchestrator.core.segments.reading_bands import BAND_WORDS, band_words, read_band
from orchestrator.core.segments.reading_conversions import read_conversion
from orchestrator.core.segments.reading_events import read_event
from orchestrator.core.segments.reading_messages import CHANNEL_NOUNS, read_channel
from orchestrator.core.segments.reading_people import read_bucket, read_listed, read_member, read_rfm, read_sample
from orchestrator.core.segments.reading_tests import EVERY_WORD, read_test
from orchestrator.core.segments.reading_values import one_text, read_each
from orchestrator.core.segments.tree import (
    All,
    AnyOf,
    Attribute,
    Band,
    Catalogue,
    Declared,
    Kind,
    Node,
    Not,
    Segment,
)

NOUNS = (
    "attribute", "event", "message", "rfm", *CHANNEL_NOUNS, "segment", "list", "bucket", "sample", "all", "any", "not",
)  # fmt: skip
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
    if segment is None or reading.mistakes or reading.incomplete:
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
    formerly: tuple[str, ...] = ()
    if "formerly" in keys:
        names = keys.pop("formerly")
        formerly = reading.attempt(lambda: read_each(reading, names, ("formerly",), one_text)) or ()
    if not keys:
        raise reading.wrong(
            (), "the segment has no condition", "Add `all:`, `any:` or `not:` with conditions under it."
        )
    keys = reading.keys(keys, (), _GROUPS)
    if not keys:
        raise reading.again()
    if len(keys) > 1:
        reading.wrong(
            tuple(list(keys)[1:2]),
            f"has {' and '.join(keys)} side by side: both, or one of them?",
            "Put one under the other.",
            at_key=True,
        )
    roots = reading.each(keys, lambda word: _group(reading, word, keys[word], (word,), 1))
    return Segment(about=" ".join(str(about).split()), root=roots[0], formerly=formerly)


def _node(reading: Reading, raw: Any, path: Path, depth: int) -> Node:
    """A condition or a group of them."""
    if not isinstance(raw, Mapping):
        raise reading.wrong(
            path, f"'{raw}' is not a condition", "Write it in braces, like `{attribute: country, is: DE}`."
        )
    keys = {str(key): value for key, value in raw.items()}
    nouns = [key for key in keys if key in NOUNS]
    if len(nouns) != 1:
        keys = _as_meant(reading, keys, nouns, path)
        nouns = [key for key in keys if key in NOUNS]
    noun = nouns[0]
    if noun in _GROUPS:
        keys = reading.keys(keys, path, (noun,))
        return _group(reading, noun, keys[noun], (*path, noun), depth + 1)
    if noun == "sample":
        return read_sample(reading, keys, path, lambda of, at: _node(reading, of, at, depth + 1))
    return _CONDITIONS[noun](reading, keys, path)


def _as_meant(reading: Reading, keys: Mapping[str, Any], nouns: list[str], path: Path) -> dict[str, Any]:
    """Note that it is not clear what a condition is about; its keys with what was probably meant, if anything was."""
    if nouns:
        raise reading.wrong(
            (*path, nouns[1]),
            f"has {' and '.join(nouns)}: a condition is about one",
            "Write a condition for each.",
            at_key=True,
        )
    first = next((key for key in keys if key not in EVERY_WORD), next(iter(keys), ""))
    wrong = reading.wrong(
        (*path, first) if keys else path, f"no condition begins with '{first}'", remedy(first, NOUNS), at_key=bool(keys)
    )
    close = surely_meant(first, NOUNS)
    if close is None:
        raise wrong
    reading.written[*path, close] = first
    return {close if key == first else key: value for key, value in keys.items()}


def _group(reading: Reading, word: str, raw: Any, path: Path, depth: int) -> Node:
    if depth > DEEPEST:
        raise reading.wrong(
            path, f"groups are nested deeper than {DEEPEST}", "Make a segment of the inner part and refer to it."
        )
    if word == "not":
        if isinstance(raw, list):
            wrong = reading.wrong(
                path,
                "`not` over several conditions has two readings",
                "Write `not: {any: […]}` (none of them) or `not: {all: […]}` (not all of them).",
            )
            _each(reading, raw, path, depth)
            raise wrong
        return Not(_node(reading, raw, path, depth))
    if not isinstance(raw, list) or not raw:
        wrong = reading.wrong(path, f"`{word}` has no conditions", "Write a list, one condition a line.")
        if isinstance(raw, Mapping):  # one condition that is no list: what is wrong inside is told as well
            _node(reading, raw, path, depth)
        raise wrong
    parts = _each(reading, raw, path, depth)
    return All(parts) if word == "all" else AnyOf(parts)


def _each(reading: Reading, raw: list[Any], path: Path, depth: int) -> tuple[Node, ...]:
    return reading.each(enumerate(raw), lambda it: _node(reading, it[1], (*path, it[0]), depth))


def _attribute(reading: Reading, keys: Mapping[str, Any], path: Path) -> Attribute:
    keys = reading.keys(keys, path, ("attribute", *EVERY_WORD, *BAND_WORDS, "ignore_case"))
    name = one_text(reading, keys["attribute"], (*path, "attribute"))
    declared = reading.catalogue.attributes.get(name) if reading.catalogue else None
    own = declared is None and name in OWN
    if own:
        declared = Declared(Kind.TEXT)
    elif declared is None and reading.catalogue is not None:
        known = dict.fromkeys((*reading.catalogue.attributes, *OWN))
        wrong = reading.unknown((*path, "attribute"), "attribute", name, known)
        close = surely_meant(name, known)
        if close is None:
            raise wrong
        declared = reading.catalogue.attributes.get(close, Declared(Kind.TEXT))
    if band_words(keys):
        return Attribute(name, *_band(reading, keys, path, name, declared), own=own)
    return Attribute(name, *read_test(reading, keys, path, name, declared), own=own)


def _band(reading: Reading, keys: Keys, path: Path, name: str, declared: Declared | None) -> tuple[Kind, Band]:
    """A band of an attribute that can be put in order; without a catalogue it is a number."""
    words = [key for key in keys if key in (*EVERY_WORD, *BAND_WORDS)]
    if len(words) > 1:
        wrong = reading.wrong(
            path,
            f"'{name}' has {' and '.join(words)}: one comparison per condition",
            "Write a condition for each, under `all:`.",
        )
        for word in words:
            alone = Keys({word: keys[word]})
            read = _band if word in BAND_WORDS else read_test
            reading.attempt(lambda read=read, alone=alone: read(reading, alone, path, name, declared))  # type: ignore[misc]  # bound at once, because the loop goes on
        raise wrong
    kind = declared.kind if declared else Kind.NUMBER
    if kind not in {Kind.NUMBER, Kind.DATE, Kind.TIME}:
        raise reading.wrong(
            (*path, words[0]),
            f"'{words[0]}' does not fit: '{name}' is a {kind}",
            "Only numbers, dates and moments have bands.",
            at_key=True,
        )
    return kind, read_band(reading, words[0], keys[words[0]], (*path, words[0]))


def _channel(reading: Reading, keys: Mapping[str, Any], path: Path) -> Node:
    noun = next(key for key in keys if key in CHANNEL_NOUNS)
    keys = reading.keys(keys, path, (noun,) if noun == "address" else (noun, "topic"))
    return read_channel(reading, keys, path, noun)


def _message(reading: Reading, keys: Mapping[str, Any], path: Path) -> Node:
    converted = keys["message"] == Deed.CONVERTED
    return read_conversion(reading, keys, path) if converted else read_event(reading, keys, path)


_CONDITIONS: Mapping[str, Callable[[Reading, Mapping[str, Any], Path], Node]] = {
    "attribute": _attribute,
    "event": read_event,
    "message": _message,
    "rfm": read_rfm,
    **dict.fromkeys(CHANNEL_NOUNS, _channel),
    "list": read_listed,
    "segment": read_member,
    "bucket": read_bucket,
}
