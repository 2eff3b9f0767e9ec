"""Lists of people as CSV files say them: by id, e-mail address or phone; and the seeds, one such list."""

import csv
import io
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Seeds:
    """The only people an environment of `deliver: seeds` may reach. `values` are ids, or addresses in small letters."""

    by: str
    values: frozenset[str]

    def name(self, user: str, email: str | None, phone: str | None) -> bool:
        """Whether this person is one; as in any list, an address stands for everybody who has it."""
        value = {"user": user, "email": email, "phone": phone}[self.by]
        return value is not None and self._said(value) in self.values

    def name_address(self, address: str) -> bool:
        """Whether this very address is one."""
        return self.by != "user" and self._said(address) in self.values

    def _said(self, value: str) -> str:
        return value.lower() if self.by == "email" else value


NOBODY = Seeds("user", frozenset())


_WORDS = {
    "user": ("user", "users"), "email": ("e-mail address", "e-mail addresses"), "phone": ("phone number", "phone numbers"),
}  # fmt: skip


def say_seeds(seeds: Seeds) -> str:
    """How many it names, in words: `3 users`, `1 e-mail address`, `nobody`."""
    many = len(seeds.values)
    return f"{many:,} {_WORDS[seeds.by][many > 1]}" if many else "nobody"


def people_in(name: str, content: bytes) -> People:
    """A list's people; blank lines count for nothing. The header's first known word says what it holds; ValueError without one."""
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        rows = [row for row in lines if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as problem:
        raise ValueError(f"cannot be read ({problem}); save it as CSV in UTF-8") from problem
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    place = next((number for number, cell in enumerate(header) if cell in _HEADERS), None)
    if rows and place is None:
        raise ValueError(f"the header says {', '.join(rows[0])}; name one column user_id, email or phone")
    if place is None:
        return People(name, "user", ())
    values = (row[place].strip() for row in rows[1:] if len(row) > place)
    return People(name, _HEADERS[header[place]], tuple(value for value in values if value))


def seeds_in(people: People) -> Seeds:
    """The people of a list as seeds; an e-mail address counts without case, as in any list."""
    values = [value.lower() for value in people.values] if people.by == "email" else people.values
    return Seeds(people.by, frozenset(values))
