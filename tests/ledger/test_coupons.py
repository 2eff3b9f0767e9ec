"""Coupon codes: nobody is ever given another's, whatever dies in between, on both databases."""

import itertools
import multiprocessing
import os
import random
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.nouns import CODES, Address, Channel, DeliveryKey, OnAmbiguous, Person, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, Instant
from orchestrator.core.turns import Mark
from orchestrator.ledger import Ledger, NewRun, Planned, coupons, planning, runs
from orchestrator.ledger.coupons import Pool, Stock
from orchestrator.ledger.people import unpack
from tests.ledger.builders import NOW, intend, ready
from tests.ledger.test_shards import a_second_process, kill

POOL = Pool("winback10", 14 * DAY)
_OCCURRENCES = itertools.count()


def codes(count, prefix="C"):
    return [f"{prefix}{number:05}" for number in range(count)]


def a_member(user):
    return Person(user, "everyone", addresses={Channel.EMAIL: (Address(f"{user}@shop.example"),)})


def fire(ledger, at=NOW):
    new = NewRun("winback", f"occurrence {next(_OCCURRENCES)}", "v", at, OnAmbiguous.HOLD)
    run, _ = runs.fire(ledger.store, new, at)
    return run


def shard(ledger, run, *users, number=0, at=NOW, pool=POOL):
    members = [Planned(a_member(user), ((Channel.EMAIL, 0),)) for user in users]
    return planning.add_shard(ledger.store, run.id, number, at, members, {user: [pool] for user in users})


def planned(ledger, *users, at=NOW, pool=POOL):
    run = fire(ledger, at)
    assert planning.begin_planning(ledger.store, run.id, ledger.boot)
    short = shard(ledger, run, *users, at=at, pool=pool)
    planning.finish_planning(ledger.store, run.id, ledger.boot, len(users), at)
    return run, short


def carried(ledger, run):
    """The codes that travel with the people of a run."""
    blobs = ledger.store.rows("SELECT people FROM shard WHERE run = ? AND people IS NOT NULL", (run.id,))
    people = [person for (blob,) in blobs for person in unpack(blob)]
    return {person.user: person.attributes.get(CODES, {}).get("winback10", {}).get("code") for person in people}


def work(ledger, at=NOW, skipped=()):
    """Claim a shard, send to everybody but those skipped, and put it back; the users that were sent to."""
    found = ledger.claim(at)
    sent = [person for person in found.people if person.user not in skipped]
    run = runs.find(ledger.store, found.run)
    intend(ledger, run, *[ready(run, person) for person in sent], now=at)
    marks = [Mark(DeliveryKey(run.id, user, Channel.EMAIL), State.SKIPPED, Reason.CAPPED) for user in skipped]
    ledger.put_back(found, marks, at)
    return {person.user for person in sent}


def test_everybody_gets_a_code_of_their_own_and_it_travels_with_them(ledger):
    coupons.load(ledger.store, "winback10", codes(5))
    run, short = planned(ledger, "a", "b", "c")
    found = carried(ledger, run)
    assert sorted(found.values()) == ["C00000", "C00001", "C00002"]
    assert (short, coupons.stock(ledger.store, "winback10")) == (Counter(), Stock(5, 2))
    [person, *_] = ledger.claim(NOW).people
    assert person.attributes[CODES]["winback10"]["expires"] == NOW + 14 * DAY


def test_an_empty_pool_is_counted_and_leaves_the_rest_without(ledger):
    coupons.load(ledger.store, "winback10", codes(2))
    run, short = planned(ledger, "a", "b", "c")
    assert carried(ledger, run) == {"a": "C00000", "b": "C00001", "c": None}
    assert (short, coupons.stock(ledger.store, "winback10")) == ({"winback10": 1}, Stock(2, 0))


def test_a_person_keeps_their_code_while_it_holds_and_then_gets_a_new_one(ledger):
    coupons.load(ledger.store, "winback10", codes(5))
    first, _ = planned(ledger, "a")
    again, _ = planned(ledger, "a", at=Instant(NOW + 13 * DAY))
    later, _ = planned(ledger, "a", at=Instant(NOW + 14 * DAY))
    assert [carried(ledger, run)["a"] for run in (first, again, later)] == ["C00000", "C00000", "C00001"]
    forever = Pool("winback10")
    ever, _ = planned(ledger, "b", at=NOW, pool=forever)
    after, _ = planned(ledger, "b", at=Instant(NOW + 999 * DAY), pool=forever)
    assert carried(ledger, ever)["b"] == carried(ledger, after)["b"]


