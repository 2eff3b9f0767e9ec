"""The ledger's figures agree with its rows, and what processes counted never falls when they go."""

from collections import Counter

from orchestrator.core.nouns import State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, MINUTE, Instant
from orchestrator.ledger import deliveries, figures, pace
from tests.ledger.builders import NOW, a_person, a_run, an_answer, intend, ready, settle


def recounted(ledger):
    rows = ledger.store.rows(
        "SELECT r.campaign, d.channel, d.state, COUNT(*) FROM delivery d JOIN run r ON r.id = d.run GROUP BY 1, 2, 3"
    )
    return Counter({tuple(what): number for *what, number in rows})


def worked(ledger, person, state=State.ACCEPTED, reason="", **over):
    """A run of one person, its mail answered, put back."""
    mail = {"email": person.addresses["email"]}
    run = a_run(ledger, a_person(person.user, addresses=mail), **over)
    shard = ledger.claim(NOW)
    message = ready(run, shard.people[0])
    intend(ledger, run, message)
    settle(ledger, run, an_answer(message, state, reason=reason))
    ledger.put_back(shard, [], NOW)
    return run


def test_deliveries_are_counted_as_the_rows_stand_and_old_runs_are_left_out(ledger):
    counting = figures.Deliveries()
    worked(ledger, a_person("ada"))
    old = worked(ledger, a_person("bo"), occurrence="old")
    ledger.store.change("UPDATE run SET due_at = ? WHERE id = ?", (NOW - 8 * DAY, old.id))
    assert counting.since(ledger.store, Instant(0)) == recounted(ledger)
    assert counting.since(ledger.store, Instant(NOW - 7 * DAY)) == {("winback", "email", "accepted"): 1}


def test_a_finished_run_that_is_opened_again_is_counted_anew(ledger):
    counting = figures.Deliveries()
    run = worked(ledger, a_person("ada"), State.FAILED, Reason.ATTEMPTS_USED_UP)
    assert counting.since(ledger.store, Instant(0)) == {("winback", "email", "failed"): 1}
    assert deliveries.retry(ledger.store, run.id, [a_person("ada")], NOW) == 1
    assert counting.since(ledger.store, Instant(0)) == recounted(ledger) == {("winback", "email", "planned"): 1}
    shard = ledger.claim(NOW)
    message = ready(run, shard.people[0])
    intend(ledger, run, message)
    settle(ledger, run, an_answer(message))
    ledger.put_back(shard, [], NOW)
    assert counting.since(ledger.store, Instant(0)) == recounted(ledger) == {("winback", "email", "accepted"): 1}


def test_the_queue_says_what_is_due_and_since_when(ledger):
    assert figures.queue(ledger.store, NOW) == figures.Queue(0, 0, 0, None)
    a_run(ledger)
    assert figures.queue(ledger.store, Instant(NOW + MINUTE)) == figures.Queue(1, 0, 0, NOW)
    assert figures.queue(ledger.store, Instant(NOW - MINUTE)) == figures.Queue(0, 0, 1, None)
    ledger.claim(NOW)
    assert figures.queue(ledger.store, NOW) == figures.Queue(0, 1, 0, None)
    assert figures.runs_by_state(ledger.store) == {"working": 1}


def test_pauses_and_breakers_are_told(ledger):
    with ledger.store.transaction():
        pace.pause(ledger.store, "campaign:winback", None, "by hand", NOW)
        pace.answered(ledger.store, "provider:mail", good=0, bad=pace.BREAKS_AT, now=NOW)
    found = {one.scope: one for one in figures.paces(ledger.store)}
    assert found["campaign:winback"].paused_until > NOW + DAY
    assert (found["provider:mail"].open, found["campaign:winback"].open) == (True, False)


def test_what_the_dead_counted_is_kept_and_the_living_keep_their_own_row(open_ledger):
    first, second = open_ledger(), open_ledger()
    for ledger, number in ((first, 3), (second, 4)):
        ledger.begin_boot("worker", NOW)
        figures.keep(ledger.store, ledger.boot, {"turns\twinback": number, "seconds_sum\tmail": 0.5})
    living = second.boot
    first.close()
    total = {"turns\twinback": 7, "seconds_sum\tmail": 1.0}
    watching = open_ledger()
    assert figures.counted(watching.store) == total
    assert (figures.fold(watching.store, None), figures.counted(watching.store)) == (1, total)
    assert figures.fold(watching.store, None) == 0
    figures.keep(second.store, living, {"turns\twinback": 9, "seconds_sum\tmail": 0.75})
    second.close()
    assert figures.fold(watching.store, None) == 1
    assert figures.counted(watching.store) == {"turns\twinback": 12, "seconds_sum\tmail": 1.25}
