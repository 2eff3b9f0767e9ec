"""A screen of labels and sentences: as wide as the terminal, a long line goes on under its own beginning; a pipe gets whole lines."""

import shutil
import sys
from textwrap import wrap

LABEL = 13
_WIDE, _NARROW = 100_000, 40


class Sheet:
    """Lines as they are added; `print` shows them. Colours only where a terminal takes them (NO_COLOR is heard)."""

    def __init__(self, width: int | None = None) -> None:
        terminal = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE
        self._width = max(_NARROW, width or terminal)
        self._lines: list[tuple[str, str, str, str, str]] = []

    def raw(self, text: str) -> None:
        """A line that is left whole, so that a command in it can be copied."""
        self._lines.append((" ", "", "", plain(text), ""))

    def title(self, text: str) -> None:
        """A line over the whole width that stands out."""
        for number, line in enumerate(wrap(plain(text), self._width - 4)):
            self._lines.append((" " if not number else "   ", "", "", line, "bold" if not number else ""))

    def line(self, label: str, text: str, *, mark: str = "", style: str = "", deep: int = 0) -> None:
        """A sentence beside its label (empty: it belongs to the one above), with a word in front of it."""
        indent = " " * (3 * deep)
        mark = f"{mark} " if mark else ""
        room = max(20, self._width - LABEL - 1 - len(indent) - len(mark))
        for number, one in enumerate(wrap(plain(text), room, break_long_words=False, break_on_hyphens=False) or [""]):
            first = not number
            left = f" {label if first else '':<{LABEL}}{indent}"
            self._lines.append((left, mark if first else " " * len(mark), style, one, ""))

    def blank(self) -> None:
        """An empty line."""
        self._lines.append(("", "", "", "", ""))

    def print(self) -> None:
        """Show it."""
        from rich.console import Console  # noqa: PLC0415 - keeps `--help` fast
        from rich.text import Text  # noqa: PLC0415

        console = Console(highlight=False, soft_wrap=True)
        for left, mark, style, text, own in self._lines:
            shown = Text().append(left, "bold" if left.strip() else "")
            shown.append(mark, style)
            shown.append(text, own)
            shown.rstrip()
            console.print(shown)


def plain(text: str) -> str:
    """A text of somebody's data without signs that would steer the terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
