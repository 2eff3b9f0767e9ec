"""One file of settings, read: its values, and the line and column of each, so that a mistake can be pointed at.

A tree of values is put together from the reader's events by hand: positions, duplicate keys, tags and aliases are seen
where they stand, and nothing is ever unfolded, looked up or executed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import Event, ScalarEvent

from orchestrator.config import parsers, scalars
from orchestrator.config.slips import Slip, character, decoded, syntax

DEEPEST = 24
"""Levels of lists and mappings inside one another."""
MOST_ALIASES = 50
MOST_VALUES = 20_000
"""Values in one file, every alias counted with all it stands for."""

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Node:
    """One value as written. A mapping's value is a dict of (key's node, value's node) by key, a list's a list of nodes."""

    line: int
    column: int
    value: Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands and where its key does; all count from 1."""

    line: int = 1
    column: int = 1
    key_line: int = 1
    key_column: int = 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's values (mappings, lists, text, numbers, true and false) and the place of each by its path."""

    file: str
    value: Any
    places: Mapping[Path, Place]

    def place(self, path: Path) -> Place:
        """Where this path stands, or the nearest value around it that does."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place())

    def at(self, path: Path) -> Any:
        """The value at a path, None if there is none."""
        value = self.value
        for step in path:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value


@lru_cache(maxsize=2048)
def read_sheet(file: str, content: bytes, first_line: int = 1) -> tuple[Sheet | None, tuple[Slip, ...]]:
    """Read one file. Without a sheet it could not be read at all; with slips it must not be used.

    Pure, and remembered by content: after an edit only the edited files are read again. `first_line` is where the content
    begins in its file, for the head of a template.
    """
    text, slips = decoded(content)
    if slips:
        return None, slips
    reading = _Reading(first_line - 1)
    try:
        root = clean(text, first_line - 1) or reading.document(parsers.ruamel(text))
        reading.lay_out(root, ())
    except _StopError as stop:
        reading.slips.append(stop.slip)
        return None, tuple(reading.slips)
    except MarkedYAMLError as error:
        return None, (*reading.slips, syntax(error, text, first_line - 1))
    except YAMLError as error:
        return None, (Slip(1, 1, "cannot be read as YAML", character(str(error))),)
    if not isinstance(root.value, dict):
        slip = Slip(root.line, root.column, "a file of settings is a list of keys with values, like `about: …`")
        return None, (*reading.slips, slip)
    return Sheet(file, reading.plain(root), reading.places), tuple(reading.slips)


def clean(text: str, shift: int) -> Node | None:
    """The tree of a file that begins `shift` lines below the top, as libyaml tells it; None if there is any slip in it."""
    events = parsers.libyaml(text)
    if events is None:
        return None
    reading = _Reading(shift)
    try:
        root = reading.document(events)
    except (_StopError, parsers.LibyamlError):
        return None
    return None if reading.slips else root


class _StopError(Exception):
    def __init__(self, slip: Slip) -> None:
        self.slip = slip


@dataclass(slots=True)
class _Reading:
    shift: int
    slips: list[Slip] = field(default_factory=list)
    places: dict[Path, Place] = field(default_factory=dict)
    anchors: dict[str, Node] = field(default_factory=dict)
    aliases: int = 0

    def document(self, events: Iterator[Event]) -> Node:
        documents = 0
        root: Node | None = None
        for event in events:
            if isinstance(event, parsers.DOCUMENT):
                documents += 1
                if documents > 1:
                    line, column = self.spot(event)
                    raise _StopError(
                        Slip(
                            line, column, "a second document begins here", "One file holds one; delete the line `---`."
                        )
                    )
            elif isinstance(event, (*parsers.NODE, *parsers.ALIAS)):
                root = self.node(event, events, 0)
        if root is None or root.value is None:
            raise _StopError(Slip(1 + self.shift, 1, "is empty", "Write its settings, or delete the file."))
        return root

    def node(self, event: Event, events: Iterator[Event], depth: int) -> Node:
        line, column = self.spot(event)
        if depth > DEEPEST:
            raise _StopError(Slip(line, column, f"is nested deeper than {DEEPEST} levels", "Split it up."))
        if isinstance(event, parsers.ALIAS):
            return self.alias(event.anchor, line, column)
        if not isinstance(event, parsers.NODE):
            raise TypeError(event)
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.slips.append(Slip(line, column, f"the tag {tag} is not read here", "Delete it; put text in quotes."))
        node = Node(line, column, None)
        if isinstance(event, parsers.SCALAR):
            node.value = self.scalar(event, line, column)
        elif isinstance(event, parsers.SEQUENCE):
            node.value = self.sequence(events, depth)
        else:
            node.value = self.mapping(events, depth)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def alias(self, anchor: str, line: int, column: int) -> Node:
        self.aliases += 1
        if self.aliases > MOST_ALIASES:
            raise _StopError(
                Slip(line, column, f"more than {MOST_ALIASES} aliases in one file", "Write the values out.")
            )
        known = self.anchors.get(anchor)
        if known is None:
            raise _StopError(Slip(line, column, f"the alias *{anchor} stands for nothing written before it"))
        return Node(line, column, known.value)

    def scalar(self, event: ScalarEvent, line: int, column: int) -> scalars.Plain:
        word = str(event.value)
        if not event.implicit[0] or event.style not in (None, ""):
            return word
        if problem := scalars.objection(word):
            self.slips.append(Slip(line, column, f"{word} {problem}", scalars.remedy(word), word))
            return word
        return scalars.read(word)

    def sequence(self, events: Iterator[Event], depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(events), parsers.SEQUENCE_END):
            item = self.node(event, events, depth + 1)
            if item.value is None:
                self.slips.append(Slip(item.line, item.column, "has no value", "Give it one, or delete it."))
            items.append(item)
        return items

    def mapping(self, events: Iterator[Event], depth: int) -> dict[str, tuple[Node, Node]]:
        pairs: dict[str, tuple[Node, Node]] = {}
        while not isinstance(event := next(events), parsers.MAPPING_END):
            so_far = len(self.slips)
            key = self.node(event, events, depth + 1)
            value = self.node(next(events), events, depth + 1)
            if isinstance(key.value, dict):
                # A bare {{ reads as a mapping whose key is a mapping.
                del self.slips[so_far:]
                self.slips.append(
                    Slip(
                        key.line,
                        max(1, key.column - 1),
                        "{{ }} stands here without quotes",
                        'Put the whole value in quotes: "{{ … }}".',
                    )
                )
                continue
            if not isinstance(key.value, str):
                self.slips.append(Slip(key.line, key.column, "a key must be text", "Put it in quotes."))
                continue
            if key.value in pairs:
                first = pairs[key.value][0]
                self.slips.append(
                    Slip(
                        key.line,
                        key.column,
                        f"the key '{key.value}' stands here twice",
                        f"It already stands in line {first.line}; delete one of them.",
                    )
                )
                continue
            if value.value is None:
                self.slips.append(
                    Slip(key.line, key.column, f"'{key.value}' has no value", "Give it one, or delete the line.")
                )
            pairs[key.value] = (key, value)
        return pairs

    def lay_out(self, node: Node, path: Path, key: Node | None = None) -> None:
        """Write down the place of every value, aliases with all they stand for."""
        if len(self.places) >= MOST_VALUES:
            raise _StopError(
                Slip(
                    node.line,
                    node.column,
                    f"unfolds to more than {MOST_VALUES} values",
                    "Write fewer, without aliases.",
                )
            )
        if len(path) > DEEPEST:
            raise _StopError(Slip(node.line, node.column, f"is nested deeper than {DEEPEST} levels", "Split it up."))
        spot = key or node
        self.places[path] = Place(node.line, node.column, spot.line, spot.column)
        if isinstance(node.value, dict):
            for name, (its_key, value) in node.value.items():
                self.lay_out(value, (*path, name), its_key)
        elif isinstance(node.value, list):
            for index, value in enumerate(node.value):
                self.lay_out(value, (*path, index))

    def plain(self, node: Node) -> Any:
        if isinstance(node.value, dict):
            return {name: self.plain(value) for name, (_, value) in node.value.items()}
        if isinstance(node.value, list):
            return [self.plain(value) for value in node.value]
        return node.value

    def spot(self, event: Event) -> tuple[int, int]:
        return event.start_mark.line + 1 + self.shift, event.start_mark.column + 1
