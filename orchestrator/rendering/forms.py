"""A channel's content with holes: what is the same for everybody stands there, the rest is filled in."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.core.errors import ConfigError, Mistake
from orchestrator.core.nouns import (
    Channel,
    Content,
    EmailContent,
    InAppContent,
    PushContent,
    TextContent,
    WebhookContent,
)
from orchestrator.core.phrases import PhraseError, duration
from orchestrator.core.times import SECOND
from orchestrator.rendering.heads import Branch, Leaf, place_of

LARGEST: Mapping[Channel, int] = {
    Channel.EMAIL: 1_000_000,
    Channel.PUSH: 4_096,
    Channel.IN_APP: 65_536,
    Channel.SMS: 1_600,
    Channel.WEBHOOK: 65_536,
}
"""Bytes of rendered text a message of a channel may have (FCM and APNs take 4 kB)."""

IN_APP_KINDS = ("modal", "banner", "full_screen", "inbox")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Hole:
    """Where the text of this number goes."""

    number: int


Tree = dict[str, "Tree"] | list["Tree"] | Hole | str | float | bool | None


class TooLargeError(Exception):
    """A rendered message is larger than its channel carries."""


def one_line(text: str) -> str:
    """Text without line breaks and control characters, as headers and titles want it."""
    return text if text.isprintable() else _CONTROLS.sub(" ", text).strip()


def fill(tree: Tree, texts: Sequence[str]) -> Any:
    """The tree with its holes filled."""
    if isinstance(tree, Hole):
        return texts[tree.number]
    if isinstance(tree, dict):
        return {key: fill(value, texts) for key, value in tree.items()}
    if isinstance(tree, list):
        return [fill(value, texts) for value in tree]
    return tree


def check_size(channel: Channel, texts: Sequence[str], fixed: int = 0) -> None:
    """TooLargeError for more bytes than the channel carries."""
    most = LARGEST[channel] - fixed
    characters = sum(map(len, texts))
    if characters * 4 <= most:
        return
    if characters > most or sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) > most:
        raise TooLargeError(f"over {LARGEST[channel]} bytes, the most that {channel.value} carries")


Maker = Callable[[Sequence[str]], Content]
"""Turns a message's texts into its content."""


def maker(channel: Channel, tree: dict[str, Tree], head: Mapping[str, Branch]) -> Maker:
    """How this message's content is put together; ConfigError for values the channel does not know."""
    if channel is Channel.EMAIL:
        return _email(tree)
    if channel is Channel.PUSH:
        return _push(tree, head)
    if channel is Channel.IN_APP:
        return _in_app(tree, head)
    if channel is Channel.WEBHOOK:
        fixed = _weight(tree)

        def webhook(texts: Sequence[str]) -> Content:
            check_size(channel, texts, fixed)
            whole = fill(tree, texts)
            return WebhookContent(one_line(whole["type"]), whole.get("data") or {})

        return webhook

    def text(texts: Sequence[str]) -> Content:
        found = str(fill(tree["text"], texts)).strip()
        check_size(channel, (found,))
        return TextContent(found)

    return text


def _email(tree: dict[str, Tree]) -> Maker:
    sender, subject, reply_to = tree["from"], tree["subject"], tree["reply_to"]
    html, text = tree["html"], tree["text"]

    def make(texts: Sequence[str]) -> Content:
        check_size(Channel.EMAIL, texts)
        return EmailContent(
            one_line(fill(sender, texts)),
            one_line(fill(subject, texts)),
            fill(html, texts),
            fill(text, texts),
            one_line(fill(reply_to, texts)),
        )

    return make


def _push(tree: dict[str, Tree], head: Mapping[str, Branch]) -> Maker:
    fixed = _weight(tree)
    found = [*_wrong_duration(head.get("ttl"))]
    data = tree.get("data") or {}
    if not isinstance(data, dict):
        found.append(Mistake(*place_of(head["data"]), "data is not a map", "write `data: {key: value}`"))
    if found or not isinstance(data, dict):
        raise ConfigError(tuple(found))
    ttl = _duration(head.get("ttl"))
    seconds = None if ttl is None else ttl // SECOND
    flat = [tree.get(key) or "" for key in ("title", "body", "link", "image", "collapse")]

    def make(texts: Sequence[str]) -> Content:
        check_size(Channel.PUSH, texts, fixed)
        title, body, link, image, collapse = [
            texts[value.number] if isinstance(value, Hole) else str(value) for value in flat
        ]
        more = {key: _text(fill(value, texts)) for key, value in data.items()} if data else {}
        return PushContent(one_line(title), body, one_line(link), one_line(image), one_line(collapse), seconds, more)

    return make


def _in_app(tree: dict[str, Tree], head: Mapping[str, Branch]) -> Maker:
    fixed = _weight(tree)
    kind = tree.setdefault("kind", IN_APP_KINDS[0])
    show = head.get("show")
    lasts = show.get("for") if isinstance(show, dict) else None
    found = [*_wrong_duration(lasts)]
    if isinstance(kind, str) and kind not in IN_APP_KINDS:
        remedy = f"there are {', '.join(IN_APP_KINDS)}"
        found.append(Mistake(*place_of(head["kind"]), f"no kind {kind!r} of in-app message", remedy))
    if found:
        raise ConfigError(tuple(found))
    visible_for = _duration(lasts)

    def make(texts: Sequence[str]) -> Content:
        check_size(Channel.IN_APP, texts, fixed)
        return InAppContent(fill(tree, texts), visible_for)

    return make


def _text(value: Any) -> str:
    """A value of push data: always text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _weight(tree: Tree) -> int:
    """Bytes of what is the same for everybody."""
    if isinstance(tree, dict):
        return sum(len(key.encode()) + _weight(value) for key, value in tree.items())
    if isinstance(tree, list):
        return sum(map(_weight, tree))
    return len(tree.encode()) if isinstance(tree, str) else 8


def _wrong_duration(branch: Branch | None) -> Iterator[Mistake]:
    """What is wrong with a length of time."""
    if branch is None:
        return
    if not isinstance(branch, Leaf) or not isinstance(branch.value, str):
        yield Mistake(*place_of(branch), "is not a duration", "write one like `12 hours`")
        return
    try:
        duration(branch.value)
    except PhraseError as error:
        yield Mistake(*place_of(branch), str(error))


def _duration(branch: Branch | None) -> int | None:
    """A length of time that has nothing wrong, in microseconds."""
    return duration(branch.value) if isinstance(branch, Leaf) else None
