"""What the daemon's processes write down about themselves: named events with fields, one to a line, never an address.

`log.info("run.planned", run=7, audience=412)` is one JSON object on a line, or `run.planned run=7 audience=412` on a
terminal. This file alone sets logging up; ORCHESTRATOR_LOG=json or =text overrules what standard error looks like.
"""

import json
import logging
import os
import re
import sys
import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Any, TextIO

VARIABLE = "ORCHESTRATOR_LOG"
_FIELDS = "fields"
_NARROWEST = 40

# An address may stand in what a provider answered, a password in the URL of a store that cannot be reached.
_MASKS = (
    (re.compile(r"(?<=://)[^\s/@]+@"), "***@"),
    (re.compile(r"[^\s@<>\"'=,;:()\[\]]+@[^\s@<>\"',;()\[\]]+\.[^\s@<>\"',;()\[\]]+"), "(address)"),
    (re.compile(r"(?<![\w.:-])\+\d[\d ]{6,}\d"), "(number)"),
    (re.compile(r"(?i)\b(password|secret|token|api[_-]?key|authorization)(['\"]?\s*[=:]\s*)(bearer\s+)?[^\s,;]+"), r"\1\2***"),
    (re.compile(r"\bwhsec_\S+"), "***"),
)  # fmt: skip


class Log:
    """One part's log. Fields are numbers and short words; ids of users and numbers of runs, never an address."""

    def __init__(self, part: str) -> None:
        self._logger = logging.getLogger(f"orchestrator.{part}")

    def info(self, event: str, **fields: object) -> None:
        """Something happened as it should."""
        self._logger.info(event, extra={_FIELDS: fields})

    def warning(self, event: str, **fields: object) -> None:
        """Something went wrong and was dealt with."""
        self._logger.warning(event, extra={_FIELDS: fields})

    def trouble(self, event: str, **fields: object) -> None:
        """Something went wrong that a person should look at."""
        self._logger.error(event, extra={_FIELDS: fields})


def set_up(stream: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> None:
    """Begin to write events to standard error: JSON lines, or for people if it is a terminal."""
    out = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    handler.setFormatter(Text(out) if for_people(out, environ) else JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Of libraries we want what went wrong only: each request of the web face is a line of its own there.
    for chatty in ("apscheduler", "uvicorn", "httpx", "httpcore", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def for_people(stream: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a person reads along, and not a program that wants an object a line."""
    wish = environ.get(VARIABLE, "")
    return wish == "text" or (wish != "json" and (sys.stderr if stream is None else stream).isatty())


def masked(text: str) -> str:
    """The text without addresses, phone numbers and secrets."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def _told(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """The event and its fields; a library's sentence becomes the field of an event of ours."""
    fields = getattr(record, _FIELDS, None)
    event, told = ("library.said", {"text": record.getMessage()}) if fields is None else (record.getMessage(), fields)
    if record.exc_info:
        told = {**told, "trace": logging.Formatter().formatException(record.exc_info)}
    return event, {name: masked(value) if isinstance(value, str) else value for name, value in told.items()}


def _at(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JsonLines(logging.Formatter):
    """One object a line: `at`, `level`, `part`, `pid`, `event`, and the event's fields."""

    def format(self, record: logging.LogRecord) -> str:
        event, fields = _told(record)
        head = {"at": _at(record), "level": record.levelname.lower(), "part": record.name, "pid": record.process}
        return json.dumps({**fields, **head, "event": event}, ensure_ascii=False, default=lambda it: masked(str(it)))


class Text(logging.Formatter):
    """For people: the time, the event, its fields as name=value; broken between words where a terminal ends."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def format(self, record: logging.LogRecord) -> str:
        event, fields = _told(record)
        trace = fields.pop("trace", "")
        words = [f"{name}={_word(value)}" for name, value in fields.items()]
        mark = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()} "
        head = f"{_at(record)[11:23]} {record.name.removeprefix('orchestrator.'):<8} "
        line = fitted(" ".join([f"{head}{mark}{event}", *words]), self._stream, len(head))
        return f"{line}\n{trace}" if trace else line


def fitted(line: str, stream: IO[str], hang: int = 2) -> str:
    """A line as it fits the stream's terminal, in several lines where it is too long; as it is where there is none."""
    try:
        room = max(_NARROWEST, os.get_terminal_size(stream.fileno()).columns)
    except OSError:  # no terminal, or no file at all
        return line
    further = " " * hang
    return textwrap.fill(line, room, subsequent_indent=further, break_long_words=False, break_on_hyphens=False)


def below_ctrl_c(stream: TextIO) -> None:
    """Go on in a line of its own: where somebody pressed ctrl-c, a terminal has written `^C`."""
    if stream.isatty():
        stream.write("\n")
        stream.flush()


def _word(value: object) -> str:
    text = value if isinstance(value, str) else masked(str(value))
    return json.dumps(text, ensure_ascii=False) if not text or re.search(r"[\s\"=]", text) else text
