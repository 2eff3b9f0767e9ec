"""Files as most people write them, read ten times as fast as the whole of YAML: what is not plainly clean is left to the reader.

Keys with values, lists, braces on one line, quotes without escapes, comments. A file with anything else in it, or with any
slip, is none of ours: None, and whoever asked reads it as YAML. A test holds the two against each other.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from orchestrator.config import scalars

_DEEPEST = 20
_KEY = re.compile(r"""(?:([A-Za-z_][A-Za-z0-9_.\-]*)|"([^"\\]*)"|'([^']*)'):(?: +|$)""")
_QUOTED = re.compile(r"""(?:"([^"\\]*)"|'([^']*)')(?=$| |[,\]}])""")
_PLAIN = re.compile(r"""[^\s\-?:,\[\]{}#&*!|>'"%@`<=](?:(?! \#|:(?: |$)).)*""")
"""In a line of its own: up to a comment; a colon with a blank behind it would make it a key."""
_IN_BRACES = re.compile(r"""[^\s\-?:,\[\]{}#&*!|>'"%@`<=](?:[^,\[\]{}#:]|:(?=[0-9A-Za-z/]))*""")
_REST = re.compile(r" *(?: #.*)?$")


@dataclass(slots=True)
class Node:
    """One value as written. A mapping's value is a dict of (key's node, value's node) by key, a list's a list of nodes."""

    line: int
    column: int
    value: Any


class _Line(NamedTuple):
    """A line with something on it: its number, the blanks before it, the rest."""

    number: int
    indent: int
    text: str


class _UnusualError(Exception):
    """Something that is not plainly clean."""


def quick(text: str, shift: int) -> Node | None:
    """The tree of a file that begins `shift` lines below the top, or None."""
    if "\r" in text or "\t" in text:
        return None
    lines = []
    for number, line in enumerate(text.split("\n"), 1 + shift):
        written = line.lstrip(" ")
        if not line.isprintable():
            return None
        if written and written[0] != "#":
            lines.append(_Line(number, len(line) - len(written), written))
    if not lines or lines[0].indent or lines[0].text.startswith(("-", "%", "{", "[")):
        return None
    reading = _Reading(lines)
    try:
        root = reading.block(0, 0)
    except _UnusualError:
        return None
    return root if reading.place == len(lines) else None


class _Reading:
    """A walk through the lines; `place` is the line that is read next."""

    def __init__(self, lines: list[_Line]) -> None:
        self.lines = lines
        self.place = 0

    def block(self, indent: int, depth: int) -> Node:
        """The mapping or the list that begins here, at this indentation."""
        if depth > _DEEPEST:
            raise _UnusualError
        first = self.lines[self.place]
        node = Node(first.number, indent + 1, None)
        if first.text.startswith("- "):
            node.value = self.items(indent, depth)
        else:
            node.value = self.pairs(indent, depth)
        return node

    def items(self, indent: int, depth: int) -> list[Node]:
        found = []
        while (line := self.next_at(indent)) is not None and line.text.startswith("- "):
            inside = line.text[2:].lstrip(" ")
            column = indent + len(line.text) - len(inside)
            if _KEY.match(inside):
                self.lines[self.place] = _Line(line.number, column, inside)
                found.append(self.block(column, depth + 1))
            else:
                self.place += 1
                found.append(self.value(line.number, column, inside, indent, depth))
        return found

    def pairs(self, indent: int, depth: int) -> dict[str, tuple[Node, Node]]:
        found: dict[str, tuple[Node, Node]] = {}
        while (line := self.next_at(indent)) is not None and not line.text.startswith("- "):
            key = _KEY.match(line.text)
            if key is None:
                raise _UnusualError
            name = _name(key)
            if name in found:
                raise _UnusualError
            self.place += 1
            inside = line.text[key.end() :]
            if not inside or inside[0] == "#":
                value = self.below(indent, depth)
            else:
                value = self.value(line.number, indent + key.end(), inside, indent, depth)
            found[name] = Node(line.number, indent + 1, name), value
        return found

    def below(self, indent: int, depth: int) -> Node:
        """What stands under a key: deeper, or a list at its own indentation."""
        line = self.lines[self.place] if self.place < len(self.lines) else None
        if line is None or line.indent < indent or (line.indent == indent and not line.text.startswith("- ")):
            raise _UnusualError
        return self.block(line.indent, depth + 1)

    def value(self, number: int, column: int, text: str, indent: int, depth: int) -> Node:
        """A value that ends with its line."""
        if text[:1] in {"{", "["}:
            node, end = _flow(text, 0, number, column, depth + 1)
        elif found := _QUOTED.match(text):
            node, end = Node(number, column + 1, found[found.lastindex or 1]), found.end()
        elif found := _PLAIN.match(text):
            node, end = Node(number, column + 1, _word(found[0].rstrip(" "))), found.end()
        else:
            raise _UnusualError
        if not _REST.match(text, end):
            raise _UnusualError
        if self.place < len(self.lines) and self.lines[self.place].indent > indent:
            raise _UnusualError  # it may go on there
        return node

    def next_at(self, indent: int) -> _Line | None:
        """The next line, if it belongs to the block of this indentation."""
        if self.place == len(self.lines):
            return None
        line = self.lines[self.place]
        if line.indent > indent:
            raise _UnusualError
        return line if line.indent == indent else None


