"""The words of a message as people read them, whether a text is among them, and which of them comes nearest to one that is not."""

import html
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from orchestrator.core.nouns import (
    Content,
    EmailContent,
    InAppContent,
    PushContent,
    TextContent,
    WebhookContent,
)

Words = tuple[tuple[str, str], ...]
"""The texts of a message by what they are: (`subject`, …), (`text`, …)."""

_NEAR = 0.5
"""How like a text must be to one that was expected to be shown beside it, from 0 to 1."""


def words_of(content: Content) -> Words:
    """Every text of a message, blanks and line breaks made one blank; of an e-mail's HTML the source, for its links."""
    return tuple((name, squeezed(text)) for name, text in _texts(content) if text)


def title_of(content: Content) -> str:
    """The subject of an e-mail, the title of a push or an in-app message; empty for what has none."""
    if isinstance(content, EmailContent):
        return squeezed(content.subject)
    if isinstance(content, PushContent):
        return squeezed(content.title)
    if isinstance(content, InAppContent):
        return squeezed(str(content.payload.get("title") or ""))
    return ""


def squeezed(text: str) -> str:
    """A text with single blanks."""
    return " ".join(text.split())


def found_in(text: str, words: Words) -> str:
    """Which of a message's texts has this in it, empty if none has."""
    wanted = squeezed(text)
    return next((name for name, said in words if wanted in said), "")


def nearest(text: str, words: Words) -> tuple[str, str]:
    """Which of a message's texts comes nearest to this one, and the part of it that does; empty if none is like it."""
    wanted = squeezed(text)
    best, share = ("", ""), _NEAR
    for name, said in words:
        if name == "html":
            continue
        part = _part(wanted, said)
        like = SequenceMatcher(None, wanted.casefold(), part.casefold(), autojunk=False).ratio()
        if like > share:
            best, share = (name, part), like
    return best


def _part(wanted: str, said: str) -> str:
    """As many words of a text as were wanted, there where they are most alike."""
    words, many = said.split(" "), max(1, len(wanted.split(" ")))
    if len(words) <= many:
        return said
    parts = (" ".join(words[start : start + many]) for start in range(len(words) - many + 1))
    matcher = SequenceMatcher(None, "", wanted.casefold(), autojunk=False)

    def alike(part: str) -> float:
        matcher.set_seq1(part.casefold())
        return matcher.ratio()

    return max(parts, key=alike)


def _texts(content: Content) -> Iterator[tuple[str, str]]:
    match content:
        case EmailContent():
            yield "subject", content.subject
            yield "text", content.text
            yield "html", html.unescape(content.html)
            yield "from", content.sender
        case PushContent():
            yield from (("title", content.title), ("body", content.body), ("link", content.link))
            yield "image", content.image
            yield from _leaves("data", content.data)
        case InAppContent():
            yield from _leaves("", content.payload)
        case TextContent():
            yield "text", content.text
        case WebhookContent():
            yield "type", content.type
            yield from _leaves("data", content.data)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text inside a JSON value, by its path."""
    if isinstance(value, Mapping):
        for key, inside in value.items():
            yield from _leaves(f"{name}.{key}" if name else str(key), inside)
    elif isinstance(value, list | tuple):
        for place, inside in enumerate(value):
            yield from _leaves(f"{name}[{place}]", inside)
    elif isinstance(value, str):
        yield name, value
