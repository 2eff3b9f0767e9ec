"""A terminal of a given size that a call of the command line is made in, as somebody at a keyboard would see it."""

import fcntl
import os
import pty
import re
import struct
import termios
from dataclasses import dataclass

from tests.cli.conftest import surroundings
from tests.cli.warm import warm

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ERASED = re.compile(r"\r|\x1b\[[0-9;?]*[A-Zhl]")


@dataclass(frozen=True)
class Screen:
    """What stood there at the end: `raw` with its colours, `lines` without."""

    code: int
    raw: str
    lines: list[str]


def on_a_terminal(folder, *words, columns=80, lines=40, **environ):
    """Call the command line on a terminal of this size; what only waits (a line that is taken away again) goes elsewhere."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    own = {**surroundings(), "TERM": "xterm", **environ}
    own.pop("COLUMNS"), own.pop("LINES", None)
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123 - it is read and written
        warm().begin(words, folder, own, nothing.fileno(), theirs, nothing.fileno())
    os.close(theirs)
    told = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # how Linux says that nobody holds the other end any more
            break
        if not piece:
            break
        told += piece
    os.close(ours)
    raw = told.decode()
    shown = _ERASED.sub("", _COLOUR.sub("", raw))
    return Screen(warm().end(), raw, shown.splitlines())
