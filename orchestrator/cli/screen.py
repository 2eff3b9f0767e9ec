"""Lines that fit the terminal: broken between words, columns that give way, colour where it is wanted, plain text in a pipe.

A pipe has no width: there a row stays a line, and nothing is left out.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from shutil import get_terminal_size
from textwrap import wrap

NARROWEST = 24
"""Fewer characters than this have no room for two words side by side."""
_GAP = "  "
_LEAST = 16
"""A column that is broken into lines has at least this width; with less, each row becomes a block of lines."""
RED, YELLOW, BOLD, DIM = "31", "33", "1", "2"
_BOLD_ONLY = frozenset({BOLD, DIM})


@dataclass(frozen=True, slots=True)
class Line:
    """One line and how it is drawn (RED, YELLOW, BOLD, DIM; empty: as it is)."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `right`: numbers; `wraps`: may be broken into lines; `gives_way`: the highest is left out first (0: never)."""

    name: str
    right: bool = False
    wraps: bool = False
    gives_way: int = 0


def width() -> int | None:
    """The columns of the terminal, None where the answer goes elsewhere."""
    return max(NARROWEST, get_terminal_size().columns) if sys.stdout.isatty() else None


def height() -> int | None:
    """The lines of the terminal, None where the answer goes elsewhere."""
    return get_terminal_size().lines if sys.stdout.isatty() else None


def say(text: str, style: str = "") -> None:
    """Print a text, broken between words where the terminal ends; further lines stand a little to the right of the first."""
    show(Line(one, style) for one in fitted(text, width()))


def show(lines: Iterable[Line]) -> None:
    """Print lines as they are, in colour on a terminal unless NO_COLOR says otherwise."""
    sys.stdout.write("".join(f"{drawn(line)}\n" for line in lines))
    sys.stdout.flush()


def drawn(line: Line) -> str:
    """A line with its colour, if there is any to be shown."""
    plain = not sys.stdout.isatty() or os.environ.get("TERM") == "dumb"
    coloured = not os.environ.get("NO_COLOR") or line.style in _BOLD_ONLY
    return line.text if plain or not line.style or not coloured else f"\x1b[{line.style}m{line.text}\x1b[0m"


def fitted(text: str, room: int | None, hang: int = 2) -> list[str]:
    """The lines of a text in so much room; each but the first stands `hang` to the right of where the text begins."""
    if room is None or len(text) <= room:
        return [text.rstrip()]
    start = text[: len(text) - len(text.lstrip())]
    further = " " * min(len(start) + hang, room // 2)
    return wrap(
        text.strip(),
        room,
        initial_indent=start,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int | None, indent: str = " ") -> list[Line]:
    """The lines of a table, its head first, as wide as there is room: columns give way, one is broken, or rows become blocks."""
    kept = list(range(len(columns)))
    sizes = [max([len(column.name), *(len(row[place]) for row in rows)]) for place, column in enumerate(columns)]
    while room is not None and _wide(sizes, kept, indent) > room:
        giving = max(kept, key=lambda place: columns[place].gives_way)
        if not columns[giving].gives_way:
            break
        kept.remove(giving)
    over = _wide(sizes, kept, indent) - room if room is not None else 0
    if over > 0:
        broken = next((place for place in kept if columns[place].wraps), None)
        if broken is None or sizes[broken] - over < _LEAST:
            return list(_blocks(columns, rows, room, indent))
        sizes[broken] -= over
    head = _row([columns[place].name for place in kept], [columns[place] for place in kept], sizes, kept, indent)
    lines = [Line(one, BOLD) for one in head]
    for row in rows:
        cells = [row[place] for place in kept]
        lines += [Line(one) for one in _row(cells, [columns[place] for place in kept], sizes, kept, indent)]
    return lines


def _wide(sizes: Sequence[int], kept: Sequence[int], indent: str) -> int:
    return len(indent) + sum(sizes[place] for place in kept) + len(_GAP) * (len(kept) - 1)


def _row(
    cells: Sequence[str], columns: Sequence[Column], sizes: Sequence[int], kept: Sequence[int], indent: str
) -> Iterator[str]:
    """One row, of several lines where a cell is broken."""
    parts = [
        wrap(cell, sizes[place], break_long_words=False, break_on_hyphens=False) or [""] if column.wraps else [cell]
        for cell, column, place in zip(cells, columns, kept, strict=True)
    ]
    for number in range(max(len(part) for part in parts)):
        shown = [part[number] if number < len(part) else "" for part in parts]
        aligned = [
            cell.rjust(sizes[place]) if column.right else cell.ljust(sizes[place])
            for cell, column, place in zip(shown, columns, kept, strict=True)
        ]
        yield (indent + _GAP.join(aligned)).rstrip()


def _blocks(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int | None, indent: str
) -> Iterator[Line]:
    """Each row as a block: its first cell, and below it a line for each of the others."""
    widest = max(len(column.name) for column in columns[1:])
    for first, *others in rows:
        yield from (Line(one, BOLD) for one in fitted(f"{indent}{first}", room))
        for column, cell in zip(columns[1:], others, strict=True):
            if cell:
                told = f"{indent}  {column.name:<{widest}}  {cell}"
                yield from (Line(one) for one in fitted(told, room, widest + len(_GAP)))
