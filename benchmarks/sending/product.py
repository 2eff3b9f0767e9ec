"""The product itself under measure: a run fired under `orchestrator serve` with two worker processes, followed to its end."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.sending import people
from orchestrator import app
from orchestrator.bundles import Topics
from orchestrator.core.nouns import OnAmbiguous
from orchestrator.ledger import Ledger, NewRun, RunState, deliveries, mirrors, runs
from orchestrator.pipeline import Mirrors
from orchestrator.wire.clock import WallClock

HERE = Path(__file__).parent
ENVIRONMENT = "live"
LOOK = 0.02
"""Seconds between two looks at how far the run has come."""
WEIGH = 0.4
"""Seconds between two looks at what the processes take; looking is not free, and is nobody's work but ours."""
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
    _tell_the_audience(root)


def _tell_the_audience(root: Path) -> None:
    """What a loader does with a new ledger in its first seconds: runs are measured on a daemon that has been up for longer."""
    os.environ["BENCH_LEDGER"] = "sqlite:data/pattern.db"
    opened = app.open_project(root, ENVIRONMENT, sending=True)
    ledger, mirrors = opened.ledger(), Mirrors(Topics(ENVIRONMENT))
    while (step := mirrors.once(ledger, lambda: app.own_audience(opened))) is not None and step.more:
        pass
    ledger.close()


def measure(
    root: Path, campaign: str, count: int, workers: int = 2, *, weigh: bool = False, after: int = 0
) -> Measured:
    """Fire a run in a fresh ledger under a daemon that is already up, `after` so many others, and follow it to its end."""
    for old in (root / "data").glob("ledger.db*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.copy(root / "data" / "pattern.db", root / "data" / "ledger.db")
    os.environ["BENCH_LEDGER"] = "sqlite:data/ledger.db"
    opened, clock = app.open_project(root, ENVIRONMENT, sending=True), WallClock()
    ledger = opened.ledger()
    found = Measured()
    try:
        with _daemon(root, workers) as crew:
            while len(ledger.store.rows("SELECT 1 FROM boot WHERE kind = 'worker' AND ended_at IS NULL")) < workers:
                time.sleep(LOOK)
            version = runs.keep_bundle(ledger.store, opened.files, clock.now())
            for number in range(after + 1):
                run = NewRun(campaign, f"once {number}", version, clock.now(), OnAmbiguous.HOLD)
                found = Measured(memory=found.memory)
                _follow(ledger, crew, run, count, found, weigh=weigh)
    finally:
        ledger.close()
    return found


def _follow(ledger: Ledger, crew: psutil.Process, new: NewRun, count: int, found: Measured, *, weigh: bool) -> None:
    before, began = _cpu(crew, ledger), time.perf_counter()
    run, _ = ledger.fire(new, new.due_at)
    state = RunState.DUE
    weighed = began
    while state is not RunState.DONE:
        time.sleep(LOOK)
        if time.perf_counter() - weighed > (LOOK if weigh else WEIGH):
            weighed = time.perf_counter()
            _note(crew, ledger, before, found, weigh=weigh)
        now = runs.find(ledger.store, run.id)
        state = now.state if now is not None else RunState.MISSED
        if state not in (RunState.DUE, RunState.PLANNING) and not found.planned:
            found.planned = time.perf_counter() - began
        if time.perf_counter() - began > PATIENCE:
            raise TimeoutError(f"the run stands at {now}")
    found.seconds = time.perf_counter() - began
    _note(crew, ledger, before, found, weigh=weigh)
    while weigh and mirrors.any_left(ledger.store, mirrors.newest(ledger.store)):
        time.sleep(LOOK)
        _note(crew, ledger, before, found, weigh=True)
    _note(crew, ledger, before, found, weigh=weigh)  # what it took to tell the engine is kept for a while
    accepted = sum(one.rows for one in deliveries.counts(ledger.store, run.id) if one.state == "accepted")
    if accepted != count:
        raise RuntimeError(f"{accepted} of {count} were accepted")


@contextmanager
def _daemon(root: Path, workers: int) -> Iterator[psutil.Process]:
    bare = root / "bare"
    bare.mkdir(exist_ok=True)
    (bare / "pandas.py").write_text("raise ImportError('as where the package is installed without extras')\n")
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(bare), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }
    command = [sys.executable, "-c", "from orchestrator.cli import main; main()", "-C", str(root), "-e", ENVIRONMENT]
    with (root / "said.log").open("ab") as said:
        daemon = subprocess.Popen(
            [*command, "serve", "--workers", str(workers), "--port", "0"], env=environ, stderr=said
        )
        try:
            yield psutil.Process(daemon.pid)
        finally:
            daemon.terminate()
            daemon.wait(60)


def _parts(daemon: psutil.Process, ledger: Ledger) -> Iterator[tuple[str, psutil.Process]]:
    """The daemon's processes by what they are: the ledger knows most of them, the others are the workers' children and the nursery."""
    kinds = {pid: f"{kind}s" for pid, kind in ledger.store.rows("SELECT pid, kind FROM boot WHERE ended_at IS NULL")}
    for process in [daemon, *daemon.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            above = {parent.pid for parent in process.parents()}
            child = any(kinds.get(pid) == "workers" for pid in above)
            yield kinds.get(process.pid, "render children" if child else "nursery"), process


def _note(daemon: psutil.Process, ledger: Ledger, before: dict[str, float], found: Measured, *, weigh: bool) -> None:
    """Note what the processes have taken so far; a planner is gone when it is done, so the last look at it counts."""
    for name, used in _cpu(daemon, ledger).items():
        found.cpu[name] = max(found.cpu.get(name, 0), used - before.get(name, 0))
    if weigh:
        _weigh(daemon, ledger, found)


def _cpu(daemon: psutil.Process, ledger: Ledger) -> dict[str, float]:
    """CPU seconds so far of each kind of process; the supervisor's with those of processes that have ended, the planners'."""
    found: dict[str, float] = {}
    for name, process in _parts(daemon, ledger):
        with suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            found[name] = found.get(name, 0) + used.user + used.system
    return found


def _weigh(daemon: psutil.Process, ledger: Ledger, found: Measured) -> None:
    """Note the peak of what each kind of process holds, and of all at one moment; what they share counts once (PSS)."""
    held: dict[str, float] = {}
    for name, process in _parts(daemon, ledger):
        with suppress(psutil.NoSuchProcess):
            held[name] = held.get(name, 0) + process.memory_full_info().pss / 2**20
    held["together"] = sum(held.values())
    for name, megabytes in held.items():
        found.memory[name] = max(found.memory.get(name, 0), megabytes)
