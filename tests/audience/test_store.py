"""The audience file: its columns follow the catalogue, answers are spooled, erased people are gone, errors name the remedy."""

import subprocess
import sys

import duckdb
import pytest

from orchestrator.audience.mapping import What
from orchestrator.audience.store import Audience, Counts
from orchestrator.core.errors import StoreError
from orchestrator.core.segments.tree import Catalogue, Declared, Kind
from tests.audience.builders import a_file, an_audience, imported, people


def a_shop(root, count=100):
    audience = an_audience(root)
    zones = ("Africa/Lagos", "Asia/Tokyo", "Europe/Vienna")
    lines = [f"u{n:04d},u{n}@x.test,{n},{zones[n % 3]}" for n in range(count)]
    imported(audience, What.PROFILES, a_file(root, "people.csv", "user,email,score,timezone", *lines))
    lines = [f"u{n % count:04d},seen,2026-01-{1 + n % 28:02d}" for n in range(2 * count)]
    imported(audience, What.EVENTS, a_file(root, "events.csv", "user,event,time", *lines))
    return audience


def test_the_engine_draws_nothing_on_standard_output_wherever_it_is_started(tmp_path):
    a_shop(tmp_path, 2)
    code = (
        "import sys; from pathlib import Path; from orchestrator.audience import opening\n"
        "with opening.to_read(Path(sys.argv[1])) as reading:\n"
        "    for engine in (reading, opening.private(Path(sys.argv[1]).parent)):\n"
        "        print(engine.execute(\"SELECT current_setting('enable_progress_bar')\").fetchone()[0])\n"
    )
    file = an_audience(tmp_path).path
    done = subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True, text=True)
    assert done.stdout == "False\nFalse\n"


def test_reading_before_anything_was_imported_says_what_to_do(tmp_path):
    with pytest.raises(
        StoreError, match=r"data/audience\.duckdb: there is no such file yet; .*orchestrator import profiles"
    ):
        an_audience(tmp_path).counts()


def test_an_attribute_declared_later_takes_up_what_was_kept_and_one_of_another_kind_is_read_anew(tmp_path):
    audience = an_audience(tmp_path, Catalogue())
    path = a_file(
        tmp_path,
        "a.jsonl",
        '{"user":"a","level":"7","tags":["x"],"vip":true,"odd":"text"}',
        '{"user":"b","level":"no"}',
    )
    imported(audience, What.PROFILES, path, catalogue=Catalogue())
    later = Catalogue({"level": Declared(Kind.NUMBER), "tags": Declared(Kind.LIST), "vip": Declared(Kind.BOOLEAN)})
    audience = an_audience(tmp_path, later)
    assert people(audience, "a.level", "a.tags", "a.vip", "rest") == {
        "a": (7, ["x"], True, '{"odd":"text"}'), "b": (None, None, None, '{"level":"no"}'),
    }  # fmt: skip
    audience = an_audience(tmp_path, Catalogue({**later.attributes, "level": Declared(Kind.TEXT)}))
    assert people(audience, "a.level") == {"a": "7", "b": "no"}


def test_a_time_that_was_kept_before_it_was_declared_is_the_same_moment(tmp_path):
    audience = an_audience(tmp_path, Catalogue())
    path = a_file(tmp_path, "a.csv", "user,joined,born", "a,2026-01-05 10:00,1990-02-28", "b,,")
    done = imported(audience, What.PROFILES, path, catalogue=Catalogue())
    assert done.seen.attributes == {"born": "date", "joined": "time"}
    later = Catalogue({"joined": Declared(Kind.TIME), "born": Declared(Kind.DATE)})
    assert people(an_audience(tmp_path, later), "a.joined", "rest") == {
        "a": (1767603600000000, "{}"),
        "b": (None, None),
    }
    text = Catalogue({"joined": Declared(Kind.TEXT), "born": Declared(Kind.DATE)})
    assert people(an_audience(tmp_path, text), "a.joined")["a"].startswith("2026-01-05T09:00:00")
    assert people(an_audience(tmp_path, later), "a.joined")["a"] == 1767603600000000


def test_attributes_that_the_engine_could_not_tell_apart_are_refused(tmp_path):
    with pytest.raises(StoreError, match="Name and name differ in case only"):
        an_audience(tmp_path, Catalogue({"Name": Declared(Kind.TEXT), "name": Declared(Kind.TEXT)}))
    with pytest.raises(StoreError, match="attribute email is number"):
        an_audience(tmp_path, Catalogue({"email": Declared(Kind.NUMBER)}))
    with pytest.raises(StoreError, match="write duckdb:"):
        Audience.open("sqlite:x", tmp_path)


