"""Stores that fail under the daemon: full, locked, moved away, replaced, read-only, missing. It says so, waits, and goes on."""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import contextmanager

import pytest

from orchestrator.core.errors import PassingError, StoreError
from orchestrator.ledger import Ledger, RunState
from tests.doors.serving import a_shop

WRITE_WITHOUT_RIGHT = 1
"""CAP_DAC_OVERRIDE: who has it may write whatever the file's mode says."""


@contextmanager
def a_small_disk(folder, size):
    """A file system of its own at this folder, so small that it can be filled."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder):
    """Leave no room on the file system of this folder; the file that does it."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for block in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * block)
            except OSError:
                continue
    return ballast


def test_a_full_ledger_takes_nothing_says_so_and_goes_on_when_there_is_room(tmp_path):
    ledger, other = (Ledger.open("sqlite:ledger.db", tmp_path) for _ in range(2))
    [[pages]] = ledger.store.rows("PRAGMA page_count")
    ledger.store.rows(f"PRAGMA max_page_count = {pages}")
    with (
        pytest.raises(PassingError, match=r"ledger .*/ledger\.db: .*full.*free some space"),
        ledger.store.transaction(),
    ):
        ledger.store.change("INSERT INTO meta (name, value) VALUES ('long', ?)", ("x" * 1_000_000,))
    assert ledger.store.rows("SELECT 1 FROM meta WHERE name = 'long'") == []
    ledger.store.rows("PRAGMA max_page_count = 1000000")
    with ledger.store.transaction():
        ledger.store.change("INSERT INTO meta (name, value) VALUES ('long', 'x')")
    assert other.store.rows("SELECT value FROM meta WHERE name = 'long'") == [("x",)]
    ledger.close()
    other.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk so small that it can be filled")
def test_a_full_disk_stops_the_sending_and_what_was_in_the_air_is_settled_when_there_is_room(tmp_path, monkeypatch):
    with (
        a_small_disk(tmp_path / "data", "24m"),
        a_shop(tmp_path, monkeypatch, people=4000, policy="hold", weather={"latency": "50..90"}) as shop,
    ):
        run, daemon = shop.fire(), shop.serve()
        shop.sink.wait(since=0)
        ballast = fill(tmp_path / "data")
        said = daemon.until("ledger.waits")
        assert "the disk is full; free some space" in said
        assert str(tmp_path / "data" / "ledger.db") in said
        assert shop.run(run).state is RunState.WORKING
        intended = sum(rows for (state, _), rows in shop.states(run).items() if state != "planned")
        assert len(shop.received()) <= intended
        ballast.unlink()
        shop.done(daemon, run)
        assert shop.states(run) == {("accepted", ""): 4000}
        assert set(shop.received().values()) == {1}
        assert len(shop.received()) == 4000
        assert daemon.stop() == 0


def test_a_ledger_that_another_program_holds_is_waited_for(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch, policy="hold", weather={"latency": "200"}) as shop:
        run, daemon = shop.fire(), shop.serve()
        shop.sink.wait(since=0)
        browser = sqlite3.connect(tmp_path / "data" / "ledger.db", isolation_level=None)
        browser.execute("BEGIN EXCLUSIVE")
        said = daemon.until("ledger.waits")
        assert "another program holds it; close database browsers" in said
        browser.execute("ROLLBACK")
        browser.close()
        shop.done(daemon, run)
        assert shop.states(run) == {("accepted", ""): 300}
        assert set(shop.received().values()) == {1}
        assert daemon.stop() == 0


def test_a_ledger_moved_away_underneath_stops_the_sending_and_is_never_begun_anew(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch, people=4000, policy="hold", weather={"latency": "50..90"}) as shop:
        place, aside = tmp_path / "data" / "ledger.db", tmp_path / "aside.db"
        run, daemon = shop.fire(), shop.serve()
        shop.sink.wait(since=0)
        [worker] = daemon.below("worker", shop.ledger)
        place.rename(aside)
        assert "put it back, and all goes on" in daemon.until("ledger.waits")
        worker.kill()
        assert "the file is gone; put it back" in daemon.until("worker.cannot_work")
        assert not place.exists()
        aside.rename(place)
        shop.done(daemon, run)
        assert {state for state, _ in shop.states(run)} <= {"accepted", "unknown"}
        assert set(shop.received().values()) == {1}
        assert daemon.stop() == 0


