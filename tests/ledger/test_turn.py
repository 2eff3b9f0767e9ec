"""The turn, on both databases: nothing leaves without an intent, nothing is settled twice, every refusal is written."""

from dataclasses import replace

import pytest

from orchestrator.core.nouns import Channel, Skip, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, HOUR, MINUTE, SECOND
from orchestrator.core.turns import Pacing
from orchestrator.ledger import RunState, consent, pace, runs, suppressions
from tests.ledger.builders import NOW, a_person, a_run, an_answer, intend, ready, row, settle


def test_an_intent_is_in_the_ledger_before_the_message_may_leave(ledger):
    run = a_run(ledger, ada := a_person("ada"))
    permission = intend(ledger, run, message := ready(run, ada))
    assert permission.go == (message,)
    assert row(ledger, message, "state", "attempt", "boot", "provider", "address") == (
        "intent",
        1,
        ledger.boot.id,
        "post",
        "ada@shop.example",
    )
    assert bytes(row(ledger, message, "body")) == b"hash"


def test_an_intended_message_cannot_be_intended_again(ledger, open_ledger):
    run = a_run(ledger, ada := a_person("ada"))
    intend(ledger, run, message := ready(run, ada))
    other = open_ledger()
    other.begin_boot("test", NOW)
    assert intend(other, run, message).go == ()
    assert intend(ledger, run, message).go == ()
    assert row(ledger, message, "attempt") == 1


def test_only_the_rows_that_still_stand_are_permitted(ledger):
    run = a_run(ledger, ada := a_person("ada"), bo := a_person("bo"))
    intend(ledger, run, first := ready(run, ada))
    assert intend(ledger, run, first, second := ready(run, bo)).go == (second,)


def test_texts_of_any_kind_find_their_rows_again(ledger):
    """Intents and answers of many rows are handed over as one table."""
    names = ["o'hara", 'say "hi"', "back\\slash", "née\u2028", "\U0001f469‍\U0001f680", "[1]", "null", "1e3", " ", "%_"]
    people = sorted((a_person(name) for name in names), key=lambda person: person.user)
    run = a_run(ledger, *people)
    messages = [ready(run, person, body=bytes([0, number, 34, 92])) for number, person in enumerate(people)]
    assert intend(ledger, run, *messages).go == tuple(messages)
    assert [bytes(row(ledger, message, "body")) for message in messages] == [message.body for message in messages]
    assert [row(ledger, message, "address") for message in messages] == [m.address.value for m in messages]
    settle(ledger, run, *(an_answer(message, provider_id=f"id of {message.key.user}") for message in messages))
    assert [row(ledger, m, "state", "provider_id") for m in messages] == [
        ("accepted", f"id of {message.key.user}") for message in messages
    ]


def test_messages_that_differ_in_more_than_their_person_are_intended_together(ledger):
    run = a_run(ledger, ada := a_person("ada"), bo := a_person("bo"))
    messages = [
        ready(run, ada),
        ready(run, ada, Channel.PUSH, provider="other", again_until=NOW + HOUR),
        ready(run, bo, judged_at=NOW - HOUR),
    ]
    assert intend(ledger, run, *messages).go == tuple(messages)
    told = [row(ledger, message, "provider", "again_until", "judged_at") for message in messages]
    assert told == [("post", None, NOW), ("other", NOW + HOUR, NOW), ("post", None, NOW - HOUR)]


def test_an_answer_settles_its_own_attempt_once(ledger):
    run = a_run(ledger, ada := a_person("ada"))
    intend(ledger, run, message := ready(run, ada))
    settle(ledger, run, replace(an_answer(message), attempt=7))
    assert row(ledger, message, "state") == State.INTENT
    settle(ledger, run, an_answer(message, provider_id="first"))
    settle(ledger, run, an_answer(message, provider_id="second"))
    assert row(ledger, message, "state", "provider_id", "boot") == ("accepted", "first", None)


