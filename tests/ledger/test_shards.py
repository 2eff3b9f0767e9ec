"""The queue of shards and what happens to it when processes die, on both databases."""

import json
from dataclasses import replace

import pytest

from orchestrator.core.errors import StoreError
from orchestrator.core.nouns import Channel, DeliveryKey, OnAmbiguous, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, HOUR, MINUTE
from orchestrator.core.turns import Mark
from orchestrator.ledger import NewRun, Planned, RunState, planning, postgresql, runs
from orchestrator.ledger.postgresql import PostgreSQLStore
from tests.ledger.builders import NOW, a_person, a_run, an_answer, intend, ready, row, settle

FULL = 2
"""What SQLite calls it when a commit waits until it is on the disk."""


def a_second_process(open_ledger):
    other = open_ledger()
    other.begin_boot("test", NOW)
    return other


def kill(dead, witness):
    """What the kernel does to a process that dies: its locks are free at once, nothing is written."""
    token = dead.boot.token
    dead.close()
    if isinstance(witness.store, PostgreSQLStore):
        # The server notices a moment after the socket closes; asking for the lock waits for exactly that.
        number = postgresql.lock_number(token)
        witness.store.rows("SELECT pg_advisory_lock(?)", (number,))
        witness.store.rows("SELECT pg_advisory_unlock(?)", (number,))


def fire(ledger, **over):
    new = {"campaign": "winback", "occurrence": "once", "version": "v", "due_at": NOW, "on_ambiguous": OnAmbiguous.HOLD}
    return runs.fire(ledger.store, NewRun(**{**new, **over}), NOW)


def skip(run, person, channel, reason=Reason.NO_CONSENT):
    return Mark(DeliveryKey(run.id, person.user, channel), State.SKIPPED, reason)


def test_an_occurrence_fires_once_however_many_processes_fire_it(ledger, open_ledger):
    first, made = fire(ledger)
    again, made_again = fire(a_second_process(open_ledger), version="another")
    assert (made, made_again) == (True, False)
    assert again == first


def test_a_shard_is_claimed_by_one_worker_only(ledger, open_ledger):
    run = a_run(ledger)
    assert ledger.claim(NOW).run == run.id
    assert a_second_process(open_ledger).claim(NOW) is None


def test_a_claimed_shard_knows_its_people_as_they_were_planned(ledger):
    ada = a_person(
        "ada", variant="discount", attributes={"firstName": "Ada", "größe": 1.5, "tags": ["a"], "none": None}
    )
    a_run(ledger, ada)
    assert ledger.claim(NOW).people == (ada,)


def test_a_claimed_shard_says_how_much_is_known_of_its_people_at_most(ledger):
    letter = "a letter " * 2000
    a_run(ledger, a_person("u1"), a_person("u2", attributes={"letter": letter}))
    shard = ledger.claim(NOW)
    assert len(letter) < shard.weight < len(letter) + 2000


def test_the_ledger_says_whether_a_run_is_being_planned(ledger):
    run, _ = fire(ledger)
    assert not ledger.plans()
    planning.begin_planning(ledger.store, run.id, ledger.boot)
    assert ledger.plans()
    planning.finish_planning(ledger.store, run.id, ledger.boot, 0, NOW)
    assert not ledger.plans()


def test_a_plan_waits_for_the_disk_once_when_it_is_finished(ledger):
    """Before that a power cut may take shards away: the run is planned anew then, and nothing of it has left."""

    def waits():
        if isinstance(ledger.store, PostgreSQLStore):
            return ledger.store.rows("SHOW synchronous_commit")[0][0] != "off"
        return ledger.store.rows("PRAGMA synchronous")[0][0] == FULL

    run, _ = fire(ledger)
    planning.begin_planning(ledger.store, run.id, ledger.boot)
    planning.add_shard(ledger.store, run.id, 0, NOW, [Planned(a_person(), ((Channel.EMAIL, 0),))])
    with ledger.store.transaction(lasting=False):
        assert not waits()
    planning.finish_planning(ledger.store, run.id, ledger.boot, 1, NOW)
    with ledger.store.transaction():
        assert waits()


def test_a_run_is_not_worked_before_its_last_shard_stands(ledger):
    run, _ = fire(ledger)
    planning.begin_planning(ledger.store, run.id, ledger.boot)
    planning.add_shard(ledger.store, run.id, 0, NOW, [Planned(a_person(), ((Channel.EMAIL, 0),))])
    assert ledger.claim(NOW) is None
    planning.finish_planning(ledger.store, run.id, ledger.boot, 1, NOW)
    assert ledger.claim(NOW).number == 0


