"""What each outcome makes of a delivery."""

import pytest

from orchestrator.core.nouns import Address, Channel, DeliveryKey, OnAmbiguous, Person, State
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Pause, PauseScope, Permanent, Retry
from orchestrator.core.reasons import Reason
from orchestrator.core.times import DAY, HOUR, SECOND, Instant
from orchestrator.core.turns import Ready
from orchestrator.dispatch.settling import Circumstances, settlement
from orchestrator.wire.retry import MAX_ATTEMPTS

NOW = Instant(1_772_442_000_000_000)


def a_ready(attempt=0, **over):
    key = DeliveryKey(1, "ada", Channel.EMAIL)
    given = {"address": Address("ada@shop.example"), "provider": "post", "body": b"x", "judged_at": NOW, **over}
    return Ready(key, "id", attempt, Person("ada", "all"), **given)


def settled(outcome, attempt=0, on_ambiguous=OnAmbiguous.HOLD, dice=0.5, **over):
    return settlement(a_ready(attempt, **over), outcome, Circumstances("winback", on_ambiguous, NOW, dice))


def test_accepted_keeps_the_providers_id_and_adds_nothing_to_the_story():
    found = settled(Accepted("p1"))
    assert (found.state, found.provider_id, found.attempt, found.answer) == (State.ACCEPTED, "p1", 1, "")


def test_no_word_of_a_provider_stops_a_turn():
    """No database keeps NUL in a text; PostgreSQL refuses the whole statement, SQLite ends the text there."""
    assert settled(Accepted("p\0 1")).provider_id == "p 1"
    assert settled(Permanent("550\0 no")).detail == "550 no"
    assert settled(Ambiguous("\0")).detail == ""


def test_permanent_fails_with_the_providers_words():
    found = settled(Permanent("550 no"))
    assert (found.state, found.reason, found.detail, found.gone) == (State.FAILED, Reason.REFUSED, "550 no", "")


def test_a_dead_address_fails_and_is_named_for_suppression():
    found = settled(AddressGone("550 5.1.1"))
    assert (found.state, found.reason, found.gone) == (State.FAILED, Reason.ADDRESS_GONE, "ada@shop.example")


def test_an_address_whose_owner_told_the_service_to_stop_says_so():
    found = settled(AddressGone("21610", Reason.NO_CONSENT))
    assert (found.state, found.reason, found.gone) == (State.FAILED, Reason.NO_CONSENT, "ada@shop.example")


def test_a_retry_waits_at_least_as_long_as_the_provider_asks():
    assert settled(Retry("503", after=120.0)).not_before == NOW + 120 * SECOND


@pytest.mark.parametrize(("attempt", "most"), [(0, 1), (1, 2), (2, 4), (3, 8), (6, 64)])
def test_without_a_wish_the_waits_double_and_are_spread(attempt, most):
    for dice in (0.0, 0.3, 0.999):
        wait = settled(Retry("503"), attempt, dice=dice).not_before - NOW
        assert SECOND // 2 <= wait <= most * SECOND
    assert settled(Retry("503"), attempt, dice=0.999).not_before - NOW > most * SECOND * 9 // 10


def test_the_last_attempt_fails_instead_of_waiting():
    found = settled(Retry("503"), attempt=MAX_ATTEMPTS - 1)
    assert (found.state, found.reason) == (State.FAILED, Reason.ATTEMPTS_USED_UP)


def test_a_pause_of_the_credential_gives_the_attempt_back_and_stops_the_provider():
    found = settled(Pause(PauseScope.CREDENTIAL, "429", after=60))
    assert (found.state, found.spent, found.pause) == (State.PLANNED, False, ("provider:post", NOW + 60 * SECOND))


def test_a_pause_of_the_campaign_stops_the_campaign_until_a_person_resumes_it():
    assert settled(Pause(PauseScope.CAMPAIGN, "4.7.32")).pause == ("campaign:winback", None)


def test_a_pause_of_a_message_that_was_tried_before_keeps_it_waiting():
    found = settled(Pause(PauseScope.CREDENTIAL, "429", after=60), attempt=2)
    assert (found.state, found.not_before, found.spent) == (State.RETRY_WAIT, NOW + 60 * SECOND, False)


def test_doubt_with_a_key_goes_again_within_the_keys_life():
    found = settled(Ambiguous("time-out"), again_until=NOW + DAY)
    assert (found.state, found.reason, found.maybe_duplicate) == (State.RETRY_WAIT, Reason.NO_ANSWER, False)


def test_doubt_with_a_key_about_to_be_forgotten_becomes_unknown():
    assert settled(Ambiguous("time-out"), on_ambiguous=OnAmbiguous.RESEND, again_until=NOW + 1).state is State.UNKNOWN


def test_doubt_without_a_key_is_held_or_resent_as_the_campaign_says():
    assert settled(Ambiguous("reset")).state is State.UNKNOWN
    again = settled(Ambiguous("reset"), on_ambiguous=OnAmbiguous.RESEND)
    assert (again.state, again.maybe_duplicate) == (State.RETRY_WAIT, True)


def test_doubt_does_not_go_on_for_ever():
    for life in (None, NOW + HOUR * 100):
        found = settled(Ambiguous("reset"), MAX_ATTEMPTS - 1, OnAmbiguous.RESEND, again_until=life)
        assert found.state is State.UNKNOWN


@pytest.mark.parametrize(
    "outcome", [Retry("503"), Retry("no route", unsent=True), Pause(PauseScope.CREDENTIAL, "401"), Ambiguous("reset")]
)
def test_a_doubt_stays_until_the_message_itself_is_answered(outcome):
    found = settled(outcome, attempt=1, doubtful=True, again_until=Instant(NOW + DAY))
    assert (found.state, found.reason) == (State.RETRY_WAIT, Reason.NO_ANSWER)


def test_what_may_have_arrived_never_counts_as_failed_for_want_of_attempts():
    found = settled(Retry("503"), attempt=MAX_ATTEMPTS - 1, doubtful=True, again_until=Instant(NOW + DAY))
    assert (found.state, found.reason) == (State.UNKNOWN, Reason.NO_ANSWER)


def test_out_of_reach_is_told_from_busy():
    assert settled(Retry("503")).reason is Reason.BUSY
    assert settled(Retry("no route", unsent=True)).reason is Reason.OUT_OF_REACH
