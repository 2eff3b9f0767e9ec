"""The command line as people call it: a process of its own, in a project that `init` made."""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli.inventing import WHAT
from orchestrator.cli.main import app, hoisted
from tests.cli.warm import warm

CLI = [sys.executable, "-c", "from orchestrator.cli import main; main()"]


@dataclass(frozen=True)
class Said:
    """What a call answered."""

    code: int
    out: str
    err: str

    @property
    def told(self):
        return json.loads(self.out)


def surroundings():
    """The environment variables of a call: this code, and nothing of ours beside it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    return {**own, "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "100"}


def orchestrator(folder, *words, typed="", environ=None):
    """Call the command line in a folder, with these answers typed."""
    return Said(*warm().call(words, folder, typed, {**surroundings(), **(environ or {})}))


def inside(folder, *words, environ=None):
    """The same in this process, which saves the second that a new one takes to load everything."""
    done = CliRunner().invoke(app, hoisted(["-C", str(folder), *words]), env=environ)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


def bring(folder, environment, but=()):
    """Import the invented people into the stores of another environment, all that is known of them `but` this."""
    for what in WHAT:
        if what in but:
            continue
        said = orchestrator(folder, "import", what, f"data/example/{what}.jsonl", "--env", environment)
        assert said.code == 0, said.err


@pytest.fixture(scope="session")
def _shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    said = orchestrator(folder, "init", "shop")
    assert said.code == 0, said.err
    return folder / "shop"


@pytest.fixture
def shop(_shop, tmp_path):
    """A project as `orchestrator init` leaves it, of the test's own."""
    return Path(shutil.copytree(_shop, tmp_path / "shop"))
