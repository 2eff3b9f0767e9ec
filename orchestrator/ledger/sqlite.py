"""The ledger in one SQLite file: the embedded default.

Many processes may write: each takes an exclusive lock on a file beside the database before BEGIN IMMEDIATE, so writers
queue in the kernel instead of polling (worst wait 16 ms instead of 1 s).
"""

import fcntl
import json
import os
import socket
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from orchestrator.core.errors import LostBootError, PassingError, StoreError
from orchestrator.ledger.sqlite_errors import gone, translated, unopened
from orchestrator.ledger.store import Row, spell

_ANY = "IN (SELECT value FROM json_each(?))"


class SQLiteStore:
    """One connection to the file; `synchronous=FULL`, so that a commit survives a power cut."""

    skip_locked = ""

    def __init__(self, url: str, path: Path) -> None:
        self.url = url
        self.path = path
        self._gate: int | None = None
        self._boot: int | None = None
        self._places: list[int] = []
        self._lasting = True
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._gate = os.open(self._mark(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._begin_or_find(self._gate)
            self._file = _identity(path)
        except (OSError, sqlite3.Error) as problem:
            raise unopened(path, problem) from problem

    def _begin_or_find(self, gate: int) -> None:
        """Connect; a new file is begun only where there never was one: who was reached is written down in the old one."""
        # Two processes that switch a new file to WAL at once fail without waiting, so it happens behind the gate.
        fcntl.flock(gate, fcntl.LOCK_EX)
        try:
            self._miss()
            self._open()
            if os.fstat(gate).st_size == 0:
                with suppress(OSError):  # a full disk; the other traces must do until there is room
                    os.write(gate, _BEGUN)
        except BaseException:
            os.close(gate)
            raise
        fcntl.flock(gate, fcntl.LOCK_UN)

    def _miss(self) -> None:
        """StoreError if the file is not there, while what stands beside it says that it was."""
        if self.path.exists():
            return
        gate, boots, log = self._mark(), self._boots(), Path(f"{self.path}-wal")
        found = [(gate, gate.stat().st_size > 0), (boots, boots.is_dir() and any(boots.iterdir())), (log, log.exists())]
        if traces := [trace.name for trace, stands in found if stands]:
            raise gone(self.path, traces)

    def _open(self) -> None:
        self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5.0)
        self._connection.execute("PRAGMA journal_mode=WAL")
        for pragma in ("synchronous=FULL", "temp_store=MEMORY", "cache_size=-4096", "secure_delete=FAST"):
            self._connection.execute(f"PRAGMA {pragma}")

    def _gated(self, how: int) -> None:
        if self._gate is None:
            raise StoreError(f"ledger {self.path}: it is closed")
        fcntl.flock(self._gate, how)

    @contextmanager
    def transaction(self, *, lasting: bool = True) -> Iterator[None]:
        self._gated(fcntl.LOCK_EX)
        try:
            self._in_its_place()
            if lasting is not self._lasting:
                self._connection.execute(f"PRAGMA synchronous={'FULL' if lasting else 'NORMAL'}")
                self._lasting = lasting
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk ends the transaction by itself; only what still stands can be rolled back.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.DatabaseError as problem:
            self._translate(problem)
        finally:
            self._gated(fcntl.LOCK_UN)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process of ours from writing, without a transaction: for migrations."""
        self._gated(fcntl.LOCK_EX)
        try:
            yield
        finally:
            self._gated(fcntl.LOCK_UN)

    @contextmanager
    def reading(self) -> Iterator[None]:
        self._in_its_place()
        try:
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("COMMIT")
        except sqlite3.DatabaseError as problem:
            self._translate(problem)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        if not self._connection.in_transaction:
            self._in_its_place()
        try:
            return self._connection.execute(spell(sql, _ANY, "?"), parameters).fetchall()
        except sqlite3.DatabaseError as problem:
            self._translate(problem)

    def together(self, sql: str, names: Sequence[str], parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        # Every row that SQLite steps to lets go of the interpreter, and a busy worker is slow to give it back.
        found = self.rows(f"SELECT json_group_array(json_array({', '.join(names)})) FROM ({sql})", parameters)
        rows: list[list[Any]] = msgspec.json.decode(found[0][0])
        return rows

    def change(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        try:
            return self._connection.execute(spell(sql, _ANY, "?"), parameters).rowcount
        except sqlite3.DatabaseError as problem:
            self._translate(problem)

    def many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> int:
        try:
            return max(0, self._connection.executemany(spell(sql, _ANY, "?"), parameters).rowcount)
        except sqlite3.DatabaseError as problem:
            self._translate(problem)

    def each(self, sql: str, table: Sequence[Sequence[Any]], parameters: Sequence[Any] = ()) -> int:
        plain = [column for column in table if not isinstance(column[0], bytes)]
        packed = [b"".join(column) for column in table if isinstance(column[0], bytes)]
        rows = msgspec.json.encode(plain[0] if len(plain) == 1 else list(zip(*plain, strict=True))).decode()
        kinds = tuple([len(column[0]) if isinstance(column[0], bytes) else 0 for column in table])
        before = self._connection.total_changes
        try:
            self._connection.execute(_over(sql, kinds), (*packed, rows, *parameters))
        except sqlite3.DatabaseError as problem:
            self._translate(problem)
        return self._connection.total_changes - before

    def array(self, values: Sequence[Any]) -> Any:
        return json.dumps(values)

    def lock_facts(self, *, exclusive: bool) -> None:
        """Nothing to do: whoever is inside `transaction` is the only writer."""

    def lock_inbox(self) -> None:
        """Nothing to do: whoever is inside `transaction` is the only writer."""

    def hold_boot(self, token: str) -> None:
        folder = self._boots()
        folder.mkdir(exist_ok=True)
        self._boot = os.open(folder / token, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._boot, fcntl.LOCK_EX)

    def hold_place(self, name: str) -> str:
        path = self.path.with_name(f"{self.path.name}.{name}")
        place = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(place, 200).decode(errors="replace") or "a process that has just begun"
            os.close(place)
            return holder
        os.ftruncate(place, 0)
        os.write(place, f"process {os.getpid()} on {socket.gethostname()}".encode())
        self._places.append(place)
        return ""

    def boot_is_dead(self, token: str) -> bool:
        try:
            lock = os.open(self._boots() / token, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(lock)
        return True

    def close(self) -> None:
        self._connection.close()
        for lock in (self._gate, self._boot, *self._places):
            if lock is not None:
                os.close(lock)
        self._gate = self._boot = None
        self._places = []

    def _mark(self) -> Path:
        return self.path.with_name(self.path.name + ".write")

    def _boots(self) -> Path:
        return self.path.with_name(self.path.name + ".boots")

    def _in_its_place(self) -> None:
        """Nothing is written into a file that nobody will find again."""
        found = _identity(self.path)
        if found is None:
            raise PassingError(
                f"ledger {self.path}: the file was moved away or deleted while it was in use; put it back, and all goes on."
                " If it is lost, stop the daemon and restore a backup"
            )
        if found != self._file:
            raise LostBootError(
                f"ledger {self.path}: another file was put in its place while it was in use; this process ends."
                " Stop the daemon before you restore a backup, then start it again"
            )

    def _translate(self, problem: sqlite3.DatabaseError) -> NoReturn:
        """The engine's error as ours, if it is about the file and not about what we asked."""
        self._in_its_place()  # what the engine says of a file that was replaced is of no use to anybody
        if (found := translated(self.path, problem)) is not None:
            raise found from problem
        raise problem


_BEGUN = b"a ledger stands beside this file\n"
"""What the gate says once there is a ledger: where it is missing then, it was moved away or deleted."""


@lru_cache(maxsize=256)
def _over(sql: str, kinds: tuple[int, ...]) -> str:
    """The statement over rows that come as JSON, or the values of one column; of a column of bytes, whose length stands in
    `kinds`, as one long value.
    """
    columns, place = [], 0
    alone = kinds.count(0) == 1
    for length in kinds:
        if length:
            columns.append(f"substr(?, key * {length} + 1, {length})")
        else:
            columns.append("value" if alone else f"json_extract(value, '$[{place}]')")
            place += 1
    return spell(sql.replace("{table}", f"(SELECT {', '.join(columns)} FROM json_each(?))"), _ANY, "?")


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at this path; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
