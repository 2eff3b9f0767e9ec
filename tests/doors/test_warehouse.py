"""A project whose people live in somebody else's engine: every verb that reads asks it, and whoever would write is told whose it is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from orchestrator import app, planner
from orchestrator.audience.engines.in_postgresql import PostgresEngine
from orchestrator.audience.membership import membership
from orchestrator.core.errors import StoreError
from orchestrator.core.nouns import Channel
from orchestrator.core.segments import Moment
from orchestrator.core.times import iso
from orchestrator.daemon.loading import Loading
from orchestrator.ledger import ConsentChange, Purpose, consent, mirrors
from orchestrator.pipeline import LedgerThread
from orchestrator.web import Seals, site
from tests.audience.clickhouse_door import served
from tests.doors.house import (
    AT,
    MAPPING,
    OURS,
    SETTINGS,
    TABLES,
    VERBS,
    in_a_process,
    into_postgres,
    lasting,
    open_shop,
    said,
    through,
    told,
)
from tests.doors.serving import a_shop
from tests.doors.shop import NOON
from tests.proof.evidence import now
from tests.proof.project import TOPIC, users

SECRET = "whsec_aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8="


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", SECRET)


@pytest.fixture(scope="module")
def database(fresh_postgresql):
    url = fresh_postgresql()
    into_postgres(url)
    return url


@pytest.fixture(scope="module")
def at_home(tmp_path_factory):
    """What one run tells where people live in a store of our own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOOK_SECRET", SECRET)
        told = json.loads(json.dumps(through(tmp_path_factory.mktemp("home"), OURS)))
    assert told["planned"] == 40
    assert told["asked"] == {"still_in": 16, "converted": 2}
    assert len(told["messages"]) == 38
    return told


def test_a_run_from_postgresql_sends_word_for_word_what_our_own_store_would(database, at_home, tmp_path):
    assert json.loads(json.dumps(through(tmp_path, database))) == at_home


def test_a_run_from_clickhouse_sends_word_for_word_what_our_own_store_would(at_home, tmp_path):
    in_a_process("fill", str(tmp_path / "data" / "house"), root=tmp_path)
    assert in_a_process("send", "clickhouse:data/house", root=tmp_path) == at_home


def test_a_run_from_a_server_of_clickhouse_sends_word_for_word_what_our_own_store_would(at_home, tmp_path):
    in_a_process("fill", str(tmp_path / "house"), root=tmp_path)
    with served(tmp_path / "house") as address:
        assert json.loads(json.dumps(through(tmp_path / "project", f"clickhouse://{address}"))) == at_home


@pytest.fixture
def shop(database, tmp_path):
    made = open_shop(tmp_path, database)
    yield made
    made.ledger.close()


def test_every_verb_that_reads_tells_the_same_from_wherever_people_live(shop, tmp_path_factory):
    twin, house = (open_shop(tmp_path_factory.mktemp("twin"), OURS), tmp_path_factory.mktemp("house"))
    try:
        here = [json.loads(json.dumps(lasting(told(twin, *words)))) for words in VERBS]
    finally:
        twin.ledger.close()
    assert here[0]["people"] == 37
    assert [lasting(told(shop, *words)) for words in VERBS] == here
    in_a_process("fill", str(house / "data" / "house"), root=house)
    assert in_a_process("verbs", "clickhouse:data/house", root=house) == here
    with served(house / "data" / "house") as address:
        assert in_a_process("verbs", f"clickhouse://{address}", root=tmp_path_factory.mktemp("asking")) == here


def test_people_are_in_the_same_segments_wherever_they_live(shop, tmp_path_factory):
    twin = open_shop(tmp_path_factory.mktemp("twin"), OURS)
    try:
        everybody = [f"u{number:02}" for number in range(62)]
        segments = twin.opened.project.segments
        moment = Moment(NOON, "Europe/Vienna", segments)
        found = [membership(app.audience(one.opened), everybody, segments, moment) for one in (twin, shop)]
        for one, inside in zip((twin, shop), found, strict=True):
            for row in told(one, "segment", "count", "--all", "--at", iso(NOON))["segments"]:
                alone = told(one, "segment", "count", row["segment"], "--at", iso(NOON))["people"]
                assert row["people"] == alone == sum(row["segment"] in names for names in inside.values()), row
        # Only the daemon tells our own store of consent.
        here, there = ({user: names - {"willing"} for user, names in inside.items()} for inside in found)
        assert there == here
    finally:
        twin.ledger.close()


