"""The words of a change that the screen and the report share."""

from collections.abc import Iterator

from orchestrator.audience.changes import Change
from orchestrator.cli.differing import CampaignChange, Difference
from orchestrator.cli.message_lines import lines
from orchestrator.cli.messages import MessageChange, difference
from orchestrator.config import RENAMED, FileChange
from orchestrator.core.nouns import Channel
from orchestrator.core.plain_reasons import say_channel

LEAP = 2
"""So many times larger or smaller is worth a mark."""
_MISTAKES = 5


def is_page(message: MessageChange) -> bool:
    """Whether a message can be drawn."""
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


def caveats(found: Difference) -> Iterator[str]:
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


def told_files(one: CampaignChange) -> list[FileChange]:
    """The files of a campaign of which there is something to say: a renamed campaign's that stayed the same are left out."""
    return [it for it in one.files if it.words or it.how != RENAMED]


def says_of_names(one: CampaignChange) -> str:
    """Why another name is more than a word."""
    return f"The ledger knows a campaign by its name: {one.name} is a new one to it, and what {one.renamed_from} did stays with that name."


def elsewhere(found: Difference) -> Iterator[str]:
    """Changes that concern no campaign, and segments no campaign uses."""
    told_ = {it.file for one in found.campaigns for it in one.files}
    others = [str(it) for it in found.files if it.file not in told_]
    if others:
        yield f"changed besides: {', '.join(others)}"
    used = {name for one in found.campaigns for name in segments_of(one, found)}
    for name, change in found.segments.items():
        if name not in used:
            moved = change.entered or change.left
            now = f"{arrow(change.before, change.after)} people   {moves(change)}" if moved else "the same people"
            yield f"{name}   {now}"


def segments_of(one: CampaignChange, found: Difference) -> list[str]:
    """The changed segments that concern a campaign."""
    names = {it.name for it in one.files if it.kind == "segment"}
    return [name for name in found.segments if name in names]


def body(message: MessageChange, found: Difference) -> list[str]:
    """What is different in a message; without a before, what it says."""
    return lines(message.after) if found.mistakes else difference(message)


def arrow(before: int, after: int) -> str:
    """Two numbers, one after the other."""
    return f"{before:,} → {after:,}"


def moves(change: Change) -> str:
    """How many came in and went out; empty for nobody."""
    parts = [f"+{change.entered:,}" if change.entered else "", f"−{change.left:,}" if change.left else ""]
    return " ".join(filter(None, parts))


def title(message: MessageChange, found: Difference) -> str:
    """Which message it is, and whose."""
    more = [f"variant {message.variant}"] if message.variant else []
    more += [message.locale] if message.locale else []
    how = "new: " if message.before is None else "gone: " if message.after is None else ""
    how = "" if found.mistakes else how
    return f"{how}{say_channel(message.channel)}, {message.segment}, as {message.user}" + "".join(
        f" · {it}" for it in more
    )
