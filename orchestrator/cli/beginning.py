"""The verb that makes a project: the example with invented people, or an empty one, ready to check, plan and send."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

import orchestrator
from orchestrator.cli.desk import WRONG, Desk, fail, honest
from orchestrator.cli.screen import say
from orchestrator.cli.workflow import PLACE, installed_from, workflow
from orchestrator.cli.writing import write_schemas
from orchestrator.wire.clock import WallClock

SCHEMAS = ".schemas"
CAMPAIGN = "new_in"
"""The example's campaign that the next commands are about."""

IGNORED = """\
# people and ledger: never in git
/data/
/preview/
/test-results.xml
.env
"""
EMPTY = {
    "config/orchestrator.yaml": """\
project: {project}
time_zone: Etc/UTC
locales: [en]

environments:                 # ORCHESTRATOR_ENV; dev when unset; each has stores of its own
  dev: {{deliver: sink}}        # nothing leaves this machine
  staging:
    deliver: seeds            # only lists/seeds.csv, whatever the audience
    stores: {{ledger: "sqlite:data/staging/ledger.db", audience: "duckdb:data/staging/audience.duckdb"}}
  live:
    deliver: everyone
    stores: {{ledger: "sqlite:data/live/ledger.db", audience: "duckdb:data/live/audience.duckdb"}}
seeds: lists/seeds.csv
""",
    "config/data.yaml": """\
# the attributes people have and the events they do
attributes:
  email: email
""",
    "lists/seeds.csv": "email\n",
}

_NOT_TEXT = frozenset({"y", "yes", "n", "no", "on", "off", "true", "false", "null"})
"""Words that YAML takes for something else than text."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(init)


@honest
def init(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(help="Where; made if need be. Default: here.")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="No example, no invented people.")] = False,
) -> None:
    """Make a project: the example shop, with 200 invented people already imported. Overwrites nothing."""
    desk: Desk = context.obj
    root = (folder or desk.root).resolve()
    _refuse(root)
    contents = dict(_texts(root, empty=empty))
    written, kept = list[str](), list[str]()
    try:
        for name, content in contents.items():
            (written if _write(root / name, content) else kept).append(name)
        written += [Path(path).relative_to(root).as_posix() for path in write_schemas(root / SCHEMAS).values()]
    except OSError as problem:
        fail(f"{problem.filename}: cannot be written: {problem.strerror}")
    people = {} if empty else _bring_people(Desk(root, "dev", desk.as_json))
    verbs = (
        ["check", "schema --help", "import profiles FILE"]
        if empty
        else ["check", "test", f"plan {CAMPAIGN}", f"send {CAMPAIGN}"]
    )
    following = [f"orchestrator {verb}" for verb in verbs]
    answer = {"folder": str(root), "written": sorted(written), "kept": kept, "people": people, "next": following}
    desk.show(answer, lambda: _tell(root, answer))


def _refuse(root: Path) -> None:
    """End where a project stands already, or anything we would have to write over."""
    if root.exists() and not root.is_dir():
        fail(f"{root}: is a file, not a folder", WRONG)
    for name in ("config", "templates", "lists", "personas", "data"):
        path = root / name
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            what = "there is a project here already" if name == "config" else "something stands here already"
            fail(f"{path}: {what}, and init overwrites nothing; name another folder: orchestrator init FOLDER", WRONG)


def example() -> Path:
    """Where the example project stands: in the installed package, or at the root of a checkout."""
    house = Path(orchestrator.__file__).parent
    for root in (house / "example", house.parent):
        if (root / "config" / "orchestrator.yaml").is_file():
            return root
    return fail(
        "the example project is missing from this installation; install messaging-orchestrator anew, or init --empty"
    )


def _texts(root: Path, *, empty: bool) -> Iterator[tuple[str, bytes]]:
    """The files to write, by name."""
    if empty:
        name = "".join(c if c.isalnum() and c.isascii() else "_" for c in root.name.lower()).strip("_") or "project"
        if not name[0].isalpha():
            name = f"p_{name}"
        project = f'"{name}"' if name in _NOT_TEXT else name
        yield from ((path, text.format(project=project).encode()) for path, text in EMPTY.items())
        for place in ("config/campaigns", "config/segments", "templates", "personas"):
            yield f"{place}/.gitkeep", b""
    else:
        from orchestrator.config import read_tree  # noqa: PLC0415 - keeps `--help` fast

        yield from read_tree(example()).items()
        for path in sorted((example() / "personas").glob("*.yaml")):
            yield f"personas/{path.name}", path.read_bytes()
    yield ".gitignore", IGNORED.encode()
    yield ".vscode/settings.json", _editor().encode()
    yield PLACE, workflow(installed_from()).encode()


def _editor() -> str:
    from orchestrator.config import SCHEMA_OF  # noqa: PLC0415 - keeps `--help` fast

    schemas = {f"./{SCHEMAS}/{name}": files for name, files in SCHEMA_OF.items()}
    settings = {"yaml.schemas": schemas, "files.associations": {"*.mjml": "html"}}
    return json.dumps(settings, indent=2) + "\n"


def _write(path: Path, content: bytes) -> bool:
    """Write a file that is not there yet; False if it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as stream:
            stream.write(content)
    except FileExistsError:
        return False
    return True


