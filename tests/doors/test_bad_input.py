"""Bad input that only shows when something is under way: an edit that breaks a template, an audience file that is gone."""

import json
import subprocess
import sys

import pytest

from orchestrator import app
from orchestrator.core.nouns import OnAmbiguous
from orchestrator.daemon.supervisor import Serving, Supervisor
from orchestrator.ledger import NewRun, RunState, runs
from orchestrator.wire.clock import WallClock
from tests.doors.builders import rewrite, the_example_in

BODY = "templates/winback/_default/email.mjml"


@pytest.fixture
def project(tmp_path):
    """The example with one person in it."""
    root = the_example_in(tmp_path)
    (root / "people.jsonl").write_text(json.dumps({"user_id": "u1", "email": "u1@mail.example"}) + "\n")
    assert said(root, "import", "profiles", str(root / "people.jsonl")).returncode == 0
    return root


def said(root, *words):
    command = [sys.executable, "-c", "from orchestrator.cli import main; main()", "-C", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
async def supervisor(project):
    made = Supervisor(Serving(project, "dev"), app.open_project(project, "dev"), WallClock())
    yield made
    made._ledger.close()


async def test_an_edit_that_breaks_a_template_keeps_the_last_good_files_and_is_named(project, supervisor):
    await supervisor._reload()
    good = supervisor._edition.version
    rewrite(project / BODY, "{{ copy.title }}", "{{ copy.title ")
    await supervisor._reload()
    assert supervisor._edition.version == good
    assert supervisor.troubles[0].startswith(f"{BODY}:")
    assert (await supervisor._health()).well is False

    rewrite(project / BODY, "{{ copy.title ", "{{ copy.title }}")
    await supervisor._reload()
    assert supervisor.troubles == ()
    assert supervisor._edition.version == good


@pytest.mark.parametrize("words", ["{{ 3 | currency('EURO') }}", "{{ userAttribute.nobodyHasIt }}"])
async def test_an_edit_check_objects_to_keeps_the_last_good_files_and_is_named(project, supervisor, words):
    """A message that nobody can be written is a mistake like any other: tried out aside, as a fork here would share threads."""
    await supervisor._reload()
    good = supervisor._edition.version
    rewrite(project / BODY, "{{ copy.title }}", words)
    await supervisor._reload()
    assert supervisor._edition.version == good
    [first, *_] = supervisor.troubles
    assert first.startswith(f"{BODY}:")
    assert first in said(project, "check").stdout


async def test_a_broken_template_of_a_campaign_that_is_over_holds_nothing_up(project, supervisor):
    rewrite(project / "config/campaigns/winback.yaml", "state: live", "state: ended")
    rewrite(project / BODY, "{{ copy.title }}", "{{ copy.title ")
    await supervisor._reload()
    assert supervisor.troubles == ()


def test_a_missing_audience_file_is_named_and_the_run_waits_until_it_is_back(project):
    opened, clock = app.open_project(project, "dev"), WallClock()
    ledger = opened.ledger()
    version = runs.keep_bundle(ledger.store, opened.files, clock.now())
    run, _ = ledger.fire(NewRun("winback", "2026-03-02T10:00", version, clock.now(), OnAmbiguous.HOLD), clock.now())
    file = project / "data" / "audience.duckdb"
    file.rename(file.with_suffix(".away"))
    planner = [sys.executable, "-m", "orchestrator.planner", "--project", str(project), "--env", "dev"]
    planner += ["--run", str(run.id)]

    for words in (("segment", "count", "lapsed"), ("send", "winback", "--yes")):
        told = said(project, *words)
        assert told.returncode == 1
        assert "data/audience.duckdb: there is no such file" in told.stderr
        assert "orchestrator import profiles FILE" in told.stderr
    told = subprocess.run(planner, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "data/audience.duckdb: there is no such file" in told.stderr
    ledger.recover(clock.now())
    assert runs.find(ledger.store, run.id).state is RunState.DUE
    assert ledger.store.rows("SELECT count(*) FROM delivery") == [(0,)]

    file.with_suffix(".away").rename(file)
    subprocess.run(planner, check=True, capture_output=True)
    planned = runs.find(ledger.store, run.id)
    # Nobody is in the audience of this one person, which is odd: the run waits for somebody to look.
    assert (planned.state, planned.audience) == (RunState.WAITING, 0)
    ledger.close()
