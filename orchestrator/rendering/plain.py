"""The text part of an e-mail, taken from its HTML once, when the campaign is compiled; links are kept."""

import re
from html.parser import HTMLParser

_SKIPPED = frozenset({"head", "style", "script", "title", "noscript", "template"})
_BLOCKS = frozenset(
    {
        "p", "div", "table", "tr", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "header",
        "footer", "blockquote", "pre", "hr", "body", "center", "tbody", "thead",
    }
)  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "table"})
_VOID = frozenset({"br", "img", "hr", "meta", "link", "input", "col", "area", "base", "source", "wbr"})
_STATEMENT = re.compile(r"zq[0-9]+qz")


class _Text(HTMLParser):
    """Collects what a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.skipping: list[str] = []
        self.links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        hidden = "display:none" in given.get("style", "").replace(" ", "").lower()
        if self.skipping or tag in _SKIPPED or hidden:
            if tag not in _VOID:
                self.skipping.append(tag)
            return
        if tag == "br":
            self.parts.append("\n")
        elif tag == "img":
            self.parts.append(given.get("alt", ""))
        elif tag == "a":
            self.links.append((given.get("href", ""), len(self.parts)))
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in {"td", "th"}:
            self.parts.append(" ")
        elif tag in _BLOCKS:
            self.parts.append("\n\n" if tag in _PARAGRAPHS else "\n")

    def handle_endtag(self, tag: str) -> None:
        if self.skipping:
            if tag in self.skipping:
                del self.skipping[len(self.skipping) - 1 - self.skipping[::-1].index(tag) :]
        elif tag == "a" and self.links:
            self._close_link()
        elif tag in _BLOCKS:
            self.parts.append("\n\n" if tag in _PARAGRAPHS else "\n")

    def _close_link(self) -> None:
        address, start = self.links.pop()
        label = " ".join("".join(self.parts[start:]).split())
        if not address or address.startswith("#"):
            return
        shown = address.removeprefix("mailto:").removeprefix("tel:")
        if label != shown:
            self.parts.append(f" ({shown})" if label else shown)

    def handle_data(self, data: str) -> None:
        if not self.skipping:
            self.parts.append(re.sub(r"[^\S\xa0]+", " ", data).replace("\xa0", " "))

    def handle_comment(self, data: str) -> None:
        # Statements are comments; they open and close around skipped parts too, so none may be left out.
        if _STATEMENT.fullmatch(data):
            self.parts.append(f"<!--{data}-->")


def text_of(markup: str) -> str:
    """What a reader would see of this HTML, in lines; statements (`<!--zq7qz-->`) stay where they were."""
    reader = _Text()
    reader.feed(markup)
    reader.close()
    lines = [" ".join(line.split(" ")).strip() for line in "".join(reader.parts).split("\n")]
    text = "\n".join(re.sub(r" {2,}", " ", line) for line in lines)
    # A statement alone in its line would leave an empty one for each time it is passed.
    text = re.sub(r"\n*((?:<!--zq[0-9]+qz-->\s*)+)\n", lambda found: "\n" + "".join(found[1].split()), text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
