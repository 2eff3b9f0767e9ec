"""A template cut into what stands there as it is and what is filled in, so that markup can be worked on in between."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from orchestrator.core.errors import ConfigError, Mistake
from orchestrator.rendering.environment import Room

_MOST_NODES = 20_000
"""A template with more steps than this was not written by a person."""

# Stand-ins that Jinja's lexer takes for plain text; VT counts as blank, so `{%-` still strips a line break.
_NEWLINE, _BRACE = "\x0b", "\x02"
_STRIPPED = re.compile("[\x00\x02\x0b]")
_ALONE = re.compile(r"\{\{-?(?!\{)\s*(?P<code>(?:(?!\{\{|\{%|\}\}).)*?)\s*-?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_INLINE = re.compile(r"^(?:include|from|import|extends|block|autoescape)\b")


class Place(NamedTuple):
    """Where something stands; lines and columns count from 1."""

    file: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Tag:
    """`{{ code }}` (an expression) or `{% code %}` (a statement), and where it was written."""

    code: str
    place: Place
    statement: bool = False


Piece = str | Tag


def mistake(place: Place, text: str, remedy: str = "") -> ConfigError:
    """A mistake in a template, to be raised."""
    return ConfigError((Mistake(place.file, place.line, place.column, text, remedy),))


class _EndlessError(ConfigError):
    """Files that include each other."""


def cut(room: Room, source: str, start: Place) -> list[Piece]:
    """Cut a template's text into pieces; comments are dropped, `raw` blocks are plain text."""
    source = _STRIPPED.sub("", source)
    pieces: list[Piece] = []
    code: list[str] | None = None
    at = start
    lines = source.split("\n")
    seen = (0, 0)  # a line, and how far its tags have been found
    try:
        for line, kind, value in room.lexer.tokeniter(source, None, start.file):
            if kind == "data":
                pieces.append(value)
            elif kind in {"variable_begin", "block_begin"}:
                code = []
                seen = seen if seen[0] == line else (line, 0)
                found = max(lines[line - 1].find(value.strip(), seen[1]), seen[1]) if line <= len(lines) else 0
                seen = (line, found + len(value.strip()))
                at = Place(start.file, start.line + line - 1, found + (start.column if line == 1 else 1))
            elif kind in {"variable_end", "block_end"}:
                pieces.append(Tag("".join(code or ()).strip().replace("\n", " "), at, kind == "block_end"))
                code = None
            elif code is not None:
                code.append(value)
    except TemplateSyntaxError as error:
        place = Place(start.file, start.line + error.lineno - 1, start.column if error.lineno == 1 else 1)
        raise mistake(place, error.message or "cannot be read") from None
    if code is not None:
        raise mistake(at, "the tag has no end", "close it with }} or %}")
    return pieces


def salvage(source: str, start: Place) -> list[Piece]:
    """What a text that cannot be cut still shows: each `{{ … }}` by itself, and the words between; statements are left out."""
    source = _STRIPPED.sub("", source)
    pieces: list[Piece] = []
    at = 0
    for found in _ALONE.finditer(source):
        pieces.append(source[at : found.start()])
        at = found.end()
        if found["code"]:
            line = source.count("\n", 0, found.start())
            column = found.start() - (source.rfind("\n", 0, found.start()) + 1) + (1 if line else start.column)
            pieces.append(Tag(found["code"].replace("\n", " "), Place(start.file, start.line + line, column)))
    return [*pieces, source[at:]]


def include(
    room: Room,
    pieces: Iterable[Piece],
    read: Callable[[str, Place], tuple[str, Place]],
    note: Callable[[ConfigError], None],
    depth: int = 0,
) -> Iterator[Piece]:
    """Put the files named by `{% include %}` and `{% from … import … %}` in place of the tag; `note` hears of those that cannot."""
    opened: set[str] = set()
    for piece in pieces:
        if isinstance(piece, str) or not piece.statement or not _INLINE.match(piece.code):
            if isinstance(piece, str) or not piece.statement or piece.code not in opened:
                yield piece
            continue
        opened.add(f"end{piece.code.split()[0]}")
        try:
            yield from _included(room, piece, read, note, depth)
        except _EndlessError as error:
            if depth:
                raise  # one circle is one mistake
            note(error)
        except ConfigError as error:
            note(error)


def _included(
    room: Room,
    piece: Tag,
    read: Callable[[str, Place], tuple[str, Place]],
    note: Callable[[ConfigError], None],
    depth: int,
) -> list[Piece]:
    found = re.fullmatch(r"""include\s+(["'])([^"']+)\1""", piece.code)
    taken = re.fullmatch(r"""from\s+(["'])([^"']+)\1\s+import\s+(\w+(?:\s*,\s*\w+)*)""", piece.code)
    if depth > 8:
        raise _EndlessError(mistake(piece.place, "files include each other without end").mistakes)
    named = found or taken
    if named is None:
        raise mistake(piece.place, f"{{% {piece.code} %}} cannot be used here", _instead(piece.code.split()[0]))
    text, place = read(named[2], piece.place)
    inside = include(room, cut(room, text, place), read, note, depth + 1)
    return [part for part in inside if found or not isinstance(part, str) or part.strip()]


