"""The product itself under measure: a fired run, the planner's process, two worker processes with their render children."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.sending import people
from orchestrator import app
from orchestrator.core.nouns import OnAmbiguous
from orchestrator.ledger import NewRun, RunState, deliveries, runs
from orchestrator.wire.clock import WallClock

HERE = Path(__file__).parent
ENVIRONMENT = "live"
LOOK = 0.02
"""Seconds between two looks at how far the run has come."""
PATIENCE = 1800.0


@dataclass
class Measured:
    """One run: seconds from its firing to its end and of the planning in them, CPU seconds by process, peak memory in MB."""

    seconds: float = 0.0
    planned: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)


def prepare(root: Path, count: int) -> None:
    """A project whose audience has this many people, all of whom said yes; its ledger is kept as the pattern of each run's."""
    shutil.copytree(HERE / "project", root)
    environ = {**os.environ, "BENCH_LEDGER": "sqlite:data/pattern.db"}
    for what, file in zip(("profiles", "consent"), people.write(root / "raw", count, "offers"), strict=True):
        command = [
            sys.executable,
            "-c",
            "from orchestrator.cli import main; main()",
            "-C",
            str(root),
            "-e",
            ENVIRONMENT,
        ]
        subprocess.run([*command, "import", what, str(file)], check=True, env=environ, stdout=subprocess.DEVNULL)
        file.unlink()
    subprocess.run([*command, "import", "suppressions", "--none"], check=True, env=environ, stdout=subprocess.DEVNULL)


def measure(root: Path, campaign: str, count: int, workers: int = 2) -> Measured:
    """Fire a run in a fresh ledger, with the workers already up, and follow it to its end."""
    for old in (root / "data").glob("ledger.db*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.copy(root / "data" / "pattern.db", root / "data" / "ledger.db")
    os.environ["BENCH_LEDGER"] = "sqlite:data/ledger.db"
    opened, clock = app.open_project(root, ENVIRONMENT, sending=True), WallClock()
    ledger = opened.ledger()
    found = Measured()
    try:
        with _crew(root, workers) as crew:
            while len(ledger.store.rows("SELECT 1 FROM boot WHERE kind = 'worker' AND ended_at IS NULL")) < workers:
                time.sleep(LOOK)
            before, began = _cpu(crew), time.perf_counter()
            version = runs.keep_bundle(ledger.store, opened.files, clock.now())
            run, _ = ledger.fire(NewRun(campaign, "once", version, clock.now(), OnAmbiguous.HOLD), clock.now())
            planner = subprocess.Popen(
                [sys.executable, "-m", "orchestrator.planner", *_place(root), "--run", str(run.id)]
            )
            _follow(crew, psutil.Process(planner.pid), found)
            found.planned = time.perf_counter() - began
            while (now := runs.find(ledger.store, run.id)) is None or now.state is not RunState.DONE:
                _weigh(crew, found)
                time.sleep(LOOK)
                if time.perf_counter() - began > PATIENCE:
                    raise TimeoutError(f"the run stands at {now}")
            found.seconds = time.perf_counter() - began
            found.cpu |= {name: used - before.get(name, 0) for name, used in _cpu(crew).items()}
        accepted = sum(count.rows for count in deliveries.counts(ledger.store, run.id) if count.state == "accepted")
        if accepted != count:
            raise RuntimeError(f"{accepted} of {count} were accepted")
    finally:
        ledger.close()
    return found


def _place(root: Path) -> list[str]:
    return ["--project", str(root), "--env", ENVIRONMENT]


@contextmanager
def _crew(root: Path, workers: int) -> Iterator[list[psutil.Process]]:
    said = (root / "said.log").open("ab")
    command = [sys.executable, "-m", "orchestrator.worker", *_place(root)]
    crew = [subprocess.Popen(command, stderr=said, stdin=subprocess.PIPE) for _ in range(workers)]
    try:
        yield [psutil.Process(one.pid) for one in crew]
    finally:
        for one in crew:
            one.terminate()
        for one in crew:
            one.wait(60)
        said.close()


def _follow(crew: list[psutil.Process], planner: psutil.Process, found: Measured) -> None:
    """Wait for the planner's end, with an eye on what it takes."""
    while True:
        try:
            used, held = planner.cpu_times(), planner.memory_info().rss / 2**20
        except psutil.NoSuchProcess:
            return
        if planner.status() == psutil.STATUS_ZOMBIE:
            planner.wait()
            return
        found.cpu["planner"] = used.user + used.system
        found.memory["planner"] = max(found.memory.get("planner", 0), held)
        _weigh(crew, found)
        time.sleep(LOOK)


def _parts(crew: list[psutil.Process]) -> Iterator[tuple[str, psutil.Process]]:
    for worker in crew:
        yield "workers", worker
        for child in worker.children(recursive=True):
            yield "render children", child


def _cpu(crew: list[psutil.Process]) -> dict[str, float]:
    """CPU seconds so far of the workers and of their render children."""
    found: dict[str, float] = {}
    for name, process in _parts(crew):
        used = process.cpu_times()
        found[name] = found.get(name, 0) + used.user + used.system
    return found


def _weigh(crew: list[psutil.Process], found: Measured) -> None:
    """Note the peak of what the workers and their children hold; what they share counts once (PSS)."""
    held: dict[str, float] = {}
    for name, process in _parts(crew):
        held[name] = held.get(name, 0) + process.memory_full_info().pss / 2**20
    for name, megabytes in held.items():
        found.memory[name] = max(found.memory.get(name, 0), megabytes)
