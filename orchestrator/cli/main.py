"""The verbs of the command line and the options all of them share."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from orchestrator import __version__
from orchestrator.cli import (
    approving,
    beginning,
    explaining,
    foretelling,
    importing,
    inbox,
    ingesting,
    keys,
    lookups,
    morning,
    previewing,
    reported,
    retrying,
    segments,
    sending,
    showing,
    steering,
    suppressing,
    testing,
    watching,
    writing,
)
from orchestrator.cli.desk import EXIT_CODES, OK, USAGE, WRONG, Desk, Failed, fail

_CODES = " · ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())
EPILOG = f"Exit codes: {_CODES}."
EVERYWHERE = "With every verb, before or after it: --project/-C FOLDER, --env/-e NAME, --json."

app = typer.Typer(
    name="orchestrator",
    help="Personalised messaging as code.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"orchestrator {__version__}")
        raise typer.Exit


Project = Annotated[Path | None, typer.Option("--project", "-C", help="The project's folder; default: here.")]
Environment = Annotated[
    str | None, typer.Option("--env", "-e", help="The environment; default: ORCHESTRATOR_ENV, or dev.")
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Answer in JSON, in a shape that stays; moments are microseconds since 1970, UTC."),
]
Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")]


@app.callback()
def options(
    context: typer.Context,
    project: Project = None,
    env: Environment = None,
    json: Json = False,
    version: Version = False,  # noqa: ARG001 - answers by itself
) -> None:
    """Personalised messaging as code."""
    context.obj = Desk.here(project, env, as_json=json)


@app.command(hidden=True)
def run(name: Annotated[str | None, typer.Argument()] = None) -> None:
    """A run is a thing here, not a deed."""
    fail(f"no verb `run`: did you mean `orchestrator send {name or 'CAMPAIGN'}` or `orchestrator serve`?", USAGE)


for verbs in (
    beginning,
    writing,
    importing,
    segments,
    previewing,
    foretelling,
    testing,
    sending,
    explaining,
    showing,
    lookups,
    morning,
    retrying,
    steering,
    suppressing,
    approving,
    watching,
    inbox,
    ingesting,
    keys,
    reported,
):
    verbs.register(app)
for command in [*app.registered_commands, *segments.segment.registered_commands]:
    command.epilog = f"{EVERYWHERE}\n\n{EPILOG}"


def hoisted(words: Sequence[str]) -> list[str]:
    """The command's words with the options of all verbs in front, wherever they were written."""
    front, rest = _apart(words)
    return [*front, *rest]


def _apart(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The options of all verbs, and the other words."""
    front, rest = list[str](), list[str]()
    left = iter(words)
    for word in left:
        if word == "--":
            rest += [word, *left]
        elif word == "--json" or word.startswith(("--project=", "--env=")):
            front.append(word)
        elif word in ("--project", "-C", "--env", "-e"):
            front += [word, *([value] if (value := next(left, None)) is not None else [])]
        else:
            rest.append(word)
    return front, rest


def main() -> None:
    """The entry of the command line."""
    front, rest = _apart(sys.argv[1:])
    as_json = "--json" in front
    try:
        # A wrong word is told by the parser itself, but in JSON.
        try:
            code = app([*front, *rest], prog_name="orchestrator", standalone_mode=not as_json)
        finally:
            with suppress(BrokenPipeError):  # whoever reads has seen enough
                sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else OK)
    except Failed as problem:
        problem.tell(as_json=as_json)
        raise
    except Exception as problem:
        told = getattr(problem, "format_message", None)  # the parser's own: a word or an option it does not know
        if told is None and os.environ.get("ORCHESTRATOR_DEBUG"):
            raise
        failed = _unforeseen(problem) if told is None else Failed(told(), getattr(problem, "exit_code", USAGE))
        failed.tell(as_json=as_json)
        raise failed from None


def _unforeseen(problem: Exception) -> Failed:
    if isinstance(problem, OSError) and problem.filename is None and _output_lost():
        return Failed(f"the output could not be written: {problem.strerror or problem}", WRONG)
    mistake = "This is a mistake of the program, not yours; ORCHESTRATOR_DEBUG=1 shows where it happened."
    return Failed(f"{type(problem).__name__}: {problem}\n{mistake}", WRONG)


def _output_lost() -> bool:
    """Whether what was to be said cannot be written, as on a full disk; then nothing more is tried at the end."""
    try:
        sys.stdout.write("\n")  # without a buffer nothing is left that a flush could fail with
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False