def test_a_run_that_waits_for_a_person_is_worked_after_they_approve(ledger):
    run, _ = fire(ledger)
    planning.begin_planning(ledger.store, run.id, ledger.boot)
    planning.add_shard(ledger.store, run.id, 0, NOW, [Planned(a_person(), ((Channel.EMAIL, 0),))])
    planning.finish_planning(ledger.store, run.id, ledger.boot, 1, NOW, hold="1 person, expected 2000 to 60000")
    assert ledger.claim(NOW) is None
    assert runs.steer(ledger.store, run.id, RunState.WORKING, [RunState.WAITING])
    assert ledger.claim(NOW) is not None


def test_an_empty_audience_is_done_at_once(ledger):
    run, _ = fire(ledger)
    planning.begin_planning(ledger.store, run.id, ledger.boot)
    planning.finish_planning(ledger.store, run.id, ledger.boot, 0, NOW)
    assert runs.find(ledger.store, run.id).state is RunState.DONE


def test_two_planners_never_plan_one_run(ledger, open_ledger):
    run, _ = fire(ledger)
    other = a_second_process(open_ledger)
    assert planning.begin_planning(ledger.store, run.id, ledger.boot)
    assert not planning.begin_planning(other.store, run.id, other.boot)
    with pytest.raises(StoreError, match="planned by somebody else"):
        planning.finish_planning(other.store, run.id, other.boot, 1, NOW)


def test_a_dead_planners_rows_are_deleted_and_the_run_is_planned_anew(ledger, open_ledger):
    dead = a_second_process(open_ledger)
    run, _ = fire(dead)
    planning.begin_planning(dead.store, run.id, dead.boot)
    for number in range(20):
        planning.add_shard(dead.store, run.id, number, NOW, [Planned(a_person(f"u{number:02}"), ((Channel.EMAIL, 0),))])
    kill(dead, ledger)
    assert ledger.recover(NOW).boots == 1
    assert ledger.store.rows("SELECT COUNT(*) FROM delivery") == [(0,)]
    assert ledger.store.rows("SELECT COUNT(*) FROM shard") == [(0,)]
    assert planning.begin_planning(ledger.store, run.id, ledger.boot)


def test_writing_the_same_shard_again_is_harmless(ledger):
    run, _ = fire(ledger)
    planning.begin_planning(ledger.store, run.id, ledger.boot)
    for _ in range(2):
        planning.add_shard(ledger.store, run.id, 0, NOW, [Planned(a_person(), ((Channel.EMAIL, 0), (Channel.PUSH, 0)))])
    assert ledger.store.rows("SELECT COUNT(*) FROM delivery") == [(2,)]


def test_a_shard_comes_back_at_the_earliest_moment_left_in_it(ledger):
    run = a_run(ledger, ada := a_person("ada"))
    shard = ledger.claim(NOW)
    held = Mark(DeliveryKey(run.id, "ada", Channel.EMAIL), State.HELD, Reason.QUIET_HOURS, not_before=NOW + HOUR)
    assert ledger.put_back(shard, [held, skip(run, ada, Channel.PUSH)], NOW) == NOW + HOUR
    assert ledger.claim(NOW + HOUR - 1) is None
    assert ledger.claim(NOW + HOUR).people == shard.people


def test_a_shard_put_back_with_a_floor_is_not_due_before_it(ledger):
    a_run(ledger, a_person("ada"))
    assert ledger.put_back(ledger.claim(NOW), [], NOW, not_before=NOW + MINUTE) == NOW + MINUTE


def test_when_nothing_is_left_the_people_are_dropped_and_the_run_is_done(ledger):
    run = a_run(ledger, ada := a_person("ada"))
    shard = ledger.claim(NOW)
    assert ledger.put_back(shard, [skip(run, ada, Channel.PUSH), skip(run, ada, Channel.EMAIL)], NOW) is None
    assert ledger.store.rows("SELECT people, due_at, claimed_by FROM shard") == [(None, None, None)]
    assert runs.find(ledger.store, run.id).state is RunState.DONE


