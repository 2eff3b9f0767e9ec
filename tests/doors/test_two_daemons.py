"""Two daemons on one PostgreSQL ledger, with two versions of the files: one tick makes one run, each person gets one message."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from orchestrator.core.times import DAY, Instant
from orchestrator.ledger import RunState, runs
from tests.conftest import fresh_database
from tests.doors.serving import Daemon, a_shop
from tests.proof.evidence import now
from tests.proof.project import CAMPAIGN

ASLEEP = "SELECT pg_sleep(0.05)"
BOTH_FIRE = (
    "SELECT COUNT(*) FROM pg_locks WHERE relation = 'run'::regclass AND mode = 'RowExclusiveLock' AND NOT granted"
)


@pytest.fixture
def ledger_of_two(postgresql):
    """The URL of a database that two daemons share."""
    return fresh_database(postgresql)


@pytest.fixture
def shop(tmp_path, monkeypatch, ledger_of_two):
    """A shop whose campaign fires once a day, the last time an hour ago."""
    with a_shop(tmp_path / "one", monkeypatch, ledger_url=ledger_of_two) as made:
        campaign = made.root / "config" / "campaigns" / "proof.yaml"
        an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
        campaign.write_text(f"{campaign.read_text()}schedule: {{every: 'day at {an_hour_ago:%H:%M}'}}\n")
        yield made.again()


def test_one_tick_makes_one_run_and_one_message_a_person(shop, tmp_path, ledger_of_two):
    second = tmp_path / "two"
    shutil.copytree(shop.root, second)
    template = second / "templates" / "proof" / "_default" / "push.yaml"
    template.write_text(template.read_text().replace("Dear", "Hello"))
    # The clock was last looked at a day ago: one occurrence is owed.
    shop.ledger.look(CAMPAIGN, Instant(now() - DAY))
    with psycopg.connect(ledger_of_two) as gate, psycopg.connect(ledger_of_two, autocommit=True) as eye:
        gate.execute("LOCK TABLE run IN SHARE MODE")
        daemons = [shop.serve(), Daemon(second)]
        shop.daemons.append(daemons[1])
        versions = {json.loads(daemon.until("config.taken"))["version"] for daemon in daemons}
        assert len(versions) == 2
        # Both have read what is owed, and are about to write its row.
        while eye.execute(BOTH_FIRE).fetchone() != (2,):
            eye.execute(ASLEEP)
    while not (made := runs.listed(shop.ledger.store)) or made[0].state is not RunState.DONE:
        shop.ledger.store.rows(ASLEEP)
    [run] = made
    assert run.version[:12] in versions
    assert shop.states(run.id) == {("accepted", ""): 300}
    assert set(shop.received().values()) == {1}
    assert len(shop.received()) == 300
    assert [daemon.stop() for daemon in daemons] == [0, 0]
    assert sum("run.fired" in line for daemon in daemons for line in daemon.said) == 1
    assert runs.listed(shop.ledger.store) == [run]
