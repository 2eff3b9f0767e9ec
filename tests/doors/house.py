"""A shop whose people live in three places at once: our own store, PostgreSQL and ClickHouse; and a run that goes through each.

ClickHouse is one engine a process, so whatever asks it here does so in a process of its own: `python -m tests.doors.house`.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet
from typer.testing import CliRunner

from orchestrator import planner
from orchestrator.audience import Arrival, Arriving
from orchestrator.cli.main import app as command_line
from orchestrator.core.nouns import Channel
from orchestrator.core.times import DAY, HOUR, MINUTE, Instant, iso
from orchestrator.ledger import ConsentChange, runs
from tests.doors.shop import NOON, Shop, did
from tests.settings import TWO_CHANNELS

PEOPLE = 60
OURS = "duckdb:data/audience.duckdb"
SETTINGS, MAPPING = "config/orchestrator.yaml", "config/warehouse.yaml"

FILES = {
    SETTINGS: TWO_CHANNELS,
    "config/data.yaml": """\
attributes:
  firstName: text
  country: text
  score: number
  vip: boolean
  birthday: date
  joined: time
  tags: list
  build: version
events:
  app_open: {}
  purchase: {amount: number, currency: text, sku: text}
revenue: purchase.amount
""",
    "config/segments/buyers.yaml": """\
about: They bought something for ten or more, and like shoes
all:
  - {event: purchase, where: {amount: {at_least: 10}}, when: last 30 days}
  - {attribute: tags, contains_any: [shoes]}
""",
    "config/segments/austrians.yaml": """\
about: They live in Austria and we know them well
all:
  - {attribute: country, is: AT}
  - {attribute: score, over: 3.5}
  - {attribute: build, at_least: "2.9"}
  - not: {list: lists/friends.csv}
""",
    "config/segments/staff.yaml": "about: Us\nall:\n  - {list: lists/staff.csv}\n",
    "config/segments/willing.yaml": "about: They may be reached by mail\nall:\n  - {reachable: email}\n",
    "lists/staff.csv": "email\nU03@mail.example\nu21@mail.example\n",
    "lists/friends.csv": "user_id\nu00\nu40\n",
    "config/campaigns/spring.yaml": """\
about: Spring is here
state: live
kind: marketing
topic: offers
audience: [buyers, austrians]
exclude: [staff]
channels: {all_of: [email, push]}
schedule: {every: day at 12:00, time_zone: recipient}
repeat: always
goal: {event: purchase, within: 7 days, where: {currency: EUR}}
expires: 48 hours
""",
    "templates/spring/_default/email.html": """\
---
from: offers
subject: "{{ userAttribute.firstName }}: {{ userAttribute.score }}, {{ userAttribute.vip | default('?') }}"
---
<p>{{ userAttribute.birthday }}, {{ userAttribute.joined | date('yyyy-MM-dd HH:mm:ss') }}, {{ userAttribute.tags | join('+') }}, {{ userAttribute.build }}.
Last: {{ latest.purchase.sku | default('nothing') }}, {{ latest.purchase.amount | default(0) }}, {{ lastOccurrenceOf['purchase'] | default('never') }},
{{ firstOccurrenceOf['app_open'] | default('never') }}. In all {{ occurrencesOf['purchase'] }}, worth {{ lifetimeValue }}. Visits:
{{ numPriorSessions }}, {{ minutesSpentInApp }} minutes.
<a href="{{ unsubscribe_url }}">No more</a></p>
""",
    "templates/spring/_default/push.yaml": 'title: Spring is here\nbody: "{{ userAttribute.firstName }}, have a look"\n',
}  # fmt: skip

TABLES = """\
people:
  - table: customers
    user: number
    columns: {email: mail, zone: clock, locale: language, firstName: first, vip: vip, birthday: born, joined: since}
  - table: facts
    user: customer
    columns:
      country: doc.address.country
      score: doc.score
      build: doc.app
      tags: {column: tags, path: []}
events:
  - {table: visits, user: customer, event: app_open, time: {column: at, clock: seconds}, message_id: id}
  - table: orders
    user: customer
    event: purchase
    time: placed
    message_id: id
    columns: {amount: total, currency: doc.money.unit, sku: article}
