"""A send beside a daemon: what others work is waited for, who waits is told, and a run is planned by one of them alone."""

import asyncio
import io

import pytest
from rich.console import Console

from orchestrator.cli.following import LOOK_EVERY, NEAR, Following, who_waits
from orchestrator.cli.progress import Progress
from orchestrator.core.campaigns import Campaign, Policy
from orchestrator.core.nouns import Channel, DeliveryKey, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import HOUR, SECOND, Instant, iso
from orchestrator.core.turns import Mark, Permission
from orchestrator.dispatch import HalfTurn
from orchestrator.ledger import NewRun, RunState, pace, planning, runs, standing
from orchestrator.pipeline import LedgerThread
from tests.ledger.builders import NOW, a_run, ready


class Still:
    """A clock that stands."""

    def now(self):
        return NOW


@pytest.fixture
def other(open_ledger):
    made = open_ledger()
    made.begin_boot("worker", NOW)
    return made


@pytest.fixture
def winback():
    return Campaign("winback", (Channel.EMAIL,), Policy(time_zone="UTC"), routes={Channel.EMAIL: ("post",)})


def looks_again(ledger, run):
    shown = io.StringIO()
    progress = Progress(run, 6, Still(), quiet=False, console=Console(file=shown))

    async def once():
        following = Following(run.id, progress, Still())
        held = LedgerThread(ledger)
        again = await following.wait(held, asyncio.Event())
        await following.count(held)
        return again

    return asyncio.run(once()), progress.figures()


def due(ledger, run, at):
    with ledger.store.transaction():
        ledger.store.change("UPDATE shard SET due_at = ? WHERE run = ?", (at, run.id))


def test_a_shard_that_somebody_else_works_is_waited_for_and_counted(ledger, other):
    run = a_run(ledger)
    shard = other.claim(NOW)
    assert ledger.claim(NOW) is None
    with other.store.transaction():
        other.store.change("UPDATE delivery SET state = 'accepted' WHERE channel = 'email'")
    again, figures = looks_again(ledger, run)
    assert again
    assert figures.startswith("sent 3 · accepted 3 ·")
    with other.store.transaction():
        other.store.change("UPDATE delivery SET state = 'skipped' WHERE channel = 'push'")
    other.put_back(shard, [], NOW)
    assert looks_again(ledger, run)[0] is False


@pytest.mark.parametrize(("after", "waited"), [(SECOND, True), (NEAR, True), (NEAR + LOOK_EVERY, False)])
def test_what_is_due_soon_is_waited_for_and_what_is_due_later_is_not(ledger, after, waited):
    run = a_run(ledger)
    due(ledger, run, NOW + after)
    assert looks_again(ledger, run)[0] is waited


def test_a_paused_run_is_not_waited_for(ledger):
    run = a_run(ledger)
    assert runs.steer(ledger.store, run.id, RunState.PAUSED, [RunState.WORKING])
    assert looks_again(ledger, run)[0] is False


def test_at_last_the_ledger_is_asked_for_what_was_put_back_is_not_sent(ledger):
    run = a_run(ledger)
    progress = Progress(run, 6, Still(), quiet=True)
    shard = ledger.claim(NOW)
    progress.marked(shard, [Mark(DeliveryKey(run.id, "ada", Channel.EMAIL), State.FAILED, Reason.REFUSED, "paused")])
    following, held = Following(run.id, progress, Still()), LedgerThread(ledger)
    assert "failed 1" in progress.figures()
    asyncio.run(following.count(held, last=True))
    assert "failed 0" in progress.figures()


def test_what_other_runs_had_due_is_not_counted_as_the_runs_own(ledger):
    first, run = a_run(ledger), a_run(ledger, occurrence="another")
    shards = sorted((ledger.claim(NOW) for _ in range(2)), key=lambda shard: shard.run)
    assert [shard.run for shard in shards] == [first.id, run.id]
    progress = Progress(run, 6, Still(), quiet=True)
    for shard in shards:
        for user in ("u1", "u2", "u3")[: shard.run]:
            mark = Mark(DeliveryKey(shard.run, user, Channel.EMAIL), State.FAILED, Reason.REFUSED, "no")
            progress.marked(shard, [mark])
            person = next(one for one in shard.people if one.user == user)
            turn = HalfTurn([], [], NOW)
            progress.turned(shard, turn, Permission(accepted=(ready(run, person),)))
    assert progress.figures() == "sent 2 · accepted 2 · held 0 · failed 2 · nothing 0"


def test_rows_of_a_shard_that_nobody_worked_yet_are_counted(ledger):
    assert standing.states(ledger.store, a_run(ledger).id) == {State.PLANNED: 6}


def test_who_waits_is_told_with_the_moment_and_with_what_sends_to_them(ledger, other):
    run = a_run(ledger)
    due(ledger, run, NOW + HOUR)
    waits = standing.waits(ledger.store, run.id)
    assert waits == standing.Waits(3, Instant(NOW + HOUR), Instant(NOW + HOUR))
    first, last = who_waits(ledger, run.id, None, waits, NOW)
    assert first.startswith("3 people of it wait, the first of them until 2026-03-02 10:00:00")
    assert last == f"no daemon runs; run {run.id} goes on, when it is time, with: orchestrator serve"
    daemon = other
    daemon.begin_boot("supervisor", NOW)
    assert "the daemon sends to them when it is time: process" in list(who_waits(ledger, run.id, None, waits, NOW))[-1]


def test_a_pause_of_the_campaign_is_told_with_the_verb_that_ends_it(ledger, winback):
    run = a_run(ledger)
    with ledger.store.transaction():
        pace.pause(ledger.store, f"campaign:{winback.name}", None, "by hand", NOW)
        pace.pause(ledger.store, "provider:nobodys", None, "by hand", NOW)
        pace.pause(ledger.store, "provider:post", Instant(NOW + HOUR), "breaker", NOW)
    told = list(who_waits(ledger, run.id, winback, standing.waits(ledger.store, run.id), NOW))
    assert told[1:-1] == [
        f"campaign:{winback.name} is paused until somebody resumes it (by hand): orchestrator resume {winback.name}",
        "provider:post is paused until 2026-03-02 10:00:00 UTC (breaker): orchestrator resume provider:post",
    ]


def test_a_run_sent_by_hand_is_never_due_so_that_no_daemon_plans_it(ledger, other):
    new = NewRun("winback", f"by hand {iso(NOW)}", "v1", NOW, "hold", "by hand")
    run, made = ledger.fire(new, NOW, ours=True)
    assert (made, run.state) == (True, RunState.PLANNING)
    assert not planning.begin_planning(other.store, run.id, other.boot)
    planning.finish_planning(ledger.store, run.id, ledger.boot, 0, NOW)
