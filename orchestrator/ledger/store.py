"""What the ledger needs of a database, in one small seam: SQLite and PostgreSQL stand behind it.

Statements are written once, with `?` for parameters, `{any}` for "one of this list" and `{table}` for rows that are handed in;
each store says what these become.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Protocol

Row = tuple[Any, ...]


class Store(Protocol):
    """One connection of one process, used from one thread."""

    url: str
    skip_locked: str
    """The clause that lets a claim pass over rows another worker holds; empty where only one can write."""

    def transaction(self, *, lasting: bool = True) -> AbstractContextManager[None]:
        """Everything inside is written as one, or not at all; nobody else writes meanwhile on SQLite.

        Unless it must be `lasting`, it waits for no disk: a power cut may undo it as a whole, until the next that is lasting.
        """
        ...

    def reading(self) -> AbstractContextManager[None]:
        """Everything inside reads one state of the ledger."""
        ...

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return its rows (none for a statement that returns nothing)."""
        ...

    def together(self, sql: str, names: Sequence[str], parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """As `rows`, for many small rows of texts and whole numbers, whose columns have these names.

        The database hands them over in one piece, so that the thread need not come back for each of them.
        """
        ...

    def change(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        ...

    def many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> int:
        """Run one statement for each set of parameters and return how many rows changed in all."""
        ...

    def each(self, sql: str, table: Sequence[Sequence[Any]], parameters: Sequence[Any] = ()) -> int:
        """Run one statement over a table of columns, all of one length, and return how many rows changed.

        The statement begins with `WITH m (names) AS MATERIALIZED {table}`. Columns hold texts, whole numbers or bytes of one
        length, nothing missing. The database goes through the rows by itself, so other threads run meanwhile.
        """
        ...

    def array(self, values: Sequence[Any]) -> Any:
        """The list as the one parameter that `{any}` stands for."""
        ...

    def lock_facts(self, *, exclusive: bool) -> None:
        """Keep consent, suppression and caps still until this transaction ends.

        Turns that only read them share the lock; an unsubscribe and a turn under a cap take it alone.
        """
        ...

    def lock_inbox(self) -> None:
        """Let nobody write to the event inbox until this transaction ends: rows that come later get later ids."""
        ...

    def hold_boot(self, token: str) -> None:
        """Take the lock that says this process lives; it is let go when the process ends, however it ends."""
        ...

    def hold_place(self, name: str) -> str:
        """Take a place that only one process may have here, for as long as it lives; if it is taken, say by whom."""
        ...

    def boot_is_dead(self, token: str) -> bool:
        """Whether the lock of that boot is free. Never call it with one's own token."""
        ...

    def close(self) -> None:
        """Let go of the connection and of the boot's lock."""
        ...


@lru_cache(maxsize=512)
def spell(sql: str, any_of: str, placeholder: str) -> str:
    """The statement in one database's spelling."""
    return sql.replace("{any}", any_of).replace("?", placeholder)
