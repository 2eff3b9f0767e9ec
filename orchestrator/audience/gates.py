"""Who may open the audience file: many readers or one writer, in turn, so that neither waits long for the other.

DuckDB lets one process write or several read, never both, and refuses whoever comes at the wrong moment. Two files beside
it are locked instead. A reader passes `turn` and then `gate`, both shared, and lets go of `turn` at once. A writer takes
both alone: while it waits for the readers inside, it keeps `turn`, so no new reader overtakes it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from orchestrator.core.errors import HeldError, StoreError

GiveUp = Callable[[], bool]
"""Whether whoever waits at a gate is not to wait any longer."""

LOOK_EVERY = 0.05
"""Seconds between two askings whether to give up."""


@contextmanager
def reading(path: Path, give_up: GiveUp | None = None) -> Iterator[None]:
    """Be one of the readers of the file at `path`; to be left within five seconds. HeldError if the wait was given up."""
    with _locked(path, "gate", None) as gate:
        with _locked(path, "turn", fcntl.LOCK_SH, give_up):
            _wait(gate, fcntl.LOCK_SH, path, give_up)
        yield


@contextmanager
def writing(path: Path, give_up: GiveUp | None = None) -> Iterator[None]:
    """Be the only one at the file at `path`; to be left within half a second. HeldError if the wait was given up."""
    with _locked(path, "turn", fcntl.LOCK_EX, give_up), _locked(path, "gate", fcntl.LOCK_EX, give_up):
        yield


def _wait(door: int, how: int, path: Path, give_up: GiveUp | None) -> None:
    """Take the lock, in the kernel's queue: who looks again and again instead would never get past three readers."""
    if give_up is None:
        fcntl.flock(door, how)
        return
    try:
        fcntl.flock(door, how | fcntl.LOCK_NB)
    except BlockingIOError:
        got, ours = Event(), os.dup(door)

        def wait() -> None:
            try:
                fcntl.flock(ours, how)
                got.set()
            finally:
                os.close(ours)

        # Nothing wakes a thread out of this wait. It is left behind, and what it gets is let go with its number at once.
        Thread(target=wait, daemon=True, name="gate").start()
        while not got.wait(LOOK_EVERY):
            if give_up():
                raise HeldError(f"audience {path}: somebody else has it, and the wait for it was given up") from None


@contextmanager
def _locked(path: Path, name: str, how: int | None, give_up: GiveUp | None = None) -> Iterator[int]:
    """One lock file, open and locked; the kernel lets go of it even if we are killed."""
    beside = f"{path}.{name}"
    try:
        door = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise StoreError(
            f"audience {beside}: cannot be opened ({problem.strerror}); check that the folder exists and is ours to write"
        ) from problem
    try:
        if how is not None:
            _wait(door, how, path, give_up)
        yield door
    finally:
        os.close(door)