def test_members_come_in_order_with_their_columns_and_the_engine_is_free_at_once(tmp_path):
    audience = a_shop(tmp_path)
    sql = 'SELECT "user" FROM profile WHERE "a.score" >= 50'
    with audience.members(sql, ["email", "a.score", "zone"], order=["zone", "user"]) as spool:
        with audience.writing() as connection:
            connection.execute("DELETE FROM profile")
        rows = [tuple(row.values()) for batch in spool for row in batch.to_pylist()]
        again = sum(batch.num_rows for batch in spool)
        assert spool.path.exists()
    assert not spool.path.exists()
    assert (len(rows), again, spool.rows) == (50, 50, 50)
    assert rows == sorted(rows, key=lambda row: (row[3], row[0]))
    assert rows[0][:2] == ("u0051", "u51@x.test")


def test_a_question_that_takes_too_long_is_asked_of_a_copy_and_keeps_nobody_out(tmp_path):
    audience = a_shop(tmp_path)
    audience.hold = 0.05
    slow = "SELECT count(*) FROM range(4000000) a JOIN range(40000) b ON a.range % 40000 = b.range, (SELECT count(*) AS n FROM profile)"
    assert audience.rows(slow) == [(4000000,)]
    assert list(audience.spools.glob("*/*")) == []


def test_a_wrong_question_leaves_no_file_behind(tmp_path):
    audience = a_shop(tmp_path)
    with pytest.raises(StoreError, match="nowhere"):
        audience.members('SELECT "user" FROM nowhere')
    assert list(audience.spools.glob("*/*")) == []


def test_an_erased_person_is_gone_at_once_and_their_bytes_with_the_next_compaction(tmp_path):
    audience = a_shop(tmp_path)
    assert audience.erase("u0042")
    assert not audience.erase("u0042")
    assert audience.counts().profiles == 99
    assert audience.rows("SELECT count(*) FROM event WHERE \"user\" = 'u0042'") == [(0,)]
    before = people(audience, "email", "a.score")
    counts = audience.counts()
    audience.compact()
    assert b"u42@x.test" not in audience.path.read_bytes()
    assert people(audience, "email", "a.score") == before
    assert audience.counts() == counts
    times = [time for (time,) in audience.rows('SELECT "time" FROM event ORDER BY rowid')]
    assert times == sorted(times)
    imported(audience, What.PROFILES, a_file(tmp_path, "more.csv", "user,score", "u0001,1000", "new,1"))
    assert people(audience, "a.score")["u0001"] == 1000


def test_counts_say_how_many_and_how_fresh(tmp_path):
    assert a_shop(tmp_path).counts() == Counts(100, 200, 1769554800000000)


def test_a_failed_transaction_leaves_everything_as_it_was(tmp_path):
    audience = a_shop(tmp_path)
    with pytest.raises(StoreError, match="nowhere"), audience.writing() as connection:
        connection.execute("DELETE FROM profile; SELECT * FROM nowhere")
    assert audience.counts().profiles == 100


def test_a_file_that_another_program_holds_is_named_with_the_remedy(tmp_path):
    audience = a_shop(tmp_path)
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(audience.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        for visit in (audience.counts, lambda: audience.erase("u0001")):
            with pytest.raises(
                StoreError, match=rf"audience\.duckdb: another program has it open .*PID {other.pid}.*close it there"
            ):
                visit()
        other.stdin.close()
    assert audience.counts().profiles == 100


def test_an_empty_file_of_the_engine_gets_its_tables(tmp_path):
    (tmp_path / "data").mkdir()
    duckdb.connect(tmp_path / "data" / "audience.duckdb").close()
    assert an_audience(tmp_path).counts() == Counts(0, 0, 0)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "audience.duckdb").write_bytes(b"x" * 20000)
    with pytest.raises(StoreError, match="this is no DuckDB file"):
        an_audience(tmp_path)


def test_a_crash_between_writing_and_closing_loses_nothing_that_was_committed(tmp_path):
    audience = a_shop(tmp_path)
    crash = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); "
        "c.execute(\"INSERT INTO event VALUES ('u0001', 'late', 5, 'late', '{}', 1)\"); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", crash, str(audience.path)], check=False).returncode == 9
    assert audience.rows("SELECT name FROM event WHERE message_id = 'late'") == [("late",)]
    audience.compact()
    assert audience.counts().events == 201
