"""The daemon's port: one that cannot be had is said in a sentence before anything starts, and a web face never ends unseen."""

import asyncio
import json
import re
import socket
import urllib.request

import pytest

from orchestrator import app
from orchestrator.daemon.supervisor import Serving, Supervisor
from orchestrator.web.face import listen
from orchestrator.wire.clock import WallClock
from tests.config.test_revisions import commit, git
from tests.doors.builders import rewrite, the_example_in
from tests.doors.serving import a_shop
from tests.mail import a_free_port


@pytest.fixture
def taken():
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def health(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
        return json.load(answer)


def test_a_port_in_use_is_one_sentence_and_the_next_daemon_serves_on_another(tmp_path, monkeypatch, taken):
    with a_shop(tmp_path, monkeypatch, people=0) as shop:
        refused = shop.serve("--port", str(taken))
        assert refused.end() == 1
        assert refused.said == [f"port {taken} is taken by another program; choose another with --port"]
        assert shop.ledger.store.rows("SELECT kind FROM boot WHERE kind IN ('supervisor', 'worker')") == []
        port = a_free_port()
        daemon = shop.serve("--port", str(port))
        daemon.until("config.taken")
        assert health(port)["well"]
        # Whoever has the ledger is the first thing to say, even if the port is the same.
        second = shop.serve("--port", str(port))
        assert second.end() == 3
        assert [json.loads(line)["event"] for line in second.said] == ["daemon.refused"]
        assert daemon.stop() == 0


def test_health_names_the_commit_that_is_in_force(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch, people=0) as shop:
        git(tmp_path, "init", "-q", "-b", "main")
        (tmp_path / ".gitignore").write_text("/data/\n")
        head, port = commit(tmp_path), a_free_port()
        daemon = shop.serve("--port", str(port))
        assert json.loads(daemon.until("config.taken"))["source"] == f"commit {head[:12]}"
        told = health(port)
        assert told["source"] == f"commit {head[:12]}"
        rewrite(tmp_path / "config/orchestrator.yaml", "locales:", "# a word\nlocales:")
        assert json.loads(daemon.until("config.taken"))["version"] != told["version"][:12]
        assert health(port)["source"] == f"working copy after {head[:12]}, not committed"
        head = commit(tmp_path)
        assert health(port)["source"] == f"commit {head[:12]}", "the same files: no edit was taken"
        assert daemon.stop() == 0


@pytest.mark.parametrize(("port", "bound"), [("99999", "65535"), ("-1", "0")])
def test_a_number_that_is_no_port_is_a_wrong_command(tmp_path, monkeypatch, port, bound):
    with a_shop(tmp_path, monkeypatch, people=0) as shop:
        daemon = shop.serve("--port", port)
        assert daemon.end() == 2
        [said] = [line for line in daemon.said if "--port" in line]
        assert bound in re.findall(r"-?\d+", said)


def test_a_host_of_another_machine_is_refused_by_name(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch, people=0) as shop:
        daemon = shop.serve("--port", "8026", "--host", "192.0.2.1")
        assert daemon.end() == 1
        assert daemon.said == ["192.0.2.1 is no address of this machine; choose another with --host"]


@pytest.fixture
def served(tmp_path):
    """A supervisor without workers that serves on a port of its own, and its sockets."""
    root = the_example_in(tmp_path)
    port = a_free_port()
    doors = listen("127.0.0.1", port)
    opened = app.open_project(root, "dev")
    yield Supervisor(Serving(root, "dev", 0, "127.0.0.1", port), opened, WallClock(), None, doors), doors
    for door in doors:
        door.close()


def events(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "orchestrator.daemon"]


async def test_a_web_face_that_cannot_begin_ends_the_daemon_with_a_reason(served, caplog):
    supervisor, doors = served
    doors[0].close()
    caplog.set_level("INFO")
    assert await supervisor.run() == 1
    assert events(caplog)[-2:] == ["web.ended", "daemon.stopped"]
    [ended] = [record for record in caplog.records if record.getMessage() == "web.ended"]
    assert ended.fields["why"]


async def test_a_web_face_that_ends_while_serving_ends_the_daemon(served, caplog):
    supervisor, _ = served
    caplog.set_level("INFO")
    running = asyncio.create_task(supervisor.run())
    assert (await asyncio.to_thread(health, supervisor.serving.port))["well"]
    supervisor._face.server.should_exit = True
    assert await running == 1
    assert events(caplog)[-2:] == ["web.ended", "daemon.stopped"]
