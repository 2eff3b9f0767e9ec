"""`approve` lets a run go that waits for a person, asks for its number of people, and the ledger remembers who said so."""

import getpass

import pytest

from orchestrator.config import read_tree
from orchestrator.core.nouns import Channel, OnAmbiguous
from orchestrator.core.times import DAY, Instant
from orchestrator.ledger import Ledger, NewRun, Planned, planning, runs
from orchestrator.wire.clock import WallClock
from tests.cli.conftest import orchestrator
from tests.ledger.builders import a_person

WHY = "2 people, more than 1 need approval"


def waits(shop, occurrence="2026-03-02T10:00[Europe/Vienna]", why=WHY, ago=0):
    """A run of new_in with two people that waits for a person; its number."""
    ledger = Ledger.open("sqlite:data/ledger.db", shop)
    try:
        now = WallClock().now()
        boot = ledger.begin_boot("test", now)
        version = runs.keep_bundle(ledger.store, read_tree(shop), now)
        due_at = Instant(now - ago)
        run, _ = runs.fire(ledger.store, NewRun("new_in", occurrence, version, due_at, OnAmbiguous.HOLD), now)
        planning.begin_planning(ledger.store, run.id, boot)
        members = [Planned(a_person(user), ((Channel.EMAIL, 0),)) for user in ("ada", "bo")]
        planning.add_shard(ledger.store, run.id, 0, now, members)
        planning.finish_planning(ledger.store, run.id, boot, len(members), now, why)
        ledger.end_boot(now)
        return run.id
    finally:
        ledger.close()


def state(shop):
    return orchestrator(shop, "report", "new_in", "--json").told[0]["state"]


def test_a_run_goes_when_somebody_types_the_number_of_its_people(shop):
    waits(shop)
    said = orchestrator(shop, "approve", "1", "--by", "Bo", typed="2\n")
    assert said.code == 0, said.err
    assert f"it waits for a person: {WHY}" in said.out
    assert "run 1 of new_in is approved by Bo: its 2 people are worked now" in said.out
    assert "no daemon runs; it goes on with: orchestrator serve" in said.out
    assert state(shop) == "working"


def test_any_other_answer_approves_nothing(shop):
    waits(shop)
    for typed in ("y\n", "3\n", ""):
        said = orchestrator(shop, "approve", "new_in", typed=typed)
        assert (said.code, "nothing was approved" in said.err) == (1, True)
    assert state(shop) == "waiting"


@pytest.mark.parametrize(("ago", "said"), [(0, " gets nothing (`expires`)"), (30 * DAY, "nobody gets it any more")])
def test_how_long_its_messages_may_still_leave_is_said_before_the_number_is_asked(shop, ago, said):
    waits(shop, ago=ago)
    before, asked, _ = orchestrator(shop, "approve", "1", typed="no\n").out.partition("Type the number")
    assert (said in before, bool(asked)) == (True, True)


def test_a_program_says_yes_and_the_user_of_the_machine_is_remembered(shop):
    waits(shop)
    refused = orchestrator(shop, "approve", "1", "--json")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    told = orchestrator(shop, "approve", "new_in", "--yes", "--json").told
    assert {**told, "at": 0} == {
        "run": 1, "campaign": "new_in", "state": "working", "people": 2, "waited_for": WHY, "by": getpass.getuser(), "at": 0,
    }  # fmt: skip


def test_a_report_shows_who_approved_it_and_what_it_had_waited_for(shop):
    waits(shop)
    assert orchestrator(shop, "report", "new_in", "--json").told[0]["approved"] is None
    assert orchestrator(shop, "approve", "1", "--yes", "--by", "Ada").code == 0
    approved = orchestrator(shop, "report", "new_in", "--json").told[0]["approved"]
    assert (approved["by"], approved["waited_for"]) == ("Ada", WHY)
    assert f"it had waited for: {WHY}" in orchestrator(shop, "report", "new_in").out


def test_of_several_runs_that_wait_the_number_must_be_said(shop):
    waits(shop)
    waits(shop, "2026-03-03T10:00[Europe/Vienna]")
    said = orchestrator(shop, "approve", "new_in", "--yes")
    assert said.code == 2
    assert "2 runs of it wait for a person: 2 (2 people" in said.err
    assert "Say which number." in said.err
    assert orchestrator(shop, "approve", "2", "--yes").code == 0
    assert orchestrator(shop, "approve", "new_in", "--yes", "--json").told["run"] == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("approve", "new_in", "--yes"), 1, "no run of it waits for a person"),
        (("approve", "new_inn", "--yes"), 2, "Did you mean new_in?"),
        (("approve", "7", "--yes"), 2, "no run 7"),
    ],
)
def test_what_cannot_be_approved_says_why(shop, words, code, said):
    told = orchestrator(shop, *words)
    assert (told.code, said in told.err) == (code, True), told.err


def test_a_pause_is_resumed_and_a_waiting_run_approved_and_each_names_the_other(shop):
    waits(shop)
    wrong = orchestrator(shop, "resume", "1")
    assert (wrong.code, f"waits for a person ({WHY}): orchestrator approve 1" in wrong.err) == (1, True)
    assert orchestrator(shop, "approve", "1", "--yes").code == 0
    assert orchestrator(shop, "pause", "1").code == 0
    other = orchestrator(shop, "approve", "1", "--yes")
    assert (other.code, "is paused, it does not wait for a person: orchestrator resume 1" in other.err) == (1, True)
    assert orchestrator(shop, "resume", "1").code == 0


def test_the_doctor_and_a_retry_name_the_verb(shop):
    waits(shop)
    told = {one["what"]: one["text"] for one in orchestrator(shop, "doctor", "--json").told}
    assert "orchestrator approve 1 lets it go" in told["run 1 of new_in waits for a person"]
    assert "orchestrator approve 1 first" in orchestrator(shop, "retry", "1", "--yes").err
