"""What is wrong with the writing of a file itself: its size, its letters, its tabs, its brackets and blanks."""

import re
from dataclasses import dataclass

from ruamel.yaml.error import MarkedYAMLError

LARGEST = 256 * 1024
"""Bytes of one YAML file."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A mistake in the writing itself, before anybody asks what it means."""

    line: int
    column: int
    text: str
    remedy: str = ""
    word: str = ""
    """The value as written, if the text repeats it."""


def decoded(content: bytes) -> tuple[str, tuple[Slip, ...]]:
    """The text of a file, or why it has none."""
    if len(content) > LARGEST:
        return "", (Slip(1, 1, f"is larger than {LARGEST // 1024} KiB", "Split it up; long lists belong in lists/."),)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        return "", (Slip(line, column, "is not written in UTF-8", "Save the file as UTF-8."),)
    tabs = tuple(
        Slip(number, line.index("\t") + 1, "a tab", "Indent with blanks.")
        for number, line in enumerate(text.splitlines(), 1)
        if "\t" in line[: len(line) - len(line.lstrip())] and line.strip()
    )
    return text, tabs


def syntax(error: MarkedYAMLError, text: str, shift: int) -> Slip:
    """What the reader stumbled over, in words of its line."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Slip(1 + shift, 1, "cannot be read as YAML")
    lines = text.splitlines()
    near = [number for number in (mark.line, mark.line - 1) if 0 <= number < len(lines)]
    for number in near:
        if found := re.search(r"(?:^|[:\-{\[,]\s*)(?P<what>\{\{|\$\{)", lines[number]):
            what = "{{ }}" if found["what"] == "{{" else "${ }"
            text = f"{what} stands here without quotes"
            return Slip(number + 1 + shift, found.start("what") + 1, text, "Put the whole value in quotes.")
    problem = (error.problem or "cannot be read as YAML").strip()
    context = f" {error.context.strip()}" if error.context else ""
    remedy = "Look at the indentation, at the blank after a colon, and at quotes and brackets that are not closed."
    return Slip(mark.line + 1 + shift, mark.column + 1, f"cannot be read: {problem}{context}", remedy)


def character(problem: str) -> str:
    """The reader's complaint about a character, without a quotation of the file."""
    found = re.search(r"#x[0-9a-f]+", problem)
    return f"It holds the character {found[0]}, which has no place in a text file." if found else ""
