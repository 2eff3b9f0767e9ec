"""The product as the kill loop handles it: start it as one group, find its workers, kill them, stop it in good order."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import psutil

ROOT = Path(__file__).resolve().parents[2]
GRACE = 30.0
"""Seconds within which a SIGTERM must have ended everything."""


class Product:
    """One supervisor with its workers, in a process group of their own so that one kill reaches all and nobody else."""

    def __init__(self, command: list[str], said: Path) -> None:
        self.command = [sys.executable, *command]
        self.said = said
        self._said: IO[bytes] = said.open("ab")
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the supervisor, which starts the rest."""
        self._supervisor = subprocess.Popen(
            self.command, cwd=ROOT, start_new_session=True, stdout=self._said, stderr=subprocess.STDOUT
        )

    @property
    def supervisor(self) -> subprocess.Popen[bytes]:
        """The supervisor's process; RuntimeError before `start`."""
        if self._supervisor is None:
            raise RuntimeError("the product was not started")
        return self._supervisor

    def family(self) -> list[psutil.Process]:
        """Everything below the supervisor that lives."""
        try:
            return [child for child in psutil.Process(self.supervisor.pid).children(recursive=True) if alive(child)]
        except psutil.NoSuchProcess:
            return []

    def kill(self, victim: psutil.Process) -> None:
        """End one process without a word, and return once it is gone."""
        victim.kill()
        wait_gone([victim])

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


def alive(process: psutil.Process) -> bool:
    """Whether it runs; a dead process whose parent has not noticed is dead."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_gone(processes: list[psutil.Process]) -> None:
    """Return once none of them runs."""
    until = time.monotonic() + GRACE
    while any(alive(process) for process in processes):
        if time.monotonic() > until:
            raise TimeoutError(f"{[process.pid for process in processes]} did not end within {GRACE:.0f} s")
        time.sleep(0.002)
