"""Two trees of files side by side: which files are new, gone or changed, in words, and which campaigns that concerns."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from orchestrator.config.draft import DATA, SETTINGS
from orchestrator.config.reading import CAMPAIGNS, SEGMENTS, Files, mapping_of
from orchestrator.config.renaming import counterpart, renamed_campaigns
from orchestrator.config.results import Project
from orchestrator.core.changes import say_changes
from orchestrator.core.errors import ConfigError
from orchestrator.core.segments.tree import Listed, leaves
from orchestrator.core.segments.tree import Member as SegmentMember

NEW, GONE, CHANGED, RENAMED = "new", "gone", "changed", "renamed"
_ONLY_LAYOUT = "only comments, order of keys or layout"
_BASE = "templates/_base/"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs: what it is (segment, campaign, template, list, settings, …) and its name there; `words` say how.

    A file of a renamed campaign stood at `was`; if it says the same, there are no words.
    """

    file: str
    kind: str
    name: str
    how: str
    words: tuple[str, ...] = ()
    was: str = ""

    def __str__(self) -> str:
        return self.within("")

    def within(self, campaign: str) -> str:
        """In words, where it is clear which campaign's templates are meant."""
        name = self.name.removeprefix(f"{campaign}/") if self.kind == "template" else self.name
        what = " ".join(filter(None, (self.kind, name)))
        if self.how not in {CHANGED, RENAMED}:
            return f"{self.how} {what}"
        return f"{what} ({', '.join(self.words)})" if self.words else what


def file_changes(before: Files, after: Files) -> list[FileChange]:
    """Every file that is not the same in both, segments and campaigns first; those of a renamed campaign are held against its old ones."""
    renamed = renamed_campaigns(before, after)
    names = [path for path in dict.fromkeys((*before, *after)) if before.get(path) != after.get(path)]
    moved = {
        path: was for path in names if (was := counterpart(path, renamed)) != path and path in after and was in before
    }
    left = {was for was in moved.values() if was not in after}
    order = {"segment": 0, "campaign": 1, "template": 2, "list": 3}
    found = []
    for path in names:
        if path in left:
            continue
        change = _changed(path, before.get(moved.get(path, path)), after.get(path))
        found.append(replace(change, how=RENAMED, was=moved[path]) if path in moved else change)
    return sorted(found, key=lambda it: (order.get(it.kind, 4), it.file))


def _changed(path: str, before: bytes | None, after: bytes | None) -> FileChange:
    kind, name = _what(path)
    if before is None or after is None:
        return FileChange(path, kind, name, NEW if before is None else GONE)
    if before == after:
        return FileChange(path, kind, name, CHANGED)
    words = _lines(before, after) if path.startswith(("templates/", "lists/")) else _settings(path, before, after)
    return FileChange(path, kind, name, CHANGED, words)


def _what(path: str) -> tuple[str, str]:
    for folder, kind in ((SEGMENTS, "segment"), (CAMPAIGNS, "campaign")):
        if path.startswith(folder):
            return kind, path.removeprefix(folder).removesuffix(".yaml")
    if path.startswith("templates/"):
        return "template", path.removeprefix("templates/")
    if path.startswith("lists/"):
        return "list", path.removeprefix("lists/")
    return {SETTINGS: ("settings", ""), DATA: ("catalogue", "")}.get(path, ("file", path))


def _settings(path: str, before: bytes, after: bytes) -> tuple[str, ...]:
    try:
        return say_changes(mapping_of(path, before), mapping_of(path, after)) or (_ONLY_LAYOUT,)
    except ConfigError:
        return _lines(before, after)  # one of them cannot be read


def _lines(before: bytes, after: bytes) -> tuple[str, ...]:
    """How many lines came and went."""
    old, new = before.splitlines(), after.splitlines()
    blocks = SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > 4000).get_matching_blocks()
    same = sum(block.size for block in blocks)
    come, gone = len(new) - same, len(old) - same
    if not come and not gone:
        return ("line ends only",)
    told = " ".join(part for part in (f"+{come:,}" if come else "", f"−{gone:,}" if gone else "") if part)  # noqa: RUF001 - a minus sign in front of a number people read
    return (f"{told} line{'s' * (come + gone > 1)}",)


