"""The verbs of the command line and the options all of them share."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator import __version__
from orchestrator.cli import importing, inbox, lookups, previewing, segments, sending, steering, writing
from orchestrator.cli.desk import USAGE, Desk, fail

app = typer.Typer(
    name="orchestrator",
    help="Personalised messaging as code.",
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
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, in a shape that stays.")]
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


for verbs in (writing, importing, segments, previewing, sending, lookups, steering, inbox):
    verbs.register(app)


def main() -> None:
    """The entry of the command line."""
    app()
