"""Reports of providers in the ledger: safe when they were taken, never before the answer, and a doubt that they end ends."""

import json

import pytest

from orchestrator.core.callbacks import Callback, Stop
from orchestrator.core.engagement import SPAN
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Address, Channel, DeliveryKey, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import HOUR, SECOND, Instant
from orchestrator.ledger import callbacks, consent, deeds, mirrors, runs
from tests.ledger.builders import NOW, a_person, a_run, an_answer, intend, ready, settle

LATER = Instant(NOW + HOUR)
ADA = "ada@shop.example"


@pytest.fixture
def run(ledger):
    """A run of two whose mails were taken; the shard is put back and its run is done."""
    return a_worked_run(ledger)


def a_worked_run(ledger, state=State.ACCEPTED, **over):
    people = [a_person(user, addresses=mail_of(user)) for user in ("ada", "bo")]
    made = a_run(ledger, *people)
    shard = ledger.claim(NOW)
    intend(ledger, made, *(ready(made, person, again_until=over.get("again_until")) for person in people))
    answers = [
        an_answer(ready(made, people[0]), state, **{k: v for k, v in over.items() if k != "again_until"}),
        an_answer(ready(made, people[1])),
    ]
    settle(ledger, made, *answers)
    ledger.put_back(shard, [], NOW)
    return made


def mail_of(user):
    return {Channel.EMAIL: (Address(f"{user}@shop.example"),)}


def report(run, user="ada", deed=Deed.DELIVERED, at=LATER, **over):
    return Callback(Channel.EMAIL, Instant(at), DeliveryKey(run.id, user, Channel.EMAIL), deed, **over)


def heard(ledger, *told, now=LATER):
    callbacks.put(ledger.store, "post", told, now)
    return {kind: count for kind, count in callbacks.settle(ledger.store, ledger.hashing, now).items() if count}


def stands(ledger, run, user="ada"):
    sql = "SELECT state, reason, detail FROM delivery WHERE run = ? AND user_id = ?"
    return ledger.store.rows(sql, (run.id, user))[0]


def summary(ledger, run):
    found = json.loads(ledger.store.rows("SELECT summary FROM shard WHERE run = ?", (run.id,))[0][0])
    return {row[0]: row[-1] for row in found}


def stopped(ledger, address=ADA):
    hashed = ledger.hashing.of(Channel.EMAIL, address)
    rows = ledger.store.rows("SELECT reason, since, source FROM suppression WHERE address_hash = ?", (hashed,))
    return rows[0] if rows else None


def test_a_message_that_arrived_is_delivered_and_its_run_counts_it(ledger, run):
    assert heard(ledger, report(run)) == {"taken": 1}
    assert stands(ledger, run) == ("delivered", "", "")
    assert summary(ledger, run) == {"accepted": 1, "delivered": 1}
    assert [(one.deed, one.at) for one in deeds.of_run(ledger.store, run.id, "ada")] == [(Deed.DELIVERED, LATER)]
    assert callbacks.waiting(ledger.store) == 0


def test_the_same_report_again_changes_nothing(ledger, run):
    heard(ledger, report(run), report(run))
    before = ledger.store.rows("SELECT * FROM delivery ORDER BY user_id"), ledger.store.rows("SELECT * FROM deed")
    heard(ledger, report(run))
    assert (
        ledger.store.rows("SELECT * FROM delivery ORDER BY user_id"),
        ledger.store.rows("SELECT * FROM deed"),
    ) == before


def test_a_message_that_came_back_stops_its_address(ledger, run):
    told = report(run, deed=Deed.BOUNCED, stop=Stop.BOUNCED, detail="550 no such user\0")
    assert heard(ledger, told) == {"taken": 1, "stopped": 1}
    assert stands(ledger, run) == ("bounced", "", "550 no such user")
    assert stopped(ledger) == ("bounced", LATER, "post")


def test_a_full_mailbox_stops_nobody(ledger, run):
    assert heard(ledger, report(run, deed=Deed.BOUNCED, detail="452 mailbox full")) == {"taken": 1}
    assert stands(ledger, run)[0] == "bounced"
    assert stopped(ledger) is None


def test_a_complaint_comes_after_the_arrival_in_whichever_order_they_are_told(ledger, run):
    complaint = report(run, deed=Deed.COMPLAINED, at=LATER + HOUR, stop=Stop.COMPLAINED)
    heard(ledger, complaint)
    heard(ledger, report(run))
    assert stands(ledger, run)[0] == "complained"
    assert stopped(ledger)[0] == "complained"
    assert {one.deed for one in deeds.of_run(ledger.store, run.id, "ada")} == {Deed.DELIVERED, Deed.COMPLAINED}


def test_whoever_unsubscribed_at_the_provider_gets_nothing_more(ledger, run):
    assert heard(ledger, report(run, deed=None, stop=Stop.UNSUBSCRIBED)) == {"taken": 1, "stopped": 1}
    assert stands(ledger, run)[0] == "accepted"
    assert stopped(ledger)[0] == "unsubscribed"