devices:
  - {table: phones, user: customer, token: token, platform: os, seen_at: {column: seen, clock: milliseconds}}
consent:
  - {table: words, user: customer, channel: email, topic_column: about, granted: yes_, time: at}
"""
"""How the tables below are mapped; the same file for both engines."""


def people() -> Iterator[dict[str, Any]]:
    """Everybody: some without this, some without that."""
    for number in range(PEOPLE):
        one: dict[str, Any] = {
            "user": f"u{number:02}", "email": f"u{number:02}@mail.example" if number % 7 else None, "firstName": f"Näme {number}",
            "zone": ("Europe/Vienna", "America/New_York", None)[number % 3], "locale": "en", "vip": (True, False, None)[number % 3],
            "country": "AT" if number % 2 else "DE", "score": number / 8, "birthday": f"19{70 + number % 30}-02-{1 + number % 28:02}",
            "joined": iso(Instant(NOON - number * DAY - 1_500_000)), "tags": ["shoes", "hats"][: number % 3], "build": f"2.{number % 12}",
        }  # fmt: skip
        if number % 5 == 0:
            one |= {"device": f"token-{number}", "platform": "ios"}
        yield one


def events() -> list[Arrival]:
    """What they did; two purchases at one moment are told apart by their message ids."""
    found = []
    for number in range(PEOPLE):
        user = f"u{number:02}"
        found += [did(user, "app_open", Instant(NOON - hours * HOUR - number * MINUTE)) for hours in range(number % 4)]
        for turn in range(number % 3):
            at = Instant(NOON - turn * DAY - number * HOUR)
            body = {"amount": 2.25 * number + 0.125, "currency": "EUR" if turn else "CHF", "sku": f"s-{number}-{turn}"}
            found.append(did(user, "purchase", at, **body))
            if number % 2:
                found.append(
                    Arrival(Arriving.EVENT, user, f"z-{user}-{turn}", at, "purchase", {**body, "sku": f"z-{turn}"})
                )
    # Two in New York reach the goal while they wait for their noon.
    later = [
        did(user, "purchase", Instant(NOON + 2 * HOUR), amount=1.5, currency="EUR", sku="late")
        for user in ("u31", "u37")
    ]
    return [*found, *later]


def words() -> list[ConsentChange]:
    """Everybody wants mail and push but a few, who said no to mail later."""
    said = [
        ConsentChange(f"u{number:02}", channel, "offers", True, Instant(NOON - 9 * DAY), "test")
        for number in range(PEOPLE)
        for channel in (Channel.EMAIL, Channel.PUSH)
    ]
    return said + [
        ConsentChange(f"u{number:02}", Channel.EMAIL, "offers", False, Instant(NOON - DAY), "test")
        for number in (5, 11, 23)
    ]


_SHAPES: Mapping[str, Mapping[str, str]] = {
    "customers": {"number": "text", "mail": "text", "clock": "text", "language": "text", "first": "text", "vip": "boolean", "born": "date", "since": "time"},
    "facts": {"customer": "text", "doc": "json", "tags": "json"},
    "visits": {"customer": "text", "at": "number", "id": "text"},
    "orders": {"customer": "text", "placed": "time", "id": "text", "total": "number", "article": "text", "doc": "json"},
    "phones": {"customer": "text", "token": "text", "os": "text", "seen": "number"},
    "words": {"customer": "text", "about": "text", "yes_": "boolean", "at": "time"},
}  # fmt: skip
_POSTGRES = {
    "text": "text",
    "json": "jsonb",
    "boolean": "boolean",
    "date": "date",
    "time": "timestamptz",
    "number": "numeric",
}
_CLICKHOUSE = {
    "text": "Nullable(String)", "json": "String", "boolean": "Nullable(Bool)", "date": "Date32", "time": "DateTime64(6, 'UTC')",
    "number": "Decimal(18, 3)",
}  # fmt: skip


def rows() -> dict[str, list[list[Any]]]:
    """The rows of the warehouse's tables; moments as texts."""
    found: dict[str, list[list[Any]]] = {name: [] for name in _SHAPES}
    for one in people():
        user = one["user"]
        own = [one[key] for key in ("email", "zone", "locale", "firstName", "vip", "birthday", "joined")]
        found["customers"].append([user, *own])
        doc = {"address": {"country": one["country"]}, "score": one["score"], "app": one["build"]}
        found["facts"].append([user, json.dumps(doc), json.dumps(one["tags"])])
        if "device" in one:
            number = int(user[1:])
            found["phones"].append([user, one["device"], "ios", (NOON - number * HOUR) // 1000])
            found["phones"].append([user, "an old one", "ios", (NOON - number * HOUR - DAY) // 1000])
    for event in events():
        if event.name == "app_open":
            found["visits"].append([event.user, event.at // 1_000_000, event.message_id])
            continue
        body, doc = event.body, json.dumps({"money": {"unit": event.body["currency"]}})
        row = [event.user, iso(event.at), event.message_id, body["amount"], body["sku"], doc]
        found["orders"].append(row)
    for word in words():
        if word.channel is Channel.EMAIL:
            found["words"].append([word.user, word.topic, word.granted, iso(word.at)])
    return found


def into_postgres(url: str) -> None:
    """Make and fill the tables."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for name, shape in _SHAPES.items():
            columns = ", ".join(f"{column} {_POSTGRES[kind]}" for column, kind in shape.items())
            connection.execute(f"CREATE TABLE {name} ({columns})".encode())
            marks = ", ".join(f"%s::{_POSTGRES[kind]}" for kind in shape.values())
            connection.cursor().executemany(f"INSERT INTO {name} VALUES ({marks})".encode(), rows()[name])


def into_clickhouse(folder: Path) -> None:
    """The same in a folder."""
    import chdb

    folder.mkdir(parents=True)
    connection = chdb.connect(str(folder))
    connection.query("SET date_time_input_format = 'best_effort'")
    for name, shape in _SHAPES.items():
        columns = ", ".join(f"{column} {_CLICKHOUSE[kind]}" for column, kind in shape.items())
        connection.query(f"CREATE TABLE {name} ({columns}) ENGINE = MergeTree ORDER BY tuple()")
        lines = "\n".join(json.dumps(dict(zip(shape, row, strict=True))) for row in rows()[name])
        connection.query(f"INSERT INTO {name} FORMAT JSONEachRow {lines}")
    connection.close()


_PARQUET: Mapping[str, Any] = {
    "text": pa.string(), "json": pa.string(), "boolean": pa.bool_(), "date": pa.string(), "time": pa.string(), "number": pa.decimal128(18, 3),
}  # fmt: skip


def into_files(folder: Path) -> None:
    """The same as Parquet files, as a lake has them; days and moments are texts there."""
    folder.mkdir(parents=True)
    for name, shape in _SHAPES.items():
        columns = {
            column: pa.array([_exact(row[place], kind) for row in rows()[name]], _PARQUET[kind])
            for place, (column, kind) in enumerate(shape.items())
        }
        parquet.write_table(pa.table(columns), folder / f"{name}.parquet")


def _exact(value: Any, kind: str) -> Any:
    return Decimal(str(value)) if kind == "number" else value


def files_for(url: str, lake: Path | None = None) -> dict[str, str]:
    """The project, its audience at this URL; Spark reads its tables from the files of a lake."""
    own = {**FILES, SETTINGS: FILES[SETTINGS].replace(OURS, url)}
    if url == OURS:
        return own
    if lake is None:
        return {**own, MAPPING: TABLES}
    return {
        **own,
        MAPPING: re.sub(r"table: (\w+)", lambda found: f'table: "parquet.`{lake}/{found[1]}.parquet`"', TABLES),
    }


def open_shop(root: Path, url: str, lake: Path | None = None) -> Shop:
    """The shop, its people where the URL says; in our own store they are loaded now."""
    shop = Shop(root, files_for(url, lake))
    shop.ledger.change_consent(words())
    if url == OURS:
        shop.load(
            *(
                Arrival(Arriving.PROFILE, one.pop("user"), f"p-{number}", Instant(NOON - number * HOUR), body={k: v for k, v in one.items() if v is not None})
                for number, one in enumerate(people())
            ),
            *events(),
        )  # fmt: skip
    return shop


_LINK = re.compile(r"https://go[.]shop[.]example/u/[A-Za-z0-9_.~-]+")
"""Links are signed with a key of the ledger's own."""


def through(root: Path, url: str, lake: Path | None = None) -> dict[str, Any]:
    """One run from the files to the sink: what became of everybody, and every message, word for word."""
    shop = open_shop(root, url, lake)
    try:
        run = shop.fire(occurrence="2026-03-02T12:00")
        shop.clock.at = Instant(NOON + HOUR)
        planned = planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
        shop.drain()
        shop.clock.at = Instant(NOON + 8 * HOUR)  # New York's noon was an hour ago: they are asked about again
        found = runs.find(shop.ledger.store, run.id)
        assert found is not None
        asked = planner.ask_run(shop.opened, shop.ledger, found, shop.clock)
        shop.drain()
        sink = root / "data" / "sink"
        messages = [json.loads(line) for file in sorted(sink.glob("*.jsonl")) for line in file.read_text().splitlines()]
        told = sorted(_LINK.sub("LINK", json.dumps(message, sort_keys=True)) for message in messages)
        rows = [list(row) for row in shop.ledger.store.rows("SELECT user_id, channel, segment, state, reason FROM delivery ORDER BY user_id, channel")]  # fmt: skip
        return {
            "planned": planned,
            "asked": {str(word): many for word, many in asked.items()},
            "rows": rows,
            "messages": told,
        }
    finally:
        shop.ledger.close()


AT = ("--at", "2026-03-02T12:00+01:00")
VERBS = [
    ("segment", "count", "buyers", *AT),
    ("segment", "count", "buyers", "austrians", "staff", *AT),
    ("segment", "show", "austrians", "-a", "score", "-a", "country", *AT),
    ("segment", "sample", "austrians", "-n", "5", *AT),
    ("segment", "funnel", "buyers", *AT),
    ("segment", "overlap", "buyers", "austrians", "staff", *AT),
    ("segment", "diff", "buyers", "--between", "2026-02-27T12:00+01:00", "2026-03-02T12:00+01:00"),
    ("segment", "explain", "buyers", "u32", *AT),
    ("segment", "explain", "austrians", "u33", *AT),
    ("segment", "discover", "--goal", "purchase", *AT),
    ("why", "spring", "u33@MAIL.example", *AT),
    ("why", "spring", "u03", *AT),
    ("preview", "spring", "--as", "u33"),
    ("plan", "spring"),
]


def said(shop: Shop, *words: str, code: int = 0) -> str:
    """What the command line says."""
    done = CliRunner().invoke(command_line, ["-C", str(shop.root), *words])
    assert done.exit_code == code, done.output
    return done.output


def told(shop: Shop, *words: str, code: int = 0) -> Any:
    """The same for programs."""
    return json.loads(said(shop, "--json", *words, code=code))


OWN = ("at", "html", "text", "headers", "pages")
"""What hangs on the moment of asking, on the key of a ledger and on the project's folder."""


def lasting(found: Any) -> Any:
    """What was told, without what must differ."""
    if isinstance(found, dict):
        return {key: lasting(value) for key, value in found.items() if key not in OWN}
    if isinstance(found, list):
        return [lasting(one) for one in found]
    return _LINK.sub("LINK", found) if isinstance(found, str) else found


def in_a_process(*words: str, root: Path) -> Any:
    """The same in a process of its own; what it tells."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.doors.house", *words],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill", folder]:
            into_clickhouse(Path(folder))
        case ["send", address]:
            json.dump(through(Path.cwd(), address), sys.stdout)
        case ["verbs", address]:
            house = open_shop(Path.cwd(), address)
            json.dump([lasting(told(house, *words)) for words in VERBS], sys.stdout)
            house.ledger.close()
