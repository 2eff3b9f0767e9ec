"""Lines that fit the terminal: broken between words, columns that give way, colour where it is wanted, plain text in a pipe.

A pipe has no width: there a row stays a line, and nothing is left out.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap

NARROWEST = 24
"""Fewer characters than this have no room for two words side by side."""
_GAP = "  "
_LEAST = 8
"""A column that is broken into lines has at least this width."""
_BESIDE = 20
"""A text beside a label has at least this width."""
RED, GREEN, YELLOW, BOLD, DIM = "31", "32", "33", "1", "2"
_BOLD_ONLY = frozenset({BOLD, DIM})


@dataclass(frozen=True, slots=True)
class Line:
    """One line and how it is drawn (RED, GREEN, YELLOW, BOLD, DIM; empty: as it is)."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `right`: numbers; `gives_way`: the highest goes first (0: never).

    `wraps`: may be broken into lines, each but the first `hang` to the right.
    """

    name: str
    right: bool = False
    wraps: bool = False
    gives_way: int = 0
    hang: int = 0


def width() -> int | None:
    """The columns of the terminal, None where the answer goes elsewhere."""
    return max(NARROWEST, get_terminal_size().columns) if sys.stdout.isatty() else None


def height() -> int | None:
    """The lines of the terminal, None where the answer goes elsewhere."""
    return get_terminal_size().lines if sys.stdout.isatty() else None


def many(number: int, noun: str) -> str:
    """A number of things: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def near(path: str | Path) -> str:
    """A path as it is typed where we stand: a long one would be torn by the edge of a narrow terminal."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else str(path)


def say(text: str, style: str = "", hang: int = 2) -> None:
    """Print a text, broken between words where the terminal ends; further lines stand `hang` to the right of the first."""
    room = width()
    show(Line(one, style) for line in text.split("\n") for one in fitted(line, room, hang))


def show(lines: Iterable[Line]) -> None:
    """Print lines as they are, in colour on a terminal unless NO_COLOR says otherwise."""
    sys.stdout.write("".join(f"{drawn(line)}\n" for line in lines))
    sys.stdout.flush()


def clear() -> None:
    """Begin at the top of an empty terminal."""
    sys.stdout.write("\x1b[2J\x1b[H")


def drawn(line: Line) -> str:
    """A line with its colour, if there is any to be shown."""
    plain = not sys.stdout.isatty() or os.environ.get("TERM") == "dumb"
    coloured = not os.environ.get("NO_COLOR") or line.style in _BOLD_ONLY
    return line.text if plain or not line.style or not coloured else f"\x1b[{line.style}m{line.text}\x1b[0m"


def fitted(text: str, room: int | None, hang: int = 2) -> list[str]:
    """The lines of a text in so much room; each but the first stands `hang` to the right of where the text begins."""
    text = text.rstrip()
    if room is None or len(text) <= room:
        return [text]
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


def beside(left: Sequence[Line], text: str, room: int | None) -> list[Line]:
    """A text, and what stands to its left in styles of its own; further lines stand below where the text begins."""
    before = sum(len(one.text) for one in left)
    first, *further = fitted(text, None if room is None else max(_BESIDE, room - before), 0)
    begins = Line(("".join(drawn(one) for one in left) + first).rstrip())
    return [begins, *(Line(" " * before + one) for one in further)]


def leading(text: str, command: str, room: int | None) -> list[Line]:
    """A text that leads to a command, which is left whole to be copied: on a line of its own where there is no room."""
    together = f"{text} {command}"
    if room is None or len(together) <= room:
        return [Line(together)]
    start = text[: len(text) - len(text.lstrip())]
    return [*(Line(one) for one in fitted(text, room)), Line(f"{start}  {command}")]


@dataclass(frozen=True, slots=True)
class Table:
    """The lines of a table: its head, and those of each row."""

    head: list[Line]
    rows: list[list[Line]]

    @property
    def lines(self) -> list[Line]:
        """All of it."""
        return [*self.head, *(line for row in self.rows for line in row)]


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    room: int | None,
    indent: str = " ",
    styles: Sequence[str] = (),
) -> Table:
    """A table as wide as there is room: one column is broken into lines, columns give way, at last rows become blocks."""
    sizes = [max([len(column.name), *(len(row[place]) for row in rows)]) for place, column in enumerate(columns)]
    kept = [place for place, size in enumerate(sizes) if size]
    drawn_as = [*styles, *("" for _ in rows[len(styles) :])]
    least = [_narrowest(column, [row[place] for row in rows]) for place, column in enumerate(columns)]
    while (
        room is not None
        and _wide([min(size, few) for size, few in zip(sizes, least, strict=True)], kept, indent) > room
    ):
        giving = max(kept, key=lambda place: columns[place].gives_way)
        if not columns[giving].gives_way:
            return Table([], [list(_block(columns, row, room, indent)) for row in rows])
        kept.remove(giving)
    over = _wide(sizes, kept, indent) - room if room is not None else 0
    for _ in range(over):  # the widest of those that may be broken gives first
        giving = max(kept, key=lambda place: (columns[place].wraps and sizes[place] > least[place], sizes[place]))
        sizes[giving] -= 1
    shown = [columns[place] for place in kept]
    widths = [sizes[place] for place in kept]
    names = [column.name for column in shown]
    head = _row(names, shown, widths, indent) if any(names) else iter(())
    return Table(
        [Line(one, BOLD) for one in head],
        [
            [Line(one, style) for one in _row([row[place] for place in kept], shown, widths, indent)]
            for row, style in zip(rows, drawn_as, strict=True)
        ],
    )


def _narrowest(column: Column, cells: Sequence[str]) -> int:
    """The width below which a column cannot go: its longest word where it may be broken, else its longest cell."""
    if not column.wraps:
        return max(len(one) for one in (column.name, *cells))
    return max([_LEAST, *(column.hang + len(word) for cell in (column.name, *cells) for word in cell.split())])


def _wide(sizes: Sequence[int], kept: Sequence[int], indent: str) -> int:
    return len(indent) + sum(sizes[place] for place in kept) + len(_GAP) * (len(kept) - 1)


def _row(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], indent: str) -> Iterator[str]:
    """One row, of several lines where a cell is broken."""
    parts = [
        wrap(cell, wide, subsequent_indent=" " * column.hang, break_long_words=False, break_on_hyphens=False) or [""]
        if column.wraps
        else [cell]
        for cell, column, wide in zip(cells, columns, widths, strict=True)
    ]
    for number in range(max(len(part) for part in parts)):
        shown = [part[number] if number < len(part) else "" for part in parts]
        aligned = [
            cell.rjust(wide) if column.right else cell.ljust(wide)
            for cell, column, wide in zip(shown, columns, widths, strict=True)
        ]
        yield (indent + _GAP.join(aligned)).rstrip()


def _block(columns: Sequence[Column], row: Sequence[str], room: int, indent: str) -> Iterator[Line]:
    """A row as a block: its first cell, and below it a line for each of the others."""
    widest = max(len(column.name) for column in columns[1:])
    yield from (Line(one, BOLD) for one in fitted(f"{indent}{row[0]}", room))
    for column, cell in zip(columns[1:], row[1:], strict=True):
        if cell:
            told = f"{indent}  {column.name:<{widest}}  {cell}"
            yield from (Line(one) for one in fitted(told, room, widest + len(_GAP)))


@dataclass(slots=True)
class Section:
    """A part of a screen: its head, then groups of lines that stand or fall together."""

    head: list[Line]
    groups: list[list[Line]]
    left_out: int = 0

    @property
    def lines(self) -> list[Line]:
        """All of it, and how much was left out."""
        more = [Line(f"   … and {self.left_out:,} more: --all", DIM)] if self.left_out else []
        return [*self.head, *(line for group in self.groups for line in group), *more]


def fit(sections: Sequence[Section], room: int | None) -> list[Line]:
    """The lines of all sections, a blank one between two; where they are too many, the longest section loses its last group."""
    while room is not None and sum(len(one.lines) + 1 for one in sections) > room:
        longest = max(sections, key=lambda one: len(one.lines))
        if len(longest.groups) < 2:
            break
        longest.groups.pop()
        longest.left_out += 1
    lines: list[Line] = []
    for section in sections:
        lines += [*([Line("")] if lines else []), *section.lines]
    return lines