def test_engine_asks_another_engine_through_the_same_mapping(database, tmp_path):
    shop = open_shop(tmp_path, OURS)
    try:
        (tmp_path / MAPPING).write_text(TABLES)
        words = ("segment", "count", "austrians", *AT)
        assert told(shop, *words, "--engine", database) == told(shop, *words)
    finally:
        shop.ledger.close()


def test_who_would_write_is_told_whose_the_audience_is(shop, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("user_id,firstName\nu00,Ada\n")
    for what in ("profiles", "events", "devices"):
        answer = said(shop, "import", what, str(people), code=1)
        assert "stores.audience: postgresql: is only read: its tables belong to whoever fills them" in answer
    with pytest.raises(StoreError, match="is only read"):
        shop.load()


def test_consent_and_stopped_addresses_are_imported_all_the_same(shop, tmp_path):
    words, stops = tmp_path / "words.csv", tmp_path / "stops.csv"
    words.write_text("user_id,channel,topic,granted\nnew,email,offers,yes\n")
    stops.write_text("email\nu33@mail.example\n")
    assert told(shop, "import", "consent", str(words))[0]["consent"] == 1
    assert told(shop, "import", "suppressions", str(stops))[0]["suppressed"] == 1
    assert consent.suppressions_told(shop.ledger.store)


def test_events_over_http_are_refused_and_what_the_ledger_would_tell_is_let_go(shop):
    seal = shop.ledger.seal(Purpose.WRITE, NOON)
    seals = Seals(shop.ledger.seal(Purpose.UNSUBSCRIBE, NOON), shop.ledger.seal(Purpose.INBOX, NOON), seal)
    assert mirrors.due(shop.ledger.store, 1)
    loading = Loading(lambda: shop.opened, shop.clock)
    assert loading.once(shop.ledger) is False
    assert loading.trouble == ""
    assert not mirrors.due(shop.ledger.store, 1)
    thread = LedgerThread(shop.opened.ledger())
    try:
        elsewhere = lambda: app.elsewhere(shop.opened)  # noqa: E731 - as the daemon asks
        face = site(thread, seals, {}, shop.clock, None, CollectorRegistry(), elsewhere)
        key = json.loads(said(shop, "--json", "ingest", "key"))["write_key"]
        item = {"userId": "ada", "event": "purchase", "messageId": "m"}
        with TestClient(face) as client:
            answer = client.post("/v1/track", json=item, auth=(key, ""))
        assert answer.status_code == 403
        assert "the audience is in postgresql and only read here" in answer.json()["error"]
    finally:
        thread.close()


def rewritten(shop, old, new):
    assert old in TABLES
    (shop.root / MAPPING).write_text(TABLES.replace(old, new))
    shop.opened = app.open_project(shop.root, "dev")


@pytest.mark.parametrize(
    ("old", "new", "place", "text"),
    [
        ("mail, zone", "male, zone", "config/warehouse.yaml:4:22", "no column 'male' in customers"),
        ("table: orders", "table: order_s", "config/warehouse.yaml:14:12", 'table order_s: postgresql: relation "order_s" does not exist'),
        ("time: placed", "time: {column: plaecd, clock: seconds}", "config/warehouse.yaml:17:11", "Did you mean 'placed'?"),
    ],
)  # fmt: skip
def test_a_table_or_column_that_is_not_there_is_named_by_its_place_in_the_mapping(shop, old, new, place, text):
    rewritten(shop, old, new)
    for words in (("check", "--online"), ("plan", "spring"), ("segment", "show", "buyers")):
        answer = said(shop, *words, code=1)
        assert place in answer
        assert text in answer
    audience = [one for one in told(shop, "doctor", code=1) if one["what"] == "audience"]
    assert [one["well"] for one in audience] == [False]
    assert place in audience[0]["text"]
    assert said(shop, "check").endswith("no mistake\n")


def test_doctor_counts_the_people_of_an_engine_and_says_whose_it_is(shop):
    [audience] = [one for one in told(shop, "doctor") if one["what"] == "audience"]
    assert audience["text"] == "60 people in postgresql, which is only read: its tables are not ours"


def test_an_engine_whose_extra_is_not_installed_says_how_it_is(shop, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    wanted = "psycopg is not installed: pip install 'messaging-orchestrator[postgresql]'"
    assert wanted in said(shop, "segment", "count", "buyers", code=1)
    [audience] = [one for one in told(shop, "doctor", code=1) if one["what"] == "audience"]
    assert wanted in audience["text"]


def test_the_core_works_without_any_extra(tmp_path):
    """Whoever keeps their own store needs no driver of another engine."""
    code = """
import sys
sys.modules |= dict.fromkeys(("psycopg", "chdb", "pyspark", "py4j"))
from pathlib import Path
from tests.doors.house import OURS, open_shop
from typer.testing import CliRunner
from orchestrator.cli.main import app
open_shop(Path.cwd(), OURS).ledger.close()
done = CliRunner().invoke(app, ["segment", "count", "austrians"])
print(done.output, end="")
"""
    root = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root}, check=False)  # fmt: skip
    assert (done.stdout, done.stderr) == ("6\n", "")


