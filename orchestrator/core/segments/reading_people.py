"""What a segment's file may ask of people among all others: lists, buckets, samples, scores, and other segments."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.core.segments.mistakes import Path, Reading
from orchestrator.core.segments.reading_events import check_numeric
from orchestrator.core.segments.reading_steps import event_name, read_where
from orchestrator.core.segments.reading_values import one_text, read_each, read_phrase
from orchestrator.core.segments.tree import Bucket, Listed, Measure, Member, Node, Rfm, Sample
from orchestrator.core.windows import window

RFM_KEYS = ("rfm", "recency", "frequency", "monetary", "sum", "when", "where")
SCORES = ("recency", "frequency", "monetary")
LARGEST = 1_000_000_000


def read_listed(reading: Reading, keys: Mapping[str, Any], path: Path) -> Listed:
    """`list: lists/vip.csv`."""
    keys = reading.keys(keys, path, ("list",))
    return Listed(one_text(reading, keys["list"], (*path, "list")))


def read_member(reading: Reading, keys: Mapping[str, Any], path: Path) -> Member:
    """`segment: buyers`."""
    keys = reading.keys(keys, path, ("segment",))
    name = one_text(reading, keys["segment"], (*path, "segment"))
    known = reading.catalogue.segments if reading.catalogue else None
    if known is not None and name not in known:
        raise reading.unknown((*path, "segment"), "segment", name, sorted(known))
    return Member(name)


def read_bucket(reading: Reading, keys: Mapping[str, Any], path: Path) -> Bucket:
    """`bucket: 970 to 999 of 1000`."""
    keys = reading.keys(keys, path, ("bucket", "salt"))
    salt = reading.attempt(lambda: one_text(reading, keys.get("salt", "bucket"), (*path, "salt"))) or ""
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
    return Bucket(first, last, of, salt)


def read_sample(reading: Reading, keys: Mapping[str, Any], path: Path, inner: Callable[[Any, Path], Node]) -> Sample:
    """`sample: 1000` of a condition or of everybody; `inner` reads the condition."""
    keys = found = reading.keys(keys, path, ("sample", "of", "salt"))
    raw, at = keys["sample"], (*path, "sample")
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 < raw <= LARGEST:
        reading.wrong(at, f"'{raw}' is not a number of people", "Write a whole number from 1, like 1000.")
    salt = reading.attempt(lambda: one_text(reading, keys.get("salt", "sample"), (*path, "salt"))) or ""
    if "of" not in keys:
        raise (
            reading.again()
            if found.lost
            else reading.wrong(
                path, "a sample of whom?", "Write `of: {segment: …}`, any other condition, or `of: everybody`."
            )
        )
    of = None if keys["of"] == "everybody" else inner(keys["of"], (*path, "of"))
    return Sample(raw, of, salt)


def read_rfm(reading: Reading, keys: Mapping[str, Any], path: Path) -> Rfm:
    """`rfm: purchase`, with the scores that are in: `recency: [4, 5]`."""
    keys = found = reading.keys(keys, path, RFM_KEYS)
    name, properties = event_name(reading, keys["rfm"], (*path, "rfm"))
    asked = [word for word in SCORES if word in keys]
    if not asked and not found.lost:
        reading.wrong(path, "`rfm` asks for no score", f"Say one or more of: {', '.join(SCORES)}; 5 is best.")
    scores = {
        word: reading.attempt(lambda word=word: read_each(reading, keys[word], (*path, word), _score)) or ()  # type: ignore[misc]  # bound at once, because the loop goes on
        for word in asked
    }
    of = ""
    if "monetary" in keys and "sum" not in keys:
        reading.wrong((*path, "monetary"), "the sum of what?", "Name the property: `sum: amount`.")
    if "sum" in keys:
        of = reading.attempt(lambda: one_text(reading, keys["sum"], (*path, "sum"))) or ""
        reading.attempt(lambda: check_numeric(reading, Measure.SUM, of, (*path, "sum"), name, properties))
    when = None
    if "when" in keys:
        when = reading.attempt(lambda: read_phrase(reading, window, keys["when"], (*path, "when")))
    where = read_where(reading, keys.get("where"), (*path, "where"), name, properties)
    return Rfm(name, of, **{word: scores.get(word, ()) for word in SCORES}, window=when, where=where)


def _score(reading: Reading, raw: Any, at: Path) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= 5:
        raise reading.wrong(at, f"'{raw}' is not a score", "Allowed: whole numbers from 1 to 5; 5 is best.")
    return raw