def test_a_settlement_of_another_boot_is_refused(ledger, open_ledger):
    run = a_run(ledger, ada := a_person("ada"))
    intend(ledger, run, message := ready(run, ada))
    other = open_ledger()
    other.begin_boot("test", NOW)
    settle(other, run, an_answer(message))
    assert row(ledger, message, "state") == State.INTENT


def test_a_retry_keeps_the_story_and_the_key_life_of_its_first_intent(ledger):
    run = a_run(ledger, ada := a_person("ada"))
    intend(ledger, run, message := ready(run, ada, again_until=NOW + DAY))
    settle(
        ledger,
        run,
        an_answer(
            message,
            State.RETRY_WAIT,
            provider_id="",
            reason=Reason.BUSY,
            detail="503",
            not_before=NOW + MINUTE,
            answer="retry",
        ),
    )
    assert row(ledger, message, "state", "attempt", "not_before") == ("retry_wait", 1, NOW + MINUTE)
    again = replace(message, attempt=1, again_until=NOW + 2 * DAY)
    assert intend(ledger, run, again, now=NOW + MINUTE).go == (again,)
    assert row(ledger, message, "again_until", "attempt", "judged_at") == (NOW + DAY, 2, NOW)
    assert ledger.store.rows("SELECT attempt, provider, outcome, detail FROM attempt") == [(1, "post", "retry", "503")]


def test_a_pause_gives_the_attempt_back_and_stops_the_provider_for_everybody(ledger, open_ledger):
    run = a_run(ledger, ada := a_person("ada"), bo := a_person("bo"))
    intend(ledger, run, message := ready(run, ada))
    stop = an_answer(
        message,
        State.PLANNED,
        provider_id="",
        detail="429",
        spent=False,
        answer="pause",
        pause=("provider:post", NOW + HOUR),
    )
    settle(ledger, run, stop)
    assert row(ledger, message, "state", "attempt") == ("planned", 0)
    other = open_ledger()
    other.begin_boot("test", NOW)
    permission = intend(other, run, waiting := ready(run, bo), paces=[Pacing("provider:post")])
    assert (permission.go, permission.later, permission.ask_again, permission.paused) == (
        (),
        (waiting,),
        NOW + HOUR,
        "429",
    )
    assert intend(other, run, waiting, paces=[Pacing("provider:post")], now=NOW + HOUR).go == (waiting,)


def test_a_paused_or_cancelled_run_intends_nothing(ledger):
    run = a_run(ledger, ada := a_person("ada"))
    assert runs.steer(ledger.store, run.id, RunState.PAUSED, [RunState.WORKING])
    permission = intend(ledger, run, message := ready(run, ada))
    assert permission.stop
    assert permission.go == ()
    assert row(ledger, message, "state") == State.PLANNED


def test_somebody_refused_at_the_last_moment_gets_no_intent_and_no_touch(ledger):
    run = a_run(ledger, ada := a_person("ada"), bo := a_person("bo"))
    first, second = ready(run, ada), ready(run, bo)
    verdict = Skip(Reason.NO_CONSENT)
    permission = intend(ledger, run, first, second, recheck=lambda _: {first.key: verdict})
    assert permission.go == (second,)
    assert permission.refused == {first.key: verdict}
    assert row(ledger, first, "state") == State.PLANNED
    assert ledger.store.rows("SELECT user_id FROM touch") == [("bo",)]


@pytest.mark.parametrize("reason", [Reason.ADDRESS_GONE, Reason.NO_CONSENT])
def test_a_dead_address_is_suppressed_and_the_next_channel_is_judged_again(ledger, reason):
    run = a_run(ledger, ada := a_person("ada"))
    push, mail = ready(run, ada, Channel.PUSH), ready(run, ada, Channel.EMAIL)
    ledger.store.change(
        "UPDATE delivery SET state = 'skipped', reason = ? WHERE channel = 'email'", (Reason.OTHER_CHANNEL,)
    )
    intend(ledger, run, push)
    before = consent.facts_version(ledger.store)
    hashed = ledger.hashing.of(Channel.PUSH, push.address.value)
    settle(
        ledger,
        run,
        an_answer(
            push,
            State.FAILED,
            provider_id="",
            reason=reason,
            gone=push.address.value,
            answer="address_gone",
        ),
    )
    assert row(ledger, push, "state", "reason") == ("failed", reason)
    stop = suppressions.stop_of(ledger.store, hashed, Channel.PUSH)
    assert (stop.reason, stop.source) == (reason, push.provider)
    assert row(ledger, mail, "state", "reason") == ("planned", "")
    assert consent.suppressed_among(ledger.store, [hashed]) == {(hashed, Channel.PUSH): NOW}
    assert consent.facts_version(ledger.store) > before


