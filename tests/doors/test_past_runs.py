"""Who was in a segment at a past run is told by the ledger, whatever the audience and the files say by now."""

import json

import pytest
from typer.testing import CliRunner

from orchestrator import planner
from orchestrator.cli.main import app as cli
from orchestrator.core.times import HOUR, Instant
from tests.doors.shop import NOON, Shop, is_


@pytest.fixture
def shop(tmp_path, ledger_url, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", ledger_url)
    made = Shop(tmp_path)
    yield made
    made.ledger.close()


def said(shop, *words):
    return CliRunner().invoke(cli, ["--project", str(shop.root), "--json", "segment", *words])


def test_a_past_runs_members_stay_though_people_move_and_the_segment_goes(shop):
    shop.people(ada="Ada", bo="Bo")
    shop.people("CH", cy="Cy")
    run = shop.fire()
    assert planner.plan_run(shop.opened, shop.ledger, run, shop.clock) == 3
    shop.load(is_("ada", Instant(NOON + HOUR), country="CH"))
    told = json.loads(said(shop, "count", "austrians", "--run", str(run.id)).stdout)
    assert told == {"segment": "austrians", "people": 2, "run": run.id}
    assert json.loads(said(shop, "sample", "swiss", "--run", str(run.id)).stdout)["users"] == ["cy"]
    assert json.loads(said(shop, "count", "swiss").stdout)["people"] == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("austrians", "--run", "77"), "no run 77"),
        (("austrian", "--run", "1"), "Did you mean austrians"),
        (("austrians", "--run", "2"), "run 2 is not planned yet"),
        (("austrians", "--run", "1", "--at", "2026-03-02T10:00+01:00"), "leave --at and --engine away"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(shop, words, says):
    shop.people(ada="Ada")
    planner.plan_run(shop.opened, shop.ledger, shop.fire(), shop.clock)
    shop.fire(occurrence="another")
    answer = said(shop, "count", *words)
    assert answer.exit_code == 2
    assert says in answer.stderr
