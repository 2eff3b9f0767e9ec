"""Coupons from the file of codes to the sent message: one a person, none for who gets no message, and what happens without."""

import json

import pytest
from typer.testing import CliRunner

from orchestrator import checking, config, planner
from orchestrator.cli.main import app as verbs
from orchestrator.core.reasons import Reason
from orchestrator.core.times import HOUR, Instant
from orchestrator.ledger import RunState, coupons, runs
from orchestrator.pipeline.coupons import SAMPLE
from tests.doors.shop import NOON, Shop, is_
from tests.doors.test_linked_data import files

POOL = "coupons:\n  spring10: {codes: lists/spring10.csv, valid: 14 days}\n"
TEXT = "{{ coupon('spring10') }} until {{ coupon_expires('spring10') | date('d MMMM') }}"
FILE = "lists/spring10.csv"


def codes(count):
    return "code\n" + "".join(f"S-{number:03}\n" for number in range(count))


@pytest.fixture
def shop(tmp_path, monkeypatch, ledger_url):
    monkeypatch.setenv("SHOP_LEDGER", ledger_url)
    opened = []

    def open_shop(count=10, people=("ada", "bo"), pool=POOL, **changed):
        opened.append(Shop(tmp_path, {**files(TEXT, pool), FILE: codes(count), **changed}))
        opened[-1].people(**{user: user.title() for user in people})
        return opened[-1]

    yield open_shop
    for one in opened:
        one.ledger.close()


@pytest.fixture
def orc():
    def run(shop, *words):
        shop.ledger.close()
        done = CliRunner().invoke(verbs, ["-C", str(shop.root), *words])
        shop.ledger = shop.opened.ledger()
        shop.ledger.begin_boot("test", NOON)
        return done

    return run


def plan(shop, occurrence="one"):
    run = shop.fire(occurrence=occurrence)
    planner.plan_run(shop.opened, shop.ledger, run, shop.clock)
    return runs.find(shop.ledger.store, run.id)


def left(shop):
    return coupons.stock(shop.ledger.store, "spring10").left


def test_everybody_gets_a_code_of_their_own_and_reads_how_long_it_holds(shop):
    made = shop()
    plan(made)
    made.drain()
    assert made.subjects() == {"ada": "S-000 until 16 March", "bo": "S-001 until 16 March"}
    assert left(made) == 8


def test_a_later_run_says_the_same_code_as_long_as_it_holds(shop):
    made = shop()
    plan(made)
    made.drain()
    made.clock.at = Instant(NOON + 24 * HOUR)
    plan(made, "two")
    made.drain()
    assert (made.subjects()["ada"], left(made)) == ("S-000 until 16 March", 8)


def test_who_gets_no_message_or_one_without_a_code_uses_none(shop):
    made = shop()
    made.load(is_("cy", email="cy@mail.example", firstName="Cy", country="AT"))  # never agreed
    made.people("CH", di="Di")
    assert plan(made).audience == 4
    made.drain()
    assert made.rows() == {"ada": "accepted", "bo": "accepted", "cy": ("skipped", "no_consent"), "di": "accepted"}
    assert left(made) == 8


def test_out_of_codes_the_run_waits_and_approved_it_skips_who_has_none(shop):
    made = shop(count=1)
    run = plan(made)
    assert (run.state, made.drain()) == (RunState.WAITING, 0)
    assert run.reason.startswith("out of coupons (spring10: no code for 1)")
    assert runs.approve(made.ledger.store, run.id, "Ada", NOON)
    made.drain()
    assert made.rows() == {"ada": "accepted", "bo": ("skipped", "no_coupon")}
    [(detail,)] = made.ledger.store.rows("SELECT detail FROM delivery WHERE reason = ?", (Reason.NO_COUPON,))
    assert detail == "spring10 (templates/spring/_default/email.html:3)"


def test_codes_added_to_the_file_are_there_for_the_next_plan(shop):
    made = shop(count=1)
    plan(made)
    more = Shop(made.root, {FILE: codes(3)})
    assert plan(more, "two").state is RunState.WORKING
    more.ledger.close()


def test_a_code_that_never_left_is_given_to_somebody_else(shop):
    made = shop(count=2)
    run = plan(made)
    runs.steer(made.ledger.store, run.id, RunState.CANCELLED, [RunState.WORKING])
    made.drain()
    made.people(cy="Cy")
    made.load(is_("ada", country="FR"), is_("bo", country="FR"))
    plan(made, "two")
    made.drain()
    assert made.subjects() == {"cy": "S-000 until 16 March"}


