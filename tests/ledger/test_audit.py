"""Who approved, paused and resumed what, on both databases: written in the transaction that does it."""

from orchestrator.core.times import HOUR, MINUTE, Instant
from orchestrator.ledger import RunState, audit, pace, runs
from orchestrator.ledger.audit import What
from tests.ledger.builders import NOW, a_run


def waiting(ledger):
    run = a_run(ledger)
    ledger.store.change("UPDATE run SET state = 'waiting', reason = 'late data' WHERE id = ?", (run.id,))
    return run


def test_an_approval_is_kept_with_who_when_and_what_it_waited_for(ledger, open_ledger):
    run = waiting(ledger)
    assert runs.approvals(ledger.store, [run.id]) == {}
    assert runs.approve(ledger.store, run.id, "Ada", NOW)
    found = runs.find(ledger.store, run.id)
    assert (found.state, found.reason) == (RunState.WORKING, "")
    entry = runs.approvals(open_ledger().store, [run.id, 99])[run.id]
    assert (entry.who, entry.at, entry.detail) == ("Ada", NOW, "late data")


def test_two_who_approve_at_once_are_one_approval(ledger, open_ledger):
    run = waiting(ledger)
    assert runs.approve(ledger.store, run.id, "Ada", NOW)
    assert not runs.approve(open_ledger().store, run.id, "Bo", NOW)
    assert runs.approvals(ledger.store, [run.id])[run.id].who == "Ada"


def test_a_run_that_does_not_wait_is_not_approved(ledger):
    run = a_run(ledger)
    assert not runs.approve(ledger.store, run.id, "Ada", NOW)
    assert not runs.approve(ledger.store, run.id + 7, "Ada", NOW)
    assert runs.approvals(ledger.store, [run.id]) == {}


def test_a_halted_run_is_known_by_when_it_was_halted(ledger):
    run = a_run(ledger)
    assert ledger.halt(run.id, "it never ends", NOW)
    assert not ledger.halt(run.id, "it never ends", Instant(NOW + HOUR))
    subject = audit.run_subject(run.id)
    entry = audit.newest(ledger.store, [subject], What.PAUSED)[subject]
    assert (entry.who, entry.at, entry.detail) == ("", NOW, "it never ends")


def test_a_pause_until_somebody_resumes_it_is_known_by_its_beginning(ledger):
    for turn, minute in ((None, 0), (Instant(NOW + HOUR), 1), (None, 2)):
        with ledger.store.transaction():
            pace.pause(ledger.store, "provider:mail", turn, "401", Instant(NOW + minute * MINUTE), "Ada")
    assert audit.newest(ledger.store, ["provider:mail"], What.PAUSED)["provider:mail"].at == NOW
    assert pace.resume(ledger.store, "provider:mail", Instant(NOW + HOUR), "Bo")
    with ledger.store.transaction():
        pace.pause(ledger.store, "provider:mail", None, "401", Instant(NOW + 2 * HOUR))
    told = [(entry.what, entry.who, entry.at - NOW) for entry in audit.listed(ledger.store, ["provider:mail"])]
    assert told == [("paused", "Ada", 0), ("resumed", "Bo", HOUR), ("paused", "", 2 * HOUR)]


def test_what_nobody_did_leaves_no_entry(ledger):
    assert not pace.resume(ledger.store, "provider:mail", NOW, "Bo")
    assert audit.listed(ledger.store, ["provider:mail"]) == []
