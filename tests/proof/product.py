"""The product as the kill loop handles it: `orchestrator serve` as one group; find its workers, kill them, stop it in good order."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

ROOT = Path(__file__).resolve().parents[2]
ORCHESTRATOR = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
GRACE = 30.0
"""Seconds within which a SIGTERM must have ended everything, and a killed worker's render children must be gone."""


class Product:
    """One supervisor with all its processes, in a group of their own so that one kill reaches all and nobody else."""

    def __init__(self, project: Path, words: Sequence[str], environment: Mapping[str, str], said: Path) -> None:
        self.command = [*ORCHESTRATOR, "-C", str(project), *words]
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        self.said = said
        self._said: IO[bytes] = said.open("ab")
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the supervisor, which starts the rest."""
        self._supervisor = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )

    @property
    def supervisor(self) -> subprocess.Popen[bytes]:
        """The supervisor's process; RuntimeError before `start`."""
        if self._supervisor is None:
            raise RuntimeError("the product was not started")
        return self._supervisor

    def family(self) -> list[psutil.Process]:
        """Everything below the supervisor that lives: workers, their render children, planners."""
        return below(self.supervisor.pid)

    def kill(self, victim: psutil.Process) -> None:
        """End one process without a word, and return once it is gone and what it had begun has followed it by itself."""
        children = below(victim.pid)
        victim.kill()
        wait_gone([victim, *children])

    def kill_group(self) -> None:
        """End everything without a word, and return once all of it is gone."""
        family = self.family()
        os.killpg(self.supervisor.pid, signal.SIGKILL)
        self.supervisor.wait()
        wait_gone(family)

    def terminate(self) -> int:
        """Ask the supervisor to end, and return its exit code; TimeoutError after the grace."""
        family = self.family()
        self.supervisor.terminate()
        code = self.supervisor.wait(GRACE)
        wait_gone(family)
        return code

    def close(self) -> None:
        """Leave nothing behind."""
        if self._supervisor is not None and self._supervisor.poll() is None:
            self.kill_group()
        self._said.close()


def free_port() -> int:
    """A port of loopback nobody listens at just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def below(pid: int) -> list[psutil.Process]:
    """Everything that lives below a process."""
    try:
        return [child for child in psutil.Process(pid).children(recursive=True) if alive(child)]
    except psutil.NoSuchProcess:
        return []


def alive(process: psutil.Process) -> bool:
    """Whether it runs; a dead process whose parent has not noticed is dead."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_gone(processes: Iterable[psutil.Process]) -> None:
    """Return once none of them runs."""
    until, left = time.monotonic() + GRACE, list(processes)
    while left := [process for process in left if alive(process)]:
        if time.monotonic() > until:
            raise TimeoutError(f"{[process.pid for process in left]} did not end within {GRACE:.0f} s")
        time.sleep(0.002)
