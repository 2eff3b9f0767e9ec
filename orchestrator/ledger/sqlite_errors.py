"""What SQLite's errors about a ledger's file mean, and what a person does about them."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from orchestrator.core.errors import HeldError, PassingError, StoreError

_PASSING = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space, everything unfinished goes on by itself",
    sqlite3.SQLITE_IOERR: "the disk answers with errors; look at the system log before anything else",
    sqlite3.SQLITE_READONLY: "the file is read-only; give this process the right to write it and its folder",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; give this process the right to write it and its folder",
    sqlite3.SQLITE_BUSY: "another program holds it; close database browsers and backups that lock it",
}
"""Troubles that a person ends, with how: whoever waits and asks again loses nothing."""


def unopened(path: Path, problem: OSError | sqlite3.Error) -> StoreError:
    """Why the file cannot be opened."""
    code = getattr(problem, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_BUSY:
        return HeldError(f"ledger {path}: {problem}: {_PASSING[code]}")
    if code == sqlite3.SQLITE_NOTADB:
        return StoreError(
            f"ledger {path}: {problem}: it is damaged or something else; restore a backup, or change stores.ledger"
        )
    return StoreError(f"ledger {path}: cannot be opened ({problem}); check that the folder exists and is ours to write")


def translated(path: Path, problem: sqlite3.DatabaseError) -> StoreError | None:
    """The engine's error as ours, if it is about the file and not about what we asked."""
    code = (getattr(problem, "sqlite_errorcode", 0) or 0) & 0xFF
    if code in _PASSING:
        kind = HeldError if code == sqlite3.SQLITE_BUSY else PassingError
        return kind(f"ledger {path}: {problem}: {_PASSING[code]}")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreError(f"ledger {path}: {problem}: the file is damaged; stop the daemon and restore a backup")
    if isinstance(problem, sqlite3.OperationalError):
        return StoreError(f"ledger {path}: {problem}: see the text of the error")
    return None


def gone(path: Path, traces: Sequence[str] = ()) -> StoreError:
    """The error of a ledger that is not where it was; `traces` are files beside it which say that it was there."""
    anew = (
        f" To begin with an empty ledger, stop the daemon and delete {' and '.join(traces)} beside it as well"
        if traces
        else ""
    )
    return StoreError(
        f"ledger {path}: the file is gone; put it back, or stop the daemon and restore a backup."
        f" Nothing is sent without it, and no new one is begun in its place.{anew}"
    )
