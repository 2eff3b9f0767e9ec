"""Engines by URL: every criterion on PostgreSQL over foreign tables, and on ClickHouse over a folder; answers come in batches."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import chdb
import psycopg
import pytest

from orchestrator.audience.engines import clickhouse
from orchestrator.audience.engines.asking import Warehouse, warehouse
from orchestrator.audience.foreign import Clock, EventTable, Foreign, PeopleTable, Place
from orchestrator.audience.spool import BATCH
from orchestrator.core.errors import StoreError
from orchestrator.core.segments import Declared, Kind, Moment, parse
from tests.audience.engines import _stored
from tests.audience.population import happenings, profiles
from tests.audience.test_criteria import AT, ATTRIBUTES, CATALOGUE, CRITERIA, PEOPLE, SEGMENTS, ZONE

FOREIGN = Foreign(
    people=(
        PeopleTable("crm.customers", "customer_no", {name: Place(name) for name in ("email", "phone", "zone", "locale")}),
        PeopleTable("crm.details", "id", {name: Place("doc", ("values", name)) for name in ATTRIBUTES if name != "interests"}),
        PeopleTable("crm.interests", "id", {"interests": Place("all_of_them")}),
    ),
    events=(
        EventTable("dwh.messages", "who", "what", "at", "id", Clock.MICROSECONDS, "payload"),
        EventTable("dwh.deeds", "who", "what", "happened", "id", properties="payload", more={"sku": "article"}),
    ),
)  # fmt: skip


def foreign_tables(url: str) -> None:
    """The people of the criteria, as a warehouse might have them that never heard of us."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (
            "CREATE SCHEMA crm", "CREATE SCHEMA dwh",
            "CREATE TABLE crm.customers (customer_no varchar(20), email text, phone text, zone text, locale text)",
            "CREATE TABLE crm.details (id varchar(20), doc json)", "CREATE TABLE crm.interests (id varchar(20), all_of_them text[])",
            "CREATE TABLE dwh.messages (who text, what text, at bigint, id text, payload text)",
            "CREATE TABLE dwh.deeds (who text, what text, happened timestamptz, id text, article text, payload jsonb)",
        ):  # fmt: skip
            connection.execute(statement)
        put = connection.cursor().executemany
        own = [[one.attributes.get(name) for name in ("email", "phone", "zone", "locale")] for one in PEOPLE]
        put(
            "INSERT INTO crm.customers VALUES (%s, %s, %s, %s, %s)",
            [[one.user, *row] for one, row in zip(PEOPLE, own, strict=True)],
        )
        names, rows = profiles(PEOPLE, ATTRIBUTES)
        first = len(names) - len(ATTRIBUTES)
        stored = [dict(zip(ATTRIBUTES, row[first:], strict=True)) for row in rows]
        put(
            "INSERT INTO crm.details VALUES (%s, %s)",
            [(one.user, json.dumps({"values": said}, default=str)) for one, said in zip(PEOPLE, stored, strict=True)],
        )
        put(
            "INSERT INTO crm.interests VALUES (%s, %s)",
            [(one.user, said["interests"]) for one, said in zip(PEOPLE, stored, strict=True)],
        )
        for at, message, user, name, properties in happenings(PEOPLE):
            if "." in name:
                put("INSERT INTO dwh.messages VALUES (%s, %s, %s, %s, %s)", [(user, name, at, message, properties)])
                continue
            known = json.loads(properties)
            moment = f"'epoch'::timestamptz + {at} * interval '1 microsecond'"
            put(
                f"INSERT INTO dwh.deeds VALUES (%s, %s, {moment}, %s, %s, %s)",
                [(user, name, message, known.pop("sku", None), json.dumps(known))],
            )


