"""Bringing the audience file into the shape the catalogue asks for: a typed column for every declared attribute."""

import json
from collections.abc import Mapping
from pathlib import Path

import duckdb

from orchestrator.audience import numbering
from orchestrator.audience.columns import ATTRIBUTE, OWN, TABLES, WHO, literal, pointer, quoted, typed
from orchestrator.core.errors import StoreError
from orchestrator.core.segments.tree import Declared, Kind
from orchestrator.core.segments.values import TIME_PATTERN


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
    return {name: kind for name, kind in {**typed(attributes), WHO: "BIGINT"}.items() if there.get(name) != kind}


def columns(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The profile's columns and their types, as they stand; none in a file that has no profiles yet."""
    try:
        return dict(connection.execute("SELECT name, type FROM pragma_table_info('profile')").fetchall())
    except duckdb.CatalogException:
        return {}


def owner(connection: duckdb.DuckDBPyConnection) -> str:
    """The environment the file belongs to, empty while it has none."""
    if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'belongs'").fetchall():
        return ""
    found = connection.execute("SELECT environment FROM belongs").fetchall()
    return str(found[0][0]) if found else ""


def shape(connection: duckdb.DuckDBPyConnection, attributes: Mapping[str, Declared]) -> None:
    """Make the tables, and the columns that are missing, inside the caller's transaction."""
    for table in TABLES:
        connection.execute(table)
    there = columns(connection)
    if WHO not in there:
        numbering.upgrade(connection)
    due = {name: kind for name, kind in typed(attributes).items() if there.get(name) != kind}
    for name, kind in due.items():
        if name in there:
            _put_aside(connection, name, there[name])
        connection.execute(f"ALTER TABLE profile ADD COLUMN {quoted(name)} {kind}")
    if due:
        _take_up(connection, due)


def _put_aside(connection: duckdb.DuckDBPyConnection, name: str, kind: str) -> None:
    """Move an attribute whose type changed among those that nobody declared, as JSON would write it."""
    key, column = literal(name.removeprefix(ATTRIBUTE)), quoted(name)
    written = {
        "BIGINT": f"strftime(make_timestamp({column}), '%Y-%m-%dT%H:%M:%S.%fZ')",
        "DECIMAL(18,4)": f"CAST(regexp_replace(CAST({column} AS VARCHAR), '[.]?0+$', '') AS JSON)",
    }.get(kind, column)
    connection.execute(
        f"UPDATE profile SET rest = json_merge_patch(coalesce(rest, '{{}}'), json_object({key}, {written})) WHERE {column} IS NOT NULL"
    )
    connection.execute(f"ALTER TABLE profile DROP COLUMN {column}")


def _take_up(connection: duckdb.DuckDBPyConnection, due: Mapping[str, str]) -> None:
    """Move what was kept under these names before they were declared into their columns, as far as the type allows."""
    sets, moved, kept = [], [], []
    for name, kind in due.items():
        key, found = name.removeprefix(ATTRIBUTE), _kept(name.removeprefix(ATTRIBUTE), kind)
        sets.append(f"{quoted(name)} = {found}")
        moved.append(
            f"CASE WHEN ({found}) IS NOT NULL THEN {literal(json.dumps(key, ensure_ascii=False) + ':null')} END"
        )
        kept.append(f"json_exists(rest, {literal(pointer(key))})")
    gone = f"'{{' || concat_ws(',', {', '.join(moved)}) || '}}'"
    connection.execute(
        f"UPDATE profile SET {', '.join(sets)}, rest = json_merge_patch(rest, {gone}) WHERE {' OR '.join(kept)}"
    )


def _kept(key: str, kind: str) -> str:
    """SQL for an undeclared value as this type. A time without a zone stays where it is: only an import knows its zone."""
    place = literal(pointer(key))
    text = f"json_extract_string(rest, {place})"
    if kind.endswith("[]"):
        return f"TRY_CAST(json_extract(rest, {place}) AS {kind})"
    if kind == "BIGINT":
        return (
            f"CASE WHEN regexp_full_match({text}, '{TIME_PATTERN}') THEN epoch_us(TRY_CAST({text} AS TIMESTAMPTZ)) END"
        )
    return f"TRY_CAST({text} AS {kind})"


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
    connection.execute(f'INSERT INTO fresh.event BY NAME SELECT * FROM {old}.main.event ORDER BY "time", message_id')
    connection.execute(f"INSERT INTO fresh.loaded SELECT * FROM {old}.main.loaded")
    there = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name <> 'fresh'").fetchall()
    for name in ("mirrored", "belongs", "parted"):  # a file of an older release lacks them
        if (name,) in there:
            connection.execute(f"INSERT INTO fresh.{name} SELECT * FROM {old}.main.{name}")
    connection.execute(f"USE {old}")
    connection.execute("DETACH fresh")
