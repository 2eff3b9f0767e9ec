"""Links that may be followed: found in a page when it is compiled, marked in it, and taken out of what was written for somebody.

A mark holds a secret of the process, so that nobody's data can look like one. Where no marks are asked for, there are none.
"""

import re
from collections.abc import Callable
from html.entities import html5
from urllib.parse import quote

MARK = "\x01"
"""How every mark begins: a character that no text needs."""

UNTRACKED = "data-untracked"
"""The attribute of a link that is left as it is; nobody who gets the mail sees it."""

LONGEST = 1500
"""Characters an address may have that becomes a link of ours."""

OURS, THEIRS = "0", "1"
"""Whether the template names the host a link leads to, or data does."""

_LEFT = "zuqz"
"""Stands in front of the address of an untracked link while a page is laid out."""
_STAND_IN = re.compile(r"zq[0-9]+qz")
_TAG = re.compile(r"<!--.*?-->|<[A-Za-z](?:\"[^\"]*\"|'[^']*'|[^'\">])*>", re.DOTALL)
_ANCHOR = re.compile(r"<a\s", re.IGNORECASE)
_UNTRACKED = re.compile(rf"\s+{UNTRACKED}(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'>/]+))?(?=[\s/>])", re.IGNORECASE)
_HREF = re.compile(r"(?P<head>\shref\s*=\s*)(?P<quote>[\"'])(?P<url>.*?)(?P=quote)", re.IGNORECASE | re.DOTALL)
_TOLD = re.compile(rf"(\shref\s*=\s*[\"']){_LEFT}", re.IGNORECASE)
_NAMED = re.compile(r"\s*https?://[A-Za-z0-9.\-]+(?::[0-9]+)?(?:[/?#]|\Z)", re.IGNORECASE)
_WEB = re.compile(r"https?://(?P<host>[^\s/?#\\@:\[\]%]+)(?::[0-9]+)?(?:[/?#].*)?", re.IGNORECASE)
_PLAIN = re.compile(r"https?://[A-Za-z0-9.\-]+(?::[0-9]+)?(?:[/?#][A-Za-z0-9:/?#\[\]@!$&'()*+,;=%~._\-]*)?")
_REFERENCE = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*)(;|(?![=A-Za-z0-9]))")
_EDGES = "".join(map(chr, range(33)))
_SAFE = ":/?#[]@!$&'()*+,;=%~"


def left_alone(markup: str) -> str:
    """The page with every link that is not to be tracked told by its address, which all layouts carry along."""
    if UNTRACKED not in markup.lower():
        return markup

    def tell(tag: re.Match[str]) -> str:
        plain = _UNTRACKED.sub("", tag[0])
        if plain == tag[0]:
            return plain
        return _HREF.sub(rf"\g<head>\g<quote>{_LEFT}\g<url>\g<quote>", plain)

    return _TAG.sub(tell, markup)


def without_tellings(markup: str) -> str:
    """The page with its addresses as they were written."""
    return _TOLD.sub(r"\1", markup) if _LEFT in markup else markup


def with_marks(markup: str, secret: str) -> str:
    """The page with a mark on both sides of every address that may be followed; without a secret none has."""
    if not secret:
        return without_tellings(markup)

    def mark(tag: re.Match[str]) -> str:
        return _HREF.sub(hold, tag[0], count=1) if _ANCHOR.match(tag[0]) else tag[0]

    def hold(found: re.Match[str]) -> str:
        url = found["url"]
        if url.startswith(_LEFT) or not _may_lead_out(url):
            return found[0]
        whose = OURS if _host_is_named(url) else THEIRS
        held = f"{MARK}{secret}{whose}{url}{MARK}"
        return f"{found['head']}{found['quote']}{held}{found['quote']}"

    return without_tellings(_TAG.sub(mark, markup))


def _may_lead_out(url: str) -> bool:
    start = url.lstrip().lower()
    return start.startswith(("http://", "https://")) or _STAND_IN.match(start) is not None


def _host_is_named(url: str) -> bool:
    """Whether no data can choose the host: it ends before the first tag."""
    return _NAMED.match(url[: first.start()] + " " if (first := _STAND_IN.search(url)) else url) is not None


def replaced(html: str, secret: str, instead: Callable[[list[tuple[str, str]]], list[str]]) -> str:
    """The page with each marked address replaced. `instead` is given all of them, each behind whose host it is, as written.

    Where data holds the character of the marks, no link is followed: it may have torn one apart.
    """
    at = html.find(MARK)
    if at < 0:
        return html
    pieces, links, size = [html[:at]], [], len(secret)
    while at >= 0:  # `split` looks at each character by itself, and takes as long as all the rest (CPython 3.11)
        end = html.find(MARK, at + 1)
        if end < 0 or not html.startswith(secret, at + 1):
            return re.sub(f"{MARK}(?:{secret}[{OURS}{THEIRS}])?", "", html)
        links.append((html[at + 1 + size], html[at + 2 + size : end]))
        at = html.find(MARK, end + 1)
        pieces += ("", html[end + 1 :] if at < 0 else html[end + 1 : at])
    pieces[1::2] = instead(links)
    return "".join(pieces)


def address_of(written: str) -> str:
    """Where a browser goes that reads this attribute, in ASCII; empty if that is not out into the web, or far too long."""
    url = written.replace("&amp;", "&")
    if url.count("&") != written.count("&amp;"):
        url = _REFERENCE.sub(_meant, written)
    if _PLAIN.fullmatch(url):  # nearly all of them, at a fifth of the time
        return url if len(url) <= LONGEST else ""
    url = url.strip(_EDGES)
    if not url.isprintable():
        url = url.replace("\t", "").replace("\n", "").replace("\r", "")
    if not host_of(url):
        return ""
    try:
        url = quote(url, safe=_SAFE)
    except UnicodeEncodeError:  # half a surrogate pair
        return ""
    return url if len(url) <= LONGEST else ""


def host_of(url: str) -> str:
    """The host of an address of the web, in small letters; empty for every other, and for hosts beyond ASCII."""
    found = _WEB.fullmatch(url)
    return found["host"].lower() if found is not None and found["host"].isascii() else ""


def _meant(reference: re.Match[str]) -> str:
    """What a character reference means in an attribute: `&copy=1` is no sign of copyright there (HTML, 13.2.5.73)."""
    name = reference[1]
    if name.startswith("#"):
        number = int(f"0{name[1:]}", 0) if name[1] in "xX" else int(name[1:])
        return chr(number) if 0 < number < 0x110000 else ""
    return html5.get(name + reference[2], reference[0])
