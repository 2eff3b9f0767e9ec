"""`orchestrator retry`: what failed in passing goes again, to people as the audience knows them now."""

import json

from orchestrator.ledger import Ledger
from tests.cli.conftest import orchestrator


def a_run_that_failed(shop, reason="attempts_used_up"):
    """Everybody who was reached counts as failed for this reason; who they are."""
    assert orchestrator(shop, "send", "new_in", "--yes").code == 0
    ledger = Ledger.open("sqlite:data/ledger.db", shop)
    try:
        with ledger.store.transaction():
            ledger.store.change("UPDATE delivery SET state = 'failed', reason = ? WHERE state = 'accepted'", (reason,))
        found = ledger.store.rows("SELECT user_id FROM delivery WHERE state = 'failed' ORDER BY user_id")
        return [row[0] for row in found]
    finally:
        ledger.close()


def accepted(shop):
    rows = orchestrator(shop, "deliveries", "new_in", "--state", "accepted", "--limit", "500", "--json").told
    return sorted(row["user"] for row in rows)


def test_what_failed_goes_again_once_the_number_is_typed(shop):
    users = a_run_that_failed(shop)
    stopped = orchestrator(shop, "retry", "new_in", typed="y\n")
    assert (stopped.code, "nothing was sent" in stopped.err, accepted(shop)) == (1, True, [])
    assert orchestrator(shop, "retry", "new_in", typed=f"{len(users)}\n").code == 0
    assert accepted(shop) == users
    again = orchestrator(shop, "retry", "1", "--yes", "--json")
    assert (again.code, again.told["queued"]) == (0, 0)


def test_only_the_reasons_asked_for_go_again(shop):
    users = a_run_that_failed(shop, "refused")
    assert orchestrator(shop, "retry", "new_in", "--yes", "--json").told["queued"] == 0
    told = orchestrator(shop, "retry", "new_in", "--reason", "refused", "--yes", "--json").told
    assert (told["queued"], accepted(shop)) == (len(users), users)


def test_people_are_taken_as_the_audience_knows_them_now(shop):
    users = a_run_that_failed(shop)
    moved, left = users[0], users[1]
    (shop / "moved.jsonl").write_text(json.dumps({"user_id": moved, "email": "new@example.test"}) + "\n")
    assert orchestrator(shop, "import", "profiles", "moved.jsonl").code == 0
    segment = shop / "config" / "segments" / "staff.yaml"
    segment.write_text(segment.read_text())
    (shop / "lists" / "contractors.csv").write_text(f"user_id\n{left}\n")
    told = orchestrator(shop, "retry", "new_in", "--yes", "--json").told
    assert told["gone"] == 1
    assert left not in accepted(shop)
    lines = [json.loads(line) for line in (shop / "data" / "sink" / "email.jsonl").read_text().splitlines()]
    mailed = [line["to"] for line in lines if line["user"] == moved]
    assert mailed[-1:] == (["new@example.test"] if mailed else [])


def test_a_cancelled_run_and_an_unknown_one_are_refused(shop):
    a_run_that_failed(shop)
    orchestrator(shop, "cancel", "1")
    refused = orchestrator(shop, "retry", "new_in", "--yes")
    assert (refused.code, "is cancelled" in refused.err) == (1, True)
    assert orchestrator(shop, "retry", "77", "--yes").code == 2
    assert "Did you mean new_in" in orchestrator(shop, "retry", "new_inn", "--yes").err
