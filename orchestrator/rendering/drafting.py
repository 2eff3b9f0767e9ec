"""One message as its files say it, put together from the plain one, its translation, and the variant's own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestrator.core.errors import ConfigError, Mistake
from orchestrator.core.nouns import Channel
from orchestrator.rendering.heads import Branch, known_keys, merged, missing_keys, read, split
from orchestrator.rendering.lookup import Cell, File, Shelf
from orchestrator.rendering.pieces import Place, mistake


@dataclass(frozen=True, slots=True)
class Draft:
    """One message as its files say it: the merged head, the body, and the file each came from.

    `torn` are heads and files that cannot be read (text, place), `unreadable` says why: nobody knows what else they say.
    """

    cell: Cell
    files: tuple[File, ...]
    head: dict[str, Branch]
    body: str
    body_place: Place
    kind: str
    torn: tuple[tuple[str, Place], ...]
    unreadable: tuple[Mistake, ...]


def draft(shelf: Shelf, sources: Mapping[str, bytes], cell: Cell, note: Callable[[Mistake], object]) -> Draft:
    """Put a cell's files together: heads merge by key, bodies replace. `note` hears of every mistake."""
    head: dict[str, Branch] = {}
    body, place, kind = "", Place(""), ""
    torn: list[tuple[str, Place]] = []
    unreadable: list[Mistake] = []
    files = shelf.chain(cell)
    for file in files:
        text, own, line, rest = "", "", 1, ""
        try:
            text = own = decoded(file.path, sources[file.path])
            if file.kind != "yaml":
                own, rest, line = split(file.path, text)
            found = known_keys(cell.channel, read(file.path, own), note)
        except ConfigError as error:
            unreadable += error.mistakes
            torn.append((own, Place(file.path, 1, 1)))
            found = {}
        if rest.strip():
            body, place, kind = rest, Place(file.path, line, 1), file.kind
        head = {**head, **{key: merged(head[key], found[key]) if key in head else found[key] for key in found}}
    for one in unreadable:
        note(one)
    if not torn:
        for one in missing_keys(cell.channel, head, files[-1].path):
            note(one)
        if not body and cell.channel in {Channel.EMAIL, Channel.SMS}:
            remedy = "write it below the head, here or in the plain file"
            note(Mistake(files[-1].path, 0, 0, "there is no body", remedy))
    return Draft(cell, files, head, body, place, kind, tuple(torn), tuple(unreadable))


def decoded(path: str, content: bytes) -> str:
    """A file's text; ConfigError if it is none."""
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise mistake(Place(path), f"is not UTF-8 (byte {error.start})", "save it as UTF-8") from None
