"""Lists of people kept as CSV files in git: ids or addresses, looked up whenever the audience is read."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestrator.audience.columns import LIST_MEMBERS, literal
from orchestrator.core.errors import StoreError

_HEADERS = {
    "user": "user", "user_id": "user", "userid": "user", "id": "user", "customer_id": "user",
    "email": "email", "e-mail": "email", "mail": "email", "email_address": "email",
    "phone": "phone", "phone_number": "phone", "mobile": "phone",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class People:
    """What one list says: its name as campaigns write it, by what it names people (user, email, phone), and the values."""

    name: str
    by: str
    values: tuple[str, ...]


def read_list(root: Path, name: str) -> People:
    """A list's people, from `root`/`name`; blank lines count for nothing. The header's first known word says what it holds."""
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise StoreError(f"list {name}: leads out of the project; keep lists inside it, for example lists/staff.csv")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except FileNotFoundError:
        raise StoreError(
            f"list {name}: there is no such file in {root}; add it, with the header user_id or email"
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise StoreError(f"list {name}: cannot be read ({problem}); save it as CSV in UTF-8") from problem
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    place = next((number for number, cell in enumerate(header) if cell in _HEADERS), None)
    if rows and place is None:
        raise StoreError(
            f"list {name}:1: the header says {', '.join(rows[0])}; name one column user_id, email or phone"
        )
    if place is None:
        return People(name, "user", ())
    values = (row[place].strip() for row in rows[1:] if len(row) > place)
    return People(name, _HEADERS[header[place]], tuple(value for value in values if value))


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
