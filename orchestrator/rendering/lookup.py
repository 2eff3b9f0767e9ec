"""Which files make a message: the segment's or the default ones, the variant's own, the reader's language."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from orchestrator.core.errors import Mistake
from orchestrator.core.nouns import Channel

DEFAULT = "_default"
BASE = "templates/_base/"
KINDS: Mapping[Channel, tuple[str, ...]] = {
    Channel.EMAIL: ("mjml", "html"),
    Channel.PUSH: ("yaml",),
    Channel.IN_APP: ("yaml",),
    Channel.SMS: ("txt",),
    Channel.WEBHOOK: ("yaml",),
}
"""The endings a channel's files may have."""

_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?")
_NAME = re.compile(r"(?P<channel>[^@.]+)(?:@(?P<variant>[^@.]+))?(?:\.(?P<locale>[^@.]+))?\.(?P<kind>[^@.]+)")
_LONGEST = 262_144
"""Bytes a template may have."""


class File(NamedTuple):
    """One template file, taken apart by its name. `variant` and `locale` are empty for the plain one."""

    path: str
    segment: str
    channel: Channel
    variant: str
    locale: str
    kind: str


class Cell(NamedTuple):
    """One message there is to write: what its variant and its reader's language make of a segment's channel."""

    segment: str
    channel: Channel
    variant: str
    locale: str


@dataclass(frozen=True)
class Shelf:
    """A campaign's template files, to be looked up; `mistakes` are the files nobody could ever find."""

    campaign: str
    files: tuple[File, ...]
    mistakes: tuple[Mistake, ...] = ()

    @cached_property
    def _cells(self) -> dict[tuple[str, Channel], dict[tuple[str, str], list[File]]]:
        found: dict[tuple[str, Channel], dict[tuple[str, str], list[File]]] = {}
        for file in self.files:
            found.setdefault((file.segment, file.channel), {}).setdefault((file.variant, file.locale), []).append(file)
        return found

    def find(self, segment: str, channel: Channel, variant: str = "", locale: str = "") -> Cell | None:
        """The cell a person falls into; None if the campaign has no file for them.

        The segment's own folder if it has this channel at all, else the default; there the variant's own files if it
        has any, else the plain ones; among them fr-CA, fr, none. Never another variant's for want of a translation.
        """
        folder = segment if (segment, channel) in self._cells else DEFAULT
        there = self._cells.get((folder, channel))
        if there is None:
            return None
        own = variant if variant and any(name == variant for name, _ in there) else ""
        for spoken in languages(locale):
            if (own, spoken) in there:
                return Cell(folder, channel, own, spoken)
        return None

    def chain(self, cell: Cell) -> tuple[File, ...]:
        """The files of a cell, those that later ones change first: plain, its translation, the variant, its translation."""
        there = self._cells[cell.segment, cell.channel]
        spoken = [name for name in reversed(languages(cell.locale)) if name]
        order = [("", ""), *(("", name) for name in spoken)]
        if cell.variant:
            order += [(cell.variant, ""), *((cell.variant, name) for name in spoken)]
        return tuple(file for place in order for file in there.get(place, ()))

    def cells(self) -> tuple[Cell, ...]:
        """Every message that can be written from the files."""
        return tuple(
            Cell(segment, channel, variant, locale)
            for (segment, channel), there in self._cells.items()
            for variant, locale in there
        )


def languages(locale: str) -> tuple[str, ...]:
    """`fr-CA` as the files to look for: fr-CA, fr, none."""
    parts = locale.replace("_", "-").split("-") if locale else []
    if not parts:
        return ("",)
    named = [_spelled("-".join(parts[:length])) for length in range(len(parts), 0, -1)]
    return (*named, "")


def shelve(campaign: str, sources: Mapping[str, bytes]) -> Shelf:
    """Sort a bundle's files (path → content) for one campaign; others' files are left alone."""
    files: list[File] = []
    mistakes: list[Mistake] = []
    root = f"templates/{campaign}/"
    for path in sorted(sources):
        if not path.startswith(root):
            continue
        parts = path.removeprefix(root).split("/")
        answer = _read(path, parts) if len(parts) == 2 else _astray(path, campaign)
        if len(sources[path]) > _LONGEST:
            answer = Mistake(path, 0, 0, f"the file has {len(sources[path])} bytes", f"a template may have {_LONGEST}")
        if isinstance(answer, Mistake):
            mistakes.append(answer)
        else:
            files.append(answer)
    return Shelf(campaign, tuple(files), (*mistakes, *_doubles(files)))


def _astray(path: str, campaign: str) -> Mistake:
    return Mistake(
        path, 0, 0, "no message is looked up here", f"put it at templates/{campaign}/<segment>/<channel>.<ending>"
    )


def _read(path: str, parts: list[str]) -> File | Mistake:
    segment, name = parts
    found = _NAME.fullmatch(name)
    allowed = "<channel>[@<variant>][.<locale>].<ending>, for example email@discount.fr.mjml"
    if found is None:
        return Mistake(path, 0, 0, f"{name!r} is not the name of a template", f"write {allowed}")
    if found["channel"] not in list(Channel):
        channels = ", ".join(KINDS)
        return Mistake(path, 0, 0, f"no channel {found['channel']!r}", f"there are {channels}; write {allowed}")
    channel = Channel(found["channel"])
    if found["kind"] not in KINDS[channel]:
        kinds = " or ".join(f".{kind}" for kind in KINDS[channel])
        return Mistake(path, 0, 0, f"{channel.value} cannot be written in .{found['kind']}", f"write {kinds}")
    variant, locale = found["variant"] or "", found["locale"] or ""
    if locale and not _LOCALE.fullmatch(locale):
        return Mistake(path, 0, 0, f"{locale!r} is not a locale", f"for a variant write {channel.value}@{locale}")
    return File(path, segment, channel, variant, _spelled(locale), found["kind"])


def _doubles(files: Iterable[File]) -> Iterable[Mistake]:
    """Two bodies for one message: nobody could say which counts."""
    seen: dict[tuple[object, ...], str] = {}
    for file in files:
        place = file[1:5]
        if place in seen:
            yield Mistake(file.path, 0, 0, f"{seen[place]} writes the same message", "keep one of the two")
        seen[place] = file.path


def _spelled(locale: str) -> str:
    """`FR-ca` as fr-CA, so that a file is found however its locale is spelt."""
    first, *rest = locale.split("-")
    return "-".join([first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)])
