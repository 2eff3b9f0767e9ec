"""Environments of one project: none works on what belongs to another, and with stores of their own they do not count for each other."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator import app, planner
from orchestrator.cli.main import app as command_line
from orchestrator.core.errors import OtherEnvironmentError
from tests.doors.shop import FILES, Shop

SETTINGS = "config/orchestrator.yaml"
TWO = {
    **FILES,
    SETTINGS: FILES[SETTINGS] + "environments:\n  dev: {deliver: sink}\n  live: {deliver: sink}\n",
    "config/campaigns/spring.yaml": FILES["config/campaigns/spring.yaml"].replace("repeat: always", "repeat: never"),
}
"""Both deliver to the sink, so that what is sent can be looked at; which stores they have is what this is about."""
TABLES = ("meta", "run", "delivery", "pace", "consent", "suppression", "boot", "inbox", "signing_key")


@pytest.fixture
def dev(tmp_path, ledger_url, monkeypatch):
    """The shop in dev, where Ada has had her message."""
    monkeypatch.setenv("SHOP_LEDGER", ledger_url)
    shop = Shop(tmp_path, TWO)
    shop.people(ada="Ada")
    run = shop.fire()
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    shop.drain()
    assert shop.rows() == {"ada": "accepted"}
    yield shop
    shop.ledger.close()


def say(root, *words):
    return CliRunner().invoke(command_line, ["-C", str(root), "-e", "live", *words])


def state(shop):
    return {table: sorted(map(repr, shop.ledger.store.rows(f"SELECT * FROM {table}"))) for table in TABLES}


VERBS = [
    ("pause", "spring"), ("pause", "1"), ("resume", "spring"), ("cancel", "1"), ("deliveries", "spring"), ("report", "spring"),
    ("plan", "spring"), ("send", "spring", "--yes"), ("retry", "spring", "--yes"), ("send", "spring", "--test", "a@x.test", "--as", "ada"),
    ("import", "suppressions", "--none"), ("import", "consent", "words.csv"), ("import", "profiles", "people.csv"),
    ("segment", "count", "austrians"), ("preview", "spring", "--as", "ada"),
]  # fmt: skip


def test_every_verb_of_another_environment_is_refused_and_leaves_no_trace(dev):
    Path(dev.root, "words.csv").write_text("user_id,channel,topic,granted\nada,email,offers,no\n")
    Path(dev.root, "people.csv").write_text("user_id,email\nbo,bo@x.test\n")
    before = state(dev)
    for verb in VERBS:
        words = [str(dev.root / word) if word.endswith(".csv") else word for word in verb]
        said = say(dev.root, *words)
        assert said.exit_code == 1, (words, said.output)
        assert "belongs to the environment dev, and live needs stores of its own" in said.output, words
        assert "orchestrator --env live import profiles FILE" in said.output
    doctor = say(dev.root, "doctor")
    assert doctor.exit_code == 1
    assert doctor.output.count("belongs to the environment dev") == 2
    assert state(dev) == before
    assert dev.audience.rows('SELECT "user" FROM profile') == [("ada",)]


def test_no_process_of_another_environment_serves_works_or_plans(dev):
    before = state(dev)
    for module in ("daemon", "worker", "planner"):
        words = ["--run", "1"] if module == "planner" else ["--port", "0"] if module == "daemon" else []
        command = [sys.executable, "-m", f"orchestrator.{module}", "--project", str(dev.root), "--env", "live", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 1
        assert "belongs to the environment dev" in done.stderr
    assert state(dev) == before


def test_a_daemon_with_its_own_ledger_does_not_serve_upon_the_audience_of_another(dev, monkeypatch):
    path = dev.root / SETTINGS
    monkeypatch.setenv("LIVE_AUDIENCE", "duckdb:data/audience.duckdb")  # what stands in a variable, no check can tell
    own = 'live: {deliver: sink, stores: {ledger: "sqlite:data/live/ledger.db", audience: "${env:LIVE_AUDIENCE}"}}'
    path.write_text(path.read_text().replace("live: {deliver: sink}", own))
    opened = app.open_project(dev.root, "live")
    with pytest.raises(OtherEnvironmentError, match=r"audience .*belongs to the environment dev"):
        app.refuse_other_audience(opened)
    command = [sys.executable, "-m", "orchestrator.daemon", "--project", str(dev.root), "--env", "live", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, "belongs to the environment dev" in done.stderr) == (1, True)


def test_with_the_stores_that_the_refusal_names_what_was_sent_in_one_does_not_count_in_the_other(dev, monkeypatch):
    stores = re.search(r"write `(stores: \{.*?\})`", say(dev.root, "plan", "spring").output.replace("\n", " "))[1]
    if "LIVE_LEDGER_URL" in stores:
        monkeypatch.setenv("LIVE_LEDGER_URL", "sqlite:data/live/ledger.db")
    path = dev.root / SETTINGS
    path.write_text(path.read_text().replace("live: {deliver: sink}", f"live: {{deliver: sink, {stores}}}"))
    (dev.root / "data" / "sink" / "email.jsonl").unlink()
    live = Shop(dev.root, {}, environment="live")
    try:
        live.people(ada="Ada", bo="Bo")
        run = live.fire()
        planner.plan_run(live.opened, live.ledger, run, live.clock)
        live.drain()
        assert live.rows() == {"ada": "accepted", "bo": "accepted"}
        assert sorted(live.subjects()) == ["ada", "bo"]
        assert dev.rows() == {"ada": "accepted"}
        again = dev.fire(occurrence="again")
        planner.plan_run(dev.opened, dev.ledger, again, dev.clock)
        dev.drain()
        assert dev.ledger.store.rows("SELECT user_id, reason FROM delivery WHERE run = ?", (again.id,)) == [
            ("ada", "repeat")
        ]
    finally:
        live.ledger.close()
