"""Blanks in an address, `https://api.example/weather?city={city}`, filled in for each person."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

USER = "user"
"""The word for a person's id, where a source names an attribute."""

_BLANK = re.compile(r"(?<!\$)\{([^{}]+)\}")
"""`${env:NAME}` is no blank but a secret."""


class Blanks:
    """An address cut at its blanks: the pieces that are written, and the names of what stands between them."""

    def __init__(self, written: str) -> None:
        cut = _BLANK.split(written)
        self._pieces: Sequence[str] = cut[::2]
        self.names: tuple[str, ...] = tuple(cut[1::2])

    def resolved(self, resolve: Callable[[str], str]) -> "Blanks":
        """The same with every written piece resolved: what a secret holds is never taken for a blank."""
        found = Blanks("")
        found._pieces, found.names = [resolve(piece) for piece in self._pieces], self.names
        return found

    def choose_the_host(self) -> bool:
        """Whether a blank could decide whom we call, and not only what we ask them."""
        if not self.names:
            return False
        first = self._pieces[0]
        try:
            parts = urlsplit(first)
        except ValueError:
            return True
        after_host = first.partition("://")[2]
        return not parts.netloc or not re.search(r"[/?#]", after_host)

    def fill(self, values: Sequence[str]) -> str:
        """The address for somebody, from one text for each blank; none of them can be more than a value in its place."""
        filled = self._pieces[0]
        for value, piece in zip(values, self._pieces[1:], strict=True):
            filled += quote(value, safe="") + piece
        return filled


def as_text(value: Any) -> str:
    """What a value looks like in an address; empty where it can have no place in one: nothing, a list, a step upwards."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    return "" if text.strip() in {"", ".", ".."} else text
