"""What a segment's file may ask of events: a measure, a window, conditions on properties, and what followed or did not."""

from collections.abc import Mapping
from typing import Any

from orchestrator.core.segments.mistakes import Keys, Path, Reading
from orchestrator.core.segments.reading_bands import BAND_WORDS, band_words, read_band
from orchestrator.core.segments.reading_steps import (
    property_of,
    read_step,
    read_where,
    subject_of,
    with_messages,
)
from orchestrator.core.segments.reading_tests import read_comparison, read_point_test
from orchestrator.core.segments.reading_values import one_number, one_text, read_phrase
from orchestrator.core.segments.tree import (
    NUMBERED,
    Band,
    Comparison,
    Declared,
    During,
    Event,
    Kind,
    Measure,
    Op,
    Picked,
    PointTest,
)
from orchestrator.core.windows import window

MEASURES = tuple(str(measure) for measure in Measure if measure is not Measure.COUNT)
_COMPARED = tuple(str(op) for op in Op)
COUNT_KEYS = (*_COMPARED, *BAND_WORDS)
DATED = ("after", "not_after", "before", "not_before", "between")
EVENT_KEYS = ("event", *MEASURES, *COUNT_KEYS, "when", "where", "then", "then_not")
MOMENT_KEYS = ("event", *MEASURES, *DATED, *BAND_WORDS, "when", "where", "then", "then_not")
PICKED_KEYS = ("event", *MEASURES, "when", "where")
_MOMENTS = frozenset({Measure.FIRST, Measure.LAST})
_PICKED = frozenset({Measure.EARLIEST, Measure.LATEST})


def read_event(reading: Reading, keys: Mapping[str, Any], path: Path) -> Event:
    """An event condition. Its parts are read one by one, so that all their mistakes are told."""
    measure, of, allowed = _measure(reading, keys, path)
    keys = found = reading.keys(keys, path, with_messages(keys, allowed))
    if measure is Measure.COUNT and any(key in MEASURES for key in keys):  # it was misspelt, and is known now
        measure, of, allowed = _measure(reading, keys, path)
    subject = subject_of(reading, keys, path)
    name, properties = subject.name, subject.properties
    reading.attempt(lambda: check_numeric(reading, measure, of, (*path, measure.value), name, properties))
    test: Comparison | PointTest | During | Picked | Band | None = None
    if measure not in _PICKED:
        test = reading.attempt(lambda: _test(reading, found, path, measure))
    elif isinstance(keys[measure.value], Mapping):
        test = Picked(read_where(reading, keys[measure.value], (*path, measure.value), name, properties))
    when = None
    if "when" in keys and "when" in allowed and (measure not in _MOMENTS or isinstance(test, Band)):
        when = reading.attempt(lambda: read_phrase(reading, window, keys["when"], (*path, "when")))
    where = reading.attempt(lambda: read_where(reading, keys.get("where"), (*path, "where"), name, properties)) or ()
    then = reading.attempt(lambda: read_step(reading, keys, path, "then"))
    then_not = reading.attempt(lambda: read_step(reading, keys, path, "then_not"))
    if test is None:
        raise reading.again()
    return Event(name, test, measure, of if measure in NUMBERED else "", when, (*subject.where, *where), then, then_not)


def check_numeric(
    reading: Reading, measure: Measure, of: str, at: Path, event: str, properties: Mapping[str, Declared] | None
) -> None:
    """A sum and its like are taken of numbers."""
    if measure not in NUMBERED or not of:
        return
    declared = property_of(reading, of, at, event, properties)
    if declared and declared.kind is not Kind.NUMBER:
        raise reading.wrong(at, f"'{of}' of {event} is a {declared.kind}: it has no {measure}", "Only numbers have.")


def _measure(reading: Reading, keys: Mapping[str, Any], path: Path) -> tuple[Measure, str, tuple[str, ...]]:
    """The measure, the word beside it, and the keys that go with it."""
    named = [key for key in keys if key in MEASURES]
    if len(named) > 1:
        reading.wrong(
            (*path, named[1]),
            f"has {' and '.join(named)}: one measure per condition",
            "Write a condition for each, under `all:`.",
            at_key=True,
        )
    if not named:
        return Measure.COUNT, "", EVENT_KEYS
    measure, at = Measure(named[0]), (*path, named[0])
    if measure in _PICKED:
        if not isinstance(keys[named[0]], Mapping) or not keys[named[0]]:
            reading.wrong(at, f"`{measure}` says nothing of the event", f"Write `{measure}: {{currency: EUR}}`.")
        return measure, "", PICKED_KEYS
    of = reading.attempt(lambda: one_text(reading, keys[named[0]], at)) or ""
    if measure in NUMBERED:
        return measure, of, EVENT_KEYS
    word, keys_allowed = ("days", EVENT_KEYS) if measure is Measure.DISTINCT else ("time", MOMENT_KEYS)
    if of and of != word:
        reading.wrong(at, f"'{measure}: {of}' cannot be measured", f"Write `{measure}: {word}`.")
    return measure, of, keys_allowed


def _test(reading: Reading, keys: Keys, path: Path, measure: Measure) -> Comparison | PointTest | During | Band:
    dated = measure in _MOMENTS
    banded = band_words(keys)
    allowed = (*(DATED if dated else _COMPARED), *BAND_WORDS, *(["when"] if dated and not banded else []))
    words = [key for key in keys if key in allowed]
    if len(words) > 1:
        wrong = reading.wrong(
            (*path, words[1]),
            f"has {' and '.join(words)}: one comparison per condition",
            "Write a condition for each, under `all:`.",
            at_key=True,
        )
        reading.each(words, lambda word: _test(reading, Keys({word: keys[word]}), path, measure))
        raise wrong
    if not words and keys.lost:
        raise reading.again()
    if not words:
        if measure is Measure.COUNT:
            return Comparison(Op.AT_LEAST, one_number(reading, 1, path))
        raise reading.wrong(path, f"`{measure}` is compared with nothing", f"Say one of: {', '.join(allowed)}.")
    word, at = words[0], (*path, words[0])
    if banded and measure is Measure.AVERAGE:
        raise reading.wrong(
            at, "averages have no bands", "Engines divide differently: take the sum or the count.", at_key=True
        )
    if banded:
        return read_band(reading, word, keys[word], at)
    if dated:
        test = read_point_test(reading, word, keys[word], at)
        if not isinstance(test, PointTest | During):  # only `anniversary` makes another, and it is no key here
            raise TypeError(test)
        return test
    comparison = read_comparison(reading, word, keys[word], at, one_number)
    if measure in {Measure.COUNT, Measure.DISTINCT}:
        _check_count(reading, comparison, at)
    return comparison


def _check_count(reading: Reading, test: Comparison, at: Path) -> None:
    for value in (test.value, test.upto):
        if value is not None and not isinstance(value, str) and (value < 0 or value % 1):
            reading.wrong(
                at, f"{value.normalize():f} is no count", "Events and days are counted in whole numbers from 0."
            )
    if (test.op is Op.UNDER and test.value == 0) or (test.op is Op.AT_LEAST and test.value == 0):
        never = test.op is Op.UNDER
        raise reading.wrong(
            at,
            f"this is {'never' if never else 'always'} true",
            "Counts begin at 0; write `exactly: 0` for people without such events.",
        )
