"""A screen of labels and sentences: as wide as the terminal, a long line goes on under its own beginning; a pipe gets whole lines."""

import json
from collections.abc import Mapping
from typing import Any

from orchestrator.cli.screen import BOLD, Line, beside, fitted, leading, show, width

LABEL = 13


class Sheet:
    """Lines as they are added; `print` shows them. Signs of somebody's data that would steer the terminal are left out."""

    def __init__(self) -> None:
        self._room = width()
        self._lines: list[Line] = []

    def title(self, text: str) -> None:
        """A line over the whole width that stands out."""
        first, *further = fitted(f" {plain(text)}", self._room)
        self._lines += [Line(first, BOLD), *(Line(one) for one in further)]

    def line(self, label: str, text: str, *, mark: str = "", style: str = "", deep: int = 0) -> None:
        """A sentence beside its label (empty: it belongs to the one above), with a word in front of it."""
        left = [Line(f" {label:<{LABEL}}{'   ' * deep}", BOLD if label else "")]
        left += [Line(f"{mark} ", style)] if mark else []
        self._lines += beside(left, plain(text), self._room)

    def text(self, text: str) -> None:
        """A sentence over the whole width."""
        self._lines += [Line(one) for one in fitted(f" {plain(text)}", self._room)]

    def command(self, text: str, command: str) -> None:
        """A sentence that leads to a command, or to a path, which is left whole so that it can be copied."""
        self._lines += leading(f" {plain(text)}", plain(command), self._room)

    def message(self, content: Mapping[str, Any], indent: str = "") -> None:
        """The parts of a message that people read, each beside its name."""
        for name, value in content.items():
            if value and name not in {"html", "headers"}:
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                for number, line in enumerate(text.strip().splitlines()):
                    self.line("" if number else indent + name, line)

    def blank(self) -> None:
        """An empty line."""
        self._lines.append(Line(""))

    def print(self) -> None:
        """Show it."""
        show(self._lines)


def plain(text: str) -> str:
    """A text of somebody's data without signs that would steer the terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