def test_a_ledger_replaced_underneath_ends_the_daemon_and_says_how_it_is_done(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch) as shop:
        place = tmp_path / "data" / "ledger.db"
        daemon = shop.serve()
        shop.done(daemon, shop.fire())
        shutil.copy(place, tmp_path / "backup.db")
        (tmp_path / "backup.db").replace(place)
        assert "Stop the daemon before you restore a backup" in daemon.until("another file was put in its place")
        assert daemon.process.wait(60) == 1
        with pytest.raises(StoreError, match="this process ends"), shop.ledger.store.transaction():
            pass


def test_an_audience_that_another_program_has_open_is_planned_from_when_it_is_free(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch) as shop:
        place = tmp_path / "data" / "audience.duckdb"
        hold = f"import duckdb, sys; c = duckdb.connect({str(place)!r}); print('held', flush=True); sys.stdin.read()"
        with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout.readline() == b"held\n"
            run, daemon = shop.fire(), shop.serve()
            said = daemon.until("run.not_planned")
            assert str(place) in said
            assert "another program has it open" in said
            assert f"PID {other.pid}" in said
            other.stdin.close()
        shop.done(daemon, run)
        assert shop.states(run) == {("accepted", ""): 300}
        assert daemon.stop() == 0


def test_an_audience_our_own_import_holds_is_only_waited_for(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch) as shop:
        gate = os.open(tmp_path / "data" / "audience.duckdb.gate", os.O_RDWR | os.O_CREAT)
        fcntl.flock(gate, fcntl.LOCK_EX)
        run, daemon = shop.fire(), shop.serve()
        daemon.until("run.planning")
        os.close(gate)
        shop.done(daemon, run)
        assert not any("not_planned" in line for line in daemon.said)
        assert shop.states(run) == {("accepted", ""): 300}
        assert daemon.stop() == 0


def test_a_missing_audience_is_named_and_the_run_planned_once_it_is_there(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch) as shop:
        place, aside = tmp_path / "data" / "audience.duckdb", tmp_path / "aside.duckdb"
        place.rename(aside)
        run, daemon = shop.fire(), shop.serve()
        said = daemon.until("run.not_planned")
        assert f"audience {place}: there is no such file yet" in said
        assert "orchestrator import profiles FILE" in said
        aside.rename(place)
        shop.done(daemon, run)
        assert shop.states(run) == {("accepted", ""): 300}
        assert daemon.stop() == 0


def test_a_folder_we_may_not_write_is_named_before_anything_is_sent(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch) as shop:
        shop.ledger.store.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        data, run = tmp_path / "data", shop.fire()
        for path in (*data.iterdir(), data):
            path.chmod(0o555 if path.is_dir() else 0o444)
        drop = f"import ctypes, os, sys; ctypes.CDLL(None).prctl(24, {WRITE_WITHOUT_RIGHT}, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
        refused = shop.serve(before=[sys.executable, "-c", drop])
        assert "check that the folder exists and is ours to write" in refused.until("ledger")
        assert refused.process.wait(60) == 1
        assert shop.received() == {}
        for path in (data, *data.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        daemon = shop.serve()
        shop.done(daemon, run)
        assert shop.states(run) == {("accepted", ""): 300}
        assert daemon.stop() == 0


def test_a_damaged_ledger_is_called_damaged(tmp_path):
    path = tmp_path / "ledger.db"
    Ledger.open(f"sqlite:{path}", tmp_path).close()
    path.write_bytes(b"this is no database, it only stands where one was. " * 200)
    with pytest.raises(StoreError, match=r"ledger\.db: file is not a database: .*restore a backup"):
        Ledger.open(f"sqlite:{path}", tmp_path)
