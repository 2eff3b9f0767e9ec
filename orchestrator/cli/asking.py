"""Asking a person before what cannot be taken back; a program says --yes instead."""

from collections.abc import Mapping

import typer

from orchestrator.cli import screen
from orchestrator.cli.desk import CTRL_C, USAGE, WRONG, Desk, fail

_ANSWER = 12
"""Columns that are kept for what somebody types."""


def ask_nobody(desk: Desk, verb: str, *, yes: bool, after: str) -> None:
    """A program cannot type the number: with --json it has to say --yes."""
    if desk.as_json and not yes:
        fail(f"{verb} --json asks nobody, so it needs --yes as well, after {after}", USAGE)


def ask_for(
    number: int,
    of_what: str,
    to: str = "send",
    undone: str = "nothing was sent",
    others: Mapping[int, str] | None = None,
) -> None:
    """Let a person type the number, not "y"; any other answer ends here, and `undone` says what did not happen.

    `others` are further numbers of the screen and what they are, for whoever types one of these.
    """
    answer = answer_to(
        f"\n Type the number of {of_what} ({number}) to {to}, anything else to stop", undone, needed=True
    )
    typed = answer.replace(",", "").strip()
    if typed != str(number):
        what = next((f"{many:,} is {said}; " for many, said in (others or {}).items() if typed == str(many)), "")
        asked = f": {what}asked for is the number of {of_what}, {number:,}" if typed.isdecimal() else ""
        fail(f"stopped; {undone}{asked}")


def answer_to(question: str, undone: str, *, needed: bool = False) -> str:
    """What a person types, nothing for enter unless it is needed; where they end it here, `undone` says what did not happen."""
    try:
        told: str = typer.prompt(_fitted(question), default=None if needed else "", show_default=False, err=False)
    except typer.Abort as problem:
        interrupted = isinstance(problem.__context__, KeyboardInterrupt)
        typer.echo()
        fail(f"stopped; {undone}", CTRL_C if interrupted else WRONG)
    return told.strip()


def _fitted(question: str) -> str:
    """A question as it fits the terminal, with room for its answer."""
    room = screen.width()
    lines = question.split("\n")
    return "\n".join(part for line in lines for part in screen.fitted(line, None if room is None else room - _ANSWER))
