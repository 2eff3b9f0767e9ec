"""Somebody at a keyboard: a shell on a terminal of a given size, what they type, and the screen in front of them."""

import re
from dataclasses import dataclass
from typing import Self

import pexpect
import pyte

PATIENCE = 60
"""Seconds until somebody gives up who waits for a word on the screen."""
_PROMPT = "([0-9]+) » $"
_LONGEST = 400
"""Lines and columns that no screen here fills."""


class _Eyes:
    """Two screens that are shown the same: one as wide as the terminal, one on which no line ever ends."""

    def __init__(self, columns: int) -> None:
        self.seen = pyte.Screen(columns, _LONGEST)
        self.written = pyte.Screen(_LONGEST, _LONGEST)
        self.raw = ""
        self._streams = [pyte.Stream(self.seen), pyte.Stream(self.written)]

    def write(self, text: str) -> None:
        self.raw += text
        for stream in self._streams:
            stream.feed(text)

    def flush(self) -> None:
        """pexpect asks for it."""

    def close(self) -> None:
        """Look away: what comes next is seen on an empty screen."""
        self.raw = ""
        self.seen.reset()
        self.written.reset()


@dataclass(frozen=True)
class Seen:
    """What a command left on the screen, and its exit code."""

    code: int
    raw: str
    lines: list[str]
    """As a terminal shows it, so many columns wide."""
    written: list[str]
    """As it was written: longer than the screen where the terminal had to break a line."""
    colours: set[str]

    @property
    def text(self) -> str:
        """All words of it, in order, each in one piece."""
        return " ".join(" ".join(self.written).split())


class Terminal:
    """A shell of its own in a folder; the prompt says how the command before it ended."""

    def __init__(self, folder, columns: int, surroundings: dict[str, str]) -> None:
        self.columns = columns
        self._eyes = _Eyes(columns)
        own = {name: value for name, value in surroundings.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
        self._shell = pexpect.spawn(
            "bash",
            ["--noprofile", "--norc", "--noediting"],
            cwd=str(folder),
            env={**own, "TERM": "xterm-256color", "PS1": r"$? » ", "PS2": ""},
            dimensions=(40, columns),
            encoding="utf-8",
            timeout=PATIENCE,
        )
        self._shell.logfile_read = self._eyes
        self._until_prompt()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.close(force=True)

    def type(self, command: str) -> Seen:
        """Type a command and wait for its end."""
        self.begin(command)
        return self.end()

    def begin(self, command: str) -> None:
        """Type a command, and do not wait."""
        self._eyes.close()
        self._shell.sendline(command)

    def wait_for(self, words: str) -> None:
        """Wait until these words are on the screen, on however many lines."""
        self._shell.expect(r"\s+".join(map(re.escape, words.split())))

    def answer(self, question: str, text: str) -> None:
        """Wait for a question, and answer it."""
        self.wait_for(question)
        self._shell.sendline(text)

    def interrupt(self) -> None:
        """Press ctrl-c."""
        self._shell.sendintr()

    def end(self) -> Seen:
        """Wait for the end of what was begun; the command itself and the prompt are left out."""
        code = self._until_prompt()
        return Seen(
            code,
            self._eyes.raw,
            _shown(self._eyes.seen),
            _shown(self._eyes.written),
            {char.fg for line in self._eyes.seen.buffer.values() for char in line.values()} - {"default"},
        )

    def _until_prompt(self) -> int:
        self._shell.expect(_PROMPT)
        assert self._shell.match is not None
        return int(self._shell.match[1])


def _shown(screen: pyte.Screen) -> list[str]:
    """The lines of a screen between the command and the next prompt."""
    lines = [line.rstrip() for line in screen.display[: screen.cursor.y]]
    return lines[1:]


def too_wide(seen: Seen, columns: int) -> list[str]:
    """Lines the terminal had to break, but for a link or a path that no line can hold, beside its label at most."""
    return [line for line in seen.written if len(line) > columns and len(line.split()) > 2]


def plain(text: str) -> bool:
    """Whether a text is without any command to a terminal."""
    return re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text) is None
