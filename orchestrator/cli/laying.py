"""Figures and sentences laid out for the terminal they are read on: from 40 columns up, whole in a pipe, plain without colours."""

import os
import shutil
import sys
import textwrap
from dataclasses import dataclass

import typer

_LABEL, _NUMBER, _GAP = 38, 9, 3
_ROOM = 24
"""Columns below which what stands beside a number goes to a line of its own."""
_PIPE = 1000
"""A pipe has no width: nothing is cut there."""


@dataclass(frozen=True, slots=True)
class Line:
    """A label, its number, and what there is to say beside it; `deep` is how far the label is moved in."""

    label: str
    number: str
    more: str = ""
    deep: int = 0
    strong: bool = False


def figure(line: Line) -> None:
    """One line of figures; what does not fit beside the number goes under it."""
    label = "  " * line.deep + line.label
    wide = width()
    side = _LABEL + _NUMBER + _GAP + 1
    room = _LABEL + _NUMBER - len(label)
    head = f" {label}{line.number:>{max(0, room)}}"
    if room < len(line.number) + 2:
        head = f" {label}\n {line.number:>{_LABEL + _NUMBER}}"
    if line.strong:
        head = strong(head)
    if not line.more:
        typer.echo(head)
    elif wide - side >= _ROOM:
        first, *rest = textwrap.wrap(line.more, wide - side, break_long_words=False, break_on_hyphens=False)
        typer.echo(f"{head}{' ' * _GAP}{first}")
        for more in rest:
            typer.echo(" " * side + more)
    else:
        typer.echo(head)
        inside = " " * (2 * line.deep + 3)
        typer.echo(
            textwrap.fill(
                line.more,
                wide,
                initial_indent=inside,
                subsequent_indent=inside,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )


def paragraph(text: str) -> None:
    """A sentence, folded to the terminal."""
    typer.echo(
        textwrap.fill(
            text,
            width(),
            initial_indent=" ",
            subsequent_indent="   ",
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
            drop_whitespace=True,
        )
    )


def width() -> int:
    """Columns of the terminal; where there is none, as many as it takes."""
    return max(40, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _PIPE


def strong(text: str, colour: str | None = None) -> str:
    """Bold, or of a colour, on a terminal that may have colours."""
    return (
        typer.style(text, bold=colour is None, fg=colour)
        if sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        else text
    )
