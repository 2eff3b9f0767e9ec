"""An audience elsewhere: every criterion on PostgreSQL and ClickHouse over tables of somebody else's; answers come in batches."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from benchmarks.warehouse import fill_postgresql
from orchestrator.audience.casting import Wish, question
from orchestrator.audience.compiling import lists, members
from orchestrator.audience.grouping import of_a_crowd
from orchestrator.audience.person import AskedCrowd, read_person
from orchestrator.audience.spool import BATCH
from orchestrator.audience.warehouse import Warehouse, warehouse
from orchestrator.core.errors import StoreError
from orchestrator.core.foreign import Clock, EventTable, Foreign, PeopleTable, Place
from orchestrator.core.segments import Catalogue, Declared, Everybody, Kind, Moment, member, parse
from orchestrator.core.segments.values import read
from orchestrator.core.times import Instant
from tests.audience.clickhouse_door import served
from tests.audience.elsewhere import held, in_clickhouse, in_postgres, mapping, shaped_like_ours
from tests.audience.test_criteria import AT, ATTRIBUTES, CATALOGUE, CRITERIA, PEOPLE, SEGMENTS, ZONE

EVERYBODY = {"about": "x", "any": [{"bucket": "0 to 0 of 1", "salt": "x"}]}


@pytest.fixture(scope="module", params=["postgresql", "clickhouse", "clickhouse shaped like ours", "clickhouse server"])
def elsewhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("project")
    (root / "lists").mkdir()
    (root / "lists" / "vip.csv").write_text("user_id\nada\n", encoding="utf-8")
    if request.param == "postgresql":
        fresh: Callable[[], str] = request.getfixturevalue("fresh_postgresql")
        url = fresh()
        in_postgres(url)
        yield warehouse(url, root, CATALOGUE, mapping("crm."))
        return
    (root / "data" / "house").mkdir(parents=True)
    ours = request.param == "clickhouse shaped like ours"
    (shaped_like_ours if ours else in_clickhouse)(root / "data" / "house")
    if request.param == "clickhouse server":
        with served(root / "data" / "house") as address:
            yield warehouse(f"clickhouse://{address}", root, CATALOGUE, mapping())
        return
    with held(root / "data" / "house"):
        yield warehouse("clickhouse:data/house", root, CATALOGUE, None if ours else mapping())


@pytest.mark.parametrize(("raw", "expected"), [pytest.param(raw, who, id=name) for name, raw, who in CRITERIA])
def test_a_criterion_finds_the_same_people_elsewhere(
    raw: dict[str, Any], expected: set[str], elsewhere: Warehouse
) -> None:
    moment = Moment(AT, ZONE, SEGMENTS)
    segment = parse({"about": "x", "all": [raw]}, CATALOGUE)
    found = [user for (user,) in elsewhere.ask(members(segment, moment, elsewhere.columns), lists(segment, moment))]
    assert set(found) == expected
    assert len(found) == len(set(found))


def test_everything_known_of_a_person_is_read_elsewhere_as_it_is_kept_at_home(elsewhere: Warehouse) -> None:
    known = {one.user: one for one in PEOPLE}
    for user in ("ada", "bo"):
        found = read_person(elsewhere, user, ATTRIBUTES, ["lists/vip.csv"])
        assert found is not None
        asked = known[user].attributes
        assert {name: _alike(name, value) for name, value in found.attributes.items()} == {
            name: _alike(name, value) for name, value in asked.items() if value is not None and value != ""
        } | ({"nickname": ""} if user == "ada" else {})
        assert [(one.time, one.name) for one in found.events] == sorted(
            (one.time, one.name) for one in known[user].events
        )
        assert found.lists == known[user].lists
        assert found.addresses == known[user].addresses
    assert read_person(elsewhere, "nobody", ATTRIBUTES) is None


def _alike(name: str, value: Any) -> Any:
    """A moment is the same however its offset is written."""
    known = ATTRIBUTES.get(name)
    return read(Kind.TIME, value) if known is not None and known.kind is Kind.TIME else value


def test_a_place_among_everybody_is_asked_elsewhere(elsewhere: Warehouse) -> None:
    moment = Moment(AT, ZONE, SEGMENTS)
    segment = parse(
        {"about": "x", "all": [{"attribute": "age", "top": "50%"}, {"sample": 2, "of": "everybody"}]}, CATALOGUE
    )
    crowd = replace(moment, crowd=AskedCrowd(elsewhere, moment, ()))
    everybody = Everybody(PEOPLE, moment).moment
    for one in PEOPLE:
        assert member(segment, one, crowd) == member(segment, one, everybody)


def test_the_newest_events_are_told_by_name(elsewhere: Warehouse) -> None:
    events = sorted((event.time, event.name) for one in PEOPLE for event in one.events)
    middle = events[len(events) // 2][0]
    for now in (events[-1][0], middle):
        newest = {name: at for at, name in events if at <= now and name in ("purchase", "session")}
        assert elsewhere.newest(["purchase", "session", "nothing"], Instant(now)) == newest
    assert elsewhere.newest([], Instant(middle)) == {}


def test_lists_of_addresses_name_people_elsewhere_too(elsewhere: Warehouse) -> None:
    email = next(one.attributes["email"] for one in PEOPLE if one.user == "ada")
    lists_of = {"mails.csv": ("email", email.upper()), "phones.csv": ("phone", "+0"), "ids.csv": ("user_id", "bo")}
    for name, (head, value) in lists_of.items():
        (elsewhere.root / "lists" / name).write_text(f"{head}\n{value}\n", encoding="utf-8")
    moment = Moment(AT, ZONE)
    segment = parse({"about": "x", "any": [{"list": f"lists/{name}"} for name in lists_of]})
    found = elsewhere.ask(members(segment, moment, elsewhere.columns), lists(segment, moment))
    assert {user for (user,) in found} == {"ada", "bo"}


def test_only_these_users_are_asked_about(elsewhere: Warehouse) -> None:
    asked = question(Wish([parse(EVERYBODY)], [], Moment(AT, ZONE), ATTRIBUTES), elsewhere.columns)
    with elsewhere.cast(asked, among=["bo", 'no "such" \\ one', "ada"]) as spool:
        assert [user for batch in spool for user in batch.column("user").to_pylist()] == ["ada", "bo"]
    with elsewhere.cast(asked, among=[]) as spool:
        assert spool.rows == 0


@pytest.mark.parametrize("order", [("user",), ("zone", "user")])
def test_people_asked_for_in_parts_are_those_asked_for_at_once(
    order: tuple[str, ...], elsewhere: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every criterion, ten in a run, with all that templates can ask of a person."""
    moment = Moment(AT, ZONE, SEGMENTS)
    alone = [parse({"about": "x", "all": [raw]}, CATALOGUE) for _, raw, _ in CRITERIA]
    some = [segment for segment in alone if not of_a_crowd(segment, moment)]
    touched = [("userAttribute", "interests"), ("userAttribute", "age"), ("lastOccurrenceOf", "purchase"), ("occurrencesOf", "session")]  # fmt: skip
    people = len(PEOPLE)
    for start in range(0, len(some), 10):
        wish = Wish(some[start : start + 10], some[start + 10 : start + 11], moment, ATTRIBUTES, touched)
        asked = question(wish, elsewhere.columns)
        with elsewhere.cast(asked, order) as whole:
            at_once = [row for batch in whole for row in batch.to_pylist()]
        with monkeypatch.context() as patch:
            patch.setattr("orchestrator.audience.parting.PEOPLE_A_PART", 3)
            patch.setattr("orchestrator.audience.parting.AT_ONCE", people)
            with elsewhere.cast(asked, order, [one.user for one in PEOPLE]) as parts:
                assert [row for batch in parts for row in batch.to_pylist()] == at_once


