"""A report while its run is worked: rows and people are of one moment, whoever writes meanwhile."""

import json
from collections import Counter

import pytest
from typer.testing import CliRunner

from orchestrator import planner
from orchestrator.cli.main import app as verbs
from orchestrator.ledger import deliveries, standing
from tests.doors.shop import NOON, Shop
from tests.ledger.builders import a_person, an_answer, intend, ready, settle

PEOPLE = ("ada", "bo", "cy", "di", "ed", "flo")


@pytest.fixture
def shop(tmp_path, ledger_url, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", ledger_url)
    made = Shop(tmp_path)
    made.people(**{user: user.title() for user in PEOPLE})
    yield made
    made.ledger.close()


@pytest.fixture
def run(shop):
    """A run that is planned, and of which nothing was sent."""
    fired = shop.fire()
    planner.plan_run(shop.opened, shop.ledger, fired, shop.clock)
    return fired


def sends(ledger, run, *users):
    """A worker in the middle of a shard: these have their message, and the shard is not put back yet."""
    messages = [ready(run, a_person(user)) for user in users]
    assert len(intend(ledger, run, *messages, now=NOON).go) == len(users)
    settle(ledger, run, *(an_answer(message) for message in messages), now=NOON)


def report(shop):
    done = CliRunner().invoke(verbs, ["-C", str(shop.root), "--json", "report", "spring"])
    assert done.exit_code == 0, done.output
    [told] = json.loads(done.stdout)
    rows = Counter()
    for one in told["counts"]:
        rows[one["state"]] += one["rows"]
    return {name: told["people"][name] for name in ("people", "reached", "waiting")}, rows


def test_rows_are_those_of_the_people_before_the_shard_is_put_back(shop, run):
    sends(shop.ledger, run, "ada", "bo")
    assert report(shop) == ({"people": 6, "reached": 2, "waiting": 4}, Counter(accepted=2, planned=4))
    summed = {(one.state, one.rows) for one in deliveries.counts(shop.ledger.store, run.id)}
    assert summed == {("planned", 6)}, "what shards said at their last put-back lags behind"


def test_somebody_who_writes_between_the_questions_changes_neither_answer(shop, run, monkeypatch):
    asked = standing.people

    def asked_and_then_written(store, number, user=None):
        found = asked(store, number, user)
        sends(shop.ledger, run, *PEOPLE[:3])
        return found

    monkeypatch.setattr(standing, "people", asked_and_then_written)
    assert report(shop) == ({"people": 6, "reached": 0, "waiting": 6}, Counter(planned=6))
    monkeypatch.setattr(standing, "people", asked)
    assert report(shop) == ({"people": 6, "reached": 3, "waiting": 3}, Counter(accepted=3, planned=3))


def test_a_run_that_is_over_is_told_from_its_summaries_and_they_are_its_rows(shop, run):
    shop.drain()
    people, rows = report(shop)
    assert people == {"people": 6, "reached": 6, "waiting": 0}
    assert rows == Counter(accepted=6) == standing.states(shop.ledger.store, run.id)