def test_a_device_that_is_gone_again_after_it_was_seen_alive_is_stopped_anew(ledger):
    run = a_run(ledger, ada := a_person("ada"))
    push = ready(run, ada, Channel.PUSH)
    ledger.suppress([(Channel.PUSH, push.address.value)], "address_gone", "push", NOW - DAY)
    intend(ledger, run, push)
    settle(
        ledger, run, an_answer(push, State.FAILED, provider_id="", reason=Reason.ADDRESS_GONE, gone=push.address.value)
    )
    hashed = ledger.hashing.of(Channel.PUSH, push.address.value)
    assert consent.suppressed_among(ledger.store, [hashed]) == {(hashed, Channel.PUSH): NOW}


def test_an_in_app_message_is_accepted_and_stored_in_one_transaction(ledger):
    run = a_run(ledger, ada := a_person("ada"))
    message = ready(run, ada, inbox={"title": "Hello"}, inbox_until=NOW + DAY)
    permission = intend(ledger, run, message)
    assert permission.accepted == (message,)
    assert row(ledger, message, "state", "provider_id") == ("accepted", message.id)
    assert intend(ledger, run, message).accepted == ()
    assert ledger.store.rows("SELECT user_id, id, payload FROM inbox") == [("ada", message.id, '{"title": "Hello"}')]


def test_a_rate_is_shared_by_all_workers_and_refills(ledger, open_ledger):
    people = [a_person(f"u{n:02}") for n in range(30)]
    run = a_run(ledger, *people)
    other = open_ledger()
    other.begin_boot("test", NOW)
    messages = [ready(run, person) for person in people]
    slow = [Pacing("provider:post", per_second=10)]
    first = intend(ledger, run, *messages[:15], paces=slow)
    assert (len(first.go), len(first.later)) == (10, 5)
    second = intend(other, run, *messages[15:], paces=slow)
    assert second.go == ()
    assert NOW < second.ask_again <= NOW + SECOND
    assert len(intend(other, run, *messages[15:], paces=slow, now=NOW + SECOND // 2).go) == 5


def test_twenty_failures_in_a_row_open_the_breaker_and_one_probe_closes_it(ledger):
    people = [a_person(f"u{n:02}") for n in range(25)]
    run = a_run(ledger, *people)
    messages = [ready(run, person) for person in people]
    here = [Pacing("provider:post")]
    intend(ledger, run, *messages[:20], paces=here)
    bad = [
        an_answer(m, State.RETRY_WAIT, provider_id="", bad=True, not_before=NOW, answer="retry") for m in messages[:20]
    ]
    settle(ledger, run, *bad)
    assert intend(ledger, run, *messages[20:], paces=here).go == ()
    after = NOW + pace.OPEN_FOR
    probe = intend(ledger, run, *messages[20:], paces=here, now=after)
    assert len(probe.go) == 1
    settle(ledger, run, an_answer(probe.go[0]), now=after)
    assert len(intend(ledger, run, *probe.later, paces=here, now=after).go) == 4


def test_an_error_in_the_middle_of_a_turn_leaves_nothing_behind(ledger):
    run = a_run(ledger, ada := a_person("ada"))

    def explode(_):
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        intend(ledger, run, message := ready(run, ada), recheck=explode)
    assert row(ledger, message, "state") == State.PLANNED
    assert intend(ledger, run, message).go == (message,)
