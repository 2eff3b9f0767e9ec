"""A terminal of a chosen width with the command line in it, and somebody who answers its questions."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from tests.cli.conftest import CLI, Said, surroundings

_DRAWN = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_ASKS = re.compile(r"(\]|\?|stop|\)): $")
"""How a question ends that waits for an answer."""


def at_a_terminal(folder, answers, *words, width=100):
    """The same call at a terminal, each question answered in turn; what was seen, without colours and bars that were drawn over."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environ = {**surroundings(), "COLUMNS": str(width), "NO_COLOR": "1", "TERM": "xterm"}
    process = subprocess.Popen([*CLI, *words], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    seen, waiting = "", [*answers]
    while more := _read(ours):
        seen += _DRAWN.sub("", more.decode(errors="replace"))
        if _ASKS.search(seen) and waiting:
            os.write(ours, f"{waiting.pop(0)}\n".encode())
            seen += " "
    os.close(ours)
    assert waiting == [], f"nobody asked for {waiting}:\n{seen}"
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in seen.replace("\r\n", "\n").split("\n")]
    return Said(process.wait(), "\n".join(lines), "")


def _read(ours):
    try:
        return os.read(ours, 65_536)
    except OSError:  # the other end is closed: everything was read
        return b""
