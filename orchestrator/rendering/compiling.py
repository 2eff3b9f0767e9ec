"""A campaign's templates, compiled once per run: files to heads and bodies, bodies to HTML, all of it to scripts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from jinja2 import nodes

from orchestrator.core.errors import ConfigError, Mistake
from orchestrator.core.nouns import Channel
from orchestrator.rendering.drafting import Draft, decoded, draft
from orchestrator.rendering.environment import Room
from orchestrator.rendering.folding import Folder
from orchestrator.rendering.forms import Hole, Maker, Tree, maker
from orchestrator.rendering.heads import Branch, Leaf
from orchestrator.rendering.links import URL
from orchestrator.rendering.lookup import BASE, Cell, Shelf, languages
from orchestrator.rendering.markup import begins_link, laid_out
from orchestrator.rendering.needing import Reads
from orchestrator.rendering.pieces import Piece, Place, Tag, Tags, cut, include, mistake, salvage
from orchestrator.rendering.scripts import Names, Script, read_names

_LINK_KEYS = frozenset({"link", "image", "url", "href", "src"})


@dataclass(frozen=True, slots=True)
class Setting:
    """What templates need of the project: its clock, its language, its senders, and the campaign's own sender.

    `senders` are maps of text by name (from, reply_to, postal); `sender` is the name of the one a head without `from`
    gets, empty if there is none. Where `senders` is None nobody knows them, and any name will do. `secret` marks the links
    of e-mails that may be followed; without one, none is.
    """

    time_zone: str = "UTC"
    locale: str = "en"
    senders: Mapping[str, Mapping[str, str]] | None = field(default_factory=dict)
    sender: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One message, ready to be written. Without a script it is the same for everybody."""

    cell: Cell
    script: Script | None
    make: Maker

    @property
    def reads(self) -> Reads:
        """The data it reads."""
        if self.script is None:
            return Reads(self.cell, ())
        return Reads(self.cell, tuple(dict.fromkeys(path for path, _ in self.script.paths)), self.script.by_value)


@dataclass(frozen=True, slots=True)
class Flawed:
    """One message that cannot be written: every mistake that could be found, and the names that could be read all the same."""

    mistakes: tuple[Mistake, ...]
    names: Names | None = None
    unreadable: tuple[Mistake, ...] = ()


class Compiler:
    """Compiles the cells of one campaign."""

    def __init__(self, shelf: Shelf, sources: Mapping[str, bytes], setting: Setting) -> None:
        self.shelf = shelf
        self.sources = sources
        self.setting = setting
        self.room = Room()

    def compile(self, cell: Cell) -> Form | Flawed:
        """Compile one message, or name every place it cannot be made of."""
        found: dict[Mistake, None] = {}
        its = draft(self.shelf, self.sources, cell, found.setdefault)
        try:
            return _Writer(self, its, found).form()
        except RecursionError:
            deep = mistake(its.body_place if its.body else Place(its.files[-1].path), "nested too deeply")
            return Flawed((*found, *deep.mistakes), unreadable=its.unreadable)

    def read_base(self, name: str, at: Place) -> tuple[str, Place]:
        """A snippet or layout of templates/_base by its name; nothing outside it can be named."""
        path = BASE + name
        if path not in self.sources:
            names = [known.removeprefix(BASE) for known in self.sources if known.startswith(BASE)]
            close = get_close_matches(name, names, 1)
            there = f"there are {', '.join(names)}" if names else "templates/_base is empty"
            raise mistake(at, f"no file {path}", f"Did you mean {close[0]}?" if close else there)
        return decoded(path, self.sources[path]), Place(path, 1, 1)


