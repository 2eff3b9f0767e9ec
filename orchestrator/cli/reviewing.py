"""A change of the files told to whoever reviews it: on the screen, and as a report in Markdown for a pull request."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from orchestrator.audience.changes import Change
from orchestrator.cli.desk import Desk, fail, when
from orchestrator.cli.differing import CampaignChange, Difference, by_channel
from orchestrator.cli.laying import Line, figure, paragraph, strong
from orchestrator.cli.messages import MessageChange, difference, lines
from orchestrator.cli.pictures import NO_BROWSER, Pictures
from orchestrator.cli.plan_screen import say_messages
from orchestrator.config import FileChange
from orchestrator.core.nouns import Channel
from orchestrator.core.plain_reasons import say_channel
from orchestrator.pipeline import Forecast

LEAP = 2
"""So many times larger or smaller is worth a mark."""
MOST_LINES = 120
"""Lines of one message's difference in a report: comments on pull requests have an end."""
_MISTAKES = 5


def show_difference(desk: Desk, found: Difference, report: Path | None) -> None:
    """Show it, and write the report if one is wanted."""
    pictures: list[str] = []
    if report is not None:
        pictures = write_report(desk, found, report)
    answer = {**told(desk, found), "report": None if report is None else str(report), "pictures": pictures}

    def tell() -> None:
        _tell(desk, found)
        if report is not None:
            paragraph(
                f"report: {report}"
                + (f" · {len(pictures)} pictures beside it" if pictures else f" · {_why_none(found)}")
            )

    desk.show(answer, tell)


def _why_none(found: Difference) -> str:
    pages = any(_is_page(message) for one in found.campaigns for message in one.messages)
    return f"no pictures: {NO_BROWSER}" if pages else "no pictures: no e-mail looks different"


def _is_page(message: MessageChange) -> bool:
    return message.channel is Channel.EMAIL


def leap(before: int, after: int) -> str:
    """A mark for a number that is many times larger or smaller; empty for one that is not."""
    if before == after:
        return ""
    if not before or not after:
        return "nobody before" if not before else "nobody any more"
    if after >= LEAP * before:
        return f"{after / before:,.0f} times larger"
    return f"{before / after:,.0f} times smaller" if before >= LEAP * after else ""


# On the screen


def _tell(desk: Desk, found: Difference) -> None:
    paragraph(
        f"{found.revision.short} → {found.tree}   {desk.environment} · people as of {when(found.at)}"
    )  # fmt: skip
    for line in _caveats(found):
        paragraph(line)
    if not found.files:
        paragraph("no file is different")
    for one in found.campaigns:
        _tell_campaign(one, found)
    for line in _elsewhere(found):
        paragraph(line)


def _caveats(found: Difference) -> Iterator[str]:
    """What could not be told, and why."""
    if found.mistakes:
        yield (
            f"{found.revision.name} cannot be read: {len(found.mistakes)} mistake{'s' * (len(found.mistakes) > 1)} in its"
            " files, so there is no before; people and messages are those of now"
        )
        for mistake in found.mistakes[:_MISTAKES]:
            yield f"  {str(mistake).partition(chr(10))[0]}"
    if found.trouble:
        yield f"nobody could be asked, so there are no people here: {found.trouble}"


def _elsewhere(found: Difference) -> Iterator[str]:
    """Changes that concern no campaign, and segments no campaign uses."""
    told_ = {it.file for one in found.campaigns for it in one.files}
    others = [str(it) for it in found.files if it.file not in told_]
    if others:
        yield f"changed besides: {', '.join(others)}"
    used = {name for one in found.campaigns for name in _segments(one, found)}
    for name, change in found.segments.items():
        if name not in used:
            moved = change.entered or change.left
            now = f"{_arrow(change.before, change.after)} people   {_moves(change)}" if moved else "the same people"
            yield f"{name}   {now}"


def _segments(one: CampaignChange, found: Difference) -> list[str]:
    """The changed segments that concern a campaign."""
    names = {it.name for it in one.files if it.kind == "segment"}
    return [name for name in found.segments if name in names]


