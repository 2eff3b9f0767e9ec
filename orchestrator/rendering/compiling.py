"""A campaign's templates, compiled once per run: files to heads and bodies, bodies to HTML, all of it to scripts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from jinja2 import nodes

from orchestrator.core.errors import ConfigError, Mistake
from orchestrator.core.nouns import Channel
from orchestrator.rendering.environment import Room
from orchestrator.rendering.folding import Folder
from orchestrator.rendering.forms import Hole, Maker, Tree, maker
from orchestrator.rendering.heads import Branch, Leaf, merged, missing_keys, read, split, unknown_keys
from orchestrator.rendering.links import URL
from orchestrator.rendering.lookup import BASE, Cell, File, Shelf, languages
from orchestrator.rendering.markup import begins_link, laid_out
from orchestrator.rendering.pieces import Piece, Place, Tag, Tags, cut, include, mistake
from orchestrator.rendering.scripts import Script

_LINK_KEYS = frozenset({"link", "image", "url", "href", "src"})


@dataclass(frozen=True, slots=True)
class Setting:
    """What templates need of the project: its clock, its language, its senders, and the campaign's own sender.

    `senders` are maps of text by name (from, reply_to, postal); `sender` is the name of the one a head without `from`
    gets, empty if there is none.
    """

    time_zone: str = "UTC"
    locale: str = "en"
    senders: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """One message as its files say it: the merged head, the body, and the file each came from."""

    cell: Cell
    files: tuple[File, ...]
    head: dict[str, Branch]
    body: str
    body_place: Place
    kind: str


@dataclass(frozen=True, slots=True)
class Form:
    """One message, ready to be written. Without a script it is the same for everybody."""

    cell: Cell
    script: Script | None
    make: Maker


class Compiler:
    """Compiles the cells of one campaign."""

    def __init__(self, shelf: Shelf, sources: Mapping[str, bytes], setting: Setting) -> None:
        self.shelf = shelf
        self.sources = sources
        self.setting = setting
        self.room = Room()

    def draft(self, cell: Cell) -> Draft:
        """Put a cell's files together: heads merge by key, bodies replace."""
        head: dict[str, Branch] = {}
        body, place, kind = "", Place(""), ""
        mistakes: list[Mistake] = []
        files = self.shelf.chain(cell)
        for file in files:
            text = _decoded(file.path, self.sources[file.path])
            own, rest, line = (text, "", 1) if file.kind == "yaml" else split(file.path, text)
            found = read(file.path, own)
            mistakes += unknown_keys(cell.channel, found)
            if rest.strip():
                body, place, kind = rest, Place(file.path, line, 1), file.kind
            head = {**head, **{key: merged(head[key], found[key]) if key in head else found[key] for key in found}}
        if mistakes:
            raise ConfigError(tuple(mistakes))
        if error := missing_keys(cell.channel, head, files[-1].path):
            raise error
        if not body and cell.channel in {Channel.EMAIL, Channel.SMS}:
            raise mistake(
                Place(files[-1].path), "there is no body", "write it below the head, here or in the plain file"
            )
        return Draft(cell, files, head, body, place, kind)

    def compile(self, cell: Cell) -> Form:
        """Compile one message; ConfigError names every place it cannot be made of."""
        draft = self.draft(cell)
        try:
            return _Writer(self, draft).form()
        except RecursionError:
            raise mistake(
                draft.body_place if draft.body else Place(draft.files[-1].path), "nested too deeply"
            ) from None

    def read_base(self, name: str, at: Place) -> tuple[str, Place]:
        """A snippet or layout of templates/_base by its name; nothing outside it can be named."""
        path = BASE + name
        if path not in self.sources:
            names = [known.removeprefix(BASE) for known in self.sources if known.startswith(BASE)]
            close = get_close_matches(name, names, 1)
            there = f"there are {', '.join(names)}" if names else "templates/_base is empty"
            raise mistake(at, f"no file {path}", f"Did you mean {close[0]}?" if close else there)
        return _decoded(path, self.sources[path]), Place(path, 1, 1)


