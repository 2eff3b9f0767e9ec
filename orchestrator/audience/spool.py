"""Answers of the audience engine, copied into a file of their own, so that the engine is free again within seconds."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import mkdtemp, mkstemp
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

BATCH = 10_000
"""Rows in one batch of a spool."""


class Spool:
    """An answer on disk: iterate over its batches as often as you like; the file goes when you close it."""

    def __init__(self, path: Path, rows: int) -> None:
        self.path = path
        self.rows = rows

    def __iter__(self) -> Iterator[Any]:
        """The batches (`pyarrow.RecordBatch`), read from disk one at a time: a mapped file would stay in memory as a whole."""
        return self.some(0)

    def some(self, first: int, after: int | None = None, heap: Any = None) -> Iterator[Any]:
        """The batches from this number on, up to the other; in memory of `heap` (`pyarrow.MemoryPool`)."""
        with pa.OSFile(str(self.path)) as file, pa.ipc.open_file(file, memory_pool=heap) as answer:
            for number in range(first, answer.num_record_batches if after is None else after):
                yield answer.get_batch(number)

    def close(self) -> None:
        """Remove the file; what was read of it stays valid."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def fill(connection: duckdb.DuckDBPyConnection, sql: str, path: Path) -> Spool:
    """Run a query into an Arrow file at `path`; nothing is left of it when that fails."""
    return answered(lambda: connection.sql(sql).to_arrow_reader(BATCH), path)


def answered(ask: Callable[[], Any], path: Path) -> Spool:
    """Write what a question answers (`pyarrow.RecordBatchReader`) to `path`; nothing is left of it when that fails."""
    try:
        reader = ask()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return keep(reader, reader.schema, path)


def keep(batches: Iterable[Any], schema: Any, path: Path) -> Spool:
    """Write batches (`pyarrow.RecordBatch`, of this `pyarrow.Schema`) to `path` as they come; nothing is left of it when that fails."""
    rows = 0
    try:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as answer:
            for batch in batches:
                answer.write_batch(batch)
                rows += batch.num_rows
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Spool(path, rows)


def fresh(folder: Path) -> Path:
    """A file below `folder` that nobody else uses."""
    door, made = mkstemp(suffix=".arrow", dir=home(folder))
    os.close(door)
    return Path(made)


def home(folder: Path) -> Path:
    """Our own place below `folder`, locked for as long as this process lives. What the dead left there is removed.

    Spools hold people's data, and a process that is killed cannot remove its own.
    """
    pid, ours = _HOMES.get(folder, (0, folder))
    if pid == os.getpid() and ours.is_dir():
        return ours
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "turn").open("w") as turn:  # nobody sweeps while a new place is not locked yet
        fcntl.flock(turn, fcntl.LOCK_EX)
        for other in folder.iterdir():
            if other.is_dir() and _left_by_the_dead(other):
                shutil.rmtree(other)
        ours = Path(mkdtemp(dir=folder))
        fcntl.flock(os.open(ours, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_EX)  # let go by our end, however it comes
    _HOMES[folder] = os.getpid(), ours
    return ours


_HOMES: dict[Path, tuple[int, Path]] = {}
"""The place of this process below each folder of spools, with the process's number: a forked one needs its own."""


def _left_by_the_dead(place: Path) -> bool:
    door = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(door)
    return True
