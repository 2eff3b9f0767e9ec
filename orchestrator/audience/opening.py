"""Opening the audience file: one connection per visit, always behind the gates, with errors that say what to do."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import duckdb

from orchestrator.audience import gates
from orchestrator.audience.columns import literal
from orchestrator.core.errors import StoreError

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    # The engine looks for missing extensions on the network, and for unknown tables among Python's variables.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}

ROOM = "24MB"
"""What the engine may take for what happens again and again while a daemon serves; it is one core's work then, too."""


BENCH_ROOM = 2 << 30
"""Bytes that an engine of our own may take at most, however large the file is that it reads; the rest is spilled."""
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


class CrampedError(StoreError):
    """The engine had no room for it in memory; nothing was written."""


# Where nobody named a script (`python -c`), the engine takes itself for a notebook's and draws on standard output.
_MANNERS = "SET TimeZone = 'UTC'; SET enable_progress_bar = false"


@contextmanager
def to_read(path: Path, give_up: gates.GiveUp | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file, open for reading behind the shared gate."""
    _there(path)
    with gates.reading(path, give_up), opened(path, read_only=True) as connection:
        yield connection


@contextmanager
def to_write(path: Path, give_up: gates.GiveUp | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file, open in one transaction for us alone; made if there is none."""
    _make_folder(path)
    with gates.writing(path, give_up), opened(path, read_only=False) as connection, transaction(connection):
        yield connection


@contextmanager
def attached(engine: duckdb.DuckDBPyConnection, path: Path, give_up: gates.GiveUp | None = None) -> Iterator[None]:
    """The file as the tables of an engine of our own, for us alone; made if there is none. The engine's are in `memory.main`.

    Rows that are there already need not leave the engine to get into the file.
    """
    _make_folder(path)
    with gates.writing(path, give_up):
        try:
            engine.execute(f"ATTACH {literal(str(path))} AS audience")
            try:
                engine.execute("USE audience")
                yield
            finally:
                engine.execute("USE memory")
                engine.execute("DETACH audience")
        except duckdb.OutOfMemoryException as problem:
            raise CrampedError(_remedy(path, problem)) from problem
        except duckdb.Error as problem:
            raise StoreError(_remedy(path, problem)) from problem


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StoreError(
            f"audience {path}: its folder cannot be made ({problem.strerror}); make it, or change stores.audience"
        ) from problem


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Everything inside is written as one, or not at all."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        _roll_back(connection)
        raise


@contextmanager
def opened(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the file; whoever calls holds the gate. The engine's errors become ours."""
    try:
        with closing(duckdb.connect(path, read_only=read_only, config=_SETTINGS)) as connection:
            connection.execute(_MANNERS)
            yield connection
    except duckdb.OutOfMemoryException as problem:
        raise CrampedError(_remedy(path, problem)) from problem
    except duckdb.Error as problem:
        raise StoreError(_remedy(path, problem)) from problem


def confine(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the engine take no more than ROOM, which it keeps when it is closed; CrampedError if that is not enough."""
    connection.execute(f"SET threads = 1; SET memory_limit = '{ROOM}'")


def unconfine(engine: duckdb.DuckDBPyConnection) -> None:
    """Let it take what an engine takes by itself."""
    engine.execute("RESET memory_limit")


def _there(path: Path) -> None:
    if not path.exists():
        raise StoreError(
            f"audience {path}: there is no such file yet; import somebody first, with the same --env: orchestrator import profiles FILE"
        )


def private(folder: Path) -> duckdb.DuckDBPyConnection:
    """An engine of our own in memory, which spills into `folder`: it prepares what is written later."""
    connection = duckdb.connect(":memory:", config={**_SETTINGS, "temp_directory": str(folder)})
    connection.execute(_MANNERS)
    # By itself it would take four fifths of the machine, from whatever else runs there.
    [(given,)] = connection.execute("SELECT current_setting('memory_limit')").fetchall()
    number, unit = given.split()
    connection.execute(f"SET memory_limit = '{min(BENCH_ROOM, int(float(number) * _UNITS[unit]))}B'")
    return connection


def no_room(file: Path, folder: Path, problem: duckdb.Error) -> StoreError:
    """What to say where a file does not fit: into memory, or where its rows are kept meanwhile."""
    first = str(problem).splitlines()[0]
    return StoreError(
        f"{file}: there is no room to read it, and nothing was imported ({first}). Rows that do not fit into memory are kept in"
        f" {folder} meanwhile: make room there, about as much as the file has, or import it in parts"
    )


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    # A failed COMMIT has ended the transaction already, and nothing of it stands.
    with suppress(duckdb.Error):
        connection.rollback()


def _remedy(path: Path, problem: duckdb.Error) -> str:
    text = str(problem)
    held = re.search(r"Conflicting lock is held in (.*?)\. ", text.replace("\n", " "))
    if held:
        return f"audience {path}: another program has it open ({held[1]}), past our own queue; close it there, or let it open a copy"
    first = text.splitlines()[0] if text else type(problem).__name__
    if "not a valid DuckDB database" in text:
        return f"audience {path}: this is no DuckDB file ({first}); move it away and import again, or change stores.audience"
    if re.search("No space left|Could not write|out of disk", text):
        return (
            f"audience {path}: the disk is full ({first}); nothing of this batch was written: make room and try again"
        )
    return f"audience {path}: {first}"
