"""Mistakes as they are found: where, what, what is allowed, and what was probably meant."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from orchestrator.config.sheets import Path, Sheet
from orchestrator.config.slips import Slip
from orchestrator.core.errors import Mistake, UnknownEnvironment

_FEW = 12
"""So many allowed words fit into one line; of more, only the likely ones are said."""
_MANY = 40
"""So many are still said where none is likely."""


@dataclass(slots=True)
class Findings:
    """Collects every mistake of every file, each once."""

    found: dict[Mistake, None] = field(default_factory=dict)
    slips: set[tuple[str, int, int]] = field(default_factory=set)
    unsure: set[tuple[str, Path]] = field(default_factory=set)
    """Values (file, path) that something else stands in for, because they are mistaken: nothing more is said about them."""

    unread: frozenset[str] = frozenset()
    """Files that are refused as they stand: nothing is said about what is in them."""

    def at(self, sheet: Sheet, path: Path, text: str, remedy: str = "") -> None:
        """A mistake about the value at this path."""
        if self.is_unsure(sheet.file, path):
            return
        place = sheet.place(path)
        if path and (sheet.file, place.line, place.column) in self.slips:
            return  # what is wrongly written cannot be rightly meant; one mistake is enough
        self._add(Mistake(sheet.file, place.line, place.column, _named(path, text), remedy))

    def is_unsure(self, file: str, path: Path) -> bool:
        """Whether a value, or a mapping or list with it, is not what the file says."""
        around = [path[:length] for length in range(1, len(path) + 1)]
        if any((file, one) in self.unsure for one in around):
            return True
        return len(path) > 1 and any(name == file and one[:-1] == path for name, one in self.unsure)

    def at_key(self, sheet: Sheet, path: Path, text: str, remedy: str = "") -> None:
        """A mistake about the key at this path, in the mapping that holds it."""
        if self.is_unsure(sheet.file, path):
            return
        place = sheet.place(path)
        self._add(Mistake(sheet.file, place.key_line, place.key_column, _named(path[:-1], text), remedy))

    def no_environment(self, sheet: Sheet, name: str, known: Iterable[str]) -> None:
        """An environment was asked for that is not among the known."""
        place = sheet.place(("environments",))
        text = _named(("environments",), f"no environment {quoted(name)}")
        self._add(UnknownEnvironment(sheet.file, place.line, place.column, text, choice(name, known)))

    def slip(self, file: str, slip: Slip, *, hidden: bool) -> None:
        """A mistake in the writing; `hidden` where the word itself must not be repeated."""
        spot = (file, slip.line, slip.column)
        if spot in self.slips:
            return
        self.slips.add(spot)
        if hidden and slip.word:
            self._add(Mistake(*spot, "means something else to other tools", "Put it in quotes."))
        else:
            self._add(Mistake(*spot, slip.text, slip.remedy))

    def in_file(self, file: str, text: str, remedy: str = "", *, line: int = 0, column: int = 0) -> None:
        """A mistake about a file as a whole, or about a spot in it."""
        self._add(Mistake(file, line, column, text, remedy))

    def sorted(self) -> tuple[Mistake, ...]:
        """All of them, by file and place."""
        return tuple(sorted(self.found, key=lambda mistake: (mistake.file, mistake.line, mistake.column, mistake.text)))

    def _add(self, mistake: Mistake) -> None:
        if mistake.file not in self.unread:
            self.found[mistake] = None


def quoted(value: object) -> str:
    """A value as a message shows it: short, on one line."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(text.split())
    return f"'{text[:77]}…'" if len(text) > 80 else f"'{text}'"


def choice(word: object, allowed: Iterable[str], noun: str = "") -> str:
    """What could stand instead of this word: the likely one, and all of them if they are few, or not many and none is likely."""
    names = sorted(set(allowed))
    likely = nearest(str(word), names)
    meant = f"Did you mean '{likely}'?" if likely else ""
    if not names:
        return f"There is no {noun} yet." if noun else ""
    if len(names) > (_FEW if likely else _MANY):
        return meant
    return f"Allowed: {', '.join(names)}." + (f" {meant}" if meant else "")


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The one allowed word this was probably meant to be, empty if none is near; upper and lower case do not matter."""
    names = {name.casefold(): name for name in allowed}
    close = get_close_matches(word.casefold(), names, 1, 0.6)
    return names[close[0]] if close else ""


def _named(path: Path, text: str) -> str:
    """The text with the path to its key in front: `audience[0]: no segment 'lapsd'`."""
    name = ""
    for step in path:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return f"{name}: {text}" if name else text
