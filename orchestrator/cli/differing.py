"""What a change of the files does, against a revision in git: gathered from both trees, on the same people at the same moment."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from difflib import unified_diff
from pathlib import Path

from orchestrator import app, bundles, checking, config
from orchestrator.audience.changes import Change, Version, change, relisted
from orchestrator.cli.desk import USAGE, Desk, fail, no_such
from orchestrator.cli.messages import MessageChange, changed_messages
from orchestrator.cli.messages import Versions as Letters
from orchestrator.cli.occasions import Occasion, by_hand, next_of
from orchestrator.cli.progress import waiting
from orchestrator.cli.rehearsing import Bed, imagined
from orchestrator.config import (
    FOLDERS,
    FileChange,
    Revision,
    RevisionError,
    Versions,
    file_changes,
    revision,
)
from orchestrator.core.campaigns import Campaign, CampaignState
from orchestrator.core.errors import ConfigError, HeldError, Mistake, StoreError
from orchestrator.core.nouns import Channel
from orchestrator.core.segments import Moment, Segment
from orchestrator.core.segments.tree import All, AnyOf, Member, Node, Not
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, Purpose, Seal
from orchestrator.pipeline import Forecast
from orchestrator.rendering import RenderChild
from orchestrator.wire.clock import WallClock

_NOW = "now/"
"""Where lists that differ stand beside those of the revision, for as long as both are asked about."""


@dataclass(slots=True)
class CampaignChange:
    """One campaign in both versions. Without people to ask, only its files are known."""

    name: str
    files: list[FileChange]
    there_before: bool
    there_after: bool
    audience: Change | None = None
    before: Forecast | None = None
    after: Forecast | None = None
    messages: list[MessageChange] = field(default_factory=list)
    sources: dict[str, list[str]] = field(default_factory=dict)
    """Where nobody could be asked: the differing lines of its templates, by file."""


@dataclass(slots=True)
class Difference:
    """All that is different."""

    revision: Revision
    source: str
    at: Instant
    zone: str
    """The project's time zone, in which people read the moment."""
    files: list[FileChange]
    campaigns: list[CampaignChange] = field(default_factory=list)
    segments: dict[str, Change] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()
    """Those of the revision's files: then there is no before."""
    trouble: str = ""
    """Why nobody could be asked: then there are words, and no people."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: against which revision, for one campaign or all, at which moment (None: each at its next)."""

    ref: str
    campaign: str | None = None
    at: Instant | None = None
    user: str | None = None


def differ(desk: Desk, asked: Question, report: Path | None) -> None:
    """Tell what is different, on the screen or in a report."""
    from orchestrator.cli.reviewing import show_difference  # noqa: PLC0415 - it stands on this module

    show_difference(desk, gather(desk, asked), report)


def gather(desk: Desk, asked: Question) -> Difference:
    """Read both trees and ask about the people they concern."""
    opened = desk.open()
    if asked.campaign is not None and asked.campaign not in opened.project.campaigns:
        no_such("campaign", asked.campaign, opened.project.campaigns)
    try:
        found = revision(desk.root, asked.ref)
    except RevisionError as problem:
        fail(f"--diff {asked.ref}: {problem}", USAGE)
    checking.refuse_broken_templates(opened.project, opened.files)
    before, mistakes = _loaded(opened, found, desk.environment)
    versions = Versions(before, opened.project, found.tree.files, opened.files)
    now = WallClock().now()
    difference = Difference(
        found,
        str(opened.origin()),
        asked.at or now,
        opened.project.settings.time_zone,
        file_changes(found.tree.files, opened.files),
        mistakes=mistakes,
    )
    names = [name for name in versions.campaigns() if asked.campaign in {None, name}]
    if mistakes:  # without a before all of them are different
        names = [name for name in names if asked.campaign or versions.concern(difference.files, name)]
    for name in names:
        file = f"config/campaigns/{name}.yaml"
        concern = versions.concern(difference.files, name)
        difference.campaigns.append(
            CampaignChange(name, concern, file in versions.files_before, file in versions.files_after)
        )
    with tempfile.TemporaryDirectory(prefix="orchestrator-") as folder:
        try:
            with _Sides.open(opened, versions, Path(folder), now) as sides:
                _ask(desk, sides, difference, asked, now)
        except HeldError:
            raise
        except StoreError as problem:
            difference.trouble = str(problem).replace(folder, str(desk.root))
            _tell_sources(difference, versions)
    return difference


def _tell_sources(found: Difference, versions: Versions) -> None:
    """Where nobody can be asked, what templates say is told by their own lines."""
    for one in found.campaigns:
        one.messages = []
        for it in one.files:
            if it.kind == "template":
                sides = [files.get(it.file, b"") for files in (versions.files_before, versions.files_after)]
                old, new = (content.decode("utf-8", "replace").splitlines() for content in sides)
                one.sources[it.file] = list(unified_diff(old, new, "before", "after", n=2, lineterm=""))