def _tell_campaign(one: CampaignChange, found: Difference) -> None:
    paragraph(f"{strong(one.name)}   {_headline(one)}")
    if _comes_to_nothing(one, found):
        many = say_messages(one.after.reached) if one.after is not None else "no message"
        paragraph(f"  nothing comes of it: the same people, the same {many}")
        return
    for name in _segments(one, found):
        _tell_change(name, found.segments[name])
    if one.audience is not None and not _same_as_a_segment(one, found):
        _tell_change("in the audience", one.audience)
    if one.after is not None or one.before is not None:
        reached = [0 if it is None else it.reached for it in (one.before, one.after)]
        label = "would get a message"
        if found.mistakes:
            figure(Line(label, f"{reached[1]:,}", "now", 1))
        else:
            same = reached[0] == reached[1] and not _by_channel(one)
            more = "the same number" if same else _more(_by_channel(one), leap(*reached))
            figure(Line(label, f"{reached[1]:,}" if same else _arrow(*reached), more, 1, strong=True))
    for message in one.messages:
        paragraph(f"  {_title(message, found)}")
        _tell_lines(_body(message, found))
    for file, text in one.sources.items():
        paragraph(f"  {file}")
        _tell_lines(text)


def _body(message: MessageChange, found: Difference) -> list[str]:
    """What is different in a message; without a before, what it says."""
    return lines(message.after) if found.mistakes else difference(message)


def _tell_lines(text: Sequence[str]) -> None:
    for line in text[3:] if text[:1] == ["--- before"] else text:
        typer.echo(f"     {'…' if line.startswith('@@') else _coloured(line)}")


def _comes_to_nothing(one: CampaignChange, found: Difference) -> bool:
    """Whether a change moves nobody and changes no message."""
    moved = [change for change in (one.audience, *(found.segments[it] for it in _segments(one, found))) if change]
    if one.before is None or one.after is None or one.messages or any(it.entered or it.left for it in moved):
        return False
    return (one.before.reached, one.before.channels) == (one.after.reached, one.after.channels)


def _coloured(line: str) -> str:
    colour = {"+": "green", "-": "red"}.get(line[:1])
    return strong(line, colour) if colour else line


def _same_as_a_segment(one: CampaignChange, found: Difference) -> bool:
    return any(found.segments[name] == one.audience for name in _segments(one, found))


def _tell_change(label: str, change: Change) -> None:
    if not change.entered and not change.left:
        figure(Line(label, f"{change.after:,}", "the same people", 1))
        return
    moves = f"people   {_moves(change)}"
    figure(
        Line(
            label,
            _arrow(change.before, change.after),
            _more(moves, leap(change.before, change.after)),
            1,
        )
    )


def _more(text: str, mark: str) -> str:
    return f"{text}   ← {mark}" if mark else text


def _headline(one: CampaignChange) -> str:
    if not one.there_after:
        return "is gone"
    changed = ", ".join(it.within(one.name) for it in one.files) or "the settings"
    return f"changed: {changed}" if one.there_before else f"is new: {changed}"


def _arrow(before: int, after: int) -> str:
    return f"{before:,} → {after:,}"


def _moves(change: Change) -> str:
    parts = [f"+{change.entered:,}" if change.entered else "", f"−{change.left:,}" if change.left else ""]
    return " ".join(filter(None, parts))


def _by_channel(one: CampaignChange) -> str:
    before, after = by_channel(one.before), by_channel(one.after)
    deltas = {channel: after[channel] - before[channel] for channel in sorted({*before, *after})}
    parts = [f"{say_channel(channel)} {'+' if by > 0 else '−'}{abs(by):,}" for channel, by in deltas.items() if by]
    return " · ".join(parts)


def _title(message: MessageChange, found: Difference) -> str:
    more = [f"variant {message.variant}"] if message.variant else []
    more += [message.locale] if message.locale else []
    how = "new: " if message.before is None else "gone: " if message.after is None else ""
    how = "" if found.mistakes else how
    return f"{how}{say_channel(message.channel)}, {message.segment}, as {message.user}" + "".join(
        f" · {it}" for it in more
    )


# As Markdown


