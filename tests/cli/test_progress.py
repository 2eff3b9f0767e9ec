"""What somebody sees who waits at a terminal, and that nobody else sees it."""

import io
from pathlib import Path

from rich.console import Console

from orchestrator.cli.desk import Desk
from orchestrator.cli.progress import TELL_EVERY, waiting


def line(*, terminal: bool, as_json: bool = False) -> str:
    """What is written while three batches of people pass."""
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=terminal, width=100, color_system=None)
    people = range(3 * TELL_EVERY)
    with waiting(Desk(Path(), "dev", as_json), console) as wait:
        wait("asking who is in the audience")
        assert list(wait.through(people, "judging", len(people))) == list(people)
    return shown.getvalue()


def test_a_wait_at_a_terminal_has_a_line_that_goes_away():
    said = line(terminal=True)
    assert "judging: 2,000 of 3,000" in said
    assert said.endswith("\x1b[2K"), "the line is taken away at the end"


def test_a_pipe_and_a_program_see_nothing_of_it():
    assert line(terminal=False) == ""
    assert line(terminal=True, as_json=True) == ""