def test_an_engine_that_does_not_answer_keeps_the_run_for_later(shop, tmp_path):
    settings = tmp_path / SETTINGS
    away = "postgresql://127.0.0.1:1/x?connect_timeout=1"
    settings.write_text(moved(settings.read_text(), away))
    shop.opened = app.open_project(tmp_path, "dev")
    run = shop.fire()
    with pytest.raises(StoreError, match=r"^postgresql: "):
        planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    assert shop.rows() == {}
    [audience] = [one for one in told(shop, "doctor", code=1) if one["what"] == "audience"]
    assert audience["text"].startswith("postgresql: ")


def moved(text, url):
    """The settings with the audience at another URL."""
    head, _, rest = text.partition('audience: "')
    return head + 'audience: "' + url + '"' + rest.partition('"')[2]


def test_a_table_with_two_rows_of_a_person_is_refused_before_anybody_gets_two_messages(fresh_postgresql, tmp_path):
    url = fresh_postgresql()
    into_postgres(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO facts SELECT * FROM facts WHERE customer = 'u33'")
    shop = open_shop(tmp_path, url)
    try:
        assert "u33 has several rows in facts" in said(shop, "check", "--online", code=1)
        with pytest.raises(StoreError, match="u33 stands twice; each table under `people:` must have one row a user"):
            planner.plan_run(shop.opened, shop.ledger, shop.fire(occurrence="2026-03-02T12:00"), shop.clock)
        assert shop.rows() == {}
    finally:
        shop.ledger.close()


def test_nothing_can_be_written_through_a_question(database):
    with PostgresEngine(database, {}).visit() as visit, pytest.raises(StoreError, match="in a read-only transaction"):
        list(visit.batches("SELECT lo_create(0)"))


MAPPED = """\
people:
  - {table: members, user: id, columns: {email: mail, firstName: first, points: points}}
devices:
  - {table: members, user: id, token: mail}
"""


def _members(engine, root, fresh_postgresql):
    """A table of three thousand people; its engine's URL."""
    rows = [(user, f"{user}@sink.example", f"N{user}", number) for number, user in enumerate(users(3000))]
    if engine == "postgresql":
        url = fresh_postgresql()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE members (id text, mail text, first text, points int)")
            connection.cursor().executemany("INSERT INTO members VALUES (%s, %s, %s, %s)", rows)
        return url
    lines = "\n".join(json.dumps(dict(zip(("id", "mail", "first", "points"), row, strict=True))) for row in rows)
    code = "import chdb, sys; made = chdb.connect('house'); made.query(sys.argv[1]); made.query(sys.stdin.read()); made.close()"
    table = "CREATE TABLE members (id String, mail String, first String, points Int32) ENGINE = MergeTree ORDER BY id"
    told = f"INSERT INTO members FORMAT JSONEachRow {lines}"
    subprocess.run([sys.executable, "-c", code, table], cwd=root, input=told, text=True, check=True)
    return "clickhouse:house"


@pytest.mark.parametrize("engine", ["postgresql", "clickhouse"])
def test_a_daemon_plans_from_an_engine_elsewhere_and_everybody_gets_one_message(
    engine, fresh_postgresql, tmp_path, monkeypatch
):
    url = _members(engine, tmp_path, fresh_postgresql)
    monkeypatch.setenv("HOUSE_URL", url)
    with a_shop(tmp_path, monkeypatch, people=0) as shop:
        settings = tmp_path / SETTINGS
        settings.write_text(settings.read_text().replace(OURS, "${env:HOUSE_URL}"))
        (tmp_path / MAPPING).write_text(MAPPED)
        said = (ConsentChange(user, Channel.PUSH, TOPIC, True, now(), "test") for user in users(3000))
        shop.ledger.change_consent(said)
        consent.tell_no_suppressions(shop.ledger.store, now())
        daemon = shop.again().serve(HOUSE_URL=url)
        run = shop.fire()
        shop.done(daemon, run)
        assert shop.states(run) == {("accepted", ""): 3000}
        assert set(shop.received().values()) == {1}
        assert len(shop.received()) == 3000
        assert daemon.stop() == 0
        assert not (tmp_path / "data" / "audience.duckdb").exists()
