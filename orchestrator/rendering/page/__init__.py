"""The page of previews: every message of a campaign side by side, in one file or served piece by piece."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from orchestrator.core.cuts import CLIPPED, LOCK_SCREENS, SUBJECT, cut
from orchestrator.core.nouns import EmailContent
from orchestrator.rendering.tiles import Preview, Tile

HERE = Path(__file__).parent
STYLE, SCRIPT = "page.css", "page.js"
CHANNELS: Mapping[str, str] = {
    "email": "E-mail", "push": "Push", "in_app": "In-app", "sms": "Text message", "webhook": "Webhook",
}  # fmt: skip

_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_DOCTYPE = re.compile(r"\s*(?:<!doctype[^>]*>)?\s*(?:<html\b[^>]*>)?", re.IGNORECASE)
_RECOLOURED = (
    "html{filter:invert(.91) hue-rotate(180deg);background:#fff}"
    "img,video,[background],[style*='url(']{filter:invert(1) hue-rotate(180deg)}"
    "img:not([style*='background']){color:#e8e8e8!important}"
)
"""About what programs do in the dark to a message that brings no dark colours of its own.

Pictures stay as they are, and so would the words that stand for one: dark on dark.
"""
AS_IT_IS, IN_THE_DARK, AS_THE_SYSTEM = "not all", "all", "(prefers-color-scheme: dark)"
"""When such a message is recoloured, as media of its style. A frame follows the page's switch and never its own `prefers-color-scheme`:
not every browser tells frames of the page's scheme, and one that emulates a scheme tells them that one.
"""
_STYLE = '<style media="{when}">'
_NOWHERE = '<base target="_blank">'
"""A sandbox opens no windows, so a click on a link of a message leads nowhere."""
PLAIN = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
WITH_PICTURES = "default-src 'none'; img-src data: https: http:; style-src 'unsafe-inline' https: http:; font-src data: https: http:"
"""What a message may load when its pictures are off, and when they are on. Scripts never run."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Where the page's pieces are when it is served: its own folder, and the edition it shows."""

    edition: str


def page(preview: Preview, serving: Serving | None = None) -> str:
    """The page as HTML: with links to its pieces where it is served, with everything in it where it is not."""
    css, js = asset(STYLE), asset(SCRIPT)
    return (
        _room()
        .get_template("page.html")
        .render(
            preview=preview,
            channels=[
                (name, CHANNELS[name], _rows(preview, name))
                for name in dict.fromkeys(it.channel for it in preview.tiles)
            ],
            filters=_filters(preview),
            serving=serving,
            css=Markup(css),  # noqa: S704 - our own file
            js=Markup(js),  # noqa: S704 - our own file
            policy=_policy(js),
            swaps=json.dumps(
                {
                    "pictures": (PLAIN, WITH_PICTURES),
                    "dark": (_STYLE.format(when=AS_IT_IS), _STYLE.format(when=IN_THE_DARK)),
                }
            ),
            wrong=sum(1 for tile in preview.tiles if troubled(tile)),
        )
    )


def message(tile: Tile, *, pictures: bool = False, dark: str = AS_IT_IS) -> str:
    """The HTML of an e-mail for a sandboxed frame, its policy in its head; `dark` says when it is recoloured."""
    content = tile.content
    if not isinstance(content, EmailContent):
        return ""
    policy = WITH_PICTURES if pictures else PLAIN
    added = f'<meta http-equiv="Content-Security-Policy" content="{policy}">{_NOWHERE}'
    if not tile.inspection.dark:
        added += f"{_STYLE.format(when=dark)}{_RECOLOURED}</style>"
    found = _HEAD.search(content.html) or _DOCTYPE.match(content.html)
    at = found.end() if found else 0
    return content.html[:at] + added + content.html[at:]


def troubled(tile: Tile) -> bool:
    """Whether somebody should look at it: it cannot be written, a file is mistaken, or it hurts who reads it."""
    return tile.content is None or bool(tile.mistakes) or any(found.wrong for found in tile.inspection.findings)


@cache
def asset(name: str) -> str:
    """The page's style or script."""
    return (HERE / name).read_text(encoding="utf-8")


def _rows(preview: Preview, channel: str) -> list[tuple[tuple[str, ...], list[Tile]]]:
    """A channel's tiles by the segments they are for."""
    rows: dict[tuple[str, ...], list[Tile]] = {}
    for tile in preview.tiles:
        if tile.channel == channel:
            rows.setdefault(tile.segments, []).append(tile)
    return list(rows.items())


def _filters(preview: Preview) -> list[tuple[str, str, dict[str, str]]]:
    """(key, label, name → words) of what there is more than one of."""
    every = preview.tiles
    found = [
        ("channel", "Channel", {str(tile.channel): CHANNELS[tile.channel] for tile in every}),
        ("segment", "Segment", {name: name for tile in every for name in tile.segments}),
        ("variant", "Variant", {name: name for tile in every for name in tile.variants}),
        ("locale", "Language", {name: name for tile in every for name in tile.locales}),
    ]
    return [one for one in found if len(one[2]) > 1]


def _policy(script: str) -> str:
    """The policy of the page in one file: the one script by its hash, the message's pictures once they are asked for."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline' https: http:;"
        " img-src data: https: http:; font-src data: https: http:; base-uri 'none'; form-action 'none'"
    )


@cache
def _room() -> Environment:
    room = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    room.filters |= {"cut": cut, "kilobytes": _kilobytes, "pretty": _pretty, "sender": _sender}
    room.globals |= {
        "message": message,
        "troubled": troubled,
        "SUBJECT": SUBJECT,
        "CLIPPED": CLIPPED,
        "LOCK_SCREENS": LOCK_SCREENS,
    }
    return room


def _kilobytes(size: int) -> str:
    return f"{size / 1024:.1f}"


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _sender(address: str) -> str:
    """The name of a sender as inboxes show it."""
    name = address.partition("<")[0].strip().strip('"')
    return name or address