def in_folder(folder: Path) -> None:
    """The same people in ClickHouse, in tables of our shape."""
    connection = chdb.connect(str(folder))
    for table in clickhouse.TABLES:
        connection.query(table)
    names, rows = profiles(PEOPLE, ATTRIBUTES)
    kinds = {clickhouse.home(name): what.kind for name, what in ATTRIBUTES.items()}
    names = [*names[: len(names) - len(kinds)], *kinds]
    for name, kind in kinds.items():
        connection.query(f'ALTER TABLE profile ADD COLUMN "{name}" {clickhouse.TYPES[kind]}')
    filled = [
        dict(zip(names, [_stored(kinds.get(n), v) for n, v in zip(names, row, strict=True)], strict=True))
        for row in rows
    ]
    events = [
        dict(zip(("time", "message_id", "user", "name", "properties"), row, strict=True)) for row in happenings(PEOPLE)
    ]
    for table, lines in (("profile", filled), ("event", events)):
        connection.query(f"INSERT INTO {table} FORMAT JSONEachRow " + "\n".join(json.dumps(line) for line in lines))
    connection.close()


@pytest.fixture(scope="module", params=["postgresql", "clickhouse"])
def elsewhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("project")
    (root / "lists").mkdir()
    (root / "lists" / "vip.csv").write_text("user_id\nada\n", encoding="utf-8")
    if request.param == "postgresql":
        fresh: Callable[[], str] = request.getfixturevalue("fresh_postgresql")
        url = fresh()
        foreign_tables(url)
        with warehouse(url, root, ATTRIBUTES, FOREIGN) as found:
            yield found
    else:
        (root / "data").mkdir()
        in_folder(root / "data")
        with warehouse("clickhouse:data", root, ATTRIBUTES) as found:
            yield found


@pytest.mark.parametrize(("raw", "expected"), [pytest.param(raw, who, id=name) for name, raw, who in CRITERIA])
def test_a_criterion_finds_the_same_people_elsewhere(
    raw: dict[str, Any], expected: set[str], elsewhere: Warehouse, tmp_path: Path
) -> None:
    if raw == {"address": "push"} and elsewhere.columns.dialect == "postgres":
        expected = set()  # these tables know of no devices
    segment = parse({"about": "x", "all": [raw]}, CATALOGUE)
    with elsewhere.members(segment, Moment(AT, ZONE, SEGMENTS), tmp_path) as spool:
        found = [user for batch in spool for user in batch.column("user").to_pylist()]
        assert set(found) == expected
        assert len(found) == spool.rows == len(set(found))


def test_an_answer_comes_in_batches(fresh_postgresql: Callable[[], str], tmp_path: Path) -> None:
    url = fresh_postgresql()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE people AS SELECT 'u' || n AS id, n AS score FROM generate_series(1, 120000) AS t(n)"
        )
        connection.execute("CREATE TABLE deeds (who text, what text, at bigint, id text)")
    foreign = Foreign(
        (PeopleTable("people", "id", {"score": Place("score")}),),
        (EventTable("deeds", "who", "what", "at", "id", Clock.SECONDS),),
    )
    segment = parse({"about": "x", "all": [{"attribute": "score", "over": 1000}]})
    with (
        warehouse(url, tmp_path, {"score": Declared(Kind.NUMBER)}, foreign) as found,
        found.members(segment, Moment(AT, ZONE), tmp_path) as spool,
    ):
        assert [batch.num_rows for batch in spool] == [*[BATCH] * (119_000 // BATCH), 119_000 % BATCH]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://x", "write postgresql://"),
        ("clickhouse:nowhere", "no such folder"),
        ("postgresql://127.0.0.1:1/x?connect_timeout=1", "postgresql: "),
    ],
)
def test_an_engine_that_is_not_there_is_named(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=said):
        warehouse(url, tmp_path, {})


def test_an_attribute_nobody_declares_is_named(fresh_postgresql: Callable[[], str], tmp_path: Path) -> None:
    foreign = Foreign((PeopleTable("people", "id", {"scor": Place("score")}),), ())
    with pytest.raises(StoreError, match="the attribute scor; add it"):
        warehouse(fresh_postgresql(), tmp_path, {}, foreign)
