"""Files that are the whole truth: what they would take away, whether to let them, and how what is there makes room."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from orchestrator.audience import numbering
from orchestrator.audience.columns import WHO, literal, quoted
from orchestrator.audience.shaping import columns
from orchestrator.audience.texts import FileError
from orchestrator.core.mirrors import FAMILIES

_THEIRS = f"NOT ({' OR '.join(f'starts_with(name, {literal(one)})' for one in FAMILIES)})"
"""SQL: all events but our own, which no file replaces."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many there are, and how many of them the file speaks of."""

    there: int = 0
    kept: int = 0

    @property
    def going(self) -> int:
        """How many are not in the file."""
        return self.there - self.kept


class Whole(Protocol):
    """What a file can be the whole truth about. `source` is a table of all that lands."""

    noun: str

    def share(self, connection: duckdb.DuckDBPyConnection, source: str) -> Share:
        """How much of what is there the file speaks of."""
        ...

    def clear(self, connection: duckdb.DuckDBPyConnection, source: str) -> None:
        """Make room for it."""
        ...


class People:
    """All profiles. Their devices are no attributes and stay."""

    noun = "people"

    def share(self, connection: duckdb.DuckDBPyConnection, source: str) -> Share:
        """How many profiles there are, and of them in the file."""
        return _share(connection, "profile", "TRUE", '"user"', source)

    def clear(self, connection: duckdb.DuckDBPyConnection, source: str) -> None:
        """Delete who is not in the file, and of the others every attribute."""
        gone = f'"user" NOT IN (SELECT "user" FROM {source})'
        numbering.part(connection, gone)
        connection.execute(f"DELETE FROM profile WHERE {gone}")
        named = [name for name in columns(connection) if name not in ("user", "devices", WHO)]
        connection.execute(f"UPDATE profile SET {', '.join(f'{quoted(name)} = NULL' for name in named)}")


class Events:
    """All events but our own."""

    noun = "events"

    def share(self, connection: duckdb.DuckDBPyConnection, source: str) -> Share:
        """How many events there are, and of them in the file, by their message ids."""
        return _share(connection, "event", _THEIRS, "message_id", source)

    def clear(self, connection: duckdb.DuckDBPyConnection, source: str) -> None:  # noqa: ARG002 - as `Whole` has it
        """Delete them; those of the file come back with it."""
        connection.execute(f"DELETE FROM event WHERE {_THEIRS}")


class Devices:
    """All devices of all people."""

    noun = "people with devices"

    def share(self, connection: duckdb.DuckDBPyConnection, source: str) -> Share:
        """How many people have devices, and of them in the file."""
        return _share(connection, "profile", "devices IS NOT NULL", '"user"', source)

    def clear(self, connection: duckdb.DuckDBPyConnection, source: str) -> None:  # noqa: ARG002 - as `Whole` has it
        """Forget them."""
        connection.execute("UPDATE profile SET devices = NULL WHERE devices IS NOT NULL")


def _share(connection: duckdb.DuckDBPyConnection, table: str, which: str, key: str, source: str) -> Share:
    found = connection.sql(
        f"SELECT count(*), count(DISTINCT {key}) FILTER ({key} IN (SELECT {key} FROM {source})) FROM {table} WHERE {which}"
    ).fetchall()[0]
    return Share(*found)


@dataclass(frozen=True, slots=True)
class Loss:
    """What a file would take away: of the `there` people or events (`noun`), so many are not in it. `rejects` says why rows were left out."""

    file: Path
    rows: int
    left_out: int
    rejects: Path | None
    noun: str = ""
    share: Share = Share()

    def refuse_doubtful(self) -> None:
        """FileError for a file that is probably not the whole truth: without a row, or with rows that could not be taken."""
        if not self.rows:
            raise FileError(
                f"{self.file}: nothing was changed: it has no rows, and a replacement by it would leave nothing;"
                " look whether it was written to its end, or say --yes if nothing is what there is"
            )
        if self.left_out:
            raise FileError(
                f"{self.file}: nothing was changed: {self.left_out:,} of its {self.rows:,} rows cannot be taken (reasons in"
                f" {self.rejects}), and a replacement would delete what they stand for; mend them, import without"
                " --replace, or say --yes to replace by the others"
            )
