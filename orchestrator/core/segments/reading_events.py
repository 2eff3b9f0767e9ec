"""What a segment's file may ask of events: a measure, a window, conditions on properties, and what followed or did not."""

from collections.abc import Mapping
from typing import Any

from orchestrator.core.phrases import duration
from orchestrator.core.segments.mistakes import Path, Reading, Unreadable
from orchestrator.core.segments.reading_tests import (
    EVERY_WORD,
    one_number,
    one_text,
    read_comparison,
    read_phrase,
    read_point_test,
    read_test,
)
from orchestrator.core.segments.tree import (
    NUMBERED,
    Comparison,
    Declared,
    During,
    Event,
    Kind,
    Measure,
    Op,
    PointTest,
    Property,
    Step,
    Test,
)
from orchestrator.core.windows import window

_MEASURES = tuple(str(measure) for measure in Measure if measure is not Measure.COUNT)
_COMPARED = tuple(str(op) for op in Op)
_DATED = ("after", "not_after", "before", "not_before", "between")
EVENT_KEYS = ("event", *_MEASURES, *_COMPARED, "when", "where", "then", "then_not")
MOMENT_KEYS = ("event", *_MEASURES, *_DATED, "when", "where", "then", "then_not")
STEP_KEYS = ("event", "within", "where", "then", "then_not")


def read_event(reading: Reading, keys: Mapping[str, Any], path: Path) -> Event:
    """An event condition. Its parts are read one by one, so that all their mistakes are told."""
    before = len(reading.mistakes)
    measure, of, allowed = _measure(reading, keys, path)
    reading.attempt(lambda: check_keys(reading, keys, path, allowed))
    misspelt = len(reading.mistakes) > before  # then a comparison may only seem to be missing
    name, properties = _event_name(reading, keys["event"], path)
    reading.attempt(lambda: _check_numeric(reading, measure, of, (*path, measure.value), name, properties))
    test = None if misspelt else reading.attempt(lambda: _test(reading, keys, path, measure))
    when = None
    if "when" in keys and "when" in allowed and measure not in {Measure.FIRST, Measure.LAST}:
        when = reading.attempt(lambda: read_phrase(reading, window, keys["when"], (*path, "when")))
    where = _where(reading, keys.get("where"), (*path, "where"), name, properties)
    then = reading.attempt(lambda: _step(reading, keys, path, "then"))
    then_not = reading.attempt(lambda: _step(reading, keys, path, "then_not"))
    if test is None or len(reading.mistakes) > before:
        raise Unreadable
    return Event(name, test, measure, of if measure in NUMBERED else "", when, where, then, then_not)


def _check_numeric(
    reading: Reading, measure: Measure, of: str, at: Path, event: str, properties: Mapping[str, Declared] | None
) -> None:
    """A sum and its like are taken of numbers."""
    if measure not in NUMBERED:
        return
    declared = _property(reading, of, at, event, properties)
    if declared and declared.kind is not Kind.NUMBER:
        raise reading.wrong(at, f"'{of}' of {event} is a {declared.kind}: it has no {measure}", "Only numbers have.")


def check_keys(reading: Reading, keys: Mapping[str, Any], path: Path, allowed: tuple[str, ...]) -> None:
    """Note every key that does not belong here."""
    unknown = [key for key in keys if key not in allowed]
    for key in unknown:
        reading.unknown((*path, key), "key", str(key), [word for word in allowed if word not in keys], at_key=True)
    if unknown:
        raise Unreadable


def _measure(reading: Reading, keys: Mapping[str, Any], path: Path) -> tuple[Measure, str, tuple[str, ...]]:
    """The measure, the word beside it, and the keys that go with it."""
    named = [key for key in keys if key in _MEASURES]
    if len(named) > 1:
        raise reading.wrong(
            (*path, named[1]),
            f"has {' and '.join(named)}: one measure per condition",
            "Write a condition for each, under `all:`.",
            at_key=True,
        )
    if not named:
        return Measure.COUNT, "", EVENT_KEYS
    measure, at = Measure(named[0]), (*path, named[0])
    of = one_text(reading, keys[named[0]], at)
    if measure in NUMBERED:
        return measure, of, EVENT_KEYS
    word, keys_allowed = ("days", EVENT_KEYS) if measure is Measure.DISTINCT else ("time", MOMENT_KEYS)
    if of != word:
        raise reading.wrong(at, f"'{measure}: {of}' cannot be measured", f"Write `{measure}: {word}`.")
    return measure, of, keys_allowed


