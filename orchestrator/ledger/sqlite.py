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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestrator.core.errors import HeldError, StoreError
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
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._gate = os.open(f"{path}.write", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._open()
        except (OSError, sqlite3.Error) as problem:
            if getattr(problem, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
                raise HeldError(
                    f"ledger {path}: {problem}: another program holds it; close database browsers and backups that lock it"
                ) from problem
            raise StoreError(
                f"ledger {path}: cannot be opened ({problem}); check that the folder exists and is ours to write"
            ) from problem

    def _open(self) -> None:
        self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5.0)
        # Two processes that switch a new file to WAL at once fail without waiting, so it happens behind the gate.
        self._gated(fcntl.LOCK_EX)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
        finally:
            self._gated(fcntl.LOCK_UN)
        for pragma in ("synchronous=FULL", "temp_store=MEMORY", "cache_size=-65536", "secure_delete=FAST"):
            self._connection.execute(f"PRAGMA {pragma}")

    def _gated(self, how: int) -> None:
        if self._gate is None:
            raise StoreError(f"ledger {self.path}: it is closed")
        fcntl.flock(self._gate, how)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._gated(fcntl.LOCK_EX)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk ends the transaction by itself; only what still stands can be rolled back.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as problem:
            raise self._refusal(problem) from problem
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
        try:
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("COMMIT")
        except sqlite3.OperationalError as problem:
            raise self._refusal(problem) from problem

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        try:
            return self._connection.execute(spell(sql, _ANY, "?"), parameters).fetchall()
        except sqlite3.OperationalError as problem:
            # Inside a transaction its end says so; a look by itself says it here.
            if self._connection.in_transaction:
                raise
            raise self._refusal(problem) from problem

    def change(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return self._connection.execute(spell(sql, _ANY, "?"), parameters).rowcount

    def many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> int:
        return max(0, self._connection.executemany(spell(sql, _ANY, "?"), parameters).rowcount)

    def array(self, values: Sequence[Any]) -> Any:
        return json.dumps(values)

    def lock_facts(self, *, exclusive: bool) -> None:
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

    def _boots(self) -> Path:
        return self.path.with_name(self.path.name + ".boots")

    def _refusal(self, problem: sqlite3.OperationalError) -> StoreError:
        remedies = {
            sqlite3.SQLITE_FULL: "the disk is full; free some space, everything unfinished goes on by itself",
            sqlite3.SQLITE_IOERR: "the disk answers with errors; look at the system log before anything else",
            sqlite3.SQLITE_READONLY: "the file is read-only; give this process the right to write it and its folder",
            sqlite3.SQLITE_BUSY: "another program holds it; close database browsers and backups that lock it",
        }
        code = (getattr(problem, "sqlite_errorcode", 0) or 0) & 0xFF
        kind = HeldError if code == sqlite3.SQLITE_BUSY else StoreError
        return kind(f"ledger {self.path}: {problem}: {remedies.get(code, 'see the text of the error')}")