def test_who_is_asked_again_keeps_their_code_and_who_gets_another_message_gets_one(shop):
    made = shop()
    made.people("CH", di="Di")
    run = plan(made)
    made.load(is_("ada", firstName="Ann"), is_("di", country="AT"))
    made.clock.at = Instant(NOON + 2 * HOUR)
    planner.ask_run(made.opened, made.ledger, run, made.clock)
    made.drain()
    assert {user: subject.split()[0] for user, subject in made.subjects().items()} == {
        "ada": "S-000",
        "bo": "S-001",
        "di": "S-002",
    }


def test_looking_uses_no_code(shop, orc):
    made = shop()
    seen = orc(made, "--json", "preview", "spring", "--as", "ada")
    assert json.loads(seen.stdout)["messages"][0]["content"]["subject"].startswith(f"{SAMPLE} until")
    tried = orc(made, "--json", "send", "spring", "--test", "me@shop.example", "--as", "ada")
    assert json.loads(tried.stdout)["messages"][0]["content"]["subject"].startswith(f"[test] {SAMPLE} until")
    planned = orc(made, "--json", "plan", "spring")
    assert json.loads(planned.stdout)["coupons"] == {"spring10": {"needed": 2, "left": 10}}
    assert made.ledger.store.rows("SELECT COUNT(*) FROM coupon WHERE user_id IS NOT NULL") == [(0,)]


def test_a_send_by_hand_that_would_run_out_is_refused_before_anything_leaves(shop, orc):
    made = shop(count=1)
    assert "coupons spring10: 1 left, 2 needed at most   1 people would get none" in orc(made, "plan", "spring").stdout
    refused = orc(made, "send", "spring", "--yes")
    assert (refused.exit_code, made.rows()) == (1, {})
    assert (
        "coupons spring10: 1 codes are left, and 2 people need one; add some: to lists/spring10.csv" in refused.stderr
    )
    (made.root / FILE).write_text(codes(2))
    assert json.loads(orc(made, "--json", "send", "spring", "--yes").stdout)["rows"] == {"accepted": 2}


def test_codes_may_be_imported_and_doctor_says_how_many_are_left(shop, orc, tmp_path):
    made = shop(pool="coupons:\n  spring10: {valid: 14 days}\n")
    (tmp_path / "more.csv").write_text("customer,code\n1,A\n2,B\n3,B\n")
    brought = orc(made, "--json", "import", "coupons", "spring10", str(tmp_path / "more.csv"))
    assert json.loads(brought.stdout) == {
        "pool": "spring10",
        "files": [{"file": str(tmp_path / "more.csv"), "codes": 2, "new": 2}],
        "left": 2,
    }
    plan(made)
    made.drain()
    found = {one["what"]: one for one in json.loads(orc(made, "--json", "doctor").stdout)}["coupons spring10"]
    assert (found["well"], found["text"]) == (
        False,
        "0 of 2 codes are left; add some: orchestrator import coupons spring10 FILE",
    )
    wrong = orc(made, "import", "coupons", "sprin10", str(tmp_path / "more.csv"))
    assert (wrong.exit_code, "Did you mean spring10?" in wrong.stderr) == (2, True)
    assert orc(made, "import", "coupons", "spring10").exit_code == 2


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({FILE: b"code\n" + b"x" * 129}, "line 2: no code; one has 128 printable characters at most"),
        ({FILE: b"\xff\xfe"}, "cannot be read: "),
    ],
)
def test_check_looks_into_the_file_of_codes(changed, text):
    content = {name: text.encode() for name, text in {**files(TEXT, POOL), FILE: codes(1)}.items()}
    assert [it for it in checking.mistakes(config.load(content)) if it.file == FILE] == []
    [mistake] = [it for it in checking.mistakes(config.load({**content, **changed})) if it.file == FILE]
    assert mistake.text.startswith(text)


def test_check_notes_a_file_without_a_code_that_a_live_campaign_gives_away(shop, orc):
    done = orc(shop(count=0), "check")
    assert (done.exit_code, f"note: {FILE}  no code in it, and spring gives one to each person" in done.stdout) == (
        0,
        True,
    )
    assert "note" not in orc(shop(count=1), "check").stdout


def test_two_pools_never_share_a_file():
    both = POOL + "  other: {codes: lists/spring10.csv}\n"
    content = {name: text.encode() for name, text in {**files(TEXT, both), FILE: codes(1)}.items()}
    [mistake] = config.load(content).mistakes
    assert mistake.text == "coupons.other.codes: 'lists/spring10.csv' holds the codes of 'spring10' already"
