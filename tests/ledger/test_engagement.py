"""Clicks and opens in the ledger: of messages that left, told apart from machines, a hundred of each message at most."""

import pytest

from orchestrator.core.engagement import SPAN, Touch
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey, State
from orchestrator.core.times import HOUR, SECOND, Instant
from orchestrator.ledger import deeds, engagement, mirrors
from tests.ledger.builders import NOW, a_person, a_run, an_answer, intend, ready, settle

TAKEN = Instant(NOW + SECOND)
LATER = Instant(NOW + HOUR)


@pytest.fixture
def run(ledger):
    """A run of three: Ada's mail was taken a second after it left, Bo's is in the air, Cy's never left."""
    ada, bo, _ = people = [a_person(user) for user in ("ada", "bo", "cy")]
    made = a_run(ledger, *people)
    intend(ledger, made, ready(made, ada), ready(made, bo))
    settle(ledger, made, an_answer(ready(made, ada), State.ACCEPTED), now=TAKEN)
    return made


def touch(run, user="ada", at=LATER, link="https://shop.example/", **over):
    key = DeliveryKey(run.id, user, Channel.EMAIL)
    return Touch(key, over.pop("deed", Deed.CLICKED), Instant(at), link, **over)


def kept(ledger, run, user="ada"):
    return [(one.deed, one.at, one.link, one.machine) for one in deeds.of_run(ledger.store, run.id, user)]


def who_is_due(ledger):
    return [one.user for one in mirrors.due(ledger.store, 100) if not one.run]


def test_a_persons_click_is_kept_with_its_link_and_told_to_segments(ledger, run):
    assert engagement.take(ledger.store, [touch(run)]) == {"person": 1}
    assert kept(ledger, run) == [(Deed.CLICKED, LATER, "https://shop.example/", False)]
    assert who_is_due(ledger) == ["ada"]
    assert [one.deed for one in mirrors.deeds_of(ledger.store, ["ada"])] == ["clicked"]


def test_what_a_machine_did_is_kept_and_segments_never_see_it(ledger, run):
    assert engagement.take(ledger.store, [touch(run, machine=True)]) == {"machine": 1}
    assert kept(ledger, run) == [(Deed.CLICKED, LATER, "https://shop.example/", True)]
    assert who_is_due(ledger) == []
    assert mirrors.deeds_of(ledger.store, ["ada"]) == []


@pytest.mark.parametrize(
    ("user", "at", "outcome"),
    [
        ("ada", NOW, "machine"),
        ("ada", TAKEN, "machine"),
        ("ada", TAKEN + SPAN - 1, "machine"),
        ("ada", TAKEN + SPAN, "person"),
        ("bo", NOW + SPAN - 1, "machine"),
        ("bo", NOW + SPAN, "person"),
    ],
)
def test_nobody_reads_a_mail_before_two_seconds_are_over(ledger, run, user, at, outcome):
    assert engagement.take(ledger.store, [touch(run, user, at, deed=Deed.OPENED, link="")]) == {outcome: 1}


def test_all_links_at_once_are_a_machines_and_a_click_of_somebody_else_is_not(ledger, run):
    scan = [touch(run, at=LATER + n, link=f"https://shop.example/{n}", links=3) for n in range(3)]
    assert engagement.take(ledger.store, [*scan, touch(run, "bo")]) == {"machine": 3, "person": 1}
    assert who_is_due(ledger) == ["bo"]


def test_of_a_message_that_never_left_nothing_is_kept(ledger, run):
    others = [touch(run, "cy"), touch(run, "nobody")]
    assert engagement.take(ledger.store, others) == {"strange": 2}
    assert kept(ledger, run, "cy") == []


def test_whoever_asks_all_day_fills_no_disk(ledger, run):
    many = [touch(run, at=LATER + 9 * SECOND * n) for n in range(engagement.MOST + 10)]
    machines = [touch(run, at=one.at + 1, machine=True) for one in many]
    assert engagement.take(ledger.store, machines) == {"machine": engagement.MOST, "surplus": 10}
    assert engagement.take(ledger.store, many[:60]) == {"person": 60}
    assert engagement.take(ledger.store, many[60:]) == {"person": engagement.MOST - 60, "surplus": 10}
    others = [touch(run), touch(run, "bo"), touch(run, deed=Deed.OPENED, link="")]
    assert engagement.take(ledger.store, others) == {"surplus": 1, "person": 2}
    assert len(kept(ledger, run)) == 2 * engagement.MOST + 1


def test_told_again_after_a_doubtful_commit_it_is_still_one(ledger, run):
    for _ in range(2):
        engagement.take(ledger.store, [touch(run)])
    assert len(kept(ledger, run)) == 1