PLAIN = Foreign((PeopleTable("people", Place("id"), {"score": Place("score")}),), (EventTable("deeds", Place("who"), Place("at", None, Clock.SECONDS), name=Place("what"), message_id=Place("id")),))  # fmt: skip
SCORED = Catalogue({"score": Declared(Kind.NUMBER)})


def test_an_answer_comes_in_batches_of_the_types_of_our_own_store(
    fresh_postgresql: Callable[[], str], tmp_path: Path
) -> None:
    url = fresh_postgresql()
    with psycopg.connect(url, autocommit=True) as connection:
        # The first batch knows no score at all, and scores are texts, some of which are none.
        connection.execute(
            "CREATE TABLE people AS SELECT to_char(n, '000000') AS id, CASE WHEN n > 20000 THEN n || '.5' WHEN n = 1 THEN 'many' END AS score"
            " FROM generate_series(1, 25000) AS t(n)"
        )
    store = warehouse(url, tmp_path, SCORED, PLAIN)
    wish = Wish([parse(EVERYBODY)], [], Moment(AT, ZONE), SCORED.attributes, [("userAttribute", "score")])
    with store.cast(question(wish, store.columns)) as spool:
        batches = list(spool)
        assert [batch.num_rows for batch in batches] == [BATCH, BATCH, 5000]
        assert batches[0].schema.field("a.score").type == pa.decimal128(18, 4)
        assert batches[0].column("a.score").null_count == BATCH
        assert str(batches[2].column("a.score")[4999].as_py()) == "25000.5000"
    assert list(store.spools.glob("*/*.arrow")) == []