def test_the_same_list_again_is_nothing_new_and_a_longer_one_adds_its_rest(ledger):
    assert coupons.load(ledger.store, "winback10", codes(3)) == 3
    assert coupons.load(ledger.store, "winback10", codes(3)) == 0
    assert coupons.stock(ledger.store, "winback10", codes(5)) == Stock(5, 5)
    assert coupons.load(ledger.store, "winback10", codes(5)) == 2
    assert coupons.load(ledger.store, "other", codes(3)) == 3


def test_what_a_dead_planner_gave_is_free_again(ledger, open_ledger):
    coupons.load(ledger.store, "winback10", codes(4))
    dead = a_second_process(open_ledger)
    run = fire(dead)
    assert planning.begin_planning(dead.store, run.id, dead.boot)
    shard(dead, run, "a", "b", "c")
    kill(dead, ledger)
    ledger.recover(NOW)
    assert coupons.stock(ledger.store, "winback10") == Stock(4, 4)
    assert planning.begin_planning(ledger.store, run.id, ledger.boot)
    assert shard(ledger, run, "a", "b", "c", "d") == {}
    assert len(set(carried(ledger, run).values())) == 4


def test_a_code_comes_back_only_from_somebody_whose_message_never_left(ledger):
    coupons.load(ledger.store, "winback10", codes(4))
    run, _ = planned(ledger, "a", "b", "c")
    assert coupons.take_back(ledger.store, "winback10") == 0, "all of them may still be sent"
    sent = work(ledger, skipped=["b"])
    assert sent == {"a", "c"}
    assert coupons.stock(ledger.store, "winback10") == Stock(4, 2)
    assert coupons.take_back(ledger.store, "winback10") == 1
    second, short = planned(ledger, "d", "e")
    assert (short, set(carried(ledger, second).values())) == ({}, {"C00001", "C00003"})
    assert run.id != second.id


def test_a_code_of_two_runs_comes_back_only_when_both_are_over(ledger):
    coupons.load(ledger.store, "winback10", codes(1))
    planned(ledger, "a")
    planned(ledger, "a")
    work(ledger, skipped=["a"])
    assert coupons.take_back(ledger.store, "winback10") == 0
    work(ledger, skipped=["a"])
    assert coupons.take_back(ledger.store, "winback10") == 1


def test_without_the_rows_that_prove_it_no_code_comes_back(ledger):
    coupons.load(ledger.store, "winback10", codes(1))
    run, _ = planned(ledger, "a")
    work(ledger)
    ledger.store.change("DELETE FROM delivery WHERE run = ?", (run.id,))
    assert coupons.take_back(ledger.store, "winback10") == 0


def test_two_planners_at_once_give_nobody_two_codes_and_no_code_to_two(ledger, ledger_url, tmp_path):
    """The audiences of the two runs overlap: who is in both has one code."""
    coupons.load(ledger.store, "winback10", codes(150))
    plans = [fire(ledger), fire(ledger)]
    users = [[f"u{number:03}" for number in range(start, start + 100)] for start in (0, 50)]
    together = threading.Barrier(2)

    def be_a_planner(run, people):
        mine = Ledger.open(ledger_url, tmp_path)
        together.wait()
        for number in range(10):
            shard(mine, run, *people[number * 10 : number * 10 + 10], number=number)
        mine.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(be_a_planner, plans, users))
    one, two = (carried(ledger, run) for run in plans)
    everybody = {**one, **two}
    assert len(everybody) == 150
    assert len(set(everybody.values())) == 150
    assert {user: one[user] for user in one.keys() & two.keys()} == {
        user: two[user] for user in one.keys() & two.keys()
    }


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["plan", "die", "work", "take back", "load"]),
        st.frozensets(st.integers(0, 9), min_size=1),
        st.frozensets(st.integers(0, 9)),
        st.integers(0, 20),
    ),
    max_size=25,
)


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_no_code_leaves_for_two_people(store, steps, tmp_path_factory, request):
    if store == "sqlite":
        url = f"sqlite:{tmp_path_factory.mktemp('coupons') / 'ledger.db'}"
    else:
        url = request.getfixturevalue("fresh_postgresql")()
    ledger = Ledger.open(url, tmp_path_factory.getbasetemp())
    try:
        ledger.begin_boot("test", NOW)
        _live_through(ledger, steps)
    finally:
        ledger.close()


