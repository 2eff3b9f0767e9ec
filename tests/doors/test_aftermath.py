"""After a crash the daemon says what it found and what becomes of it, from the ledger's own numbers; else it says nothing."""

import os
import re
import signal

import pytest

from orchestrator.core.nouns import Channel, OnAmbiguous
from orchestrator.core.times import DAY, MINUTE, Instant
from orchestrator.daemon.aftermath import sentences
from orchestrator.ledger import Planned, RunState, boots, planning, runs
from tests.doors.serving import a_shop
from tests.ledger.builders import NOW, a_person, a_run, intend, ready
from tests.ledger.test_shards import fire, kill


def another(open_ledger, kind):
    other = open_ledger()
    other.begin_boot(kind, NOW)
    return other


def said(ledger, now=Instant(NOW + MINUTE)):
    """What a daemon that starts now would say."""
    lives = boots.crashed(ledger.store, "supervisor", ledger.boot, now)
    return list(sentences(ledger, lives, ledger.recover(now)))


def dies_in_the_air(ledger, open_ledger, on_ambiguous, **over):
    """A worker dies while one of two messages is in the air."""
    ada, bo = a_person("ada"), a_person("bo")
    run = a_run(ledger, ada, bo, on_ambiguous=on_ambiguous)
    dead = another(open_ledger, "worker")
    dead.claim(NOW)
    intend(dead, run, ready(run, ada, **over))
    kill(dead, ledger)
    return run


def test_where_everybody_ended_in_good_order_nothing_is_said(ledger, open_ledger):
    other = another(open_ledger, "supervisor")
    a_run(ledger)
    other.end_boot(NOW)
    other.close()
    assert said(ledger) == []


def test_a_daemon_that_lives_is_no_crash(ledger, open_ledger):
    another(open_ledger, "supervisor")
    assert said(ledger) == []


@pytest.mark.parametrize(
    ("on_ambiguous", "over", "air", "more"),
    [
        (OnAmbiguous.HOLD, {"again_until": NOW + DAY}, "1 sent again with the same key · 0 sent again without one · 0 in doubt", None),
        (OnAmbiguous.HOLD, {}, "0 sent again with the same key · 0 sent again without one · 1 in doubt", "1 in doubt are not sent again (on_ambiguous: hold): orchestrator deliveries winback --run 1 --state unknown"),
        (OnAmbiguous.RESEND, {}, "0 sent again with the same key · 1 sent again without one · 0 in doubt", "1 may arrive twice (on_ambiguous: resend)"),
    ],
)  # fmt: skip
def test_what_was_in_the_air_is_told_with_what_the_policy_does(ledger, open_ledger, on_ambiguous, over, air, more):
    dies_in_the_air(ledger, open_ledger, on_ambiguous, **over)
    dead = another(open_ledger, "supervisor")
    kill(dead, ledger)
    lines = said(ledger)
    assert re.fullmatch(r"The daemon before this one crashed or was killed \(process \d+ on .+, since 2026-03-02T09:00:00Z\)\.", lines[0])  # fmt: skip
    assert lines[1] == f"  1 message was in the air: {air}"
    assert lines[2] == "  1 shard being worked: free again, and worked on from where each row stands"
    assert lines[3] == "  run 1 of winback goes on: 0 reached, 2 people wait"
    assert lines[4:] == ([f"  run 1: {more}"] if more else [])
    assert said(ledger) == [], "each crash is told once"


def test_a_run_that_was_being_planned_and_one_that_is_paused_are_told(ledger, open_ledger):
    paused = a_run(ledger)
    runs.steer(ledger.store, paused.id, RunState.PAUSED, [RunState.WORKING], "ctrl-c")
    dead = another(open_ledger, "planner")
    run, _ = fire(dead)
    planning.begin_planning(dead.store, run.id, dead.boot)
    planning.add_shard(dead.store, run.id, 0, NOW, [Planned(a_person("ada"), ((Channel.EMAIL, 0),))])
    kill(dead, ledger)
    assert said(ledger) == [
        "1 process of before crashed or was killed.",
        "  nothing was in the air: nothing is lost, nothing is sent twice",
        f"  run {run.id} was being planned: it is planned anew, from the beginning",
        f"  run {paused.id} of winback is paused (ctrl-c): 0 reached, 3 people wait",
    ]


def test_a_killed_daemon_is_told_by_the_next_and_everybody_gets_one_message(tmp_path, monkeypatch):
    with a_shop(tmp_path, monkeypatch, people=4000, weather={"latency": "100..150"}) as shop:
        daemon = shop.serve()
        run = shop.fire()
        shop.sink.wait(since=0)
        os.killpg(daemon.process.pid, signal.SIGKILL)
        daemon.end()
        again = shop.serve(ORCHESTRATOR_LOG="text")
        line = again.until("in the air:")
        assert "crashed or was killed (process" in "\n".join(again.said)
        told = re.search(
            r"([\d,]+) messages? w\w+ in the air: ([\d,]+) sent again with the same key · 0 sent again", line
        )
        assert told[1] == told[2] != "0"
        assert line.endswith("0 in doubt")
        while shop.run(run).state is not RunState.DONE:
            again.until("shard.put_back")
        assert again.stop() == 0
        assert set(shop.received().values()) == {1}
        assert len(shop.received()) == 4000
        third = shop.serve(ORCHESTRATOR_LOG="text")
        third.until("daemon.started", "config.taken")
        assert third.stop() == 0
        assert "crashed" not in "\n".join(line for line in third.said if "daemon.started" not in line)
