"""Verbs of the command line with their arguments and options, from the command line itself."""

import re
from collections.abc import Callable, Iterator
from inspect import Parameter, getdoc, signature
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo

import orchestrator
from docs.generate.tables import code, table
from orchestrator.cli.desk import EXIT_CODES
from orchestrator.cli.main import app
from orchestrator.cli.main import options as shared

INTRO = """# Commands

`orchestrator` and `orc` are the same. Options of all verbs stand before the verb: `orchestrator -C shop --env live plan winback`."""
JSON = """With `--json` a verb answers with one JSON value on standard output. Moments in it (`at`, `settled_at`, `not_before`, …) are whole
microseconds since 1970-01-01T00:00:00Z, in UTC: divided by 1,000,000 they are Unix time. `null` is a moment that has not come.

What goes wrong ends with the same exit code as without it. Standard output is then empty, and standard error ends with one line of JSON:
`error` is the sentence a person would read, `code` the exit code, and `mistakes` those of the files (`file`, `line`, `column`, `text`,
`remedy`), a list that is empty where they are not the reason. A line before it may be `{"note": …}`. A verb whose answer is that
something is wrong, like `check` or `doctor`, answers on standard output as ever."""
VARIABLES = {
    "ORCHESTRATOR_ENV": "the environment where `--env` names none",
    "ORCHESTRATOR_LOG": "`json` or `text`: how the daemon's log looks, whatever standard error is",
    "ORCHESTRATOR_ME": "your own address, for `send --test me`",
    "ORCHESTRATOR_CHROMIUM": "the browser that draws the pictures of `plan --diff --report`",
    "ORCHESTRATOR_DEBUG": "`1`: an error nobody foresaw ends with a traceback",
}
OUR_OWN = {
    "ORCHESTRATOR_LEDGER": "handed from a supervisor to its children",
    "ORCHESTRATOR_RUNNER": "a variable of a repository, in the workflow that `init` writes",
    "ORCHESTRATOR_DATA": "another one",
}


def variables() -> list[str]:
    """Every variable of the environment that people may set, as the source names them."""
    files = sorted(Path(orchestrator.__file__).parent.rglob("*.py"))
    found = {name for path in files for name in re.findall(r"\bORCHESTRATOR_[A-Z_]+", path.read_text(encoding="utf-8"))}
    return sorted(found - set(OUR_OWN))


def verbs() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every verb by its full name with the function behind it, hidden ones left out."""
    yield from sorted(_below("", app))


def _below(name: str, group: typer.Typer) -> Iterator[tuple[str, Callable[..., Any]]]:
    for command in group.registered_commands:
        if command.callback is not None and not command.hidden:
            yield f"{name} {command.name or command.callback.__name__.replace('_', '-')}".strip(), command.callback
    for inner in group.registered_groups:
        if inner.typer_instance is not None and not inner.hidden:
            yield from _below(f"{name} {inner.name}".strip(), inner.typer_instance)


def options(verb: Callable[..., Any]) -> Iterator[tuple[str, str, str, str]]:
    """(names, what it takes, default, meaning) of each argument and option."""
    hints = get_type_hints(verb, include_extras=True)
    for name, parameter in signature(verb).parameters.items():
        kind, *told = get_args(hints[name]) if get_origin(hints[name]) is Annotated else (hints[name],)
        if not told or told[0].hidden:
            continue
        argument = isinstance(told[0], ArgumentInfo)
        # Beside Annotated, typer takes the first of an option's names for its default.
        written = [word for word in (told[0].default, *(told[0].param_decls or ())) if isinstance(word, str)]
        names = [name.upper()] if argument else written or [f"--{name.replace('_', '-')}"]
        unless = "" if parameter.default in (None, False) else code(parameter.default)
        required = parameter.default is Parameter.empty
        yield code(*names), _takes(kind), "required" if required else unless, told[0].help or ""


def _takes(kind: Any) -> str:
    if kind is bool:
        return ""
    if get_origin(kind) in (Union, UnionType):
        return _takes(next(one for one in get_args(kind) if one is not type(None)))
    if get_origin(kind) is list:
        return f"{_takes(get_args(kind)[0])}, more than once"
    return {str: "text", int: "number", float: "number", Path: "path"}.get(kind, getattr(kind, "__name__", str(kind)))


def page() -> str:
    """The page."""
    columns = ["", "takes", "unless given", "meaning"]
    parts = [INTRO, table(columns, options(shared)), JSON]
    parts += [
        "## Exit codes",
        table(["code", "meaning"], [(code(number), said) for number, said in EXIT_CODES.items()]),
    ]
    parts += [
        "## Environment variables",
        table(["variable", "meaning"], [(code(name), VARIABLES.get(name, "")) for name in variables()]),
    ]
    for name, command in verbs():
        words = " ".join((getdoc(command) or "").split())
        parts.append(f"## `{name}`\n\n{words}")
        rows = list(options(command))
        if rows:
            parts.append(table(columns, rows))
    return "\n\n".join(parts)
