"""The project's documents, taken apart: blocks of code with what stands beside their fence, spans of code, headings, links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
WRITTEN = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
    if "reference" not in path.parts
)
GENERATED = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "reference").glob("*.md"))

_BLOCK = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block of code: its page and line, its language, the words after the language, and the text."""

    page: str
    line: int
    language: str
    about: str
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}"


@cache
def content(page: str) -> str:
    """A page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, *languages: str) -> list[Block]:
    """The blocks of these languages, or all."""
    found = []
    for one in _BLOCK.finditer(content(page)):
        language, _, about = one["info"].strip().partition(" ")
        line = content(page).count("\n", 0, one.start()) + 1
        found.append(Block(page, line, language, about.strip(), one["text"]))
    return [block for block in found if not languages or block.language in languages]


def prose(page: str) -> str:
    """A page without its blocks of code."""
    return _BLOCK.sub("", content(page))


def spans(page: str) -> list[str]:
    """What stands between single backticks."""
    return _SPAN.findall(prose(page))


def links(page: str) -> list[str]:
    """Where a page's links lead, as written."""
    return _LINK.findall(prose(page))


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    return {_anchor(line.lstrip("#")) for line in prose(page).splitlines() if re.match(r"#{1,6} ", line)}


def _anchor(heading: str) -> str:
    words = heading.strip().lower().replace("`", "")
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def commands(text: str) -> Iterator[list[str]]:
    """The words of every call of the command line in a text, comments left out."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|\|\||[|;&]|\$\(", line.partition(" #")[0]):
            words = part.split()
            while words and re.match(r"[A-Z_]+=", words[0]):
                words = words[1:]
            if words and words[0].rpartition("/")[2] in {"orchestrator", "orc"}:
                yield words[1:]
