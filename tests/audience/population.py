"""A small, awkward population for holding SQL against the evaluation in memory: made by a seed, loaded into DuckDB."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import duckdb

from orchestrator.audience.columns import LIST_MEMBERS, TABLES, WHO, home, quoted, typed
from orchestrator.audience.columns import OWN as COLUMNS
from orchestrator.core.campaigns import Goal
from orchestrator.core.mirrors import CONSENT
from orchestrator.core.segments import Happened, Kind, OraclePerson
from orchestrator.core.segments.tree import Catalogue, Declared
from orchestrator.core.segments.values import nfc, read
from orchestrator.core.times import DAY, HOUR, Instant, instant, iso

KINDS = tuple(Kind)
TYPED = {f"its_{kind}": Declared(kind) for kind in KINDS}
"""Attributes with a column of their own."""
LOOSE = {f"any/{kind}~": Declared(kind) for kind in KINDS}
"""Attributes kept as JSON, under names that a JSON pointer must escape."""
CATALOGUE = Catalogue(
    attributes={**TYPED, **LOOSE},
    events={name: {f"p_{kind}": Declared(kind) for kind in KINDS} for name in ("purchase", "cart", "Öffnung")},
    segments=frozenset({"known", "odd"}),
    campaigns=frozenset({"winback", "welcome"}),
    topics=frozenset({"offers", "news"}),
    goals={"winback": Goal("purchase", 3 * DAY), "welcome": Goal("cart", 12 * HOUR, "", {"p_boolean": True})},
)
LOCALES = ("de-AT", "de_AT", "DE", "en", "en-GB-oed", "", "-", None)
LISTS = ("lists/vip's.csv", "lists/staff.csv")
ZONES = ("Europe/Vienna", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "Pacific/Apia")


def day(year: int, month: int, number: int, hour: int = 0) -> Instant:
    """A moment in UTC."""
    return instant(datetime(year, month, number, hour, tzinfo=UTC))


ANCHORS = (
    day(2026, 3, 29, 12),  # the clocks of Vienna went forward that night
    day(2025, 10, 26, 12),  # and back
    day(2026, 3, 9, 4),  # midnight in New York on the day after its clocks went forward
    day(2026, 3, 1, 0),
    day(2024, 2, 29, 23),
)
TEXTS = (
    "", "DE", "de", "Zürich", "Zu\u0308rich", "ZÜRICH", "zürich", "a%b_c", "aXbYc", "it's", 'say "x"', "back\\slash", "😀!", "ß",
    "\u0130", "line\nbreak", "/", "$.x", "'; DROP TABLE profile; --",
)  # fmt: skip
NUMBERS = (0, 1, 2, -5, 2.5, 0.1, 0.2, 0.3, 0.00005, -0.00015, 99999999999999.9, 1e15, 1e300, 10**19, 100, 7)
VERSIONS = (
    "9.10",
    "9.9",
    "v1.2",
    "1.2.0",
    "1.2",
    "1.2.0.1",
    "10",
    "1.2-beta",
    "1.2.",
    "abc",
    "123456789.1",
    "1234567890",
)
DATES = (
    "2000-02-29",
    "1990-02-28",
    "1990-03-01",
    "1985-03-29",
    "2026-03-29",
    "2026-03-28",
    "2025-10-26",
    "2026-02-30",
    "2026-3-1",
    "1999-12-31",
)
ODD = (None, None, None, None, True, False, "true", "12", 12, "2026-03-29", [], {}, {"a": 1}, ["x"])
ITEMS = ("a", "é", "e\u0301", "it's", "", None, 5, ["a"], True)


@dataclass(frozen=True, slots=True)
class Population:
    """People as the oracle knows them, and the same people in DuckDB."""

    people: tuple[OraclePerson, ...]
    connection: duckdb.DuckDBPyConnection
    dialect: str = "duckdb"

    def close(self) -> None:
        """Let go of the engine."""
        self.connection.close()

    def rows(self, sql: str) -> list[Any]:
        """The rows of a query."""
        return self.connection.sql(sql).fetchall()

    def answer(self, sql: str) -> set[str]:
        """The users a query gives; each once."""
        rows = [row[0] for row in self.rows(sql)]
        assert len(rows) == len(set(rows))
        return set(rows)


def moment_text(random: Random) -> str:
    """A moment in one of the forms of ISO 8601, or nearly."""
    at = random.choice(ANCHORS) + random.choice(
        (0, 1, -1, HOUR, -HOUR, DAY, -DAY, 40 * DAY, -365 * DAY, -70 * 365 * DAY, 40 * 365 * DAY)
    )
    text = iso(Instant(at))
    return random.choice(
        (text, text.replace("T", " "), text.replace("Z", "+02:00"), text.replace("Z", ""), text.replace("Z", "-03:30"))
    )


def value(random: Random, kind: Kind) -> Any:  # noqa: PLR0911 - one answer per kind
    """A value of a kind, or one that only looks like it, or none."""
    if random.random() < 0.2:
        return random.choice(ODD)
    match kind:
        case Kind.TEXT:
            return random.choice(TEXTS)
        case Kind.NUMBER:
            return random.choice(NUMBERS)
        case Kind.BOOLEAN:
            return random.random() < 0.5
        case Kind.DATE:
            return random.choice(DATES)
        case Kind.TIME:
            return moment_text(random)
        case Kind.VERSION:
            return random.choice(VERSIONS)
        case Kind.LIST:
            return random.choices(ITEMS, k=random.randrange(4))


def events(random: Random, number: int) -> tuple[Happened, ...]:
    """Events around one anchor, on the edges of windows, many at the same moment."""
    anchor = random.choice(ANCHORS)
    found = []
    for place in range(number):
        time = (
            anchor
            - random.choice((0, 1, 2, 3, 4, 6, 8, 12, 28, 120, 240)) * 6 * HOUR
            + random.choice((0, 0, 0, 1, -1, HOUR))
        )
        if random.random() < 0.02:
            time = day(1969, 12, 31, 23) - place * 100 * DAY
        properties = {f"p_{kind}": value(random, kind) for kind in KINDS if random.random() < 0.8}
        name = random.choice(
            ("purchase", "purchase", "cart", "cart", "Öffnung", "message.opened", "message.sent", CONSENT)
        )
        if "." in name:
            properties |= mirrored(random)
        found.append(Happened(Instant(time), f"m{random.randrange(10**6):06}-{place}", name, properties))
    return tuple(found)


def mirrored(random: Random) -> dict[str, Any]:
    """Properties of our own messages and of consent, some of them missing."""
    known = {
        "campaign": ("winback", "welcome"), "variant": ("a", "b"), "channel": ("push", "email", "sms"), "topic": ("offers", "news"),
        "step": (0, 1, 2), "granted": (True, False),
    }  # fmt: skip
    return {name: random.choice(values) for name, values in known.items() if random.random() < 0.9}


def person(random: Random, user: str) -> OraclePerson:
    """Somebody; one in eight never did anything."""
    own = {
        "email": random.choice((f"{user}@shop.example", "A@B.example", None)), "phone": random.choice(("+431", None)),
        "zone": random.choice((*ZONES, None)), "locale": random.choice(LOCALES),
    }  # fmt: skip
    addresses = [name for name, key in (("email", "email"), ("sms", "phone")) if own[key] is not None]
    return OraclePerson(
        user=user,
        attributes={
            name: value(random, declared.kind)
            for name, declared in CATALOGUE.attributes.items()
            if random.random() < 0.85
        }
        | {name: one for name, one in own.items() if one is not None},
        addresses=frozenset([*addresses, *random.choice(([], ["push"]))]),
        events=events(random, random.choice((0, 1, 3, 6, 9, 14, 20, 25))),
        lists=frozenset(name for name in LISTS if random.random() < 0.3),
    )


def population(seed: int, size: int = 40) -> Population:
    """A population in memory and in DuckDB's storage shape."""
    random = Random(seed)
    people = tuple(
        person(random, name) for name in [f"u{number}" for number in range(size - 3)] + ["Ünï", "it's", "U1"]
    )
    return Population(people, loaded(people, TYPED, random.choice(("UTC", "America/New_York"))))


