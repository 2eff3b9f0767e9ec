"""Opening a ledger: by URL, brought to the shape this release expects, never to an older one."""

import secrets
from pathlib import Path

from orchestrator.core.errors import StoreError
from orchestrator.ledger.postgresql import PostgreSQLStore
from orchestrator.ledger.sqlite import SQLiteStore, gone
from orchestrator.ledger.store import Store

HEAD = "0007"
"""The newest migration; a test holds it against the files."""

_MIGRATION_LOCK = 0x0FAC76


def open_store(url: str, root: Path, *, create: bool = True) -> Store:
    """Open `sqlite:PATH` (relative to `root`) or `postgresql://…`, creating or migrating the tables if need be.

    StoreError if it cannot be reached, was written by a newer release, or is not there and is not to be created.
    """
    store = _connect(url, root, create=create)
    try:
        if _revision(store) != HEAD:
            _migrate(store)
        _found(store)
    except BaseException:
        store.close()
        raise
    return store


def _connect(url: str, root: Path, *, create: bool) -> Store:
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        path = (root / rest.removeprefix("//")).resolve()
        if not create and not path.exists():
            raise gone(path)
        return SQLiteStore(url, path)
    if scheme in ("postgresql", "postgres"):
        return PostgreSQLStore(url)
    raise StoreError(
        f"stores.ledger: {scheme}: is no ledger we know; write sqlite:data/ledger.db or postgresql://user@host/name"
    )


def _revision(store: Store) -> str:
    """The migration the ledger stands at, empty for a new one."""
    if isinstance(store, SQLiteStore):
        known = store.rows("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
    else:
        known = store.rows("SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL")
    rows = store.rows("SELECT version_num FROM alembic_version") if known else []
    return str(rows[0][0]) if rows else ""


def _migrate(store: Store) -> None:
    """Bring the tables to HEAD; one process does it, the others wait and find it done."""
    from orchestrator.ledger import migrating  # noqa: PLC0415 - Alembic and SQLModel cost a second of start-up

    if isinstance(store, SQLiteStore):
        with store.alone():
            migrating.refuse_newer(_revision(store))
            migrating.upgrade(f"sqlite:///{store.path}")
    else:
        store.rows("SELECT pg_advisory_lock(?)", (_MIGRATION_LOCK,))
        try:
            migrating.refuse_newer(_revision(store))
            migrating.upgrade(
                store.url.replace("postgres://", "postgresql://", 1).replace(
                    "postgresql://", "postgresql+psycopg://", 1
                )
            )
        finally:
            store.rows("SELECT pg_advisory_unlock(?)", (_MIGRATION_LOCK,))


def _found(store: Store) -> None:
    """Write what a ledger is born with: its own id, the key of its suppression list, the counter of consent changes."""
    if len(store.rows("SELECT name FROM meta WHERE name IN ('ledger', 'suppression_key', 'facts')")) == 3:
        return
    born = {"ledger": secrets.token_hex(16), "suppression_key": secrets.token_hex(32), "facts": "0"}
    with store.transaction():
        store.many("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", list(born.items()))