def _test(reading: Reading, keys: Mapping[str, Any], path: Path, measure: Measure) -> Comparison | PointTest | During:
    dated = measure in {Measure.FIRST, Measure.LAST}
    allowed = (*_DATED, "when") if dated else _COMPARED
    words = [key for key in keys if key in allowed]
    if len(words) > 1:
        raise reading.wrong(
            (*path, words[1]),
            f"has {' and '.join(words)}: one comparison per condition",
            "Write a condition for each, under `all:`.",
            at_key=True,
        )
    if not words:
        if measure is Measure.COUNT:
            return Comparison(Op.AT_LEAST, one_number(reading, 1, path))
        raise reading.wrong(path, f"`{measure}` is compared with nothing", f"Say one of: {', '.join(allowed)}.")
    word, at = words[0], (*path, words[0])
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
            raise reading.wrong(
                at, f"{value.normalize():f} is no count", "Events and days are counted in whole numbers from 0."
            )
    if (test.op is Op.UNDER and test.value == 0) or (test.op is Op.AT_LEAST and test.value == 0):
        never = test.op is Op.UNDER
        raise reading.wrong(
            at,
            f"this is {'never' if never else 'always'} true",
            "Counts begin at 0; write `exactly: 0` for people without such events.",
        )


def _event_name(reading: Reading, raw: Any, path: Path) -> tuple[str, Mapping[str, Declared] | None]:
    """An event's name and what its properties are, None where nobody knows."""
    name = one_text(reading, raw, (*path, "event"))
    if reading.catalogue is None:
        return name, None
    if name not in reading.catalogue.events:
        raise reading.unknown((*path, "event"), "event", name, reading.catalogue.events)
    return name, reading.catalogue.events[name]


def _property(
    reading: Reading,
    name: str,
    at: Path,
    event: str,
    properties: Mapping[str, Declared] | None,
    *,
    at_key: bool = False,
) -> Declared | None:
    if properties is None:
        return None
    if name not in properties:
        raise reading.unknown(at, f"property of {event}", name, properties, at_key=at_key)
    return properties[name]


def _where(
    reading: Reading, raw: Any, path: Path, event: str, properties: Mapping[str, Declared] | None
) -> tuple[Property, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        raise reading.wrong(
            path, f"'{raw}' is not a set of conditions", "Write them in braces, like `{currency: EUR}`."
        )
    found = [
        reading.attempt(lambda key=key, value=value: _one_property(reading, key, value, path, event, properties))  # type: ignore[misc]  # bound at once, because the loop goes on
        for key, value in raw.items()
    ]
    return tuple(one for one in found if one is not None)


def _one_property(
    reading: Reading, key: Any, value: Any, path: Path, event: str, properties: Mapping[str, Declared] | None
) -> Property:
    at = (*path, key)
    name = one_text(reading, key, at)
    declared = _property(reading, name, at, event, properties, at_key=True)
    if not isinstance(value, Mapping):
        return Property(name, *_short(reading, value, path, name, declared))
    tests = {str(word): given for word, given in value.items()}
    check_keys(reading, tests, at, (*EVERY_WORD, "ignore_case"))
    return Property(name, *read_test(reading, tests, at, name, declared))


def _short(reading: Reading, value: Any, path: Path, name: str, declared: Declared | None) -> tuple[Kind | None, Test]:
    """`currency: EUR` and `currency: [EUR, CHF]`; a mistake in it is one at the property, for there is no word `is`."""
    inner = Reading(None)
    try:
        return read_test(inner, {"is": value}, (), name, declared)
    except Unreadable:
        for mistake in inner.mistakes:
            reading.wrong((*path, name, *mistake.path[1:]), mistake.text, mistake.remedy)
        raise


def _step(reading: Reading, keys: Mapping[str, Any], path: Path, word: str) -> Step | None:
    """What hangs on an event under `then` or `then_not`."""
    if word not in keys:
        return None
    raw, at = keys[word], (*path, word)
    if not isinstance(raw, Mapping) or "event" not in raw:
        raise reading.wrong(at, f"`{word}` names no event", f"Write `{word}: {{event: purchase, within: 48 hours}}`.")
    inner = {str(key): value for key, value in raw.items()}
    allowed: tuple[str, ...] = STEP_KEYS
    if word == "then_not":
        allowed = ("event", "within", "where")
        for key in ("then", "then_not"):
            if key in inner:
                raise reading.wrong(
                    (*at, key),
                    "nothing can follow an event that did not happen",
                    f"Hang `{key}` on the event before it.",
                    at_key=True,
                )
    check_keys(reading, inner, at, allowed)
    before = len(reading.mistakes)
    name, properties = _event_name(reading, inner["event"], at)
    within = None
    if "within" in inner:
        within = reading.attempt(lambda: read_phrase(reading, duration, inner["within"], (*at, "within")))
    where = _where(reading, inner.get("where"), (*at, "where"), name, properties)
    then = reading.attempt(lambda: _step(reading, inner, at, "then"))
    then_not = reading.attempt(lambda: _step(reading, inner, at, "then_not"))
    if len(reading.mistakes) > before:
        raise Unreadable
    return Step(name, within, where, then, then_not)
