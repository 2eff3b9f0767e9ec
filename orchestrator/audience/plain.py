"""Events that need no workbench: what the loader can take as it came, a column at a time.

Most events are as they should be: ids in plain letters, declared properties of the declared kind. Whether they are is looked at
for many at once; whatever is not plainly so goes to the workbench, which reads it, rejects values and says why. An event that
passes here would come out of the workbench the same but for the blanks in its JSON.
"""

import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from orchestrator.audience.coercion import LATEST
from orchestrator.core.mirrors import MARK, ours
from orchestrator.core.segments.tree import Declared, Kind

LARGEST = 10.0**14
_FEW = 32
"""So many are looked at one by one, rather than halved again."""

_KINDS: Mapping[Kind, Any] = {
    Kind.TEXT: str,
    Kind.NUMBER: Annotated[float, msgspec.Meta(gt=-LARGEST, lt=LARGEST)],
    Kind.BOOLEAN: bool,
    Kind.DATE: date,
    Kind.LIST: list[str],
}
"""What JSON of each kind looks like that is kept as it is; values of other kinds are always read."""


Row = tuple[str, str, str, str]
"""One arrival as it waits: kind, user, message id, and the payload, JSON of `at`, `name` and `body`."""


class Payload(msgspec.Struct):
    """What a payload says; `body` is as it was written."""

    at: int
    name: str
    body: msgspec.Raw


class Events(NamedTuple):
    """Events, a column each, in the order they came; `line` is their place among all, from 1."""

    line: Sequence[int]
    user: Sequence[str]
    name: Sequence[str]
    at: Sequence[int]
    message_id: Sequence[str]
    body: Sequence[bytes]

    def some(self, places: slice | Sequence[int]) -> "Events":
        """Those at these places."""
        if isinstance(places, slice):
            return Events._make(column[places] for column in self)
        return Events._make([column[place] for place in places] for column in self)


def events_in(rows: Sequence[Row]) -> Events:
    """The events among the rows; msgspec.DecodeError for a payload that is none."""
    found = [row for row in rows if row[0] == "event"]
    told = _read(f"[{','.join(map(itemgetter(3), found))}]")
    if len(told) != len(found):
        raise msgspec.DecodeError("a payload that is several")
    return Events(
        range(1, len(found) + 1),
        [user for _, user, _, _ in found],
        list(map(attrgetter("name"), told)),
        list(map(attrgetter("at"), told)),
        list(map(itemgetter(2), found)),
        [bytes(row.body) for row in told],
    )


_read = msgspec.json.Decoder(list[Payload]).decode


def apart(
    events: Events, declared: Mapping[str, Declared], listed: Mapping[str, Collection[str]] = MappingProxyType({})
) -> tuple[Events, Events]:
    """(plain, others), each in their order. `declared` are the properties of all events, `listed` the values that are good in each
    of them, where only some are. Message ids that are there twice are others.
    """
    fits = _fitting(declared, listed)
    among = range(len(events.line))
    twice = _twice(events.message_id)
    if not twice and _all_plain(events, fits):
        return events, events.some(slice(0, 0))
    if twice:
        among_once = [place for place in among if events.message_id[place] not in twice]
        good = {among_once[place] for place in _plain(events.some(among_once), fits)}
    else:
        good = set(_plain(events, fits))
    return events.some(sorted(good)), events.some([place for place in among if place not in good])


def _twice(ids: Sequence[str]) -> set[str]:
    if len(set(ids)) == len(ids):
        return set()
    seen: set[str] = set()
    return {one for one in ids if one in seen or seen.add(one)}  # type: ignore[func-returns-value] # remembers


def _plain(events: Events, fits: Callable[[Sequence[bytes]], bool]) -> list[int]:
    """The places of those that are plain: all, or those of either half."""
    many = len(events.line)
    if _all_plain(events, fits):
        return list(range(many))
    if many <= _FEW:
        return [place for place in range(many) if many > 1 and _all_plain(events.some(slice(place, place + 1)), fits)]
    half = many // 2
    later = _plain(events.some(slice(half, many)), fits)
    return [*_plain(events.some(slice(0, half)), fits), *(half + place for place in later)]


def _all_plain(events: Events, fits: Callable[[Sequence[bytes]], bool]) -> bool:
    if not events.line:
        return True
    users, ids, bodies = "".join(events.user), "".join(events.message_id), b"".join(events.body)
    return (
        users.isascii()
        and users.isprintable()
        and " " not in users
        and ids.isascii()
        and "\0" not in ids
        and MARK not in ids
        and all(events.message_id)
        and all(events.user)
        and max(map(len, events.user)) <= 128
        and all(_is_name(name) for name in set(events.name))
        and min(events.at) >= 10**15
        and max(events.at) < LATEST
        and b"\\u" not in bodies
        and (bodies.isascii() or unicodedata.is_normalized("NFC", bodies.decode()))
        and all(body[:1] == b"{" for body in events.body)
        and fits(events.body)
    )


def _is_name(name: str) -> bool:
    return bool(name) and name.isascii() and "\0" not in name and not ours(name)


def _fitting(
    declared: Mapping[str, Declared], listed: Mapping[str, Collection[str]]
) -> Callable[[Sequence[bytes]], bool]:
    """Whether every body's declared properties are of the declared kind, and there, or not there at all."""
    fields = [_field(number, one, listed.get(name)) for number, (name, one) in enumerate(declared.items())]
    shape = msgspec.defstruct("Body", fields, rename={f"p{n}": name for n, name in enumerate(declared)})
    read = msgspec.json.Decoder(list[shape]).decode  # type: ignore[valid-type] # made above

    def fits(bodies: Sequence[bytes]) -> bool:
        try:
            read(b"[%b]" % b",".join(bodies))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False
        return True

    return fits


def _field(number: int, declared: Declared, words: Collection[str] | None) -> tuple[str, Any, Any]:
    kind = _KINDS.get(declared.kind) if words is None else _one_of(declared.kind, words)
    wanted = msgspec.UnsetType if kind is None else kind | msgspec.UnsetType
    return f"p{number}", wanted, msgspec.UNSET


def _one_of(kind: Kind, words: Collection[str]) -> Any:
    """What JSON of one of these values looks like; None where it is always to be read."""
    if not words or kind not in {Kind.TEXT, Kind.LIST}:
        return None
    one: Any = Literal.__getitem__(tuple(sorted(words)))
    return one if kind is Kind.TEXT else list[one]
