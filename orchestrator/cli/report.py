"""A change of the files as a report in Markdown, for a pull request: tables, pictures, and differences to be opened."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.audience.changes import Change
from orchestrator.cli.desk import Desk, fail
from orchestrator.cli.differing import CampaignChange, Difference, by_channel
from orchestrator.cli.pictures import NO_BROWSER, Pictures
from orchestrator.cli.review_words import (
    body,
    caveats,
    elsewhere,
    is_page,
    leap,
    says_of_names,
    segments_of,
    title,
    told_files,
)
from orchestrator.cli.times import when
from orchestrator.config import RENAMED, FileChange
from orchestrator.core.plain_reasons import say_channel

MOST_LINES = 120
"""Lines of one message's difference: comments on pull requests have an end."""


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
    yield f"## Campaigns: {_cell(found.revision.short)} → {_cell(found.source or 'working copy')}\n"
    yield f"Environment {_code(desk.environment)}, people as of {when(found.at, found.zone)}.\n"
    for line in caveats(found):
        yield f"> {_cell(line)}\n"
    if not found.files:
        yield "No file is different.\n"
    for one in found.campaigns:
        yield from _campaign(one, found, pictures)
    others = list(elsewhere(found))
    if others:
        yield "### Besides\n"
        yield from (f"- {_cell(line)}" for line in others)
    if any(is_page(message) for one in found.campaigns for message in one.messages) and not pictures.browser:
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
        yield f"**{_cell(title(message, found))}**\n"
        shown = pictures.of(one.name, message)
        if shown:
            yield f"| {' | '.join(shown)} |"
            yield f"|{'---|' * len(shown)}"
            yield f"| {' | '.join(f'![{name}]({place})' for name, place in shown.items())} |\n"
        yield from _folded(body(message, found))
    for file, text in one.sources.items():
        yield f"{_code(file)}\n"
        yield from _folded(text)


def _changed(one: CampaignChange) -> Iterator[str]:
    if not one.there_after:
        yield "It is gone.\n"
        return
    files = told_files(one)
    if one.renamed_from:
        yield f"Renamed from {_code(one.renamed_from)}. {_cell(says_of_names(one))}\n"
        yield from (f"- **{_cell(about)}** {_cell(what)}" for about, what in one.meaning)
        yield ""
    if files or not one.renamed_from:
        yield "It is new:\n" if not one.there_before else "Changed:\n"
        yield from (f"- {_said(it)}" for it in files)
        yield ""


def _said(it: FileChange) -> str:
    what = " ".join(filter(None, (it.kind, _code(it.name) if it.name else "")))
    return f"{it.how} {what}" if it.how not in {"changed", RENAMED} else f"{what}: {_cell(', '.join(it.words))}"


def _rows(one: CampaignChange, found: Difference) -> Iterator[Sequence[str]]:
    for name in segments_of(one, found):
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
