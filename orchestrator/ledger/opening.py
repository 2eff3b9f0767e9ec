"""Opening a ledger: by URL, brought to the shape this release expects, never to an older one."""

import secrets
from pathlib import Path

from orchestrator.core.errors import OtherEnvironmentError, StoreError
from orchestrator.ledger.postgresql import PostgreSQLStore
from orchestrator.ledger.sqlite import SQLiteStore
from orchestrator.ledger.sqlite_errors import gone
from orchestrator.ledger.store import Store

HEAD = "0009"
"""The newest migration; a test holds it against the files."""

_MIGRATION_LOCK = 0x0FAC76


def open_store(url: str, root: Path, *, create: bool = True, environment: str = "") -> Store:
    """Open `sqlite:PATH` (relative to `root`) or `postgresql://…`, creating or migrating the tables if need be.

    StoreError if it cannot be reached, was written by a newer release, or is not there and is not to be created. With
    `environment`, it belongs to that one from now on; OtherEnvironmentError, and nothing is written, if it has another.
    """
    store = _connect(url, root, create=create)
    try:
        revision = _revision(store)
        owner = _owner(store) if revision else ""
        _refuse_other(store, owner, environment)
        if revision != HEAD:
            _migrate(store)
        _found(store)
        if environment and not owner:
            _belong(store, environment)
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


def _owner(store: Store) -> str:
    """The environment a ledger belongs to, empty while it has none."""
    rows = store.rows("SELECT value FROM meta WHERE name = 'environment'")
    return str(rows[0][0]) if rows else ""


def _belong(store: Store, environment: str) -> None:
    """Make it this environment's; of two that come at once one gets it, and the other is told whose it is."""
    with store.transaction():
        store.change("INSERT INTO meta (name, value) VALUES ('environment', ?) ON CONFLICT DO NOTHING", (environment,))
    _refuse_other(store, _owner(store), environment)


def _refuse_other(store: Store, owner: str, environment: str) -> None:
    if not owner or not environment or owner == environment:
        return
    if isinstance(store, SQLiteStore):
        raise OtherEnvironmentError(f"ledger {store.path}", owner, environment)
    name = store.rows("SELECT current_database()")[0][0]
    address = f"${{env:{environment.upper().replace('-', '_')}_LEDGER_URL}}"
    raise OtherEnvironmentError(f"ledger in PostgreSQL's database {name}", owner, environment, address)


def _found(store: Store) -> None:
    """Write what a ledger is born with: its own id, the key of its suppression list, the counter of consent changes."""
    if len(store.rows("SELECT name FROM meta WHERE name IN ('ledger', 'suppression_key', 'facts')")) == 3:
        return
    born = {"ledger": secrets.token_hex(16), "suppression_key": secrets.token_hex(32), "facts": "0"}
    with store.transaction():
        store.many("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", list(born.items()))
