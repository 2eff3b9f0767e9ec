"""Events through the daemon's own door while everything is killed: what was acknowledged is in the engine, once."""

import json
import os
import signal
import subprocess
from base64 import b64encode

import httpx
import pytest

from orchestrator import app
from orchestrator.ledger import arrivals
from tests.doors.shop import FILES
from tests.doors.test_first_hour import CLI
from tests.mail import a_free_port

KILLS = 3
BATCHES_A_LIFE = 15
ITEMS = 40


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", "sqlite:data/ledger.db")
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


class Daemon:
    def __init__(self, shop):
        self.port = a_free_port()
        self.process = subprocess.Popen(
            [*CLI, "-C", str(shop), "serve", "--workers", "1", "--port", str(self.port)],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def lines_until(self, word):
        for line in self.process.stderr:
            if word in line:
                return
        raise AssertionError(f"the daemon ended before {word}")

    def kill(self):
        """Everything at once, as a machine that goes dark would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0


def test_nothing_acknowledged_is_lost_and_nothing_counts_twice_however_often_the_daemon_is_killed(shop):
    shown = subprocess.run(
        [*CLI, "-C", str(shop), "--json", "ingest", "key"], capture_output=True, text=True, check=True
    )
    key = json.loads(shown.stdout)["write_key"]
    head = {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}
    opened = app.open_project(shop, "dev")
    ledger = opened.ledger()
    acknowledged, number, unfinished = set(), 0, []
    for life in range(KILLS + 1):
        daemon = Daemon(shop)
        daemon.lines_until("config.taken")
        with httpx.Client(
            base_url=f"http://127.0.0.1:{daemon.port}", headers=head, transport=httpx.HTTPTransport(retries=5)
        ) as client:
            for _ in range(BATCHES_A_LIFE):
                ids = [f"m{number + item}" for item in range(ITEMS)]
                number += ITEMS
                items = [
                    {"type": "track", "userId": f"u{int(name[1:]) % 50}", "event": "app_open", "messageId": name}
                    for name in ids
                ]
                items.append({"type": "identify", "userId": "ada", "traits": {"country": "AT"}})
                body = json.dumps({"batch": items})
                for _ in range(2):  # a client that was not sure sends again
                    assert client.post("/v1/batch", content=body).status_code == 200
                acknowledged |= set(ids)
        if life < KILLS:
            daemon.kill()  # with rows in the inbox, in the loader's hands, and landed
            unfinished.append(arrivals.waiting(ledger.store))
    assert any(unfinished), "no kill came before the loader was done, so nothing was put to the test"
    try:
        while arrivals.waiting(ledger.store):
            daemon.lines_until("events.loaded")
        daemon.stop()
    finally:
        ledger.close()
    rows = app.own_audience(opened).rows("SELECT message_id, count(*) FROM event GROUP BY ALL")
    assert {message for message, _ in rows} == acknowledged
    assert {count for _, count in rows} == {1}
    assert app.own_audience(opened).rows('SELECT "a.country" FROM profile WHERE "user" = \'ada\'') == [("AT",)]