def test_a_summary_is_recounted_from_the_rows(ledger):
    run = a_run(ledger, ada := a_person("ada"), a_person("bo"), a_person("cy"))
    shard = ledger.claim(NOW)
    intend(ledger, run, message := ready(run, ada))
    settle(ledger, run, an_answer(message))
    ledger.put_back(shard, [skip(run, p, Channel.PUSH, Reason.OTHER_CHANNEL) for p in shard.people], NOW)
    [(summary,)] = ledger.store.rows("SELECT summary FROM shard")
    assert json.loads(summary) == [
        ["accepted", "", "email", "everyone", "", 0, 1],
        ["planned", "", "email", "everyone", "", 0, 2],
        ["skipped", "other_channel", "push", "everyone", "", 0, 3],
    ]


def test_a_cancelled_runs_shards_are_still_worked_to_their_end(ledger):
    run = a_run(ledger)
    runs.steer(ledger.store, run.id, RunState.CANCELLED, [RunState.WORKING])
    assert ledger.claim(NOW).cancelled


def test_the_living_lose_nothing_to_recovery(ledger, open_ledger):
    run = a_run(ledger, ada := a_person("ada"))
    ledger.claim(NOW)
    intend(ledger, run, message := ready(run, ada))
    assert a_second_process(open_ledger).recover(NOW).boots == 0
    assert row(ledger, message, "state") == State.INTENT


def dies_in_the_air(ledger, open_ledger, on_ambiguous, **over):
    """A worker claims, intends one message, and dies before its answer; returns the message."""
    run = a_run(ledger, ada := a_person("ada"), on_ambiguous=on_ambiguous)
    dead = a_second_process(open_ledger)
    dead.claim(NOW)
    intend(dead, run, message := ready(run, ada, **over))
    kill(dead, ledger)
    return message


def test_with_a_key_a_message_in_the_air_goes_again_under_the_same_key(ledger, open_ledger):
    message = dies_in_the_air(ledger, open_ledger, OnAmbiguous.HOLD, again_until=NOW + DAY)
    found = ledger.recover(NOW + MINUTE)
    assert (found.boots, found.again, found.resent, found.unknown) == (1, 1, 0, 0)
    assert row(ledger, message, "state", "maybe_duplicate", "attempt") == ("retry_wait", 0, 1)
    assert ledger.claim(NOW + MINUTE) is not None


def test_a_key_the_provider_has_forgotten_is_no_key(ledger, open_ledger):
    message = dies_in_the_air(ledger, open_ledger, OnAmbiguous.HOLD, again_until=NOW + MINUTE)
    assert ledger.recover(NOW + HOUR).unknown == 1
    assert row(ledger, message, "state", "reason") == ("unknown", "no_answer")


def test_without_a_key_hold_leaves_it_unknown(ledger, open_ledger):
    message = dies_in_the_air(ledger, open_ledger, OnAmbiguous.HOLD)
    assert ledger.recover(NOW).unknown == 1
    assert row(ledger, message, "state", "maybe_duplicate") == ("unknown", 0)


def test_without_a_key_resend_sends_again_and_flags_it(ledger, open_ledger):
    message = dies_in_the_air(ledger, open_ledger, OnAmbiguous.RESEND)
    assert ledger.recover(NOW).resent == 1
    assert row(ledger, message, "state", "maybe_duplicate") == ("retry_wait", 1)


def test_recovering_twice_finds_nothing_the_second_time(ledger, open_ledger):
    dies_in_the_air(ledger, open_ledger, OnAmbiguous.RESEND)
    assert ledger.recover(NOW).boots == 1
    assert ledger.recover(NOW).boots == 0


def test_an_answer_that_comes_after_recovery_settles_nothing(ledger, open_ledger):
    message = dies_in_the_air(ledger, open_ledger, OnAmbiguous.HOLD)
    ledger.recover(NOW)
    settle(ledger, runs.listed(ledger.store)[0], replace(an_answer(message), attempt=1))
    assert row(ledger, message, "state") == State.UNKNOWN


def test_a_bundle_is_kept_once_and_comes_back_byte_for_byte(ledger):
    files = {"config/campaigns/winback.yaml": "größe: 1\n".encode(), "templates/x.bin": bytes(range(256))}
    version = runs.keep_bundle(ledger.store, files, NOW)
    assert runs.keep_bundle(ledger.store, dict(reversed(files.items())), NOW) == version
    assert runs.bundle(ledger.store, version) == files
    assert runs.keep_bundle(ledger.store, {**files, "a": b""}, NOW) != version


def test_a_missing_bundle_says_what_to_do(ledger):
    with pytest.raises(StoreError, match="no bundle"):
        ledger.bundle("0" * 32)