def loaded(
    people: Sequence[OraclePerson], declared: Mapping[str, Declared], session_zone: str = "UTC"
) -> duckdb.DuckDBPyConnection:
    """The people in DuckDB as the loader leaves them; the session's zone must not matter to anything."""
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{session_zone}'")
    for table in TABLES:
        connection.execute(table)
    for name, kind in typed(declared).items():
        connection.execute(f'ALTER TABLE profile ADD COLUMN "{name}" {kind}')
    connection.execute(LIST_MEMBERS)
    names, rows = profiles(people, declared)
    numbers = {one.user: 7 * (len(people) - place) for place, one in enumerate(people)}
    columns = ", ".join(quoted(name) for name in [*names, WHO])
    marks = ", ".join("?" for _ in [*names, WHO])
    numbered = [[*row, numbers[row[0]]] for row in rows]
    connection.executemany(f"INSERT INTO profile ({columns}) VALUES ({marks})", numbered)
    happened = happenings(people)
    listed = listings(people)
    if happened:
        connection.executemany(
            f'INSERT INTO event ("time", message_id, "user", name, properties, {WHO}) VALUES (?, ?, ?, ?, ?, ?)',
            [(*row, numbers[row[2]]) for row in happened],
        )
    if listed:
        connection.executemany("INSERT INTO list_member VALUES (?, ?)", listed)
    return connection


def profiles(people: Sequence[OraclePerson], declared: Mapping[str, Declared]) -> tuple[list[str], list[list[Any]]]:
    """The columns of `profile`, and a row for each of the people as the loader leaves it."""
    kept = [name for name in COLUMNS if name not in declared]
    names = ["user", "devices", "rest", *kept, *(home(name) for name in declared)]
    return names, [_row(one, declared, kept) for one in people]


def happenings(people: Sequence[OraclePerson]) -> list[tuple[Any, ...]]:
    """The rows of `event`: time, message id, user, name, properties."""
    return sorted(
        (event.time, event.message_id, one.user, event.name, json.dumps(event.properties))
        for one in people
        for event in one.events
    )


def listings(people: Sequence[OraclePerson]) -> list[tuple[str, str]]:
    """The rows of `list_member`: list, user."""
    return [(name, one.user) for one in people for name in one.lists]


def _row(one: OraclePerson, declared: Mapping[str, Declared], kept: Sequence[str]) -> list[Any]:
    rest = {nfc(name): value for name, value in one.attributes.items() if name not in declared and name not in kept}
    devices = [{"token": "t", "app": "shop", "platform": "ios", "seen_at": 0}] if "push" in one.addresses else []
    row: list[Any] = [one.user, json.dumps(devices), json.dumps(rest), *(one.attributes.get(name) for name in kept)]
    for name, what in declared.items():
        stored = read(what.kind, one.attributes.get(name))
        if what.kind is Kind.VERSION:  # kept as it was written
            text = one.attributes.get(name)
            stored = text if isinstance(text, str) else None
        row.append(list(stored) if isinstance(stored, tuple) else stored)
    return row
