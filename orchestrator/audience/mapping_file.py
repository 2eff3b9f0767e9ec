"""A mapping file of an import, read whole: how a file is read by it, or all that is wrong with it, each at its key."""

import codecs
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from orchestrator.audience.coercion import Clock, Words
from orchestrator.audience.mapping import (
    COLUMN_KEYS,
    CONSENT,
    FIELDS,
    IGNORE,
    KEYS,
    PLATFORMS,
    STOPPED,
    Plan,
    Target,
    consent_mistake,
    wholesale_mistake,
)
from orchestrator.audience.texts import FileError, Form
from orchestrator.core.mirrors import ours
from orchestrator.core.nouns import Channel
from orchestrator.core.phrases import either
from orchestrator.core.segments.mistakes import meant, remedy, slip_of
from orchestrator.core.segments.tree import Kind
from orchestrator.core.zones import find_zone, zone_names

_WORDS = ("user", "event", "topic", "channel", "platform", "app", "reason")
"""Keys with a text: what holds for every row, and the column that is the user's id as well."""
_NEW = "A new one of that name has to be declared in config/data.yaml."
_KINDS = {**{str(kind): kind for kind in Kind}, **dict.fromkeys(("email", "phone", "url"), Kind.TEXT)}
"""The kinds a column may be said to hold, in the words of the catalogue."""

_FIELDS = frozenset(field for fields in FIELDS.values() for field in fields)

Path = tuple[str | int, ...]


class Objection(NamedTuple):
    """One mistake: the path of the value (or of its key), what is wrong, and what to write."""

    path: Path
    text: str
    remedy: str = ""
    at_key: bool = False


class MappingError(FileError):
    """A mapping with these mistakes; nobody imports by it."""

    def __init__(self, where: str, objections: Sequence[Objection]) -> None:
        super().__init__("\n".join(f"{where}: {_named(one)}" for one in objections))
        self.objections = tuple(objections)


def plan(
    content: Mapping[str, Any] | None,
    zone: str,
    where: str,
    topics: Iterable[str] | None = None,
    declared: Iterable[str] | None = None,
) -> Plan:
    """Read a mapping file's content; MappingError with every mistake.

    `where` names it in errors, `zone` is the project's, `topics` are its own and `declared` what its catalogue has, by name
    (None: nobody has looked).
    """
    reading = _Reading(None if topics is None else sorted(topics), None if declared is None else frozenset(declared))
    found = reading.plan(content or {}, zone)
    if reading.found:
        raise MappingError(where, reading.found)
    return found