def _instead(word: str) -> str:
    return {
        "include": 'name the file: {% include "footer.html" %}',
        "from": 'write {% from "macros.html" import button %}, without `as`',
        "import": 'write {% from "macros.html" import button %}',
        "extends": "put the outer page into templates/_base and name it in the head: `layout: shop`",
        "block": "put the outer page into templates/_base, with {{ body }} where the message goes",
        "autoescape": "HTML is always escaped, text never",
    }[word]


class Tags:
    """Every tag of one message by number: the number is the line Jinja sees, so an error finds its place again."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.known: list[Tag] = []
        self.mistakes: dict[Mistake, None] = {}
        self.torn = False
        """Whether so much is mistaken that nobody knows any more which names are the template's own."""

    def note(self, error: ConfigError) -> None:
        """Keep mistakes, so that the rest of the message is read all the same."""
        self.mistakes |= dict.fromkeys(error.mistakes)

    def tear(self, error: ConfigError) -> None:
        """Keep mistakes after which the names of the message are not known any more."""
        self.note(error)
        self.torn = True

    def place(self, number: int) -> Place:
        """Where the tag of this number stands."""
        return self.known[min(max(number, 2), len(self.known) + 1) - 2].place if self.known else Place("")

    def parse(self, pieces: Iterable[Piece]) -> list[nodes.Node]:
        """Pieces as the body of a template. What Jinja cannot read is noted, and what can be read of the rest is given."""
        pieces = list(pieces)
        first, tags = len(self.known), [piece for piece in pieces if isinstance(piece, Tag)]
        self.known += tags
        try:
            return self._parsed(_source(pieces), first)
        except TemplateSyntaxError as error:
            whole = error
        broken = {tag: self._objection(tag) for tag in tags}
        for tag, text in broken.items():
            if text:
                self.note(mistake(tag.place, text))
        try:
            return self._parsed(
                _source(_stand_in(piece) if isinstance(piece, Tag) and broken[piece] else piece for piece in pieces),
                first,
            )
        except TemplateSyntaxError as error:
            whole = error
        self.tear(mistake(self.place((whole.lineno or 1) + first), whole.message or "cannot be read"))
        readable = [(n, tag) for n, tag in enumerate(tags) if not tag.statement and not broken[tag]]
        return [node for n, tag in readable for node in self._parsed(_source([tag]), first + n)]

    def _objection(self, tag: Tag) -> str:
        """What is wrong with a tag by itself; empty for statements that say nothing without others."""
        code = tag.code.removeprefix("el")
        if tag.statement and not code.startswith("if "):
            return ""
        try:
            self.room.parse(f"{{% {code} %}}{{% endif %}}" if tag.statement else f"{{{{ {code} }}}}")
        except TemplateSyntaxError as error:
            return error.message or "cannot be read"
        return ""

    def _parsed(self, source: str, offset: int) -> list[nodes.Node]:
        try:
            tree = self.room.parse(source)
        except RecursionError:
            raise mistake(self.place(offset + 2), "is nested too deeply") from None
        self._restore(tree, offset)
        return tree.body

    def _restore(self, tree: nodes.Template, offset: int) -> None:
        """Give every node its tag's number, and plain text its line breaks and braces."""
        count = 0
        stack: list[nodes.Node] = [tree]
        while stack:
            node = stack.pop()
            count += 1
            node.lineno = (node.lineno or 1) + offset
            if isinstance(node, nodes.TemplateData):
                node.data = node.data.replace("\n", "").replace(_NEWLINE, "\n").replace(_BRACE, "{")
            if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
                node.node.ctx = "call"
            stack.extend(node.iter_child_nodes())
        if count > _MOST_NODES:
            raise mistake(self.place(offset + 2), f"has {count} steps", f"a template may have {_MOST_NODES}")


def _source(pieces: Iterable[Piece]) -> str:
    """Pieces as Jinja reads them, each tag on a line of its own."""
    source = []
    for piece in pieces:
        if isinstance(piece, str):
            source.append(piece.replace("\n", _NEWLINE).replace("{", _BRACE))
        else:
            source.append(f"\n{{% {piece.code} %}}" if piece.statement else f"\n{{{{ {piece.code} }}}}")
    return "".join(source)


def _stand_in(piece: Tag) -> Tag:
    """What stands for a tag that cannot be read while the others are."""
    return Tag(f"{piece.code.split()[0]} true" if piece.statement else "''", piece.place, piece.statement)
