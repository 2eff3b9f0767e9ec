"""A server of ClickHouse by its URL: what is asked, what it is asked as, and everything that can go wrong on the way."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chdb
import pytest

from orchestrator.audience.casting import Wish, question
from orchestrator.audience.spool import BATCH
from orchestrator.audience.warehouse import Warehouse, warehouse
from orchestrator.core.errors import StoreError
from orchestrator.core.foreign import Foreign, PeopleTable, Place
from orchestrator.core.segments import Catalogue, Declared, Kind, Moment, parse
from orchestrator.core.times import Instant
from tests.audience.clickhouse_door import MUTE, served

AT = Instant(1_772_449_200_000_000)
SCORED = Catalogue({"score": Declared(Kind.NUMBER)})
EVERYBODY = {"about": "x", "any": [{"bucket": "0 to 0 of 1", "salt": "x"}]}
PEOPLE = 25_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many people; the last row of the view `torn` cannot be read."""
    folder = tmp_path_factory.mktemp("house")
    connection = chdb.connect(str(folder))
    connection.query("CREATE DATABASE crm")
    connection.query(
        f"CREATE TABLE crm.people ENGINE = MergeTree ORDER BY id AS SELECT leftPad(toString(number), 6, '0') AS id, number AS score FROM numbers({PEOPLE})"
    )
    connection.query(
        f"CREATE VIEW crm.torn AS SELECT id, throwIf(score = {PEOPLE - 1}, 'the last one') + score AS score FROM crm.people"
    )
    connection.close()
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder, "me", "pä/ss:wörd") as address:
        yield address


def at(address: str, root: Path, table: str = "people", whom: str = "me:p%C3%A4%2Fss%3Aw%C3%B6rd@") -> Warehouse:
    """The people there, asked for as one who may."""
    foreign = Foreign((PeopleTable(table, Place("id"), {"score": Place("score")}),))
    return warehouse(f"clickhouse://{whom}{address}/crm", root, SCORED, foreign)


def asked(store: Warehouse) -> Any:
    """Everybody with their score."""
    wish = Wish([parse(EVERYBODY)], [], Moment(AT, "UTC"), SCORED.attributes, [("userAttribute", "score")])
    return question(wish, store.columns)


def test_an_answer_comes_in_batches(address: str, tmp_path: Path) -> None:
    store = at(address, tmp_path)
    assert store.mistakes() == []
    with store.cast(asked(store)) as spool:
        batches = list(spool)
    assert max(batch.num_rows for batch in batches) <= BATCH
    users = [user for batch in batches for user in batch.column("user").to_pylist()]
    assert users == [f"{number:06}" for number in range(PEOPLE)]
    assert str(batches[-1].column("a.score")[-1].as_py()) == f"{PEOPLE - 1}.0000"


def test_nobody_is_an_answer_too(address: str, tmp_path: Path) -> None:
    store = at(address, tmp_path)
    with store.cast(asked(store), among=["nobody"]) as spool:
        assert spool.rows == 0
    with store.cast(asked(store), among=["000007", 'it\'s \\ "ö" {x}']) as spool:
        assert [user for batch in spool for user in batch.column("user").to_pylist()] == ["000007"]


def test_nothing_is_written_there(address: str, tmp_path: Path) -> None:
    with at(address, tmp_path)._engine.visit() as visit, pytest.raises(StoreError, match=r"clickhouse: Code: 164\."):
        list(visit.batches("CREATE TABLE crm.more (x Int8) ENGINE = Memory"))


@pytest.mark.parametrize(
    ("alias", "said"),
    [
        ("torn", r"^clickhouse: Code: 395\. DB::Exception: the last one"),
        (MUTE, r"^clickhouse: http://127\.0\.0\.1:\d+/: .*incomplete"),
    ],
)
def test_rows_that_break_off_are_no_answer(alias: str, said: str, address: str, tmp_path: Path) -> None:
    sql = f"SELECT throwIf(number = 2999999, 'the last one') FROM numbers(3000000) AS {alias}"
    with at(address, tmp_path)._engine.visit() as visit:
        batches = visit.batches(sql)
        assert next(batches).num_rows > 0
        with pytest.raises(StoreError, match=said):
            list(batches)