def test_nothing_is_left_of_an_answer_that_breaks_off(fresh_postgresql: Callable[[], str], tmp_path: Path) -> None:
    url = fresh_postgresql()
    with psycopg.connect(url, autocommit=True) as connection:
        # The server ends the connection at the last person, long after the first batch has left.
        connection.execute(
            "CREATE VIEW people AS SELECT to_char(n, '000000') AS id, CASE WHEN n < 25000 THEN n"
            " WHEN pg_terminate_backend(pg_backend_pid()) THEN 0 END AS score FROM generate_series(1, 25000) AS t(n)"
        )
    store = warehouse(url, tmp_path, SCORED, Foreign(PLAIN.people))
    wish = Wish([parse(EVERYBODY)], [], Moment(AT, ZONE), SCORED.attributes, [("userAttribute", "score")])
    with pytest.raises(StoreError, match=r"^postgresql: terminating connection"):
        store.cast(question(wish, store.columns))
    assert list(store.spools.glob("*/*.arrow")) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("clickhouse:nowhere", "clickhouse:.*nowhere: there is no such folder"),
        ("clickhouse://me:hunter2@127.0.0.1:1/x", "clickhouse: http://127.0.0.1:1/: .*refused"),
        ("postgresql://127.0.0.1:1/x?connect_timeout=1", "postgresql: "),
    ],
)
def test_an_engine_that_is_not_there_is_named_when_it_is_asked(url: str, said: str, tmp_path: Path) -> None:
    store = warehouse(url, tmp_path, SCORED, PLAIN)
    for ask in (store.mistakes, lambda: store.newest(["purchase"], Instant(0))):
        with pytest.raises(StoreError, match=said):
            ask()


@pytest.mark.parametrize("url", ["mysql://me:hunter2@x", "clickhouse:", "spark:"])
def test_a_url_of_no_known_kind_is_refused_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(
        StoreError,
        match=r"write postgresql://user@host/database, clickhouse://user@host:8123/database, clickhouse:FOLDER or spark:MASTER",
    ) as told:
        warehouse(url, tmp_path, SCORED)
    assert "hunter2" not in str(told.value)


def test_a_question_reads_only_the_tables_it_names(fresh_postgresql: Callable[[], str], tmp_path: Path) -> None:
    url = fresh_postgresql()
    in_postgres(url)
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("details", "more", "deeds", "tokens", "words"):
            connection.execute(f"DROP TABLE crm.{name}".encode())
    store = warehouse(url, tmp_path, CATALOGUE, mapping("crm."))
    reached = parse({"about": "x", "all": [{"attribute": "email", "is_set": True}]})
    assert len(store.ask(members(reached, Moment(AT, ZONE), store.columns))) == 2
    assert [one.text.partition(":")[0] for one in store.mistakes()] == [
        f"table crm.{name}" for name in ("details", "more", "deeds", "tokens", "words")
    ]


def test_somebody_with_two_rows_is_found_before_a_run_is_planned(elsewhere: Warehouse) -> None:
    assert elsewhere.doubled() == []
    foreign = elsewhere._foreign
    if foreign is None:
        return
    deeds = PeopleTable(foreign.events[0].table, foreign.events[0].user, at="config/warehouse.yaml:3:5")
    people = replace(foreign, people=(*foreign.people, deeds))
    [found] = Warehouse(elsewhere._engine, elsewhere.root, CATALOGUE, people).doubled()
    assert (found.file, found.line, found.column) == ("config/warehouse.yaml", 3, 5)
    assert found.text.partition(" ")[0] in {one.user for one in PEOPLE if len(one.events) > 1}
    assert found.text.endswith(f" has several rows in {deeds.table}")


def test_a_postgresql_too_old_for_segments_is_told_before_it_is_asked_one(
    fresh_postgresql: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a version that cannot be had here, the test knows that it would be older than a newest one."""
    store = warehouse(fresh_postgresql(), tmp_path, SCORED)
    assert store.mistakes() == []
    monkeypatch.setattr("orchestrator.audience.engines.in_postgresql.OLDEST", 99)
    [found] = store.mistakes()
    assert re.fullmatch(r"stores.audience: PostgreSQL 1[6-9] is too old: segments need 99 or newer", found.text), (
        found.text
    )
    assert found.file == "config/orchestrator.yaml"


def test_memory_does_not_grow_with_the_audience(fresh_postgresql: Callable[[], str], tmp_path: Path) -> None:
    url = fresh_postgresql()
    peaks = []
    for people in (20_000, 400_000):
        fill_postgresql(url, people)
        found = _measured(tmp_path, "cast", url)
        assert found["rows"] == people
        peaks.append(found["peak"])
    assert peaks[1] - peaks[0] < 30, f"MB at 20,000 and at 400,000 people: {peaks}"


def test_memory_does_not_grow_with_the_audience_where_the_engine_works_inside_the_process(tmp_path: Path) -> None:
    """From the first size that is asked for in parts; all at once it took 400 MB more."""
    peaks = []
    for people in (60_000, 400_000):
        _measured(tmp_path, "fill", str(tmp_path / str(people)), str(people))
        found = _measured(tmp_path, "cast", f"clickhouse:{people}")
        assert found["rows"] == people
        peaks.append(found["peak"])
    assert peaks[1] - peaks[0] < 60, f"MB at 60,000 and at 400,000 people: {peaks}"


def _measured(root: Path, *words: str) -> dict[str, float]:
    """A process of its own, so that its peak is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.warehouse", *words],
        env={**os.environ, "BENCH_ROOT": str(root), "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout or "{}")
    return found
