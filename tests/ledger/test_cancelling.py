"""Cancelling and counting, on both databases: a cancelled run's rows need not wait for their wave, and every row is counted from the start."""

import json

import pytest

from orchestrator.core.errors import StoreError
from orchestrator.core.nouns import Channel, DeliveryKey, OnAmbiguous, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import HOUR
from orchestrator.core.turns import Mark
from orchestrator.ledger import NewRun, Planned, RunState, deliveries, figures, planning, runs
from tests.ledger.builders import NOW, a_person

BOTH = ((Channel.EMAIL, 0), (Channel.PUSH, 0))


def two_waves(ledger, state=RunState.WORKING):
    """A run whose second shard opens in six hours."""
    new = NewRun("winback", "once", "v", NOW, OnAmbiguous.HOLD)
    run, _ = runs.fire(ledger.store, new, NOW)
    planning.begin_planning(ledger.store, run.id, ledger.boot)
    ada, bo = a_person("ada", variant="a"), a_person("bo", segment="vips", holdout=True)
    planning.add_shard(ledger.store, run.id, 0, NOW, [Planned(ada, BOTH)])
    planning.add_shard(ledger.store, run.id, 1, NOW + 6 * HOUR, [Planned(bo, BOTH), Planned(a_person("cy"), BOTH[:1])])
    if state is RunState.WORKING:
        planning.finish_planning(ledger.store, run.id, ledger.boot, 3, NOW)
    return run


def due(ledger):
    return [row[0] for row in ledger.store.rows("SELECT due_at FROM shard ORDER BY number")]


def test_a_cancelled_runs_later_waves_are_worked_now(ledger):
    run = two_waves(ledger)
    assert runs.cancel(ledger.store, run.id, "by hand", NOW)
    shards = [ledger.claim(NOW), ledger.claim(NOW)]
    assert [(shard.number, shard.cancelled) for shard in shards] == [(0, True), (1, True)]
    for shard in shards:
        marks = [
            Mark(DeliveryKey(run.id, person.user, channel), State.SKIPPED, Reason.CANCELLED)
            for person in shard.people
            for channel in (Channel.EMAIL, Channel.PUSH)
        ]
        assert ledger.put_back(shard, marks, NOW) is None
    assert {(count.state, count.reason) for count in deliveries.counts(ledger.store, run.id)} == {("skipped", "cancelled")}  # fmt: skip
    assert not runs.cancel(ledger.store, run.id, "by hand", NOW)
    assert due(ledger) == [None, None]


def test_a_shard_that_somebody_has_at_that_moment_is_due_when_it_is_put_back(ledger):
    run = two_waves(ledger)
    shard = ledger.claim(NOW)
    runs.cancel(ledger.store, run.id, "by hand", NOW)
    held = Mark(DeliveryKey(run.id, "ada", Channel.EMAIL), State.HELD, Reason.QUIET_HOURS, not_before=NOW + HOUR)
    gone = Mark(DeliveryKey(run.id, "ada", Channel.PUSH), State.SKIPPED, Reason.NO_ADDRESS)
    assert ledger.put_back(shard, [held, gone], NOW) == NOW
    assert due(ledger) == [NOW, NOW]


def test_what_a_planner_wrote_of_a_run_that_was_cancelled_meanwhile_is_due_too(ledger):
    run = two_waves(ledger, RunState.PLANNING)
    ledger.store.change("UPDATE run SET state = 'cancelled' WHERE id = ?", (run.id,))
    with pytest.raises(StoreError, match="cancelled"):
        planning.finish_planning(ledger.store, run.id, ledger.boot, 3, NOW)
    assert due(ledger) == [NOW, NOW]


def test_a_run_that_goes_on_keeps_its_waves(ledger):
    run = two_waves(ledger)
    assert runs.cancel(ledger.store, run.id + 1, "by hand", NOW) is False
    assert ledger.put_back(ledger.claim(NOW), [], NOW, NOW + HOUR) == NOW + HOUR
    assert due(ledger) == [NOW + HOUR, NOW + 6 * HOUR]


def test_every_row_is_counted_before_anybody_works_it(ledger):
    run = two_waves(ledger)
    counts = {(c.state, c.channel, c.segment, c.variant, c.holdout): c.rows for c in deliveries.counts(ledger.store, run.id)}  # fmt: skip
    assert counts == {
        ("planned", "email", "everyone", "a", False): 1,
        ("planned", "push", "everyone", "a", False): 1,
        ("planned", "email", "vips", "", True): 1,
        ("planned", "push", "vips", "", True): 1,
        ("planned", "email", "everyone", "", False): 1,
    }
    assert figures.Deliveries().since(ledger.store, NOW) == {("winback", "email", "planned"): 3, ("winback", "push", "planned"): 2}  # fmt: skip
    planned = ledger.store.rows("SELECT summary FROM shard ORDER BY number")
    ledger.put_back(ledger.claim(NOW), [], NOW)
    again = ledger.store.rows("SELECT summary FROM shard ORDER BY number")
    assert [json.loads(row[0]) for row in again] == [json.loads(row[0]) for row in planned]