@pytest.mark.parametrize("deed", [Deed.DELIVERED, Deed.OPENED, Deed.CLICKED])
def test_a_doubt_ends_when_somebody_has_the_message(ledger, deed):
    run = a_worked_run(ledger, State.UNKNOWN, reason=Reason.NO_ANSWER, answer="ambiguous", bad=True)
    assert summary(ledger, run) == {"accepted": 1, "unknown": 1}
    mirrors.done(ledger.store, mirrors.due(ledger.store, 10**6), 1)
    assert heard(ledger, report(run, deed=deed))["reconciled"] == 1
    assert stands(ledger, run) == ("delivered", "", "")
    assert summary(ledger, run) == {"accepted": 1, "delivered": 1}
    assert (run.id, 0) in [(one.run, one.number) for one in mirrors.due(ledger.store, 10**6)]


def test_a_message_that_would_go_again_does_not_once_it_arrived(ledger):
    waits = {"reason": Reason.NO_ANSWER, "not_before": LATER + HOUR, "answer": "ambiguous", "bad": True}
    run = a_worked_run(ledger, State.RETRY_WAIT, maybe_duplicate=True, **waits)
    assert ledger.next_due(LATER) == LATER + HOUR
    assert heard(ledger, report(run)) == {"taken": 1, "reconciled": 1}
    assert stands(ledger, run) == ("delivered", "", "")
    assert ledger.next_due(LATER) is None
    assert runs.find(ledger.store, run.id).state == "done"


def test_a_busy_provider_is_no_doubt(ledger):
    waits = {"reason": Reason.BUSY, "not_before": LATER + HOUR, "answer": "retry", "bad": True}
    run = a_worked_run(ledger, State.RETRY_WAIT, **waits)
    heard(ledger, report(run, deed=Deed.BOUNCED))
    assert stands(ledger, run)[:2] == ("retry_wait", "busy")
    assert ledger.next_due(LATER) == LATER + HOUR


def test_a_report_that_comes_before_the_answer_waits_for_it(ledger):
    ada = a_person("ada", addresses=mail_of("ada"))
    run = a_run(ledger, ada)
    shard = ledger.claim(NOW)
    intend(ledger, run, ready(run, ada))
    assert heard(ledger, report(run), now=NOW) == {}
    assert callbacks.waiting(ledger.store) == 1
    settle(ledger, run, an_answer(ready(run, ada)))
    ledger.put_back(shard, [], NOW)
    assert callbacks.settle(ledger.store, ledger.hashing, NOW) == {}
    soon = Instant(NOW + callbacks.LOOK_AGAIN)
    assert callbacks.settle(ledger.store, ledger.hashing, soon)["taken"] == 1
    assert stands(ledger, run)[0] == "delivered"


def test_reports_of_a_shard_that_is_worked_keep_no_others_waiting(ledger, run):
    other = a_run(ledger, a_person("cy", addresses=mail_of("cy")), occurrence="another")
    assert ledger.claim(NOW).run == other.id
    callbacks.put(ledger.store, "post", [report(other, "cy")] * 3, NOW)
    callbacks.put(ledger.store, "post", [report(run)], NOW)
    settled = [callbacks.settle(ledger.store, ledger.hashing, NOW, most=3)["taken"] for _ in range(2)]
    assert settled == [0, 1]
    assert stands(ledger, run)[0] == "delivered"


def test_messages_of_others_change_nothing_but_stop_their_addresses(ledger, run):
    foreign = Callback(Channel.EMAIL, LATER, None, Deed.BOUNCED, Stop.BOUNCED, "cy@shop.example")
    gone = report(run, "nobody", deed=Deed.BOUNCED, stop=Stop.BOUNCED)
    assert heard(ledger, foreign, gone) == {"strange": 2, "stopped": 1}
    assert stopped(ledger, "CY@shop.example ")[0] == "bounced"


def test_an_address_seen_alive_since_is_stopped_anew_and_an_older_word_changes_nothing(ledger, run):
    heard(ledger, report(run, deed=Deed.BOUNCED, stop=Stop.BOUNCED))
    version = consent.facts_version(ledger.store)
    heard(ledger, report(run, deed=Deed.COMPLAINED, stop=Stop.COMPLAINED, at=LATER - HOUR))
    assert (stopped(ledger)[0], consent.facts_version(ledger.store)) == ("bounced", version)
    heard(ledger, report(run, deed=Deed.COMPLAINED, stop=Stop.COMPLAINED, at=LATER + HOUR))
    assert stopped(ledger) == ("complained", LATER + HOUR, "post")


def test_opens_and_clicks_go_the_way_of_our_own_and_machines_are_told_apart(ledger, run):
    told = [
        report(run, deed=Deed.OPENED, machine=True),
        report(run, deed=Deed.OPENED, at=NOW + SPAN - 1),
        report(run, deed=Deed.CLICKED, at=LATER + SECOND, link="https://shop.example/"),
    ]
    assert heard(ledger, *told) == {"taken": 3}
    found = [(one.deed, one.machine, one.link) for one in deeds.of_run(ledger.store, run.id, "ada")]
    assert found == [
        (Deed.OPENED, True, ""),
        (Deed.OPENED, True, ""),
        (Deed.CLICKED, False, "https://shop.example/"),
    ]
    assert stands(ledger, run)[0] == "accepted"
