"""What a segment's file may ask of our own messages and of consent; both are events that we mirror ourselves."""

from collections.abc import Mapping
from typing import Any

from orchestrator.core.mirrors import (
    ADDRESSED,
    CONSENT,
    GRANTED,
    MESSAGE_NUMBERS,
    MESSAGE_TEXTS,
    Deed,
    message_event,
)
from orchestrator.core.nouns import Channel
from orchestrator.core.phrases import say_duration
from orchestrator.core.segments.mistakes import Path, Reading, surely_meant
from orchestrator.core.segments.reading_values import one_number, one_text, read_each, read_texts
from orchestrator.core.segments.tree import (
    All,
    Declared,
    Event,
    Kind,
    Measure,
    Node,
    Not,
    OneOf,
    Picked,
    Property,
    Reach,
)

_TEXT_KEYS = ("campaign", "variant", "channel", "topic")
MESSAGE_KEYS = (*_TEXT_KEYS, "step")
MESSAGE_PROPERTIES = {
    **dict.fromkeys(MESSAGE_TEXTS, Declared(Kind.TEXT)), **dict.fromkeys(MESSAGE_NUMBERS, Declared(Kind.NUMBER)),
}  # fmt: skip
CHANNEL_NOUNS = ("address", "reachable", "subscribed", "unsubscribed")


def read_message(reading: Reading, keys: Mapping[str, Any], path: Path) -> tuple[str, tuple[Property, ...]]:
    """The event of `message: opened` and its like, with the conditions that `campaign`, `variant`, `channel`, … make of it."""
    at = (*path, "message")
    word = reading.attempt(lambda: one_text(reading, keys["message"], at)) or Deed.SENT
    if word not in set(Deed):
        deeds = [str(deed) for deed in Deed]
        reading.unknown(at, "deed of a message", word, deeds)
        word = surely_meant(word, deeds) or Deed.SENT
    elif word == Deed.CONVERTED:
        reading.wrong(at, "a conversion cannot be a step: it is two events itself", _its_steps(reading, keys))
    where = [_attempted(reading, key, keys[key], (*path, key)) for key in _TEXT_KEYS if key in keys]
    if "step" in keys:
        steps = reading.attempt(lambda: read_each(reading, keys["step"], (*path, "step"), one_number))
        where.append(Property("step", Kind.NUMBER, OneOf(steps or ())))
    return message_event(Deed(word)), tuple(one for one in where if one is not None)


def _its_steps(reading: Reading, keys: Mapping[str, Any]) -> str:
    """What to write in the place of a conversion: a goal there is, that of the campaign if one is named."""
    known = dict(reading.catalogue.goals) if reading.catalogue else {}
    asked = keys.get("campaign")
    named = known.get(asked) if isinstance(asked, str) else None
    goal = named or next((goal for goal in known.values() if goal is not None), None)
    said = (
        f"{{event: {goal.event}, within: {say_duration(goal.within)}}}" if goal else "{event: purchase, within: 7 days}"
    )
    return f"Write the campaign's goal in its place, like `{said}`, after `message: sent`."


def _attempted(reading: Reading, key: str, raw: Any, at: Path) -> Property | None:
    return reading.attempt(lambda: _narrowed(reading, key, raw, at))


def _narrowed(reading: Reading, key: str, raw: Any, at: Path) -> Property:
    values = read_texts(reading, raw, at)
    catalogue = reading.catalogue
    known = {
        "campaign": catalogue.campaigns if catalogue else None,
        "topic": catalogue.topics if catalogue else None,
        "channel": frozenset(str(channel) for channel in Channel),
        "variant": None,
    }[key]
    wrong = [
        reading.unknown((*at, index) if isinstance(raw, list) else at, key, value, sorted(known))
        for index, value in enumerate(values)
        if known is not None and value not in known
    ]
    if wrong:
        raise wrong[0]
    return Property(key, Kind.TEXT, OneOf(values))


def read_channel(reading: Reading, keys: Mapping[str, Any], path: Path, noun: str) -> Node:
    """`address: email`, `reachable: email`, `subscribed: email`, `unsubscribed: email`, the last three with a `topic`."""
    at = (*path, noun)
    topic = _attempted(reading, "topic", keys["topic"], (*path, "topic")) if "topic" in keys else None
    channel = one_text(reading, keys[noun], at)
    if channel not in set(Channel):
        raise reading.unknown(at, "channel", channel, [str(one) for one in Channel])
    if noun in {"address", "reachable"} and channel not in ADDRESSED:
        raise reading.wrong(
            at, f"{channel} needs no address: it reaches everybody", f"Allowed: {', '.join(ADDRESSED)}."
        )
    if noun == "address":
        return Reach(channel)
    where = [Property("channel", Kind.TEXT, OneOf((channel,)))]
    where += [topic] if topic is not None else []
    said_yes = Picked((Property(GRANTED, Kind.BOOLEAN, OneOf((noun == "subscribed",))),))
    word = Event(CONSENT, said_yes, Measure.LATEST, where=tuple(where))
    return All((Reach(channel), Not(word))) if noun == "reachable" else word
