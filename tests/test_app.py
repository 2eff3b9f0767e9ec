"""The composition root: what a process is given is what its parts work with."""

import shutil
from pathlib import Path

from orchestrator import app
from orchestrator.bundles import Bundles
from orchestrator.core.nouns import OnAmbiguous
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, NewRun, runs
from orchestrator.rendering import RenderChild

DEMO = Path(__file__).parents[1] / "benchmarks" / "demo"
NOW = Instant(1_772_442_000_000_000)


def test_a_run_is_written_in_the_render_child_of_the_process_that_works_it(tmp_path):
    """A template that never ends must cost one member, not the worker."""
    for folder in ("config", "templates"):
        shutil.copytree(DEMO / folder, tmp_path / folder)
    opened = app.open_project(tmp_path, "dev")
    ledger = Ledger.open(f"sqlite:{tmp_path / 'ledger.db'}", tmp_path)
    version = runs.keep_bundle(ledger.store, opened.files, NOW)
    ledger.fire(NewRun("winback", "once", version, NOW, OnAmbiguous.HOLD), NOW)
    with RenderChild() as child:
        prepared = Bundles(opened.project.environment, NOW, child).prepare(ledger, "winback", version)
        assert prepared.letters.child is child
    ledger.close()