def _loaded(opened: app.Opened, found: Revision, environment: str) -> tuple[config.Project | None, tuple[Mistake, ...]]:
    """The revision's project with the stores of now, or its mistakes."""
    loaded = config.load(found.tree.files, environment, refused=found.tree.refused)
    if loaded.project is None:
        return None, loaded.mistakes
    project = replace(loaded.project, environment=opened.project.environment)
    try:
        checking.refuse_broken_templates(project, found.tree.files)
    except ConfigError as problem:
        return None, problem.mistakes
    return project, ()


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both versions, ready to be asked about: a folder with the revision's files beside today's stores."""

    after: app.Opened
    before: app.Opened | None
    ledger: Ledger
    child: RenderChild
    seal: Seal
    relisted: dict[str, str]
    """Lists that differ: as segments name them, and where today's stand in the folder."""
    root: Path
    versions: Versions

    @classmethod
    @contextmanager
    def open(cls, opened: app.Opened, versions: Versions, root: Path, now: Instant) -> "Iterator[_Sides]":
        with ExitStack() as stack:
            lists = _lay_out(opened.root, root, versions)
            before = None
            if versions.before is not None:
                before = app.Opened(root, versions.before, versions.files_before, opened.secrets)
            # The child is forked before there are threads or databases here.
            child = stack.enter_context(RenderChild())
            ledger = opened.ledger()
            stack.callback(ledger.close)
            yield cls(opened, before, ledger, child, ledger.seal(Purpose.UNSUBSCRIBE, now), lists, root, versions)

    def bed(self, opened: app.Opened, campaign: str) -> Bed:
        """What it takes to rehearse a campaign of one version."""
        prepared = bundles.prepared(opened.project, opened.files, campaign, self.seal, self.child)
        return Bed(opened, self.ledger, prepared, self.child)

    def change(self, before: Segment | None, after: Segment | None, at: Instant) -> Change:
        """How a segment, or an audience, changes between the versions."""
        project = self.versions.after
        segments = {name: relisted(one, self.relisted) for name, one in project.segments.items()}
        then = self.versions.before or project
        reader = app.audience(replace(self.after, root=self.root))
        return change(
            reader,
            Version(before, Moment(at, then.settings.time_zone, then.segments)),
            Version(
                None if after is None else relisted(after, self.relisted),
                Moment(at, project.settings.time_zone, segments),
            ),
        )


def _lay_out(root: Path, folder: Path, versions: Versions) -> dict[str, str]:
    """Write the revision's files into a folder, beside links to all else there is in the project; which lists differ."""
    for entry in root.iterdir():
        if entry.name not in {*FOLDERS, ".git"}:
            (folder / entry.name).symlink_to(entry)
    files = versions.files_before if versions.before is not None else versions.files_after
    differing: dict[str, str] = {}
    for path, content in files.items():
        _write(folder / path, content)
    for path, content in versions.files_after.items():
        if path.startswith("lists/") and files.get(path) != content:
            differing[path] = f"{_NOW}{path}"
            _write(folder / differing[path], content)
    return differing


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _ask(desk: Desk, sides: _Sides, found: Difference, asked: Question, now: Instant) -> None:
    """Fill in the people and the messages."""
    versions = sides.versions
    at = asked.at or now
    concerned = {it for one in found.campaigns for it in _named(versions, one.name)}
    with waiting(desk) as wait:
        for name in versions.segments() if versions.before is not None else ():
            if asked.campaign is None or name in concerned:
                wait(f"counting {name}, before and after")
                found.segments[name] = sides.change(
                    versions.before.segments.get(name) if versions.before else None,
                    versions.after.segments.get(name),
                    at,
                )
    for one in found.campaigns:
        _ask_about(desk, sides, one, asked, now)


def _named(versions: Versions, campaign: str) -> Iterator[str]:
    """The segments a campaign names, in either version."""
    for project in (versions.before, versions.after):
        found = project.campaigns.get(campaign) if project is not None else None
        if found is not None:
            yield from (*found.audience, *found.exclude)


def _ask_about(desk: Desk, sides: _Sides, one: CampaignChange, asked: Question, now: Instant) -> None:
    """One campaign's people and messages, in both versions, as its next run (or one by hand) would have them."""
    after = sides.versions.after.campaigns.get(one.name)
    before = sides.versions.before.campaigns.get(one.name) if sides.versions.before else None
    last = after or before
    if last is None or last.state is CampaignState.ENDED:
        return
    occasion = by_hand(asked.at, now) if asked.at is not None else next_of(last, now)
    if sides.versions.before is not None:
        was, is_ = (None if it is None else _audience(it) for it in (before, after))
        one.audience = sides.change(was, is_, occasion.at)
    letters = Letters(one.name, asked.user)
    if after is not None:
        with imagined(desk, sides.bed(sides.after, one.name), occasion) as show:
            one.after = show.forecast
            letters.after = show.prepared
    if before is not None and sides.before is not None:
        bed = sides.bed(sides.before, one.name)
        # Both are asked about the same moment, so that a change of the schedule does not change whom quiet hours hold.
        timed = replace(bed.prepared, campaign=replace(before, schedule=last.schedule))
        with imagined(desk, replace(bed, prepared=timed), occasion) as show:
            one.before = show.forecast
            letters.before = show.prepared
    if letters.after is not None and (letters.before is not None or not one.there_before):
        one.messages = changed_messages(sides.after, letters, one.after, occasion)


def _audience(campaign: Campaign) -> Segment:
    """A campaign's audience as a segment."""
    inside: Node = AnyOf(tuple(Member(name) for name in campaign.audience))
    if campaign.exclude:
        inside = All((inside, Not(AnyOf(tuple(Member(name) for name in campaign.exclude)))))
    return Segment(f"the audience of {campaign.name}", inside)


def by_channel(found: Forecast | None) -> Counter[Channel]:
    """Messages by channel; none where the campaign is not."""
    return Counter() if found is None else found.channels


__all__ = ["CampaignChange", "Difference", "Occasion", "Question", "by_channel", "differ", "gather"]