def _bring_people(desk: Desk) -> dict[str, int]:
    """Invent people and import them as anybody would import theirs."""
    from orchestrator import app  # noqa: PLC0415 - keeps `--help` fast
    from orchestrator.cli.bringing import Wish, land  # noqa: PLC0415
    from orchestrator.cli.inventing import WHAT, invent  # noqa: PLC0415
    from orchestrator.cli.telling import tell_the_audience  # noqa: PLC0415

    folder = desk.root / "data" / "example"
    lines = invent(folder, WallClock().now())
    opened = desk.open()
    audience = app.own_audience(opened)
    for what in WHAT:
        told = land(desk, opened, audience, Wish(what, folder / f"{what}.jsonl"))
        if told["rejected"]:
            shutil.rmtree(desk.root / "data")
            fail(f"the invented {what} were refused: this release is broken, please report it")
    tell_the_audience(desk, opened)
    return lines


def _tell(root: Path, answer: dict[str, Any]) -> None:
    here = Path.cwd()
    shown = f"{root.relative_to(here)}/" if root.is_relative_to(here) and root != here else f"{root}/"
    say(f" {shown}")
    for line in _tree(answer["written"]):
        say(f"   {line}", hang=_ABOUT_AT)
    if answer["kept"]:
        say(f" kept as it was: {', '.join(answer['kept'])}")
    if answer["people"]:
        people, events = answer["people"]["profiles"], answer["people"]["events"]
        say(f" {people} invented people and {events:,} events are in data/; in dev, nothing leaves this machine")
    if PLACE in answer["written"] and not installed_from():
        say(f" in {PLACE} fill in what pip installs: this copy of Orchestrator is only on this machine")
    say(" now")
    if root != here:
        say(f"   cd {shown.rstrip('/')}")
    for command in answer["next"]:
        say(f"   {command}")


_ABOUT_AT = 20
"""Where it stands what a folder is for, right of where its name begins."""
_ABOUT = {
    "config": "settings, the catalogue of your data",
    "config/campaigns": "who gets what, when, under which rules",
    "config/segments": "who is in, in words",
    "templates": "the words, by campaign, segment and channel",
    "lists": "people named one by one",
    "personas": "made-up people your campaigns are tested with",
    SCHEMAS: "your editor completes and checks with these",
    ".vscode": "its settings for that",
    ".github/workflows": "checks and tests every pull request, and says what it changes",
}


def _tree(files: list[str]) -> Iterator[str]:
    """One line for each folder: what is in it, and what it is for."""
    folders: dict[str, list[str]] = {}
    for name in sorted(files):
        path = Path(name)
        place = "templates" if path.parts[0] == "templates" else path.parent.as_posix()
        folders.setdefault("" if place == "." else place, []).append("/".join(path.parts[len(Path(place).parts) :]))
    for place, names in folders.items():
        shown = [name for name in names if name != ".gitkeep"]
        inside = f"{len(shown)} files" if len(shown) > 4 else " ".join(shown)
        if not place:
            yield inside
        else:
            yield f"{place + '/':<{_ABOUT_AT}}{_ABOUT.get(place, '')}"
            if inside and not place.startswith("."):
                yield f"{'':<4}{inside}"
