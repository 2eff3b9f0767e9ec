"""Bringing the audience file into the shape the catalogue asks for: a typed column for every declared attribute."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from orchestrator.audience.columns import ATTRIBUTE, OWN, TABLES, literal, pointer, quoted, typed
from orchestrator.core.errors import StoreError
from orchestrator.core.segments.tree import Declared, Kind


def refuse_twins(attributes: Mapping[str, Declared]) -> None:
    """The engine's columns know no case, so two attributes may not differ in case alone; our own fields are texts."""
    seen: dict[str, str] = {}
    for name, declared in attributes.items():
        if name in OWN and declared.kind is not Kind.TEXT:
            raise StoreError(
                f"config/data.yaml: attribute {name} is {declared.kind}, but a profile keeps it as text; say text"
            )
        twin = seen.setdefault(name.lower(), name)
        if twin != name:
            raise StoreError(f"config/data.yaml: attributes {twin} and {name} differ in case only; rename one of them")


def missing(connection: duckdb.DuckDBPyConnection, attributes: Mapping[str, Declared]) -> dict[str, str]:
    """The columns that are not there yet, or of another type than the catalogue says."""
    there = columns(connection)
    return {name: kind for name, kind in typed(attributes).items() if there.get(name) != kind}


def columns(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The profile's columns and their types, as they stand."""
    found = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'profile' AND NOT internal"
    ).fetchall()
    return dict(found)


def shape(connection: duckdb.DuckDBPyConnection, attributes: Mapping[str, Declared]) -> None:
    """Make the tables, and the columns that are missing, inside the caller's transaction."""
    for table in TABLES:
        connection.execute(table)
    due = missing(connection, attributes)
    there = columns(connection)
    for name, kind in due.items():
        if name in there:
            _put_aside(connection, name)
        connection.execute(f"ALTER TABLE profile ADD COLUMN {quoted(name)} {kind}")
    if due:
        _take_up(connection, due)


def _put_aside(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Move an attribute whose type changed among those that nobody declared."""
    key, column = literal(name.removeprefix(ATTRIBUTE)), quoted(name)
    connection.execute(
        f"UPDATE profile SET rest = json_merge_patch(coalesce(rest, '{{}}'), json_object({key}, {column})) WHERE {column} IS NOT NULL"
    )
    connection.execute(f"ALTER TABLE profile DROP COLUMN {column}")


def _take_up(connection: duckdb.DuckDBPyConnection, due: Mapping[str, str]) -> None:
    """Move what was kept under these names before they were declared into their columns, as far as the type allows."""
    for name, kind in due.items():
        key, column = name.removeprefix(ATTRIBUTE), quoted(name)
        path = literal(pointer(key))
        read = f"json_extract(rest, {path})" if kind.endswith("[]") else f"json_extract_string(rest, {path})"
        connection.execute(
            f"UPDATE profile SET {column} = TRY_CAST({read} AS {kind}), "
            f"rest = CASE WHEN TRY_CAST({read} AS {kind}) IS NULL THEN rest "
            f"ELSE json_merge_patch(rest, json_object({literal(key)}, NULL)) END "
            f"WHERE json_exists(rest, {path})"
        )


def copy(connection: duckdb.DuckDBPyConnection, fresh: Path) -> None:
    """Write everything into a new file, events in time order."""
    connection.execute(f"ATTACH {literal(str(fresh))} AS fresh")
    connection.execute("USE fresh")
    for table in TABLES:
        connection.execute(table)
    here = connection.execute(
        "SELECT database_name FROM duckdb_databases() WHERE NOT internal AND database_name <> 'fresh'"
    ).fetchall()
    old = quoted(here[0][0])
    known = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'profile' AND database_name <> 'fresh'"
    ).fetchall()
    for name, kind in known:
        if name.startswith(ATTRIBUTE):
            connection.execute(f"ALTER TABLE profile ADD COLUMN {quoted(name)} {kind}")
    connection.execute(f'INSERT INTO fresh.profile BY NAME SELECT * FROM {old}.main.profile ORDER BY "user"')
    connection.execute(f'INSERT INTO fresh.event SELECT * FROM {old}.main.event ORDER BY "time", message_id')
    connection.execute(f"INSERT INTO fresh.loaded SELECT * FROM {old}.main.loaded")
    connection.execute(f"USE {old}")
    connection.execute("DETACH fresh")
