"""From the event inbox into the engine: each batch once, whoever dies where, and no row keeps the others out."""

import pytest

from orchestrator.audience.loading import load
from orchestrator.audience.visiting import Arrival, Arriving
from orchestrator.core.errors import StoreError
from orchestrator.core.times import HOUR, Instant
from orchestrator.ledger import arrivals
from orchestrator.pipeline.learn import Pace, incoming, learn
from tests.audience.builders import SHOP, an_audience, events, people
from tests.ledger.builders import NOW


def an_event(user="ada", message="m", at=NOW, **properties):
    return Arrival(Arriving.EVENT, user, message, Instant(at), "purchase", properties)


def put(ledger, *rows):
    arrivals.put(ledger.store, [incoming(row) if isinstance(row, Arrival) else row for row in rows], NOW)


@pytest.fixture
def audience(tmp_path):
    return an_audience(tmp_path)


def learned(ledger, audience, most=50_000):
    return learn(ledger, audience, SHOP, "Europe/Vienna", NOW, most)


def test_what_came_in_is_in_the_engine_once_in_its_own_time_whoever_it_was_then(ledger, audience):
    put(ledger, an_event("anon", "1"), an_event(message="2", at=NOW - HOUR), an_event(message="2", at=NOW - HOUR))
    put(ledger, Arrival(Arriving.PROFILE, "ada", "3", NOW, body={"country": "AT"}))
    put(ledger, Arrival(Arriving.ALIAS, "ada", "4", NOW, "anon"), an_event("anon", "1"))
    done = learned(ledger, audience)
    assert (done.events, done.duplicates) == (2, 2)
    assert learned(ledger, audience) is None
    assert [(user, message) for user, _, _, message, _ in events(audience)] == [("ada", "2"), ("ada", "1")]
    assert people(audience, "a.country") == {"ada": "AT"}


def test_an_event_that_comes_late_under_the_old_id_is_rewritten_at_the_next_alias(ledger, audience):
    alias = Arrival(Arriving.ALIAS, "ada", "a", NOW, "anon")
    for rows in ([alias], [an_event("anon", "late", at=NOW - HOUR)], [alias]):
        put(ledger, *rows)
        learned(ledger, audience)
    assert [user for user, *_ in events(audience)] == ["ada"]


@pytest.mark.parametrize("landed", [False, True])
def test_a_loader_that_died_before_or_after_the_engine_had_the_batch_changes_nothing(ledger, audience, landed):
    put(ledger, an_event(), Arrival(Arriving.PROFILE, "ada", "p", NOW, body={"score": 1}))
    [batch] = arrivals.next_batches(ledger.store, 50_000, 1, NOW)
    put(ledger, an_event(message="n"))
    if landed:
        rows = [an_event(), Arrival(Arriving.PROFILE, "ada", "p", NOW, body={"score": 1})]
        load(audience, batch.number, rows, SHOP, "Europe/Vienna")
    assert learned(ledger, audience).events == (1 if landed else 2)
    assert learned(ledger, audience) is None
    assert [message for *_, message, _ in events(audience)] == ["m", "n"]


def test_a_new_ledger_beside_an_old_audience_is_not_taken_for_the_old_one(open_ledger, audience):
    """Its batches must not carry numbers the engine knows already."""
    ledger = open_ledger()
    put(ledger, an_event())
    learned(ledger, audience)
    ledger.store.change("DELETE FROM meta WHERE name = 'batch'")
    put(ledger, an_event(message="n"))
    assert learn(ledger, audience, SHOP, "UTC", Instant(NOW + 1)).events == 1


def test_a_row_the_engine_cannot_take_stands_alone_in_the_end_and_is_kept(ledger, audience):
    poison = arrivals.Incoming("event", "eve", "x", '{"at": "no moment", "name": "purchase", "body": {}}')
    put(ledger, *(an_event(message=f"m{number}") for number in range(6)), poison, an_event(message="after"))
    found = []
    while (done := learned(ledger, audience)) is not None:
        found.append(done)
    assert sum(done.events for done in found) == 7
    assert sum(done.left_out for done in found) == 1
    assert ledger.store.rows("SELECT kind, user_id FROM event_inbox") == [("set_aside", "eve")]
    assert arrivals.waiting(ledger.store) == 0


def test_while_the_audience_cannot_be_written_the_batch_waits_whole(ledger, audience):
    put(ledger, an_event(), an_event(message="n"))
    audience.path.parent.mkdir(parents=True, exist_ok=True)
    audience.path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="no DuckDB file"):
        learned(ledger, audience)
    assert arrivals.waiting(ledger.store) == 2
    audience.path.unlink()
    assert learned(ledger, audience).events == 2


def test_many_batches_land_together_and_still_each_event_once_and_each_alias_after_what_came_before(ledger, audience):
    alias = Arrival(Arriving.ALIAS, "ada", "a", NOW, "anon")
    put(ledger, an_event("anon", "1"), an_event("anon", "2"), an_event("bo", "2"), alias, an_event("anon", "3"))
    put(ledger, an_event("bo", "1"), Arrival(Arriving.PROFILE, "bo", "p", NOW, body={"score": 1}), an_event("bo", "4"))
    done = learned(ledger, audience, most=1)
    assert (done.events, done.duplicates, done.left_out) == (4, 2, 0)
    assert learned(ledger, audience, most=1) is None
    assert [(user, message) for user, _, _, message, _ in events(audience)] == [
        ("ada", "1"), ("ada", "2"), ("anon", "3"), ("bo", "4"),
    ]  # fmt: skip
    assert people(audience, "a.score") == {"ada": None, "anon": None, "bo": 1}


def test_of_batches_that_land_together_those_the_engine_knows_are_skipped(ledger, audience):
    """Somebody died after the engine had some of what he had begun."""
    put(ledger, *(an_event(message=f"m{number}") for number in range(6)))
    begun = arrivals.next_batches(ledger.store, 1, 6, NOW)
    for number in (0, 3, 4):
        load(audience, begun[number].number, [an_event(message=f"m{number}")], SHOP, "Europe/Vienna")
    assert learned(ledger, audience, most=1).events == 3
    assert [message for *_, message, _ in events(audience)] == [f"m{number}" for number in range(6)]
    assert arrivals.waiting(ledger.store) == 0


def test_a_visit_that_kept_readers_waiting_is_followed_by_a_shorter_one():
    pace = Pace()
    seen = []
    for held in (0.1, 0.1, 0.5, 1.0, 9.0, 0.0):
        pace.learnt(pace.batches, held)
        seen.append(pace.batches)
    assert seen == [6, 6, 4, 1, 1, 2]
