"""The daemon's processes: born in the nursery, and still there when the nursery is not; told to stop, they all do."""

import fcntl
import os

import psutil

from tests.doors.serving import a_shop


def test_without_its_nursery_the_daemon_starts_processes_the_slow_way_and_loses_nothing(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch) as shop:
        daemon = shop.serve()
        shop.done(daemon, shop.fire("first"))
        [worker] = daemon.below("worker", shop.ledger)
        nursery = worker.parent()
        assert nursery.ppid() == daemon.process.pid
        nursery.kill()
        daemon.until("nursery.lost", "process.ended")
        second = shop.fire("second")
        shop.done(daemon, second)
        assert shop.states(second) == {("accepted", ""): 300}
        [other] = daemon.below("worker", shop.ledger)
        assert other.pid != worker.pid
        assert other.ppid() == daemon.process.pid
        psutil.wait_procs([worker], timeout=30)
        assert not worker.is_running()
        assert daemon.stop() == 0
        assert set(shop.received().values()) == {1}
        assert len(shop.received()) == 600


def test_whoever_was_started_the_slow_way_ends_with_the_daemon_too(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch, people=1) as shop:
        daemon = shop.serve()
        shop.done(daemon, shop.fire("first"))
        [worker] = daemon.below("worker", shop.ledger)
        worker.parent().kill()
        daemon.until("nursery.lost", "process.ended")
        shop.done(daemon, shop.fire("second"))
        [other] = daemon.below("worker", shop.ledger)
        assert other.ppid() == daemon.process.pid
        everybody = [other, *other.children(recursive=True)]
        daemon.process.kill()
        _, left = psutil.wait_procs(everybody, timeout=60)
        assert left == []


def test_a_sigterm_ends_a_planner_too_and_the_next_daemon_plans_anew(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch) as shop:
        # Whoever imports has the audience; the planner waits at its gate.
        gate = os.open(tmp_path / "data" / "audience.duckdb.turn", os.O_RDWR | os.O_CREAT)
        fcntl.flock(gate, fcntl.LOCK_EX)
        run, daemon = shop.fire(), shop.serve()
        daemon.until("run.planning")
        assert len(daemon.below("planner", shop.ledger)) == 1
        assert daemon.stop() == 0
        os.close(gate)
        assert shop.states(run) == {}
        daemon = shop.serve()
        shop.done(daemon, run)
        assert shop.states(run) == {("accepted", ""): 300}
        assert daemon.stop() == 0