def test_rows_that_break_off_inside_the_process_are_no_answer_either(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    with warehouse("clickhouse:house", tmp_path, SCORED)._engine.visit() as visit:
        batches = visit.batches("SELECT throwIf(number = 2999999, 'the last one') FROM numbers(3000000)")
        with pytest.raises(StoreError, match=r"^clickhouse: .*Code: 395\. DB::Exception: the last one"):
            list(batches)


def test_nothing_is_left_of_an_answer_that_fails(address: str, tmp_path: Path) -> None:
    store = at(address, tmp_path, "torn")
    with pytest.raises(StoreError, match=r"^clickhouse: Code: 395\. DB::Exception: the last one"):
        store.cast(asked(store))
    assert list(store.spools.glob("*/*.arrow")) == []


@pytest.mark.parametrize(
    ("whom", "table", "said"),
    [
        ("me:hunter2@", "people", r"^clickhouse: Code: 516\. DB::Exception: me: Authentication failed: [^\n]*$"),
        ("", "people", "Code: 516"),
        ("me:p%C3%A4%2Fss%3Aw%C3%B6rd@", "peopel", r"Code: 60\. DB::Exception: Unknown table"),
    ],
)
def test_what_the_server_says_is_told(whom: str, table: str, said: str, address: str, tmp_path: Path) -> None:
    store = at(address, tmp_path, table, whom)
    with pytest.raises(StoreError, match=said) as told:
        store.cast(asked(store))
    assert "hunter2" not in str(told.value)


def test_a_table_that_is_not_there_is_a_mistake_of_the_mapping(address: str, tmp_path: Path) -> None:
    [mistake] = at(address, tmp_path, "peopel").mistakes()
    assert mistake.text.startswith("table peopel: clickhouse: Code: 60.")
    foreign = Foreign((PeopleTable("people", Place("id"), {"score": Place("scor")}),))
    url = f"clickhouse://me:p%C3%A4%2Fss%3Aw%C3%B6rd@{address}/crm"
    [mistake] = warehouse(url, tmp_path, SCORED, foreign).mistakes()
    assert (mistake.text, "Did you mean 'score'?" in mistake.remedy) == ("no column 'scor' in people", True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n<html>hello!\r\n", "answered no Arrow; is it the HTTP port of a ClickHouse"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", r"http://127.0.0.1:\d+/ answered 404"),
        (b"HTTP/1.0 400 Bad Request\r\n\r\nPort 9000 is for clickhouse-client program\r\nYou must use port 8123 for HTTP.\r\n", "clickhouse: Port 9000 is for clickhouse-client"),
        (b"HTTP/1.1 500 Oh\r\nX-ClickHouse-Exception-Code: 164\r\nContent-Length: 78\r\n\r\nCode: 164. DB::Exception: Cannot modify 'join_use_nulls' setting in readonly mod", "Give its user readonly = 2"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 124\r\n\r\nCode: 164, e.displayText() = DB::Exception: Cannot override setting (max_query_size) in readonly mode, e.what() = DB::Exception", "Give its user readonly = 2"),
        (b"", "http://127.0.0.1:"),
    ],
)  # fmt: skip
def test_whoever_else_answers_is_told_apart(answer: bytes, said: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_answer, args=(listening, answer), daemon=True).start()
        store = at(f"127.0.0.1:{listening.getsockname()[1]}", tmp_path)
        with pytest.raises(StoreError, match=said), store._engine.visit() as visit:
            list(visit.batches("SELECT 1"))


def _answer(listening: socket.socket, answer: bytes) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(answer)


def test_a_server_that_is_too_old_is_told_by_what_it_cannot_read(tmp_path: Path) -> None:
    bodies = [b"21.3.1.1\n", b"Code: 46. DB::Exception: Unknown function normalizeUTF8NFC: While processing x"]
    heads = [b"200 OK\r\n", b"404 Not Found\r\nX-ClickHouse-Exception-Code: 46\r\n"]
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            for head, body in zip(heads, bodies, strict=True):
                length = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
                _answer(listening, b"HTTP/1.1 " + head + length + body)

        threading.Thread(target=answer, daemon=True).start()
        with at(f"127.0.0.1:{listening.getsockname()[1]}", tmp_path)._engine.visit() as visit:
            assert visit.unfit() == (
                "ClickHouse 21.3.1.1 cannot answer segments (clickhouse: Code: 46. DB::Exception:"
                " Unknown function normalizeUTF8NFC: While processing x)"
            )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("clickhouse://", "cannot read the address"),
        ("clickhouse://me:hunter2@:8123/x", "cannot read the address"),
        ("clickhouse://me:hunter2@house:many/x", "cannot read the address"),
        ("clickhouse://me:hunter2@house/x/y", "cannot read the address"),
        ("clickhouse://me:hunter2@house/x?secure=perhaps", "cannot read the address"),
        ("clickhouse://me:hunter2@house/x?user=you", "nothing else behind it"),
        ("clickhouse://me:hunter2@house/x?nothing", "cannot read the address"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_its_password(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=said) as told:
        warehouse(url, tmp_path, SCORED)
    assert "Write it like clickhouse://user:${env:NAME}@host:8123/database" in str(told.value)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("clickhouse://house", ("http://house:8123/", None, "default")),
        ("clickhouse://me@[::1]:80/x", ("http://[::1]:80/", ("me", ""), "x")),
        ("clickhouse://me:p%40ss@house/x?secure=true", ("https://house:8443/", ("me", "p@ss"), "x")),
    ],
)
def test_an_address_says_where_as_whom_and_which_database(url: str, asked: tuple[Any, ...], tmp_path: Path) -> None:
    engine: Any = warehouse(url, tmp_path, SCORED)._engine
    assert (engine._url, engine._auth, engine._database) == asked


@pytest.mark.parametrize("host", ["a..b", "a" * 300, "h\u00e4\u0300..x"])
def test_a_host_whose_name_cannot_be_one_is_told_as_a_trouble_of_the_way(host: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"^clickhouse: http://{host}:8123/: "):
        at(f"{host}:8123", tmp_path).mistakes()
