"""What a message says, line by line as its reader sees it; and two of them side by side, with the lines that differ marked."""

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher, unified_diff
from typing import Any

from orchestrator.core.nouns import Content, EmailContent, InAppContent, PushContent, TextContent, WebhookContent
from orchestrator.core.phrases import say_duration
from orchestrator.core.times import SECOND
from orchestrator.pipeline import Unwritten

Written = Content | Unwritten | None

_NAMES = {"ttl": "Kept for", "collapse": "Replaces"}


def lines(written: Written) -> list[str]:
    """What a message says: its parts by name, a line each, and its text."""
    match written:
        case None:
            return []
        case Unwritten():
            return [f"nothing: {written.reason.replace('_', ' ')} {written.detail}".rstrip()]
        case EmailContent(sender, subject, _, text, reply_to):
            head = {"Subject": subject, "From": sender, "Reply to": reply_to}
            return [*(f"{name}: {value}" for name, value in head.items() if value), "", *text.splitlines()]
        case TextContent(text):
            return text.splitlines()
    return list(_named(_parts(written)))


def _parts(content: PushContent | InAppContent | WebhookContent) -> Mapping[str, Any]:
    """What a message without a page is made of."""
    match content:
        case PushContent(title, body, link, image, collapse, ttl, data):
            kept = "" if ttl is None else say_duration(ttl * SECOND)
            flat = {"title": title, "body": body, "link": link, "image": image, "collapse": collapse, "ttl": kept}
            return {**flat, "data": data}
        case InAppContent(payload):
            return payload
        case WebhookContent(name, data):
            return {"type": name, "data": data}


def compared(before: Written, after: Written) -> list[str]:
    """The lines of both, marked with + and - where they differ: all of a short message, of a mail what is around the changes.

    A mail whose words are the same is compared by its HTML.
    """
    old, new = lines(before), lines(after)
    if not any(isinstance(side, EmailContent) for side in (before, after)):
        return list(_side_by_side(old, new))
    if old == new and isinstance(before, EmailContent) and isinstance(after, EmailContent):
        old, new = _tags(before.html), _tags(after.html)
    return list(unified_diff(old, new, "before", "after", n=2, lineterm=""))


def _named(parts: Mapping[str, Any]) -> Iterator[str]:
    """Each part that says something, after its name; of a list every entry for itself; a text of many lines goes on indented."""
    for name, value in parts.items():
        if value is None or value in ("", {}, []):
            continue
        said = _NAMES.get(name) or name[:1].upper() + name[1:].replace("_", " ")
        if isinstance(value, list | tuple):
            yield from (f"{said} {place}: {_said(one)}" for place, one in enumerate(value, 1))
        elif isinstance(value, Mapping) and name == "data":
            yield from (f"{said} {key}: {_said(one)}" for key, one in value.items())
        else:
            first, *further = _said(value).splitlines() or [""]
            yield f"{said}: {first}"
            yield from (f"  {line}" for line in further)


def _said(value: Any) -> str:
    """A value as people write it; the inside of a map by its names, on one line."""
    match value:
        case Mapping():
            return " · ".join(f"{key}: {_said(inner)}" for key, inner in value.items())
        case list() | tuple():
            return ", ".join(map(_said, value))
        case bool():
            return "yes" if value else "no"
        case None:
            return "nothing"
    return str(value)


def _side_by_side(old: list[str], new: list[str]) -> Iterator[str]:
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            yield from (f" {line}" for line in old[i:j])
        else:
            yield from (f"-{line}" for line in old[i:j])
            yield from (f"+{line}" for line in new[k:m])


def _tags(html: str) -> list[str]:
    """A page, one tag a line."""
    return [line.strip() for line in re.sub(r"(?<=>)(?=<)", "\n", html).splitlines() if line.strip()]
