"""What a change of the files does, against a revision in git: gathered from both trees, on the same people at the same moment."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from difflib import unified_diff
from pathlib import Path

from orchestrator import app, checking, config
from orchestrator.audience.changes import Change
from orchestrator.cli.desk import USAGE, Desk, fail, no_such
from orchestrator.cli.messages import MessageChange, changed_messages
from orchestrator.cli.messages import Versions as Letters
from orchestrator.cli.occasions import Occasion, by_hand, next_of
from orchestrator.cli.progress import waiting
from orchestrator.cli.rehearsing import imagined
from orchestrator.cli.sides import Sides
from orchestrator.cli.standing import past_of
from orchestrator.config import (
    RENAMED,
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
from orchestrator.core.reasons import Reason
from orchestrator.core.renaming import Past, meaning
from orchestrator.core.segments import Segment
from orchestrator.core.segments.tree import All, AnyOf, Member, Node, Not
from orchestrator.core.times import Instant
from orchestrator.pipeline import Forecast
from orchestrator.wire.clock import WallClock


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
    renamed_from: str = ""
    meaning: tuple[tuple[str, str], ...] = ()
    """What another name means for people: (what it is about, what happens to it)."""


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
    project, mistakes = _loaded(opened, found, desk.environment)
    versions = Versions(project, opened.project, found.tree.files, opened.files)
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
        was = versions.renamed.get(name, "")
        before = f"config/campaigns/{was or name}.yaml" in versions.files_before
        after = f"config/campaigns/{name}.yaml" in versions.files_after
        concern = versions.concern(difference.files, name)
        difference.campaigns.append(CampaignChange(name, concern, before, after, renamed_from=was))
    with tempfile.TemporaryDirectory(prefix="orchestrator-") as folder:
        try:
            with Sides.open(opened, versions, Path(folder), now) as sides:
                _ask(desk, sides, difference, asked, now)
        except HeldError:
            raise
        except StoreError as problem:
            difference.trouble = str(problem).replace(folder, str(desk.root))
            _tell_sources(difference, versions)
    for one in difference.campaigns:
        if one.renamed_from and not one.meaning:
            _tell_rename(None, one, versions, now)
    return difference


def _tell_rename(sides: Sides | None, one: CampaignChange, versions: Versions, now: Instant) -> None:
    """What the new name of a renamed campaign means for people; where nobody can be asked, without numbers."""
    before = versions.before.campaigns.get(one.renamed_from) if versions.before else None
    past = Past() if sides is None else past_of(sides.ledger, one.renamed_from, now)
    if one.before is not None and before is not None and before.repeat.after != 0:
        had_it = sum(many for (reason, _), many in one.before.nothing.items() if reason is Reason.REPEAT)
        past = replace(past, had_it=had_it)
    told = meaning(before, versions.after.campaigns[one.name], one.renamed_from, past, versions.after.segments)
    one.meaning = tuple(told)


def _tell_sources(found: Difference, versions: Versions) -> None:
    """Where nobody can be asked, what templates say is told by their own lines."""
    for one in found.campaigns:
        one.messages = []
        for it in one.files:
            if it.kind == "template" and (it.words or it.how != RENAMED):
                sides = (versions.files_before.get(it.was or it.file, b""), versions.files_after.get(it.file, b""))
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


def _ask(desk: Desk, sides: Sides, found: Difference, asked: Question, now: Instant) -> None:
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
        if one.renamed_from:
            _tell_rename(sides, one, versions, now)


def _named(versions: Versions, campaign: str) -> Iterator[str]:
    """The segments a campaign names, in either version."""
    was = versions.renamed.get(campaign, campaign)
    for project, name in ((versions.before, was), (versions.after, campaign)):
        found = project.campaigns.get(name) if project is not None else None
        if found is not None:
            yield from (*found.audience, *found.exclude)


def _ask_about(desk: Desk, sides: Sides, one: CampaignChange, asked: Question, now: Instant) -> None:
    """One campaign's people and messages, in both versions, as its next run (or one by hand) would have them."""
    after = sides.versions.after.campaigns.get(one.name)
    old_name = one.renamed_from or one.name
    before = sides.versions.before.campaigns.get(old_name) if sides.versions.before else None
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
        bed = sides.bed(sides.before, old_name)
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