class _Reading:
    """Reads on behind every mistake, with something that fits in its place."""

    def __init__(self, topics: Sequence[str] | None, declared: frozenset[str] | None = None) -> None:
        self.topics = topics
        self.declared = declared
        self.found: list[Objection] = []

    def plan(self, content: Mapping[str, Any], zone: str) -> Plan:
        self.keys(content, KEYS, ())
        zone = self.zone(content, zone, ())
        form = Form(self.separator(content), self.header(content), self.encoding(content))
        constants = {key: self.text(content[key], (key,)) for key in _WORDS if key in content}
        if "channel" in constants:
            self.word(("channel",), "channel", constants["channel"], list(Channel))
        if "topic" in constants and self.topics is not None:
            self.word(("topic",), "topic", constants["topic"], self.topics)
        self.word(("platform",), "platform", constants.get("platform", "").lower(), PLATFORMS)
        if ours(constants.get("event", "")):
            self.wrong(("event",), f"'{constants['event']}' is a name of our own events", "Call yours otherwise.")
        decimal = self.decimal(content, "", ())
        targets = self.columns(content.get("columns", {}), zone, decimal)
        if isinstance(content.get("columns"), Mapping):
            return Plan(form, {str(name): target for name, target in targets}, (), constants, zone, decimal)
        by_place = {str(place): target for place, (_, target) in enumerate(targets, 1)}
        return Plan(form, by_place, tuple(target.to for _, target in targets), constants, zone, decimal)

    def columns(self, columns: Any, zone: str, decimal: str) -> list[tuple[str | int, Target]]:
        """The target of each column, by its name or its place in a list; no two go to the same place."""
        pairs: list[tuple[str | int, Any]] = []
        if isinstance(columns, Mapping):
            pairs = list(columns.items())
        elif isinstance(columns, Sequence) and not isinstance(columns, str):
            pairs = list(enumerate(columns))
        else:
            self.wrong(
                ("columns",), "is no list of columns", "Write `customer_no: user` for each, or list them in order."
            )
        found: list[tuple[str | int, Target]] = []
        first: dict[str, str | int] = {}
        for name, value in pairs:
            target = self.target(value, zone, decimal, ("columns", name))
            found.append((name, target))
            if target.to not in ("", IGNORE) and first.setdefault(target.to, name) != name:
                other = first[target.to]
                self.wrong(("columns", name), f"'{target.to}' is where {other} goes already", "Keep one of them.")
        return found

    def target(self, value: Any, zone: str, decimal: str, path: Path) -> Target:
        """Where one column goes."""
        if not isinstance(value, Mapping):
            target = Target(self.goal(value, path), None, Clock(zone), None, decimal)
        else:
            target = self.detailed(value, zone, decimal, path)
        if target.to.startswith(CONSENT) and (problem := wholesale_mistake(target)):
            self.wrong(path, *problem)
        return target

    def detailed(self, value: Mapping[Any, Any], zone: str, decimal: str, path: Path) -> Target:
        """The same, of one with more to say."""
        self.keys(value, COLUMN_KEYS, path)
        if "to" not in value:
            self.wrong(path, "the key 'to' is missing", "It says where the column goes.")
        to = self.goal(value["to"], (*path, "to")) if "to" in value else ""
        kind = None
        if "is" in value and self.word((*path, "is"), "kind", str(value["is"]), list(_KINDS)):
            kind = _KINDS[str(value["is"])]
        clock = Clock(self.zone(value, zone, path), self.format(value, path))
        words = self.words(value, path)
        if kind is Kind.TIME and (to == STOPPED or to.startswith(CONSENT)) and (words is None or words.any is None):
            self.wrong(
                path,
                "a time says neither yes nor no",
                "Say `means_yes: any` or `means_no: any`: it holds since that time.",
            )
        return Target(to, kind, clock, words, self.decimal(value, decimal, path))

    def format(self, value: Mapping[Any, Any], path: Path) -> str | tuple[str, ...]:
        """How times are written: in one way, or in one of several."""
        told = value.get("format", "")
        if isinstance(told, list):
            return tuple(self.text(one, (*path, "format", place)) for place, one in enumerate(told))
        return self.text(told, (*path, "format")) if "format" in value else ""

    def words(self, value: Mapping[Any, Any], path: Path) -> Words | None:
        """What means yes and no; where one of them is told, nothing else means it."""
        keys = {"means_yes": "yes", "means_no": "no", "means_nothing": "skip"}
        told = {field: self.listed(value[key], (*path, key)) for key, field in keys.items() if key in value}
        if None in told.values() and len(told) > 1:
            self.wrong(path, "`any` leaves nothing for another key", "Say `means_yes: any` or `means_no: any` alone.")
        if not told:
            return None
        if "yes" not in told and "no" not in told:
            return Words(skip=told["skip"] or ())
        return Words(told.get("yes", ()), told.get("no", ()), told.get("skip") or ())

    def listed(self, told: Any, path: Path) -> tuple[str, ...] | None:
        """Values, in small letters; None for any of them."""
        if told == "any" and path[-1] != "means_nothing":
            return None
        values = told if isinstance(told, list) else [told]
        if any(isinstance(one, (list, Mapping)) or not str(one).strip() for one in values):
            self.wrong(path, "is no list of values", "Write them like [subscribed, confirmed].")
            return ()
        return tuple(str(one).strip().lower() for one in values)

    def decimal(self, content: Mapping[Any, Any], unsaid: str, path: Path) -> str:
        """The decimal sign."""
        told = content.get("decimal", unsaid)
        if told in ("", ",", "."):
            return str(told)
        self.wrong((*path, "decimal"), f"'{told}' is no decimal sign", 'Write "," or ".".')
        return unsaid

    def goal(self, value: Any, path: Path) -> str:
        to = self.text(value, path)
        if to.startswith(CONSENT) and (problem := consent_mistake(to, self.topics)):
            self.wrong(path, *problem)
        elif close := self.slip(to):
            self.wrong(path, f"nothing is called '{to}'", f"Did you mean `{close}`? {_NEW}")
        return to

    def slip(self, to: str) -> str | None:
        """What was meant by a target that is a slip of a known word; any other is new, and the first import declares it."""
        known = {*_FIELDS, *(self.declared or ()), IGNORE}
        return None if self.declared is None or to in known else slip_of(to, sorted(known))

    def zone(self, content: Mapping[str, Any], unsaid: str, path: Path) -> str:
        """The time zone that `zone` names."""
        if "zone" not in content:
            return unsaid
        told = content["zone"]
        if isinstance(told, str) and find_zone(told) is not None:
            return told
        close = meant(str(told), zone_names())
        more = f" Did you mean {either(close)}?" if close else ""
        self.wrong((*path, "zone"), f"no time zone '{told}'", f"Write a name like `Europe/Vienna`.{more}")
        return unsaid

    def separator(self, content: Mapping[str, Any]) -> str:
        told = str(content.get("separator", ""))
        if told in ("", "whitespace", "tab") or len(told) == 1:
            return told
        self.wrong(("separator",), f"'{told}' is no separator", "Write one character, tab or whitespace.")
        return ""

    def header(self, content: Mapping[str, Any]) -> bool:
        told = content.get("header", True)
        if not isinstance(told, bool):
            self.wrong(("header",), f"'{told}' is neither true nor false", "Write true or false, without quotes.")
        return bool(told)

    def encoding(self, content: Mapping[str, Any]) -> str:
        told = str(content.get("encoding", ""))
        try:
            codecs.lookup(told or "utf-8")
        except LookupError:
            self.wrong(("encoding",), f"no encoding '{told}'", "Write one like utf-8 or latin-1.")
        return told

    def text(self, value: Any, path: Path) -> str:
        if isinstance(value, str) and value.strip():
            return value
        shown = "a list or a mapping" if isinstance(value, (list, Mapping)) else f"'{value}'"
        self.wrong(path, f"{shown} is not a text", 'Put it in quotes: "…".')
        return ""

    def word(self, path: Path, noun: str, word: str, allowed: Sequence[str]) -> bool:
        """Whether it is one of these words."""
        if word and word not in allowed:
            self.wrong(path, f"no {noun} '{word}'", remedy(word, allowed))
        return word in allowed

    def keys(self, content: Mapping[str, Any], allowed: Iterable[str], path: Path) -> None:
        for key in content:
            if key not in allowed:
                self.found.append(Objection((*path, key), f"no key '{key}'", remedy(str(key), allowed), at_key=True))

    def wrong(self, path: Path, text: str, help_: str = "") -> None:
        self.found.append(Objection(path, text, help_))


def _named(one: Objection) -> str:
    """The objection in one line, its path in front."""
    path = one.path[:-1] if one.at_key else one.path
    name = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return ": ".join(part for part in (name, one.text) if part) + (f". {one.remedy}" if one.remedy else "")
