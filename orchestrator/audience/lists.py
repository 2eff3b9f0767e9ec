"""Lists of people kept as CSV files in git: ids or addresses, looked up whenever the audience is read."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestrator.audience.columns import LIST_MEMBERS, literal
from orchestrator.core.errors import StoreError
from orchestrator.core.lists import People, people_in


def read_list(root: Path, name: str) -> People:
    """A list's people, from `root`/`name`; see `people_in`."""
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise StoreError(f"list {name}: leads out of the project; keep lists inside it, for example lists/staff.csv")
    try:
        return people_in(name, path.read_bytes())
    except FileNotFoundError:
        raise StoreError(
            f"list {name}: there is no such file in {root}; add it, with the header user_id or email"
        ) from None
    except OSError as problem:
        raise StoreError(f"list {name}: cannot be read ({problem}); give this user the right to") from problem
    except ValueError as problem:
        raise StoreError(f"list {name}: {problem}") from problem


def fill_lists(connection: duckdb.DuckDBPyConnection, lists: Sequence[People]) -> None:
    """Put the lists' members into this connection's own `list_member`; addresses stand for everybody who has them."""
    connection.execute(LIST_MEMBERS)
    for people in lists:
        connection.register("listed", pa.table({"value": pa.array(people.values, pa.string())}))
        name = literal(people.name)
        match people.by:
            case "user":
                found = f"SELECT DISTINCT {name}, value FROM listed"
            case "email":
                # An e-mail address counts without case, as every mailbox provider of note reads it.
                found = f'SELECT DISTINCT {name}, "user" FROM profile WHERE lower(email) IN (SELECT lower(value) FROM listed)'
            case _:
                found = f'SELECT DISTINCT {name}, "user" FROM profile WHERE phone IN (SELECT value FROM listed)'
        connection.execute(f"INSERT INTO list_member {found}")
        connection.unregister("listed")
