"""A change of the files told to whoever reviews it, on the screen or to a program."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestrator.audience.changes import Change
from orchestrator.cli.desk import Desk
from orchestrator.cli.differing import CampaignChange, Difference, by_channel
from orchestrator.cli.laying import Line as Figure
from orchestrator.cli.laying import figure
from orchestrator.cli.messages import MessageChange, difference
from orchestrator.cli.pictures import NO_BROWSER
from orchestrator.cli.plan_screen import say_messages
from orchestrator.cli.report import write_report
from orchestrator.cli.review_words import (
    arrow,
    body,
    caveats,
    elsewhere,
    is_page,
    leap,
    moves,
    says_of_names,
    segments_of,
    title,
    told_files,
)
from orchestrator.cli.screen import BOLD, GREEN, RED, Line, beside, fitted, say, show, width
from orchestrator.cli.times import when
from orchestrator.core.plain_reasons import say_channel
from orchestrator.pipeline import Forecast


def show_difference(desk: Desk, found: Difference, report: Path | None) -> None:
    """Show it, and write the report if one is wanted."""
    pictures: list[str] = []
    if report is not None:
        pictures = write_report(desk, found, report)
    answer = {**told(desk, found), "report": None if report is None else str(report), "pictures": pictures}

    def tell() -> None:
        _tell(desk, found)
        if report is not None:
            say(
                f" report: {report}"
                + (f" · {len(pictures)} pictures beside it" if pictures else f" · {_why_none(found)}")
            )

    desk.show(answer, tell)


def _why_none(found: Difference) -> str:
    pages = any(is_page(message) for one in found.campaigns for message in one.messages)
    return f"no pictures: {NO_BROWSER}" if pages else "no pictures: no e-mail looks different"


def _tell(desk: Desk, found: Difference) -> None:
    sides = f"{found.revision.short} → {found.source or 'working copy'}"
    say(f" {sides}   {desk.environment} · people as of {when(found.at, found.zone)}")
    for line in caveats(found):
        say(f" {line}")
    if not found.files:
        say(" no file is different")
    for one in found.campaigns:
        _tell_campaign(one, found)
    for line in elsewhere(found):
        say(f" {line}")


def _tell_campaign(one: CampaignChange, found: Difference) -> None:
    say(f" {one.name}   {_headline(one)}")
    if one.renamed_from:
        say(f"   {says_of_names(one)}")
        for about, what in one.meaning:
            show(beside([Line(f"     {about:<11}", BOLD)], what, width()))
    if _comes_to_nothing(one, found):
        many = say_messages(one.after.reached) if one.after is not None else "no message"
        say(f"   nothing comes of it: the same people, the same {many}")
        return
    for name in segments_of(one, found):
        _tell_change(name, found.segments[name])
    if one.audience is not None and not _same_as_a_segment(one, found):
        _tell_change("in the audience", one.audience)
    if one.after is not None or one.before is not None:
        reached = [0 if it is None else it.reached for it in (one.before, one.after)]
        label = "would get a message"
        if found.mistakes:
            figure(Figure(label, f"{reached[1]:,}", "now", 1))
        else:
            same = reached[0] == reached[1] and not _by_channel(one)
            more = "the same number" if same else _more(_by_channel(one), leap(*reached))
            figure(Figure(label, f"{reached[1]:,}" if same else arrow(*reached), more, 1, strong=True))
    for message in one.messages:
        say(f"   {title(message, found)}")
        _tell_lines(body(message, found))
    for file, text in one.sources.items():
        say(f"   {file}")
        _tell_lines(text)


def _tell_lines(text: Sequence[str]) -> None:
    room = width()
    for line in text[3:] if text[:1] == ["--- before"] else text:
        whole = _drawn(line)
        show(Line(one, whole.style) for one in fitted(whole.text, room))


def _comes_to_nothing(one: CampaignChange, found: Difference) -> bool:
    """Whether a change moves nobody and changes no message."""
    moved = [change for change in (one.audience, *(found.segments[it] for it in segments_of(one, found))) if change]
    if (
        one.before is None
        or one.after is None
        or one.messages
        or one.renamed_from
        or any(it.entered or it.left for it in moved)
    ):
        return False
    return (one.before.reached, one.before.channels) == (one.after.reached, one.after.channels)


def _drawn(line: str) -> Line:
    return Line(f"     {'…' if line.startswith('@@') else line}", {"+": GREEN, "-": RED}.get(line[:1], ""))


def _same_as_a_segment(one: CampaignChange, found: Difference) -> bool:
    return any(found.segments[name] == one.audience for name in segments_of(one, found))


def _tell_change(label: str, change: Change) -> None:
    if not change.entered and not change.left:
        figure(Figure(label, f"{change.after:,}", "the same people", 1))
        return
    how = f"people   {moves(change)}"
    figure(
        Figure(
            label,
            arrow(change.before, change.after),
            _more(how, leap(change.before, change.after)),
            1,
        )
    )


def _more(text: str, mark: str) -> str:
    return f"{text}   ← {mark}" if mark else text


def _headline(one: CampaignChange) -> str:
    if not one.there_after:
        return "is gone"
    changed = ", ".join(it.within(one.name) for it in told_files(one)) or "the settings"
    if one.renamed_from:
        more = f"; changed: {changed}" if told_files(one) else ""
        return f"is renamed from {one.renamed_from}{more}"
    return f"changed: {changed}" if one.there_before else f"is new: {changed}"


def _by_channel(one: CampaignChange) -> str:
    before, after = by_channel(one.before), by_channel(one.after)
    deltas = {channel: after[channel] - before[channel] for channel in sorted({*before, *after})}
    parts = [f"{say_channel(channel)} {'+' if by > 0 else '−'}{abs(by):,}" for channel, by in deltas.items() if by]
    return " · ".join(parts)


def told(desk: Desk, found: Difference) -> dict[str, Any]:
    """All of it as a program reads it."""
    return {
        "revision": found.revision.name,
        "commit_before": found.revision.commit,
        "source": found.source,
        "environment": desk.environment,
        "at": found.at,
        "mistakes": [str(it) for it in found.mistakes],
        "trouble": found.trouble,
        "files": [{"file": it.file, "how": it.how, "words": list(it.words), "was": it.was} for it in found.files],
        "segments": {name: _numbers(change) for name, change in found.segments.items()},
        "campaigns": [_told_campaign(one) for one in found.campaigns],
    }


def _told_campaign(one: CampaignChange) -> dict[str, Any]:
    return {
        "campaign": one.name,
        "how": _how(one),
        "renamed_from": one.renamed_from,
        "meaning": dict(one.meaning),
        "files": [it.file for it in one.files],
        "audience": None if one.audience is None else _numbers(one.audience),
        "before": _messages(one.before),
        "after": _messages(one.after),
        "messages": [_told_message(message) for message in one.messages],
        "sources": one.sources,
    }


def _how(one: CampaignChange) -> str:
    if one.renamed_from:
        return "renamed"
    return "changed" if one.there_before and one.there_after else "new" if one.there_after else "gone"


def _numbers(change: Change) -> dict[str, int]:
    return {"before": change.before, "after": change.after, "entered": change.entered, "left": change.left}


def _messages(found: Forecast | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"people": found.people, "reached": found.reached, "channels": dict(found.channels)}


def _told_message(message: MessageChange) -> dict[str, Any]:
    return {
        "channel": message.channel,
        "segment": message.segment,
        "variant": message.variant,
        "locale": message.locale,
        "user": message.user,
        "difference": difference(message),
    }