class _Writer:
    """Compiles one draft: its texts become parts of one script."""

    def __init__(self, compiler: Compiler, draft: Draft, mistakes: dict[Mistake, None]) -> None:
        self.compiler = compiler
        self.draft = draft
        self.tags = Tags(compiler.room)
        self.tags.mistakes |= mistakes
        self.sender, known = self._sender()
        head = None if draft.torn else draft.head
        self.folder = Folder(self.tags, head, {"sender": known, "campaign": compiler.shelf.campaign})
        self.parts: list[tuple[list[nodes.Node], bool]] = []

    def form(self) -> Form | Flawed:
        cell, head, tags = self.draft.cell, self.draft.head, self.tags
        if cell.channel is Channel.EMAIL:
            tree = self._email()
        elif cell.channel is Channel.SMS:
            tree = {"text": self._text(self._cut(self.draft.body, self.draft.body_place))}
        else:
            tree = {key: self._plant(branch, key) for key, branch in head.items() if key not in {"copy", "ttl"}}
        for text, place in self.draft.torn:
            self._part(salvage(text, place), is_html=False)
        names = read_names(tags, self.parts) if self.parts else None
        try:
            make = maker(cell.channel, tree, head)
            script = None
            if self.parts and not tags.mistakes:
                name = "/".join((self.compiler.shelf.campaign, *cell))
                script = Script(tags, self.parts, name, cell.locale)
        except ConfigError as error:
            tags.note(error)
        if tags.mistakes:
            return Flawed(tuple(tags.mistakes), names, self.draft.unreadable)
        return Form(cell, script, make)

    def _email(self) -> dict[str, Tree]:
        head, sender = self.draft.head, self.sender
        html, text = self._markup()
        written = head.get("text")
        if isinstance(written, Leaf):
            text = self._cut(str(written.value), written.place)
        return {
            "from": self._plant(sender["from"], "from"),
            "reply_to": self._plant(sender["reply_to"], "reply_to"),
            "subject": self._plant(head["subject"], "subject") if "subject" in head else "",
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
        try:
            setting = self.compiler.setting
            locale = draft.cell.locale or setting.locale
            return laid_out(pieces, draft.kind, draft.body_place, setting.secret, locale)
        except ConfigError as error:  # its tags can be read all the same
            self.tags.note(error)
            return pieces, []

    def _in_layout(self, body: list[Piece], layout: Leaf) -> list[Piece]:
        names = [".".join(filter(None, (str(layout.value), name))) for name in languages(self.draft.cell.locale)]
        paths = [f"{name}.{self.draft.kind}" for name in names]
        name = next((path for path in paths if BASE + path in self.compiler.sources), paths[-1])
        try:
            outer = self._cut(*self.compiler.read_base(name, layout.place))
        except ConfigError as error:
            self.tags.note(error)
            return body
        if not any(_is_body(piece) for piece in outer):
            self.tags.note(
                mistake(Place(BASE + name), "has no place for the message", "write {{ body }} where it goes")
            )
            return body
        return [part for piece in outer for part in (body if _is_body(piece) else [piece])]

    def _cut(self, text: str, place: Place) -> list[Piece]:
        room, tags = self.compiler.room, self.tags
        try:
            pieces = cut(room, text, place)
        except ConfigError as error:
            tags.tear(error)
            pieces = salvage(text, place)
        return list(include(room, pieces, self.compiler.read_base, tags.tear))

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
        try:
            self.parts.append((self.folder.fold(self.tags.parse(pieces)), is_html))
        except ConfigError as error:
            self.tags.note(error)
            return ""
        return Hole(len(self.parts) - 1)

    def _sender(self) -> tuple[dict[str, Branch], Mapping[str, Any] | None]:
        """Who writes: the addresses, and what `sender` means in the templates; None for the latter if nobody can know."""
        draft, setting = self.draft, self.compiler.setting
        senders = setting.senders or {}
        named = draft.head.get("from", Leaf(setting.sender, Place(draft.files[-1].path)))
        if draft.cell.channel is not Channel.EMAIL:
            return {}, None if setting.senders is None else dict(senders.get(setting.sender, {}))
        nobody = Leaf("", Place(draft.files[-1].path))
        unknown: dict[str, Branch] = {"from": nobody, "reply_to": draft.head.get("reply_to", nobody)}
        if setting.senders is None:
            return unknown, None
        if not isinstance(named, Leaf) or not named.value:
            if not draft.torn:
                remedy = f"write `from:` one of {', '.join(senders) or '…'}"
                self.tags.note(mistake(Place(draft.files[0].path), "the e-mail has no sender", remedy))
            return unknown, None
        known = senders.get(str(named.value))
        if known is None and "@" not in str(named.value):
            close = get_close_matches(str(named.value), senders, 1)
            meant = f"Did you mean {close[0]}?" if close else f"there are {', '.join(senders) or 'none'}"
            self.tags.note(mistake(named.place, f"no sender {named.value!r}", meant))
            return unknown, None
        known = known if known is not None else {"from": str(named.value)}
        reply_to = draft.head.get("reply_to", Leaf(known.get("reply_to", ""), named.place))
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
