"""What a segment's file may say an event is: its name or one of our messages, its properties, and what follows it or does not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.phrases import duration
from orchestrator.core.segments.mistakes import Keys, Path, Reading, surely_meant
from orchestrator.core.segments.reading_messages import MESSAGE_KEYS, MESSAGE_PROPERTIES, read_message
from orchestrator.core.segments.reading_tests import EVERY_WORD, read_test
from orchestrator.core.segments.reading_values import one_text, read_phrase
from orchestrator.core.segments.tree import Declared, Kind, Property, Step, Test

STEP_KEYS = ("event", "within", "without", "where", "then", "then_not")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a condition or a step is about: an event's name, what its properties are, and conditions already said."""

    name: str
    properties: Mapping[str, Declared] | None
    where: tuple[Property, ...] = ()


def subject_of(reading: Reading, keys: Mapping[str, Any], path: Path) -> Subject:
    """An event of the customer's, or one of our own messages."""
    if "message" in keys:
        name, where = read_message(reading, keys, path)
        return Subject(name, MESSAGE_PROPERTIES, where)
    return Subject(*event_name(reading, keys["event"], (*path, "event")))


def with_messages(keys: Mapping[str, Any], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The allowed keys, where a message may stand in the place of an event."""
    return ("message", *MESSAGE_KEYS, *allowed[1:]) if "message" in keys else allowed


def event_name(reading: Reading, raw: Any, at: Path) -> tuple[str, Mapping[str, Declared] | None]:
    """An event's name and what its properties are, None where nobody knows; those of one that was probably meant, if it is unknown."""
    name = one_text(reading, raw, at)
    if reading.catalogue is None:
        return name, None
    events = reading.catalogue.events
    if name not in events:
        reading.unknown(at, "event", name, events)
        close = surely_meant(name, events)
        return (close, events[close]) if close else (name, None)
    return name, events[name]


def property_of(
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
        reading.unknown(at, f"property of {event}", name, properties, at_key=at_key)
    return properties.get(name)


def read_where(
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
    declared = property_of(reading, name, at, event, properties, at_key=True)
    if declared is None and properties is not None:
        close = surely_meant(name, properties)
        if close is None:
            raise reading.again()
        declared = properties[close]
    if not isinstance(value, Mapping):
        return Property(name, *_short(reading, value, path, name, declared))
    tests = reading.keys({str(word): given for word, given in value.items()}, at, (*EVERY_WORD, "ignore_case"))
    return Property(name, *read_test(reading, tests, at, name, declared))


def _short(reading: Reading, value: Any, path: Path, name: str, declared: Declared | None) -> tuple[Kind | None, Test]:
    """`currency: EUR` and `currency: [EUR, CHF]`; a mistake in it is one at the property, for there is no word `is`."""
    inner = Reading(None)
    found = inner.attempt(lambda: read_test(inner, Keys({"is": value}), (), name, declared))
    for mistake in inner.mistakes:
        reading.wrong((*path, name, *mistake.path[1:]), mistake.text, mistake.remedy)
    if found is None:
        raise reading.again()
    return found


def read_step(reading: Reading, keys: Mapping[str, Any], path: Path, word: str) -> Step | None:
    """What hangs on an event under `then` or `then_not`."""
    if word not in keys:
        return None
    raw, at = keys[word], (*path, word)
    if not isinstance(raw, Mapping):
        raise reading.wrong(at, *_no_event(word))
    inner = {str(key): value for key, value in raw.items()}
    allowed: tuple[str, ...] = STEP_KEYS
    if word == "then_not":
        allowed = ("event", "within", "where")
        for key in [key for key in ("then", "then_not", "without") if key in inner]:
            del inner[key]
            reading.wrong(
                (*at, key),
                "nothing can follow an event that did not happen",
                f"Hang `{key}` on the event before it.",
                at_key=True,
            )
    inner = found = reading.keys(inner, at, with_messages(inner, allowed))
    if not ("event" in inner or "message" in inner):
        raise reading.again() if found.lost else reading.wrong(at, *_no_event(word))
    subject = subject_of(reading, inner, at)
    name, properties = subject.name, subject.properties
    within = None
    if "within" in inner:
        within = reading.attempt(lambda: read_phrase(reading, duration, inner["within"], (*at, "within")))
    where = reading.attempt(lambda: read_where(reading, inner.get("where"), (*at, "where"), name, properties)) or ()
    without = reading.attempt(lambda: _without(reading, inner.get("without", []), (*at, "without"))) or ()
    then = reading.attempt(lambda: read_step(reading, inner, at, "then"))
    then_not = reading.attempt(lambda: read_step(reading, inner, at, "then_not"))
    return Step(name, within, (*subject.where, *where), then, then_not, without)


def _no_event(word: str) -> tuple[str, str]:
    return f"`{word}` names no event", f"Write `{word}: {{event: purchase, within: 48 hours}}`."


def _without(reading: Reading, raw: Any, at: Path) -> tuple[Step, ...]:
    """The events that must not lie between an event and what follows it: one, or a list of them."""
    if not isinstance(raw, list):
        return (_not_between(reading, raw, at),)
    return reading.each(enumerate(raw), lambda it: _not_between(reading, it[1], (*at, it[0])))


def _not_between(reading: Reading, raw: Any, path: Path) -> Step:
    if not isinstance(raw, Mapping) or not ("event" in raw or "message" in raw):
        raise reading.wrong(path, "`without` names no event", "Write `without: {event: cancel}`, or a list of such.")
    keys = {str(key): value for key, value in raw.items()}
    keys = reading.keys(keys, path, with_messages(keys, ("event", "where")))
    subject = subject_of(reading, keys, path)
    where = read_where(reading, keys.get("where"), (*path, "where"), subject.name, subject.properties)
    return Step(subject.name, where=(*subject.where, *where))
