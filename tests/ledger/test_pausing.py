"""Pause and resume, on both databases: what a pause put off is due when it ends, and nothing else is."""

import pytest

from orchestrator.core.nouns import Channel, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, HOUR, MINUTE, NEVER
from orchestrator.core.turns import Mark, Pacing
from orchestrator.ledger import Planned, pace, planning, runs
from tests.ledger.builders import NOW, a_person, a_run, intend, ready, row


def put_off(ledger, scope, until):
    """A shard that met a pause: claimed, refused, put back until it ends."""
    shard = ledger.claim(NOW)
    with ledger.store.transaction():
        pace.pause(ledger.store, scope, until, "by hand", NOW)
    run = runs.find(ledger.store, shard.run)
    permission = intend(ledger, run, *(ready(run, person) for person in shard.people), paces=[Pacing(scope)])
    assert (permission.go, permission.scope) == ((), scope)
    return ledger.put_back(shard, [], NOW, permission.ask_again, permission.scope)


@pytest.mark.parametrize("scope", ["campaign:winback", "provider:post"])
def test_what_a_pause_put_off_is_due_when_somebody_resumes_it(ledger, scope):
    run = a_run(ledger)
    assert put_off(ledger, scope, None) == NEVER
    assert ledger.claim(NOW + DAY) is None
    assert pace.resume(ledger.store, scope, NOW + MINUTE)
    assert ledger.claim(NOW + MINUTE).run == run.id
    assert not pace.resume(ledger.store, scope, NOW + MINUTE)


def test_a_pause_with_an_end_ends_by_itself_or_when_somebody_resumes_it(ledger):
    a_run(ledger)
    a_run(ledger, occurrence="two")
    assert put_off(ledger, "provider:post", NOW + HOUR) == NOW + HOUR
    assert ledger.claim(NOW).occurrence == "two"
    assert ledger.claim(NOW + HOUR - 1) is None
    assert pace.resume(ledger.store, "provider:post", NOW + MINUTE)
    assert ledger.claim(NOW + MINUTE) is not None


def test_a_pause_that_was_prolonged_puts_off_no_longer_than_until_it_is_resumed(ledger):
    a_run(ledger)
    put_off(ledger, "provider:post", NOW + HOUR)
    with ledger.store.transaction():
        pace.pause(ledger.store, "provider:post", None, "by hand", NOW)
    assert pace.resume(ledger.store, "provider:post", NOW + MINUTE)
    assert ledger.claim(NOW + MINUTE) is not None


def test_a_resume_pulls_no_later_wave_and_no_other_campaign_forward(ledger):
    run = a_run(ledger)
    late = [Planned(a_person("late"), ((Channel.EMAIL, 0),))]
    planning.add_shard(ledger.store, run.id, 1, NOW + HOUR, late)
    other = a_run(ledger, a_person("ada"), campaign="other", occurrence="two")
    assert put_off(ledger, "campaign:winback", None) == NEVER
    waits = ledger.claim(NOW)
    assert waits.run == other.id
    ledger.put_back(waits, [], NOW, NOW + HOUR)
    pace.resume(ledger.store, "campaign:winback", NOW)
    due = ledger.store.rows("SELECT run, number, due_at FROM shard ORDER BY run, number")
    assert due == [(run.id, 0, NOW), (run.id, 1, NOW + HOUR), (other.id, 0, NOW + HOUR)]


def test_rows_that_wait_for_themselves_do_so_after_a_resume(ledger):
    run = a_run(ledger, ada := a_person("ada", addresses={Channel.EMAIL: a_person("ada").addresses[Channel.EMAIL]}))
    shard = ledger.claim(NOW)
    held = Mark(ready(run, ada).key, State.HELD, Reason.QUIET_HOURS, not_before=NOW + HOUR)
    with ledger.store.transaction():
        pace.pause(ledger.store, "campaign:winback", None, "by hand", NOW)
    assert ledger.put_back(shard, [held], NOW, NEVER, "campaign:winback") == NEVER
    pace.resume(ledger.store, "campaign:winback", NOW)
    assert row(ledger, ready(run, ada), "state", "not_before") == ("held", NOW + HOUR)
    assert ledger.put_back(ledger.claim(NOW), [], NOW) == NOW + HOUR


def test_a_shard_put_back_after_its_pause_was_resumed_waits_for_nobody(ledger, open_ledger):
    a_run(ledger)
    shard = ledger.claim(NOW)
    with ledger.store.transaction():
        pace.pause(ledger.store, "campaign:winback", None, "by hand", NOW)
    assert pace.resume(open_ledger().store, "campaign:winback", NOW)
    assert ledger.put_back(shard, [], NOW, NEVER, "campaign:winback") == NOW
