"""Asking a person before what cannot be taken back; a program says --yes instead."""

import typer

from orchestrator.cli.desk import CTRL_C, USAGE, WRONG, Desk, fail


def ask_nobody(desk: Desk, verb: str, *, yes: bool, after: str) -> None:
    """A program cannot type the number: with --json it has to say --yes."""
    if desk.as_json and not yes:
        fail(f"{verb} --json asks nobody, so it needs --yes as well, after {after}", USAGE)


def ask_for(number: int, of_what: str, to: str = "send", undone: str = "nothing was sent") -> None:
    """Let a person type the number, not "y"; any other answer ends here, and `undone` says what did not happen."""
    try:
        answer = typer.prompt(f"\n Type the number of {of_what} ({number}) to {to}, anything else to stop", err=False)
    except typer.Abort as problem:
        interrupted = isinstance(problem.__context__, KeyboardInterrupt)
        typer.echo()
        fail(f"stopped; {undone}", CTRL_C if interrupted else WRONG)
    if answer.replace(",", "").strip() != str(number):
        fail(f"stopped; {undone}")
