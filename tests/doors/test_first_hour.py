"""The main job through the doors a user has: files, import, plan, send, serve, against a real mail server."""

import json
import os
import shutil
import signal
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path

import httpx
import pytest

from orchestrator import app
from orchestrator.core.nouns import OnAmbiguous
from orchestrator.ledger import NewRun, RunState, runs
from orchestrator.wire.clock import WallClock
from tests.mail import Mailbox, a_free_port, mail_server

DEMO = Path(__file__).parents[2] / "benchmarks" / "demo"
CLI = [sys.executable, "-c", "from orchestrator.cli import main; main()"]


def told_where(patch, port):
    """The demo's settings name these in the environment."""
    patch.setenv("DEMO_MAIL_PORT", str(port))
    patch.setenv("DEMO_PUSH_URL", "http://127.0.0.1:9/unused")
    patch.setenv("DEMO_PUSH_SECRET", "whsec_" + "A" * 44)


@pytest.fixture
def mailbox(monkeypatch):
    box = Mailbox()
    with mail_server(box) as port:
        told_where(monkeypatch, port)
        yield box


@pytest.fixture
def project(imported, tmp_path, mailbox):
    """A project of the test's own."""
    return shutil.copytree(imported, tmp_path, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """The demo's files, with 60 people who bought once 40 days ago and want mail."""
    root = tmp_path_factory.mktemp("first-hour")
    for folder in ("config", "templates"):
        shutil.copytree(DEMO / folder, root / folder)
    campaign = root / "config" / "campaigns" / "winback.yaml"
    campaign.write_text(
        campaign.read_text()
        .replace("first_of: [push, email, in_app]", "first_of: [email]")
        .replace("holdout: 10%", "holdout: 0%")
    )
    for name in ("push.yaml", "push@thanks.yaml", "in_app.yaml", "in_app@thanks.yaml"):
        (root / "templates" / "winback" / "_default" / name).unlink()
    bought = (WallClock().now() - 40 * 86_400_000_000) // 1_000_000
    people = [f"u{number:02}" for number in range(60)]
    lines = {
        "profiles": [
            {"user_id": u, "email": f"{u}@mail.example", "firstName": u.upper(), "country": "AT"} for u in people
        ],
        "events": [
            {"user_id": u, "event": "purchase", "time": bought, "amount": 20, "currency": "EUR"} for u in people
        ],
        "consent": [{"user_id": u, "channel": "email", "topic": "offers", "granted": u != "u07"} for u in people],
    }
    with pytest.MonkeyPatch.context() as patch:
        told_where(patch, a_free_port())
        for what, rows in lines.items():
            file = root / f"{what}.jsonl"
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
            assert orchestrator(root, "import", what, str(file))[0]["rejected"] == 0
        orchestrator(root, "import", "suppressions", "--none")
    return root


def orchestrator(folder, *words, code=0):
    done = subprocess.run(
        [*CLI, "-C", str(folder), "-e", "live", "--json", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


def test_importing_the_same_files_again_changes_nothing(project):
    for what in ("profiles", "events", "consent"):
        [again] = orchestrator(project, "import", what, str(project / f"{what}.jsonl"))
        assert (again["new"], again["changed"], again["consent"]) == (0, 0, 0)


def test_plan_send_and_lookups_tell_one_story(project, mailbox):
    planned = orchestrator(project, "plan", "winback")
    assert (planned["people"], planned["reached"], planned["segments"]) == (60, 59, {"one_time_buyers": 60})
    assert [(why["reason"], why["people"], why["examples"]) for why in planned["nothing"]] == [
        ("no_consent", 1, ["u07"])
    ]
    assert mailbox.mails == []

    sent = orchestrator(project, "send", "winback", "--yes")
    assert (sent["state"], sent["rows"]) == ("done", {"accepted": 59, "skipped": 1})
    assert sorted(mail.rcpt_tos[0] for mail in mailbox.mails) == [f"u{n:02}@mail.example" for n in range(60) if n != 7]

    message = message_from_bytes(mailbox.mails[0].original_content, policy=policy.default)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe"].startswith("<https://go.shop.example/u/")
    html = message.get_body(("html",)).get_content()
    assert "Ring 1, 1010 Wien" in html
    assert "/u/" in html
    assert message.get_body(("plain",)) is not None

    [row] = orchestrator(project, "deliveries", "winback", "--user", "u07")
    assert (row["state"], row["reason"]) == ("skipped", "no_consent")
    again = orchestrator(project, "plan", "winback")
    assert again["reached"] == 0
    assert {why["reason"]: why["people"] for why in again["nothing"]} == {"repeat": 59, "no_consent": 1}


def test_send_asks_for_the_number_and_stops_at_any_other_answer(project, mailbox):
    asked = subprocess.run(
        [*CLI, "-C", str(project), "-e", "live", "send", "winback"],
        input="y\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 1
    assert "60" in asked.stdout
    assert "nothing was sent" in asked.stderr
    assert mailbox.mails == []


def test_nothing_leaves_the_machine_where_the_environment_delivers_to_nobody(project, mailbox):
    path = project / "config" / "orchestrator.yaml"
    path.write_text(path.read_text().replace("deliver: everyone", "deliver: sink"))
    orchestrator(project, "send", "winback", "--yes")
    assert mailbox.mails == []
    assert len((project / "data" / "sink" / "email.jsonl").read_text().splitlines()) == 59


def test_a_mistake_is_named_with_its_place_and_stops_the_verb(project):
    path = project / "config" / "campaigns" / "winback.yaml"
    path.write_text(path.read_text().replace("audience: [", "audiense: ["))
    assert orchestrator(project, "check", code=1)["mistakes"][0]["file"] == "config/campaigns/winback.yaml"
    assert "did you mean" in orchestrator(project, "send", "winback", "--yes", code=1).lower()


def lines_until(process, *words):
    """Read the daemon's log until each word was seen once, in any order."""
    missing = set(words)
    for line in process.stderr:
        missing = {word for word in missing if word not in line}
        if not missing:
            return
    raise AssertionError(f"the daemon ended without {missing}")


def test_the_daemon_plans_and_sends_a_due_run_keeps_the_last_good_files_and_ends_in_good_order(project, mailbox):
    opened, clock = app.open_project(project, "live"), WallClock()
    ledger = opened.ledger()
    version = runs.keep_bundle(ledger.store, opened.files, clock.now())
    run, _ = ledger.fire(NewRun("winback", "2026-01-01T10:00", version, clock.now(), OnAmbiguous.HOLD), clock.now())
    port = a_free_port()
    daemon = subprocess.Popen(
        [*CLI, "-C", str(project), "-e", "live", "serve", "--workers", "2", "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines_until(daemon, "run.planned", "shard.put_back")
        assert runs.find(ledger.store, run.id).state is RunState.DONE
        assert len(mailbox.mails) == 59
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").json()["well"]

        second = subprocess.run(
            [*CLI, "-C", str(project), "-e", "live", "serve", "--port", "0"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 3
        assert f"process {daemon.pid}" in second.stderr

        path = project / "config" / "campaigns" / "winback.yaml"
        path.write_text(path.read_text().replace("audience: [", "audiense: ["))
        lines_until(daemon, "config.refused")
        broken = httpx.get(f"http://127.0.0.1:{port}/healthz")
        assert (broken.status_code, broken.json()["version"]) == (503, version)
        [worker] = [
            int(row[0])
            for row in ledger.store.rows("SELECT MAX(pid) FROM boot WHERE kind = 'worker' AND ended_at IS NULL")
        ]
        os.kill(worker, signal.SIGKILL)
        second_run, _ = ledger.fire(
            NewRun("winback", "2026-01-02T10:00", version, clock.now(), OnAmbiguous.HOLD), clock.now()
        )
        lines_until(daemon, "process.ended", "run.planned", "shard.put_back")
        assert runs.find(ledger.store, second_run.id).state is RunState.DONE
        repeated = ledger.store.rows(
            "SELECT COUNT(*) FROM delivery WHERE run = ? AND reason = 'repeat'", (second_run.id,)
        )
        assert (repeated, len(mailbox.mails)) == ([(59,)], 59)
    finally:
        daemon.send_signal(signal.SIGTERM)
        rest = daemon.communicate(timeout=60)[1]
        ledger.close()
    assert daemon.returncode == 0
    assert "daemon.stopped" in rest
