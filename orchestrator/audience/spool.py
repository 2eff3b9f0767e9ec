"""Answers of the audience engine, copied into a file of their own, so that the engine is free again within seconds."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkstemp
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

BATCH = 50_000
"""Rows in one batch of a spool."""


class Spool:
    """An answer on disk: iterate over its batches as often as you like; the file goes when you close it."""

    def __init__(self, path: Path, rows: int) -> None:
        self.path = path
        self.rows = rows

    def __iter__(self) -> Iterator[Any]:
        """The batches (`pyarrow.RecordBatch`), mapped from disk one at a time."""
        with pa.memory_map(str(self.path)) as file, pa.ipc.open_file(file) as answer:
            for number in range(answer.num_record_batches):
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
    rows = 0
    try:
        reader = connection.sql(sql).to_arrow_reader(BATCH)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, reader.schema) as answer:
            for batch in reader:
                answer.write_batch(batch)
                rows += batch.num_rows
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Spool(path, rows)


def fresh(folder: Path) -> Path:
    """A file in `folder` that nobody else uses."""
    folder.mkdir(parents=True, exist_ok=True)
    door, made = mkstemp(suffix=".arrow", dir=folder)
    os.close(door)
    return Path(made)
