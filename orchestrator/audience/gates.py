"""Who may open the audience file: many readers or one writer, in turn, so that neither waits long for the other.

DuckDB lets one process write or several read, never both, and refuses whoever comes at the wrong moment. Two files beside
it are locked instead. A reader passes `turn` and then `gate`, both shared, and lets go of `turn` at once. A writer takes
both alone: while it waits for the readers inside, it keeps `turn`, so no new reader overtakes it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.core.errors import StoreError


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Be one of the readers of the file at `path`; to be left within five seconds."""
    with _locked(path, "gate", None) as gate:
        with _locked(path, "turn", fcntl.LOCK_SH):
            fcntl.flock(gate, fcntl.LOCK_SH)
        yield


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Be the only one at the file at `path`; to be left within half a second."""
    with _locked(path, "turn", fcntl.LOCK_EX), _locked(path, "gate", fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(path: Path, name: str, how: int | None) -> Iterator[int]:
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
            fcntl.flock(door, how)
        yield door
    finally:
        os.close(door)