class _Writer:
    """Compiles one draft: its texts become parts of one script."""

    def __init__(self, compiler: Compiler, draft: Draft) -> None:
        self.compiler = compiler
        self.draft = draft
        self.sender, known = self._sender()
        self.tags = Tags(compiler.room)
        self.folder = Folder(self.tags, draft.head, {"sender": known, "campaign": compiler.shelf.campaign})
        self.parts: list[tuple[list[nodes.Node], bool]] = []

    def form(self) -> Form:
        cell, head = self.draft.cell, self.draft.head
        if cell.channel is Channel.EMAIL:
            tree = self._email()
        elif cell.channel is Channel.SMS:
            tree = {"text": self._text(self._cut(self.draft.body, self.draft.body_place))}
        else:
            tree = {key: self._plant(branch, key) for key, branch in head.items() if key not in {"copy", "ttl"}}
        make = maker(cell.channel, tree, head)
        name = "/".join((self.compiler.shelf.campaign, *cell))
        return Form(cell, Script(self.tags, self.parts, name, cell.locale) if self.parts else None, make)

    def _email(self) -> dict[str, Tree]:
        head, sender = self.draft.head, self.sender
        html, text = self._markup()
        written = head.get("text")
        if isinstance(written, Leaf):
            text = self._cut(str(written.value), written.place)
        return {
            "from": self._plant(sender["from"], "from"),
            "reply_to": self._plant(sender["reply_to"], "reply_to"),
            "subject": self._plant(head["subject"], "subject"),
            "text": self._text(text),
            "html": self._part(html, is_html=True),
        }

    def _markup(self) -> tuple[list[Piece], list[Piece]]:
        """The body in its layout, as HTML and as text."""
        draft = self.draft
        pieces = self._cut(draft.body, draft.body_place)
        layout = draft.head.get("layout")
        hidden = Tag("preheader", draft.body_place)
        if isinstance(layout, Leaf) and layout.value:
            pieces = self._in_layout(pieces, layout)
        elif "preheader" in draft.head and draft.kind == "mjml" and not _begins(pieces, "<mjml"):
            head: list[Piece] = ["<mjml><mj-head><mj-preview>", hidden, "</mj-preview></mj-head><mj-body>"]
            pieces = [*head, *pieces, "</mj-body></mjml>"]
        elif "preheader" in draft.head and draft.kind == "html" and not _begins(pieces, "<!doctype", "<html"):
            pieces = ['<div style="display:none">', hidden, "</div>", *pieces]
        return laid_out(pieces, draft.kind, draft.body_place)

    def _in_layout(self, body: list[Piece], layout: Leaf) -> list[Piece]:
        names = [".".join(filter(None, (str(layout.value), name))) for name in languages(self.draft.cell.locale)]
        paths = [f"{name}.{self.draft.kind}" for name in names]
        name = next((path for path in paths if BASE + path in self.compiler.sources), paths[-1])
        outer = self._cut(*self.compiler.read_base(name, layout.place))
        if not any(_is_body(piece) for piece in outer):
            raise mistake(Place(BASE + name), "has no place for the message", "write {{ body }} where it goes")
        return [part for piece in outer for part in (body if _is_body(piece) else [piece])]

    def _cut(self, text: str, place: Place) -> list[Piece]:
        return list(include(self.compiler.room, cut(self.compiler.room, text, place), self.compiler.read_base))

    def _plant(self, branch: Branch, key: str) -> Tree:
        """A branch of the head with a hole for every text that has tags."""
        if isinstance(branch, dict):
            return {name: self._plant(inside, name) for name, inside in branch.items()}
        if isinstance(branch, list):
            return [self._plant(inside, key) for inside in branch]
        if not isinstance(branch.value, str):
            return branch.value  # type: ignore[no-any-return]  # a number, yes or no, or nothing
        pieces = self._cut(branch.value, branch.place)
        if key in _LINK_KEYS:
            pieces = _held_links(pieces)
        return self._text(pieces)

    def _text(self, pieces: list[Piece]) -> Tree:
        return self._part(pieces, is_html=False)

    def _part(self, pieces: list[Piece], *, is_html: bool) -> Tree:
        if all(isinstance(piece, str) for piece in pieces):
            return "".join(map(str, pieces))
        self.parts.append((self.folder.fold(self.tags.parse(pieces)), is_html))
        return Hole(len(self.parts) - 1)

    def _sender(self) -> tuple[dict[str, Branch], Mapping[str, Any]]:
        """Who writes: the addresses, and what `sender` means in the templates."""
        head, setting = self.draft.head, self.compiler.setting
        named = head.get("from", Leaf(setting.sender, Place(self.draft.files[-1].path)))
        if self.draft.cell.channel is not Channel.EMAIL:
            return {}, dict(setting.senders.get(setting.sender, {}))
        if not isinstance(named, Leaf) or not named.value:
            place = Place(self.draft.files[0].path)
            raise mistake(
                place, "the e-mail has no sender", f"write `from:` one of {', '.join(setting.senders) or '…'}"
            )
        known = setting.senders.get(str(named.value))
        if known is None and "@" not in str(named.value):
            close = get_close_matches(str(named.value), setting.senders, 1)
            meant = f"Did you mean {close[0]}?" if close else f"there are {', '.join(setting.senders) or 'none'}"
            raise mistake(named.place, f"no sender {named.value!r}", meant)
        known = known if known is not None else {"from": str(named.value)}
        reply_to = head.get("reply_to", Leaf(known.get("reply_to", ""), named.place))
        return {"from": Leaf(known.get("from", ""), named.place), "reply_to": reply_to}, known


def _is_body(piece: Piece) -> bool:
    return isinstance(piece, Tag) and not piece.statement and piece.code == "body"


def _begins(pieces: list[Piece], *heads: str) -> bool:
    text = "".join(piece for piece in pieces if isinstance(piece, str)).lstrip().lower()
    return text.startswith(heads)


def _held_links(pieces: list[Piece]) -> list[Piece]:
    """A tag that begins a link is held to schemes that are safe to follow."""
    made: list[Piece] = []
    before = ""
    for piece in pieces:
        if isinstance(piece, Tag) and not piece.statement and begins_link(before):
            made.append(Tag(f"({piece.code})|{URL}", piece.place))
        else:
            made.append(piece)
            before += piece if isinstance(piece, str) else ""
    return made


def _decoded(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise mistake(Place(path), f"is not UTF-8 (byte {error.start})", "save it as UTF-8") from None