def _flow(text: str, at: int, number: int, column: int, depth: int) -> tuple[Node, int]:
    """The braces or brackets that begin at a place of a line's text, and where they end. `column` is that of the text, from 0."""
    if depth > _DEEPEST:
        raise _UnusualError
    opened, node = text[at], Node(number, column + at + 1, None)
    close = "}" if opened == "{" else "]"
    pairs: dict[str, tuple[Node, Node]] = {}
    items: list[Node] = []
    at = _blanks(text, at + 1)
    while text[at : at + 1] != close:
        if opened == "{":
            key = _KEY.match(text, at)
            if key is None or (name := _name(key)) in pairs:
                raise _UnusualError
            value, end = _inside(text, key.end(), number, column, depth)
            pairs[name] = Node(number, column + at + 1, name), value
        else:
            value, end = _inside(text, at, number, column, depth)
            items.append(value)
        at = _blanks(text, end)
        if text[at : at + 1] == ",":
            at = _blanks(text, at + 1)
            if text[at : at + 1] in {close, ""}:
                raise _UnusualError
        elif text[at : at + 1] != close:
            raise _UnusualError
    node.value = pairs if opened == "{" else items
    return node, at + 1


def _inside(text: str, at: int, number: int, column: int, depth: int) -> tuple[Node, int]:
    """One value inside braces, and where it ends."""
    if text[at : at + 1] in {"{", "["}:
        return _flow(text, at, number, column, depth + 1)
    if found := _QUOTED.match(text, at):
        return Node(number, column + at + 1, found[found.lastindex or 1]), found.end()
    if found := _IN_BRACES.match(text, at):
        return Node(number, column + at + 1, _word(found[0].rstrip(" "))), found.end()
    raise _UnusualError


def _blanks(text: str, at: int) -> int:
    """The place of the first letter that is no blank."""
    while text[at : at + 1] == " ":
        at += 1
    return at


def _name(key: re.Match[str]) -> str:
    """A key's name; one without quotes must read as text."""
    name = key[key.lastindex or 1]
    if key.lastindex == 1 and not isinstance(_word(name), str):
        raise _UnusualError
    return name


def _word(word: str) -> str | int | float | bool:
    value = _read(word)
    if value is None:
        raise _UnusualError
    return value


@lru_cache(maxsize=8192)
def _read(word: str) -> scalars.Plain:
    """A bare word as YAML reads it, None for nothing and for one that must not stand without quotes."""
    return None if scalars.objection(word) else scalars.read(word)
