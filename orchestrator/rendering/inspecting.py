"""What a rendered message looks like to whoever gets it: the inbox's line, its weight, its links, and what is amiss."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

from orchestrator.core.cuts import CLIPPED, LOCK_SCREENS, SNIPPET, SUBJECT, cut
from orchestrator.core.nouns import Content, EmailContent, InAppContent, PushContent, TextContent
from orchestrator.core.text_messages import Parts, parts
from orchestrator.rendering.contrast import Faint, faint

RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
"""Languages that are written from the right."""
_UNREAD = frozenset({"head", "style", "script", "title", "noscript", "template"})
_SELF_MADE = re.compile(r"prefers-color-scheme|name=[\"']?color-scheme", re.IGNORECASE)
_BLANKS = re.compile("[\\s\u00ad\u034f\u200b-\u200f\u2060\ufeff]+")
"""What preheaders are padded with, so that nothing else follows them in the inbox."""
_FETCHED = re.compile(r"@import\s+(?:url\()?\s*[\"']?((?:https?:)?//[^\"')\s;]+)|@font-face\s*{([^}]*)", re.IGNORECASE)
_ADDRESS = re.compile(r"url\(\s*[\"']?((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)
_FILLED_WITH_NOTHING = frozenset({"", "#"})
_SOME = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. `wrong` hurts somebody who reads it; otherwise it is a hint."""

    text: str
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Where a piece of a message leads."""

    url: str
    label: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a message; `alt` is None where nothing says what it shows."""

    url: str
    alt: str | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What there is to know about one message beside its look. What its channel does not have is empty."""

    findings: tuple[Finding, ...] = ()
    snippet: str = ""
    """The words an inbox shows behind the subject."""
    weight: int = 0
    """Bytes of HTML."""
    dark: bool = False
    """Whether the message brings its own dark colours."""
    links: tuple[Link, ...] = ()
    pictures: tuple[Picture, ...] = ()
    parts: Parts | None = None


def inspect(content: Content, locale: str) -> Inspection:
    """Look through one message, written for readers of this locale."""
    right_to_left = locale.replace("_", "-").partition("-")[0].lower() in RIGHT_TO_LEFT
    match content:
        case EmailContent():
            return _email(content, right_to_left=right_to_left)
        case PushContent():
            links = (Link(content.link, "tap"),) if content.link else ()
            pictures = (Picture(content.image, ""),) if content.image else ()
            return Inspection(tuple(_push(content)), links=links, pictures=pictures)
        case InAppContent():
            return _in_app(content)
        case TextContent():
            whole = parts(content.text)
            return Inspection(tuple(_text(whole)), parts=whole)
        case _:
            return Inspection()


def _email(content: EmailContent, *, right_to_left: bool) -> Inspection:
    reader = _Reader()
    reader.feed(content.html)
    reader.close()
    weight = len(content.html.encode())
    snippet = cut(_BLANKS.sub(" ", " ".join(reader.words)).strip(), SNIPPET)
    links = tuple(Link(url, " ".join(label.split())) for url, label in reader.links)
    found = [
        *_of_words(content, snippet),
        *_of_weight(weight),
        *_of_pictures(reader.pictures),
        *_of_links(links),
        *_of_fetched(reader.fetched),
        *_of_colours(faint(content.html)),
    ]
    if right_to_left and not reader.right_to_left:
        found.append(Finding('is read from the right, and nothing in it says dir="rtl"', wrong=True))
    dark = _SELF_MADE.search(content.html) is not None
    return Inspection(tuple(found), snippet, weight, dark, links, tuple(reader.pictures))


def _of_words(content: EmailContent, snippet: str) -> Iterator[Finding]:
    subject = len(content.subject)
    if not content.subject.strip():
        yield Finding("has no subject", wrong=True)
    elif subject > SUBJECT:
        yield Finding(f"subject of {subject} characters; phones show about {SUBJECT}")
    if not snippet:
        yield Finding("has no words for the inbox to show: a preheader, or text in the body")
    if not content.text.strip():
        yield Finding("has no plain text; spam filters and watches read that part", wrong=True)


def _of_weight(weight: int) -> Iterator[Finding]:
    if weight > CLIPPED:
        yield Finding("Gmail clips it after 102 KB: what stands below is not seen, nor the way out", wrong=True)


def _of_pictures(pictures: list[Picture]) -> Iterator[Finding]:
    mute = [picture.url for picture in pictures if picture.alt is None]
    if mute:
        yield Finding(f"{_count(len(mute), 'picture')} without alt: {_shown(mute)}", wrong=True)
    odd = [picture.url for picture in pictures if not picture.url.startswith(("https://", "data:", "cid:"))]
    if odd:
        yield Finding(
            f"{_count(len(odd), 'picture')} not at https://, which mail programs may leave out: {_shown(odd)}"
        )


def _of_links(links: tuple[Link, ...]) -> Iterator[Finding]:
    nowhere = [link.label or "a picture" for link in links if link.url.strip() in _FILLED_WITH_NOTHING]
    if nowhere:
        yield Finding(f"{_count(len(nowhere), 'link')} to nowhere: {_shown(nowhere)}", wrong=True)
    plain = [link.url for link in links if link.url.startswith("http://")]
    if plain:
        yield Finding(f"{_count(len(plain), 'link')} without encryption (http://): {_shown(plain)}")


def _of_fetched(fetched: list[str]) -> Iterator[Finding]:
    hosts = list(dict.fromkeys(urlsplit(one).netloc for one in fetched))
    if hosts:
        yield Finding(f"loads fonts or style sheets from {_shown(hosts)}, which learns who reads it and when")


def _of_colours(found: tuple[Faint, ...]) -> Iterator[Finding]:
    if found:
        worst = min(found, key=lambda one: one.ratio)
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        text = f"“{cut(worst.text, 30)}” is hard to read: {worst.ratio:.1f} to 1 ({worst.ink} on {worst.ground}), 4.5 is the least"
        yield Finding(text + more)


def _push(content: PushContent) -> Iterator[Finding]:
    for name, screen in LOCK_SCREENS.items():
        for part, text, most in (("title", content.title, screen.title), ("text", content.body, screen.body)):
            if len(text) > most:
                yield Finding(f"{part} of {len(text)} characters; {name} shows about {most} before it is opened")
    if content.image and not content.image.startswith("https://"):
        yield Finding("the picture is not at https://, and phones leave it out", wrong=True)


def _in_app(content: InAppContent) -> Inspection:
    payload = content.payload
    given = payload.get("buttons")
    buttons = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    found = [
        Finding(f"button “{one.get('label', '')}” does nothing: no link, no dismiss", wrong=True)
        for one in buttons
        if not one.get("link") and not one.get("dismiss")
    ]
    links = tuple(Link(str(one["link"]), str(one.get("label", ""))) for one in buttons if one.get("link"))
    image = payload.get("image")
    return Inspection(tuple(found), links=links, pictures=(Picture(str(image), ""),) if image else ())


def _text(whole: Parts) -> Iterator[Finding]:
    if len(whole) > 1:
        yield Finding(f"is paid as {len(whole)} messages")
    if whole.outside:
        letters = " ".join(whole.outside[:12])
        yield Finding(f"{letters} is not in the alphabet of text messages: a part holds 70 characters instead of 160")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _shown(words: list[str]) -> str:
    more = f" and {len(words) - _SOME} more" if len(words) > _SOME else ""
    return ", ".join(cut(word, 60) for word in words[:_SOME]) + more


class _Reader(HTMLParser):
    """Reads HTML the way an inbox does: first words first, hidden ones too, for that is what preheaders are."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.pictures: list[Picture] = []
        self.fetched: list[str] = []
        """Addresses of fonts and style sheets that are loaded when the message is read."""
        self.right_to_left = False
        self._unread = 0
        self._open: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._unread += tag in _UNREAD
        self.right_to_left |= (given.get("dir") or "").lower() == "rtl"
        if tag == "a" and "href" in given:
            self._open = (given["href"] or "", len(self.words))
        elif tag == "link" and "stylesheet" in (given.get("rel") or "").lower():
            self.fetched += [one for one in (given.get("href"),) if one and urlsplit(one).netloc]
        elif tag == "img":
            self.pictures.append(Picture(given.get("src") or "", given.get("alt", "") if "alt" in given else None))
            if self._open is not None and given.get("alt"):
                self.words.append(given["alt"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._unread = max(0, self._unread - (tag in _UNREAD))
        if tag == "a" and self._open is not None:
            url, begins = self._open
            self.links.append((url, " ".join(self.words[begins:])))
            self._open = None

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style":
            for sheet, font in _FETCHED.findall(data):
                self.fetched += [sheet] if sheet else _ADDRESS.findall(font)
        if not self._unread and data.strip():
            self.words.append(data.strip())