def _live_through(ledger, steps):
    """Plans, deaths, sends and take-backs in any order; `seen` is what people have in their hands."""
    seen, size, day = {}, 5, 0
    coupons.load(ledger.store, "winback10", codes(size))
    for what, some, others, days in steps:
        day += days
        now = Instant(NOW + day * DAY)
        users = [f"u{number}" for number in sorted(some)]
        if what == "load":
            size += len(others)
            coupons.load(ledger.store, "winback10", codes(size))
        elif what == "take back":
            coupons.take_back(ledger.store, "winback10")
        elif what == "work" and ledger.next_due(now) is not None and (found := ledger.claim(now)) is not None:
            skipped = {f"u{number}" for number in others}
            run = runs.find(ledger.store, found.run)
            leaving = [it for it in found.people if it.user not in skipped and it.attributes.get(CODES)]
            permitted = intend(ledger, run, *[ready(run, person) for person in leaving], now=now)
            for gone in permitted.go:
                code = gone.person.attributes[CODES]["winback10"]["code"]
                assert seen.setdefault(code, gone.person.user) == gone.person.user
            rest = [it.user for it in found.people if it not in leaving]
            marks = [Mark(DeliveryKey(run.id, user, Channel.EMAIL), State.SKIPPED, Reason.CAPPED) for user in rest]
            ledger.put_back(found, marks, now)
        elif what in {"plan", "die"}:
            run = fire(ledger, now)
            assert planning.begin_planning(ledger.store, run.id, ledger.boot)
            shard(ledger, run, *users, at=now)
            if what == "die":
                planning.forget_plan(ledger.store, run.id)
            else:
                planning.finish_planning(ledger.store, run.id, ledger.boot, len(users), now)
    _check(ledger, seen)


def _check(ledger, seen):
    owners = dict(ledger.store.rows("SELECT code, user_id FROM coupon WHERE user_id IS NOT NULL"))
    assert seen.items() <= owners.items(), "what left stays whose it is"
    for number, state in ledger.store.rows("SELECT id, state FROM run"):
        if state == "working":
            run = runs.find(ledger.store, number)
            mine = {code: user for user, code in carried(ledger, run).items() if code}
            assert mine.items() <= owners.items(), "what is about to leave is nobody else's"


def _plan_until_killed(url, root, name, users):
    """A planner that is killed: run after run, shard after shard."""
    ledger = Ledger.open(url, root)
    ledger.begin_boot("planner", NOW)
    for turn in itertools.count():
        new = NewRun(name, f"occurrence {turn}", "v", NOW, OnAmbiguous.HOLD)
        run, _ = runs.fire(ledger.store, new, NOW)
        ledger.recover(NOW)
        if not planning.begin_planning(ledger.store, run.id, ledger.boot):
            continue
        for number in range(0, len(users), 20):
            shard(ledger, run, *users[number : number + 20], number=number)
        planning.finish_planning(ledger.store, run.id, ledger.boot, len(users), NOW)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_two_planners_that_are_killed_again_and_again_give_no_code_twice(ledger, ledger_url, tmp_path):
    coupons.load(ledger.store, "winback10", codes(150))
    audiences = [[f"u{number:03}" for number in range(start, start + 100)] for start in (0, 50)]
    dice = random.Random(7)
    spawn = multiprocessing.get_context("spawn")
    for attempt in range(4):
        planners = [
            spawn.Process(target=_plan_until_killed, args=(ledger_url, tmp_path, f"{name} {attempt}", users))
            for name, users in zip(("one", "two"), audiences, strict=True)
        ]
        for planner in planners:
            planner.start()
        before = ledger.store.rows("SELECT COUNT(*) FROM shard")[0][0]
        wanted = before + dice.randrange(3, 14)
        while ledger.store.rows("SELECT COUNT(*) FROM shard")[0][0] < wanted:
            assert all(planner.is_alive() for planner in planners)
        for planner in planners:
            os.kill(planner.pid, signal.SIGKILL)
        for planner in planners:
            planner.join()
        while ledger.store.rows("SELECT 1 FROM run WHERE state = 'planning'"):
            ledger.recover(NOW)
    for users in audiences:
        planned(ledger, *users)
    whose = {}
    for (number,) in ledger.store.rows("SELECT id FROM run"):
        for user, code in carried(ledger, runs.find(ledger.store, number)).items():
            assert code is not None
            assert whose.setdefault(code, user) == user
    assert len(whose) == len(set(whose.values())) == 150
