"""Words that are hard to read on their ground: WCAG 2's contrast of the colours that styles of e-mail name in place.

Only what stands in `style`, `bgcolor` and `color` of the elements themselves counts, for that is what mail programs keep.
Words over pictures are left out: nobody can tell what is behind them.
"""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import NamedTuple

LEAST = 4.5
"""The ratio that WCAG's level AA asks for."""
_LARGE, _LEAST_LARGE = 24.0, 3.0
"""Letters of 24 px and more may have less."""
_VOID = frozenset({"br", "img", "hr", "meta", "link", "input", "col", "area", "base", "source", "wbr"})
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|max-height\s*:\s*0|opacity\s*:\s*0(?![.\d])", re.IGNORECASE
)
_NAMED = {"white": "#ffffff", "black": "#000000", "gray": "#808080", "grey": "#808080", "red": "#ff0000"}
_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")
_PIXELS = re.compile(r"([\d.]+)px")


class Faint(NamedTuple):
    """Words with less contrast than eyes need."""

    text: str
    ink: str
    ground: str
    ratio: float


class _Look(NamedTuple):
    """What holds inside an element; a ground of "" is one nobody knows."""

    tag: str
    ink: str = "#000000"
    ground: str = "#ffffff"
    size: float = 16.0
    seen: bool = True


def faint(html: str) -> tuple[Faint, ...]:
    """Every piece of text that is too faint, each pair of colours once."""
    eye = _Eye()
    eye.feed(html)
    eye.close()
    return tuple(eye.found.values())


def ratio(ink: str, ground: str) -> float:
    """The contrast of two colours (`#rrggbb`), from 1 to 21."""
    light, dark = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


class _Eye(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[tuple[str, str], Faint] = {}
        self._looks = [_Look("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            given = {name: value or "" for name, value in attrs}
            self._looks.append(_look(tag, given, self._looks[-1]))

    def handle_endtag(self, tag: str) -> None:
        for at in range(len(self._looks) - 1, 0, -1):
            if self._looks[at].tag == tag:
                del self._looks[at:]
                return

    def handle_data(self, data: str) -> None:
        look = self._looks[-1]
        if not look.seen or not look.ground or not any(map(str.isalnum, data)):
            return
        found = ratio(look.ink, look.ground)
        if found < (_LEAST_LARGE if look.size >= _LARGE else LEAST):
            self.found.setdefault((look.ink, look.ground), Faint(data.strip(), look.ink, look.ground, found))


def _look(tag: str, given: Mapping[str, str], outer: _Look) -> _Look:
    style = {}
    for declaration in given.get("style", "").split(";"):
        name, _, value = declaration.partition(":")
        style[name.strip().lower()] = value.replace("!important", "").strip().lower()
    own = "#0000ee" if tag == "a" and "href" in given else outer.ink  # a browser's own colour of links
    ink = _colour(style.get("color") or given.get("color", "")) or own
    behind = style.get("background-color") or style.get("background") or given.get("bgcolor", "").lower()
    ground = outer.ground if behind in {"", "transparent", "none", "inherit"} else _colour(behind)
    if "url(" in behind or "background" in given or style.get("background-image", "none") != "none":
        ground = ""
    size = _PIXELS.match(style.get("font-size", ""))
    seen = outer.seen and tag not in {"head", "style", "title", "script"} and not _HIDDEN.search(given.get("style", ""))
    return _Look(tag, ink, ground, float(size[1]) if size else outer.size, seen)


def _colour(text: str) -> str:
    """A colour as `#rrggbb`, empty for one that is written in another way."""
    word = text.strip().lower().split(" ")[0] if text.strip() else ""
    word = _NAMED.get(word, word)
    if not _HEX.fullmatch(word):
        return ""
    return word if len(word) == 7 else "#" + "".join(letter * 2 for letter in word[1:])


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
