"""The ledger in PostgreSQL: for many machines."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast

from orchestrator.core.errors import LostBootError, StoreError
from orchestrator.ledger.store import Row, spell

if TYPE_CHECKING:
    pass

_ANY = "= ANY(?)"
_FACTS = 0x0FAC75
"""The advisory lock over consent, suppression and caps."""


class PostgreSQLStore:
    """One session. It holds the boot's advisory lock, so a lost session is a lost boot: both end at the same moment."""

    skip_locked = "FOR UPDATE OF shard SKIP LOCKED"

    def __init__(self, url: str) -> None:
        try:
            import psycopg  # noqa: PLC0415 - an extra: people on SQLite do not install it
        except ImportError as problem:
            raise StoreError("ledger: PostgreSQL needs `pip install 'messaging-orchestrator[postgresql]'`") from problem
        self.url = url
        self._errors = psycopg.Error
        self._lost = psycopg.OperationalError
        try:
            self._connection: psycopg.Connection[Row] = psycopg.connect(url, autocommit=True)
        except psycopg.Error as problem:
            raise StoreError(
                f"ledger: PostgreSQL cannot be reached ({problem}); check stores.ledger in the settings"
            ) from problem
        self._cursor = self._connection.cursor()
        self._holds_boot = False
        mode = self.rows("SELECT current_setting('synchronous_commit')")[0][0]
        if mode in ("off", "local"):
            self._cursor.execute("SET synchronous_commit = on")

    @contextmanager
    def transaction(self, *, lasting: bool = True) -> Iterator[None]:
        try:
            with self._connection.transaction():
                if not lasting:
                    self._cursor.execute("SET LOCAL synchronous_commit = off")
                yield
        except self._lost as problem:
            if self._connection.closed and self._holds_boot:
                raise LostBootError(
                    f"ledger: the session with PostgreSQL is gone ({problem}); this process ends, another takes over"
                ) from problem
            raise StoreError(f"ledger: PostgreSQL refused ({problem})") from problem

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self.transaction():
            self._cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        self._execute(sql, parameters)
        return self._cursor.fetchall() if self._cursor.description else []

    def together(self, sql: str, names: Sequence[str], parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:  # noqa: ARG002 - they come so anyway
        return self.rows(sql, parameters)

    def change(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        self._execute(sql, parameters)
        return self._cursor.rowcount

    def many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> int:
        self._cursor.executemany(cast("Any", spell(sql, _ANY, "%s")), parameters)
        return max(0, self._cursor.rowcount)

    def each(self, sql: str, table: Sequence[Sequence[Any]], parameters: Sequence[Any] = ()) -> int:
        arrays = ", ".join(
            f"?::{'bytea' if isinstance(column[0], bytes) else 'bigint' if isinstance(column[0], int) else 'text'}[]"
            for column in table
        )
        return self.change(
            sql.replace("{table}", f"(SELECT * FROM unnest({arrays}))"), (*map(list, table), *parameters)
        )

    def array(self, values: Sequence[Any]) -> Any:
        return list(values)

    def lock_facts(self, *, exclusive: bool) -> None:
        self.rows(
            "SELECT pg_advisory_xact_lock(?)" if exclusive else "SELECT pg_advisory_xact_lock_shared(?)", (_FACTS,)
        )

    def lock_inbox(self) -> None:
        self.rows("LOCK TABLE event_inbox IN SHARE ROW EXCLUSIVE MODE")

    def hold_boot(self, token: str) -> None:
        self.rows("SELECT pg_advisory_lock(?)", (lock_number(token),))
        self._holds_boot = True

    def hold_place(self, name: str) -> str:  # noqa: ARG002 - any number of machines may serve
        """Nobody is refused: the unique row of a run decides who fires it."""
        return ""

    def boot_is_dead(self, token: str) -> bool:
        number = lock_number(token)
        free = bool(self.rows("SELECT pg_try_advisory_lock(?)", (number,))[0][0])
        if free:
            self.rows("SELECT pg_advisory_unlock(?)", (number,))
        return free

    def close(self) -> None:
        self._connection.close()

    def _execute(self, sql: str, parameters: Sequence[Any]) -> None:
        try:
            self._cursor.execute(cast("Any", spell(sql, _ANY, "%s")), parameters)
        except self._lost as problem:
            if self._connection.closed and self._holds_boot:
                raise LostBootError(
                    f"ledger: the session with PostgreSQL is gone ({problem}); this process ends, another takes over"
                ) from problem
            raise StoreError(f"ledger: PostgreSQL refused ({problem})") from problem


def lock_number(token: str) -> int:
    """A boot's token as the 63-bit number of its advisory lock."""
    return int.from_bytes(blake2b(token.encode(), digest_size=8).digest()) >> 1
