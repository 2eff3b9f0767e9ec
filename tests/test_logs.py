"""Logs are named events with fields, one to a line, and never hold an address or a secret."""

import fcntl
import io
import json
import logging
import os
import pty
import struct
import termios

import pytest

from orchestrator.logs import Log, masked, set_up


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def restored():
    """Logging as it was before, after the test."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def written(stream, environ=None):
    set_up(stream, environ or {})
    return stream


def test_an_event_is_one_json_object_on_a_line(restored):
    stream = written(io.StringIO())
    Log("worker").info("shard.put_back", run=7, shard=0, due="never")
    Log("worker").warning("boot.lost", why="two\nlines")
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["event"], first["run"], first["shard"], first["due"]) == ("shard.put_back", 7, 0, "never")
    assert (first["level"], first["part"], second["level"], second["why"]) == (
        "info",
        "orchestrator.worker",
        "warning",
        "two\nlines",
    )
    assert {"at", "pid"} <= set(first)


def test_people_at_a_terminal_read_words(restored):
    stream = written(Terminal())
    Log("planner").info("run.planned", run=7, hold="the data is late")
    assert stream.getvalue().split(" ", 1)[1].strip() == 'planner  run.planned run=7 hold="the data is late"'


def test_a_line_ends_where_the_terminal_does_and_goes_on_below_its_event(restored):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    with os.fdopen(theirs, "w") as stream:
        written(stream)
        Log("daemon").info("daemon.started", recovered_boots=0, crashed=0, shards=0, plans=0)
        first, second, *more = os.read(ours, 4096).decode().split("\r\n")
    os.close(ours)
    assert first.endswith("daemon   daemon.started recovered_boots=0")
    assert (second, more) == (" " * 22 + "crashed=0 shards=0 plans=0", [""])


@pytest.mark.parametrize(
    ("stream", "wish", "is_json"),
    [(Terminal, "json", True), (Terminal, "", False), (io.StringIO, "text", False), (io.StringIO, "", True)],
)
def test_the_environment_overrules_the_terminal(restored, stream, wish, is_json):
    out = written(stream(), {"ORCHESTRATOR_LOG": wish})
    Log("daemon").trouble("config.refused", mistakes=2)
    assert out.getvalue().startswith("{") is is_json


SECRETS = (
    "550 no such user ada@mail.example here",
    "ledger: postgresql://shop:hunter2@db.internal/ledger cannot be reached",
    "Ada <ada.l+news@mail.example>: mailbox full",
    "no route to +43 664 1234567",
    "401 Authorization: Bearer abc.def.ghi",
    "refused: password=hunter2 user=shop",
    "the key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw was refused",
)


@pytest.mark.parametrize("text", SECRETS)
@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_no_address_and_no_secret_is_ever_written(restored, stream, text):
    out = written(stream())
    Log("worker").trouble("worker.cannot_work", why=text, odd=ValueError(text))
    logging.getLogger("some.library").error("%s", text)
    try:
        int(text)
    except ValueError:
        logging.getLogger("some.library").exception("broken")
    said = out.getvalue()
    for hidden in ("ada", "hunter2", "664", "abc.def", "whsec_MfKQ", "ada.l+news"):
        assert hidden not in said.lower().replace("ada <", "")
    assert said.count("\n") >= 3


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-29T09:00[Europe/Berlin]",
        "config/campaigns/winback.yaml:14:9  audience.segments: no segment 'lapsd'",
        "process 4711 on host-1",
        "run 7: 1,200 people at 09:00",
    ],
)
def test_what_is_neither_stays_as_it_is(text):
    assert masked(text) == text


def test_a_librarys_sentence_is_an_event_of_ours_and_its_chatter_is_left_out(restored):
    out = written(io.StringIO())
    logging.getLogger("apscheduler.scheduler").info("Added job")
    logging.getLogger("uvicorn.error").error("port taken")
    [told] = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (told["event"], told["text"], told["part"]) == ("library.said", "port taken", "uvicorn.error")