def write_report(desk: Desk, found: Difference, path: Path) -> list[str]:
    """Write the report; the pictures that lie beside it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with Pictures(path.with_name(f"{path.stem}-pictures")) as pictures:
            text = "\n".join(_markdown(desk, found, pictures)) + "\n"
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        fail(f"{problem.filename or path}: cannot be written: {problem.strerror}")
    return pictures.made


def _markdown(desk: Desk, found: Difference, pictures: Pictures) -> Iterator[str]:
    yield f"## Campaigns: {_cell(found.revision.short)} → {_cell(str(found.tree))}\n"
    yield f"Environment {_code(desk.environment)}, people as of {when(found.at)}.\n"
    for line in _caveats(found):
        yield f"> {_cell(line)}\n"
    if not found.files:
        yield "No file is different.\n"
    for one in found.campaigns:
        yield from _campaign(one, found, pictures)
    others = list(_elsewhere(found))
    if others:
        yield "### Besides\n"
        yield from (f"- {_cell(line)}" for line in others)
    if any(_is_page(message) for one in found.campaigns for message in one.messages) and not pictures.browser:
        yield f"\nThere are no pictures here: {NO_BROWSER}."


def _campaign(one: CampaignChange, found: Difference, pictures: Pictures) -> Iterator[str]:
    yield f"### {_cell(one.name)}\n"
    yield from _changed(one)
    rows = list(_rows(one, found))
    if rows:
        yield "| | before | after | in | out | |"
        yield "|---|--:|--:|--:|--:|---|"
        yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows)
        yield ""
    for message in one.messages:
        yield f"**{_cell(_title(message, found))}**\n"
        shown = pictures.of(one.name, message)
        if shown:
            yield f"| {' | '.join(shown)} |"
            yield f"|{'---|' * len(shown)}"
            yield f"| {' | '.join(f'![{name}]({place})' for name, place in shown.items())} |\n"
        yield from _folded(_body(message, found))
    for file, text in one.sources.items():
        yield f"{_code(file)}\n"
        yield from _folded(text)


def _changed(one: CampaignChange) -> Iterator[str]:
    if not one.there_after:
        yield "It is gone.\n"
        return
    yield "It is new:\n" if not one.there_before else "Changed:\n"
    yield from (f"- {_said(it)}" for it in one.files)
    yield ""


def _said(it: FileChange) -> str:
    what = " ".join(filter(None, (it.kind, _code(it.name) if it.name else "")))
    return f"{it.how} {what}" if it.how != "changed" else f"{what}: {_cell(', '.join(it.words))}"


def _rows(one: CampaignChange, found: Difference) -> Iterator[Sequence[str]]:
    for name in _segments(one, found):
        yield _row(f"segment {name}", found.segments[name])
    if one.audience is not None:
        yield _row("audience", one.audience)
    if one.before is None and one.after is None:
        return
    reached = [0 if it is None else it.reached for it in (one.before, one.after)]
    if found.mistakes:
        yield "would get a message", "?", f"{reached[1]:,}", "", "", ""
        return
    yield "would get a message", f"{reached[0]:,}", f"{reached[1]:,}", "", "", _mark(leap(*reached))
    before, after = by_channel(one.before), by_channel(one.after)
    for channel in sorted({*before, *after}):
        yield f"… by {say_channel(channel)}", f"{before[channel]:,}", f"{after[channel]:,}", "", "", ""


def _row(label: str, change: Change) -> Sequence[str]:
    entered = f"+{change.entered:,}" if change.entered else ""
    left = f"−{change.left:,}" if change.left else ""
    mark = _mark(leap(change.before, change.after))
    return label, f"{change.before:,}", f"{change.after:,}", entered, left, mark


def _mark(text: str) -> str:
    return f"← {text}" if text else ""


def _folded(text: Sequence[str]) -> Iterator[str]:
    """The difference of a message, to be opened; its fence is longer than any in it."""
    shown = list(text[:MOST_LINES])
    longest = max((len(run) for line in shown for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield "<details><summary>difference</summary>\n"
    yield f"{fence}diff"
    yield from shown
    yield fence
    if len(text) > MOST_LINES:
        yield f"\n… and {len(text) - MOST_LINES:,} lines more: orchestrator plan --diff shows them."
    yield "\n</details>\n"


def _cell(text: str) -> str:
    """Text that Markdown must not take for its own."""
    return re.sub(r"([\\`*_\[\]<>|~#])", r"\\\1", text.replace("\n", " "))


def _code(text: str) -> str:
    return f"`{text.replace('`', '')}`"


# For a program


def told(desk: Desk, found: Difference) -> dict[str, Any]:
    """All of it as a program reads it."""
    return {
        "revision": found.revision.name,
        "commit_before": found.revision.commit,
        "commit": found.tree.commit,
        "changed": found.tree.changed,
        "environment": desk.environment,
        "at": found.at,
        "mistakes": [str(it) for it in found.mistakes],
        "trouble": found.trouble,
        "files": [{"file": it.file, "how": it.how, "words": list(it.words)} for it in found.files],
        "segments": {name: _numbers(change) for name, change in found.segments.items()},
        "campaigns": [_told_campaign(one) for one in found.campaigns],
    }


def _told_campaign(one: CampaignChange) -> dict[str, Any]:
    return {
        "campaign": one.name,
        "how": "changed" if one.there_before and one.there_after else "new" if one.there_after else "gone",
        "files": [it.file for it in one.files],
        "audience": None if one.audience is None else _numbers(one.audience),
        "before": _messages(one.before),
        "after": _messages(one.after),
        "messages": [_told_message(message) for message in one.messages],
        "sources": one.sources,
    }


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