@dataclass(frozen=True, slots=True)
class Versions:
    """The project before (None where it cannot be read, or was none) and after, with the files of each."""

    before: Project | None
    after: Project
    files_before: Files
    files_after: Files
    renamed: Mapping[str, str] = field(init=False)
    """The old names of campaigns that have another one now."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "renamed", renamed_campaigns(self.files_before, self.files_after))

    def segments(self) -> list[str]:
        """Segments that are not the same in both: their own conditions, those of segments they refer to, or a list they look into."""
        names = dict.fromkeys((*self.after.segments, *(self.before.segments if self.before else ())))
        return [name for name in names if self._read(self.before, name) != self._read(self.after, name)]

    def campaigns(self) -> list[str]:
        """Campaigns of which something is not the same in both; a renamed one by its new name."""
        gone = set(self.renamed.values())
        before = [name for name in (self.before.campaigns if self.before else ()) if name not in gone]
        names = dict.fromkeys((*self.after.campaigns, *before))
        return [name for name in names if self._differs(name)]

    def concern(self, changes: list[FileChange], campaign: str) -> list[FileChange]:
        """Of these changes those that concern a campaign."""
        was = self.renamed.get(campaign, campaign)
        files = self._files(self.before, was) | self._files(self.after, campaign)
        folders = (f"templates/{campaign}/", f"templates/{was}/", _BASE)
        return [it for it in changes if it.file in files or it.file.startswith(folders)]

    def _differs(self, name: str) -> bool:
        before = self.before.campaigns.get(name) if self.before else None
        after = self.after.campaigns.get(name)
        if before != after or before is None or after is None or self.before is None:
            return True
        if self.before.settings.senders != self.after.settings.senders:
            return True
        folders = (f"templates/{name}/", _BASE)
        if _below(self.files_before, folders) != _below(self.files_after, folders):
            return True
        segments = {*before.audience, *before.exclude, *after.audience, *after.exclude}
        return any(self._read(self.before, one) != self._read(self.after, one) for one in segments)

    def _read(self, project: Project | None, name: str) -> object:
        """All that decides who is in a segment; None if there is none."""
        if project is None or name not in project.segments:
            return None
        files = self.files_before if project is self.before else self.files_after
        closure = _closure(project, name)
        listed = {it.name for one in closure for it in leaves(project.segments[one].root) if isinstance(it, Listed)}
        roots = {one: project.segments[one].root for one in closure if one in project.segments}
        return roots, {one: files.get(one) for one in listed}, project.settings.time_zone

    def _files(self, project: Project | None, campaign: str) -> set[str]:
        """The files that a campaign is made of, but for templates."""
        found = project.campaigns.get(campaign) if project is not None else None
        if project is None or found is None:
            return {f"{CAMPAIGNS}{campaign}.yaml"}
        closure = {one for name in (*found.audience, *found.exclude) for one in _closure(project, name)}
        files = {f"{SEGMENTS}{one}.yaml" for one in closure} | {f"{CAMPAIGNS}{campaign}.yaml", SETTINGS, DATA}
        return files | {
            it.name for one in closure for it in leaves(project.segments[one].root) if isinstance(it, Listed)
        }  # fmt: skip


def _below(files: Files, folders: tuple[str, ...]) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path.startswith(folders)}


def _closure(project: Project, name: str) -> set[str]:
    """A segment and all it refers to."""
    found, wanted = set[str](), [name]
    while wanted:
        one = wanted.pop()
        if one in found or one not in project.segments:
            continue
        found.add(one)
        wanted += [it.segment for it in leaves(project.segments[one].root) if isinstance(it, SegmentMember)]
    return found
