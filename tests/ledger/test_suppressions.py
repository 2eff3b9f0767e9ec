"""Addresses stopped and lifted by hand, on both databases: what happened to them stays, and every turn knows at once."""

import pytest

from orchestrator.core.nouns import Address, Channel
from orchestrator.core.times import DAY, HOUR, Instant
from orchestrator.ledger import Wanted, audit, consent, suppressions
from tests.ledger.builders import NOW, a_person, a_run

ADA = (Channel.EMAIL, Address("ada@x.test"))
PHONE = (Channel.PUSH, Address("token-1", seen_at=Instant(NOW - DAY)))


def stop(ledger, *where, now=NOW, reason="asked by phone", who="Bo"):
    return suppressions.stop(ledger.store, ledger.hashing, where, reason, who, now)


def lift(ledger, *where, now=NOW + HOUR, reason="a mistake", who="Cy"):
    return suppressions.lift(ledger.store, ledger.hashing, where, reason, who, now)


def look(ledger, where):
    return suppressions.look(ledger.store, ledger.hashing, [where])[0]


def told(standing):
    return [(entry.what, entry.who, entry.detail) for entry in standing.history]


def test_a_stopped_address_gets_nothing_from_the_next_turn_on(ledger):
    ada = a_person("ada")
    run = a_run(ledger, ada)
    shard, version = ledger.claim(NOW), ledger.facts_version()
    assert stop(ledger, (Channel.EMAIL, Address("ADA@shop.example"))) == 1
    assert ledger.facts_version() > version
    [facts] = ledger.facts(Wanted(run.id, shard.people, "offers")).values()
    assert facts.suppressed == {"ada@shop.example"}
    assert lift(ledger, (Channel.EMAIL, ada.addresses[Channel.EMAIL][0])) == 1
    [facts] = ledger.facts(Wanted(run.id, shard.people, "offers")).values()
    assert facts.suppressed == set()


def test_everybody_who_has_a_stopped_address_gets_nothing_there(ledger):
    ada = a_person("ada")
    run = a_run(ledger, ada, a_person("bo", addresses=ada.addresses), a_person("cy"))
    shard = ledger.claim(NOW)
    assert stop(ledger, (Channel.EMAIL, ada.addresses[Channel.EMAIL][0])) == 1
    facts = ledger.facts(Wanted(run.id, shard.people, "offers"))
    assert {user: set(one.suppressed) for user, one in facts.items()} == {
        "ada": {"ada@shop.example"},
        "bo": {"ada@shop.example"},
        "cy": set(),
    }


@pytest.mark.parametrize("written", ["+43 660 1234567", "0043 (660) 1234-567", "+436601234567"])
def test_a_stopped_number_is_stopped_however_it_is_written(ledger, written):
    ada = a_person("ada", addresses={Channel.SMS: (Address("+43 660/123 45 67"),)})
    run = a_run(ledger, ada)
    shard = ledger.claim(NOW)
    assert stop(ledger, (Channel.SMS, Address(written))) == 1
    [facts] = ledger.facts(Wanted(run.id, shard.people, "offers")).values()
    assert facts.suppressed == {"+43 660/123 45 67"}
    assert stop(ledger, (Channel.SMS, Address("+43 660 1234568"))) == 1


def test_lifting_keeps_who_stopped_it_and_why(ledger):
    assert stop(ledger, ADA, PHONE) == 2
    assert stop(ledger, ADA) == 0
    assert lift(ledger, ADA) == 1
    assert lift(ledger, ADA) == 0
    standing = look(ledger, ADA)
    assert standing.stop is None
    assert told(standing) == [("suppressed", "Bo", "asked by phone"), ("lifted", "Cy", "a mistake")]
    assert look(ledger, PHONE).stop.since == NOW


def test_what_a_provider_or_an_import_stopped_stays_in_the_history_when_it_is_lifted(ledger):
    ledger.suppress([(Channel.EMAIL, "ada@x.test")], "bounced", "import", Instant(NOW - DAY))
    assert told(look(ledger, ADA)) == [("suppressed", "import", "bounced")]
    assert lift(ledger, ADA) == 1
    assert told(look(ledger, ADA)) == [("suppressed", "import", "bounced"), ("lifted", "Cy", "a mistake")]
    ledger.suppress([(Channel.EMAIL, "ada@x.test")], "complained", "mail", Instant(NOW + DAY))
    standing = look(ledger, ADA)
    assert (standing.stop.reason, standing.stop.source) == ("complained", "mail")
    assert [entry.detail for entry in standing.history] == ["bounced", "a mistake", "complained"]
    assert [entry.at for entry in standing.history] == [NOW - DAY, NOW + HOUR, NOW + DAY]


def test_a_device_seen_since_is_told_as_such_and_can_be_stopped_anew(ledger):
    old = (Channel.PUSH, Address("token-1", seen_at=Instant(NOW - 2 * DAY)))
    stop(ledger, old, now=Instant(NOW - 2 * DAY))
    assert look(ledger, PHONE).seen_since
    assert not look(ledger, old).seen_since
    assert stop(ledger, PHONE) == 1
    assert not look(ledger, PHONE).seen_since
    assert len(look(ledger, PHONE).history) == 2


def test_one_address_stopped_by_hand_is_not_the_list_a_live_environment_asks_for(ledger):
    stop(ledger, ADA)
    assert not consent.suppressions_told(ledger.store)
    lift(ledger, ADA)
    assert not consent.suppressions_told(ledger.store)
    ledger.suppress([(Channel.EMAIL, "bo@x.test")], "bounced", "import", NOW)
    assert consent.suppressions_told(ledger.store)
    lift(ledger, (Channel.EMAIL, Address("bo@x.test")))
    assert consent.suppressions_told(ledger.store), "the list was told, although its last address was lifted"


def test_no_address_stands_in_the_ledger_as_it_is_written(ledger):
    stop(ledger, ADA)
    lift(ledger, ADA)
    assert "ada@x.test" not in repr(ledger.store.rows("SELECT * FROM audit")).lower()
    assert audit.listed(ledger.store, ["run:1"]) == []
