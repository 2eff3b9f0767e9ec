"""`pause`, `resume` and `cancel`, and what `report` says of a run before anybody works it."""

from orchestrator.core.nouns import Channel, OnAmbiguous
from orchestrator.core.times import HOUR, NEVER, later
from orchestrator.ledger import Ledger, NewRun, Planned, planning, runs
from orchestrator.wire.clock import WallClock
from tests.cli.conftest import orchestrator
from tests.ledger.builders import a_person


def in_two_waves(shop):
    """Run 1 of new_in, planned: a shard that has met a pause without an end, and one that opens in six hours."""
    ledger = Ledger.open("sqlite:data/ledger.db", shop)
    try:
        now = WallClock().now()
        boot = ledger.begin_boot("test", now)
        new = NewRun("new_in", "once", "0" * 32, now, OnAmbiguous.HOLD)
        run, _ = runs.fire(ledger.store, new, now)
        planning.begin_planning(ledger.store, run.id, boot)
        for number, user in enumerate(("ada", "bo")):
            members = [Planned(a_person(user), ((Channel.EMAIL, 0), (Channel.PUSH, 0)))]
            planning.add_shard(ledger.store, run.id, number, later(now, number * 6 * HOUR), members)
        planning.finish_planning(ledger.store, run.id, boot, 2, now)
        assert orchestrator(shop, "pause", "new_in").code == 0
        assert ledger.put_back(ledger.claim(now), [], now, NEVER, "campaign:new_in") == NEVER
        ledger.end_boot(now)
    finally:
        ledger.close()


def due(shop):
    """Which shards are due."""
    ledger = Ledger.open("sqlite:data/ledger.db", shop)
    try:
        now = WallClock().now()
        return [
            row[0] for row in ledger.store.rows("SELECT number FROM shard WHERE due_at <= ? ORDER BY number", (now,))
        ]
    finally:
        ledger.close()


def test_resume_lets_go_on_what_was_paused_and_cancel_ends_later_waves_too(shop):
    in_two_waves(shop)
    assert due(shop) == []
    assert orchestrator(shop, "resume", "new_in", "--json").told == {"resumed": "campaign:new_in", "stood_still": True}
    assert due(shop) == [0]
    assert orchestrator(shop, "cancel", "1", "--json").told["state"] == "cancelled"
    assert due(shop) == [0, 1]
    again = orchestrator(shop, "cancel", "1")
    assert (again.code, "is cancelled" in again.err) == (1, True)


def test_report_counts_every_row_of_a_run_nobody_has_worked(shop):
    in_two_waves(shop)
    [run] = orchestrator(shop, "report", "new_in", "--json").told
    assert run["audience"] == 2
    assert {(count["channel"], count["state"]): count["rows"] for count in run["counts"]} == {
        ("email", "planned"): 2,
        ("push", "planned"): 2,
    }
    lines = [line.split() for line in orchestrator(shop, "report", "new_in").out.splitlines()]
    assert ["email", "planned", "2"] in lines
    assert ["push", "planned", "2"] in lines


def test_a_cancel_without_a_daemon_says_when_the_rows_will_say_so(shop):
    in_two_waves(shop)
    said = orchestrator(shop, "cancel", "1")
    assert said.out.splitlines() == [
        "run 1 of new_in is cancelled",
        " no daemon runs: nothing more is sent, and its rows say so after the next orchestrator serve",
    ]
