"""The verbs of the in-app inbox: what they print opens the inbox of that person and of nobody else."""

import json
import shutil
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient
from typer.testing import CliRunner

from orchestrator import app as composition
from orchestrator.cli.main import app
from orchestrator.core.times import DAY
from orchestrator.ledger import Purpose
from orchestrator.pipeline import LedgerThread
from orchestrator.web import Health, Seals, site
from orchestrator.web.inbox import token_for
from orchestrator.wire.clock import WallClock

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    for folder in ("config", "templates", "lists"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


@pytest.fixture
def web(project):
    opened, clock = composition.open_project(project, "dev"), WallClock()
    ledger = opened.ledger()
    seals = Seals(ledger.seal(Purpose.UNSUBSCRIBE, clock.now()), ledger.seal(Purpose.INBOX, clock.now()))
    thread = LedgerThread(ledger)

    async def health():
        return Health(well=True)

    yield TestClient(site(thread, seals, {}, clock, health, CollectorRegistry()))
    thread.close()


def said(project, *words, code=0):
    done = CliRunner().invoke(app, ["-C", str(project), *words])
    assert done.exit_code == code, done.output
    return done.output


def test_a_token_made_by_hand_opens_the_inbox(project, web):
    token = said(project, "inbox", "token", "u1").strip()
    answer = web.get("/v1/inbox", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()) == (200, {"messages": []})


def test_the_key_shown_is_the_one_a_server_signs_with(project, web):
    key = json.loads(said(project, "--json", "inbox", "key"))
    token = token_for("u1", key["kid"], bytes.fromhex(key["secret"]), WallClock().now() + DAY // 2)
    assert web.get("/v1/inbox", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert json.loads(said(project, "--json", "inbox", "key")) == key


@pytest.mark.parametrize("lasts", ["2 days", "soon"])
def test_a_token_for_longer_than_a_day_is_refused(project, lasts):
    assert "--for" in said(project, "inbox", "token", "u1", "--for", lasts, code=2)
