"""The checker must find every kind of lie, and must find none in an honest history."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proof.book import Arrival
from tests.proof.faults import Mode
from tests.proof.history import Cap, Fault, History, Lie, Row, Terms, check, terms

SECOND = 1_000_000
KILL = Fault("kill worker", at=5, in_flight=3, may=32)


def arrival(key: str, seq: int = 1, **differs) -> Arrival:
    plain = Arrival(seq, seq * SECOND, seq * SECOND, "webhook", key, "body", Mode.ACCEPT, "accepted")
    return plain._replace(**differs)


def row(key: str, state: str = "accepted", **differs) -> Row:
    sent = {} if state in ("planned", "held", "skipped", "expired") else {"attempts": 1, "intent_at": 1}
    return Row(key, f"user of {key}", state, **{**sent, **differs})


def summaries(*rows: Row) -> dict:
    found: dict = {}
    for one in rows:
        words = (one.state, one.reason, one.channel, one.segment, one.variant, one.holdout)
        found.setdefault((one.run, one.shard), Counter())[words] += 1
    return {place: [[*words, count] for words, count in counts.items()] for place, counts in found.items()}


def history(rows: list[Row], arrivals: list[Arrival], due: set[str] | None = None, **differs) -> History:
    wanted = frozenset(one.id for one in rows if one.state != "skipped") if due is None else frozenset(due)
    return History(wanted, rows, arrivals, differs.pop("faults", [KILL]), **differs)


def lies(told: History) -> dict[Lie, tuple[str, ...]]:
    return dict(check(told).lies)


def test_an_honest_history_holds():
    rows = [row("a"), row("b", "unknown"), row("c", "skipped", reason="no_consent"), row("d", "failed")]
    told = history(rows, [arrival("a", 1), arrival("b", 2)], terms=Terms(unknown=1), summaries=summaries(*rows))
    verdict = check(told)
    assert verdict.holds
    assert (verdict.unknown, verdict.duplicates, verdict.hits, verdict.faults) == (1, 0, 1, 1)


def test_a_message_that_was_due_and_never_arrived_is_lost():
    assert lies(history([], [], due={"a"})) == {Lie.LOST: ("a",)}


def test_an_accepted_row_without_an_arrival_is_a_false_accept_and_lost():
    assert lies(history([row("a")], [])) == {Lie.LOST: ("a",), Lie.FALSE_ACCEPT: ("a",)}


def test_an_arrival_the_provider_refused_does_not_count_as_reached():
    told = history([row("a")], [arrival("a", mode=Mode.ERROR, result="refused")])
    assert Lie.FALSE_ACCEPT in lies(told)


@pytest.mark.parametrize("state", ["planned", "held", "intent", "retry_wait"])
def test_a_row_that_is_open_after_the_drain_is_stuck(state):
    assert lies(history([row("a", state)], [])) == {Lie.STUCK: ("a",)}


@pytest.mark.parametrize("state", ["failed", "render_failed"])
def test_a_row_that_says_no_while_the_message_arrived_is_a_false_refusal(state):
    assert lies(history([row("a", state)], [arrival("a")])) == {Lie.FALSE_REFUSAL: ("a",)}


def test_an_arrival_nobody_has_a_row_for_is_a_phantom():
    assert lies(history([], [arrival("a")])) == {Lie.PHANTOM: ("a",)}


def test_an_arrival_of_a_row_that_was_skipped_is_a_phantom_too():
    assert lies(history([row("a", "skipped")], [arrival("a")])) == {Lie.PHANTOM: ("a",), Lie.FALSE_REFUSAL: ("a",)}


def test_an_arrival_before_its_intent_is_a_phantom():
    told = history([row("a", intent_at=2 * SECOND)], [arrival("a", at=SECOND)])
    assert lies(told) == {Lie.PHANTOM: ("a",)}


def test_more_arrivals_than_intents_are_a_phantom_even_if_the_key_hid_it():
    told = history([row("a")], [arrival("a", 1), arrival("a", 2, result="replay")])
    assert lies(told) == {Lie.PHANTOM: ("a",)}


def test_an_arrival_that_was_told_to_come_later_spends_no_attempt():
    came = [arrival("a", 1, mode=Mode.TOO_MANY, result="refused"), arrival("a", 2)]
    assert lies(history([row("a")], came)) == {}


def test_an_intent_after_a_pause_is_not_held_against_the_arrival_before_it():
    came = [arrival("a", 1, at=SECOND, mode=Mode.TOO_MANY, result="refused"), arrival("a", 2, at=3 * SECOND)]
    assert lies(history([row("a", intent_at=2 * SECOND)], came)) == {}
    assert lies(history([row("a", intent_at=4 * SECOND)], came)) == {Lie.PHANTOM: ("a",)}


def test_a_second_delivery_is_a_duplicate_where_none_was_allowed():
    came = [arrival("a", 1), arrival("a", 2)]
    told = history([row("a", attempts=2, maybe_duplicate=True)], came)
    assert lies(told) == {Lie.DUP: ("a",)}
    assert check(told).duplicates == 1


def test_a_duplicate_that_its_row_admits_is_within_the_terms_of_resend():
    came = [arrival("a", 1), arrival("a", 2)]
    told = history([row("a", attempts=2, maybe_duplicate=True)], came, terms=terms("resend", [KILL], came))
    assert check(told).holds


def test_a_duplicate_that_no_flag_admits_is_unexplained():
    came = [arrival("a", 1), arrival("a", 2)]
    told = history([row("a", attempts=2)], came, terms=terms("resend", [KILL], came))
    assert lies(told) == {Lie.UNEXPLAINED_DUP: ("a",)}


def test_more_duplicates_than_messages_were_ambiguous_violate_the_bound():
    kill = replace(KILL, may=1)
    rows = [row(key, attempts=2, maybe_duplicate=True) for key in "ab"]
    came = [arrival(key, seq) for seq, key in enumerate("aabb", 1)]
    told = history(rows, came, faults=[kill], terms=terms("resend", [kill], came))
    assert lies(told) == {Lie.BOUND_VIOLATION: ("a", "b")}


def test_more_unknowns_than_messages_were_ambiguous_violate_the_bound():
    rows = [row("a", "unknown"), row("b", "unknown")]
    told = history(rows, [], terms=terms("hold", [replace(KILL, may=1)], []))
    assert lies(told) == {Lie.BOUND_VIOLATION: ("a", "b")}


def test_keys_leave_nothing_unknown():
    assert lies(history([row("a", "unknown")], [], terms=terms("keys", [KILL], []))) == {Lie.BOUND_VIOLATION: ("a",)}


def test_an_answer_that_hid_the_truth_makes_one_message_ambiguous():
    hidden = [arrival("a", mode=Mode.ACCEPT_THEN_DROP), arrival("b", mode=Mode.RESET, result="refused"), arrival("c")]
    assert terms("hold", [], hidden).unknown == 2


def test_two_attempts_with_different_bytes_are_a_changed_body():
    came = [arrival("a", 1), arrival("a", 2, body="other", result="conflict")]
    assert lies(history([row("a", attempts=2)], came)) == {Lie.CHANGED_BODY: ("a",)}


def test_bytes_of_another_version_are_named():
    told = history([row("a")], [arrival("a")], terms=Terms(bodies={"a": "what the run's version makes"}))
    assert lies(told) == {Lie.WRONG_VERSION: ("a",)}


@pytest.mark.parametrize(("pause", "early"), [(2 * SECOND - 1, True), (2 * SECOND, False)])
def test_a_retry_before_its_moment_is_early(pause, early):
    first = arrival("a", 1, mono=0, mode=Mode.TOO_MANY, result="refused", wait=2 * SECOND)
    told = history([row("a")], [first, arrival("a", 2, mono=pause)])
    assert lies(told) == ({Lie.EARLY_RETRY: ("a",)} if early else {})


@pytest.mark.parametrize(
    ("kind", "killed_at", "early"),
    [
        ("kill worker", 100_000, False),
        ("kill group", 1_600_000, True),
        ("term", 100_000, True),
        ("kill worker", -1, True),
    ],
)
def test_who_was_killed_before_they_wrote_that_they_should_wait_is_not_held_to_it(kind, killed_at, early):
    first = arrival("a", 1, at=0, mono=0, mode=Mode.TOO_MANY, result="refused", wait=2 * SECOND)
    second = arrival("a", 2, at=1_900_000, mono=1_900_000)
    told = history([row("a")], [first, second], faults=[Fault(kind, killed_at, in_flight=3, may=32)])
    assert (Lie.EARLY_RETRY in lies(told)) == early


@pytest.mark.parametrize(("intent_at", "caught"), [(10, False), (11, True)])
def test_an_intent_after_the_unsubscribe_is_named(intent_at, caught):
    told = history([row("a", intent_at=intent_at)], [arrival("a")], terms=Terms(withdrawn={"user of a": 10}))
    assert lies(told) == ({Lie.AFTER_UNSUB: ("a",)} if caught else {})


@pytest.mark.parametrize(("intent_at", "caught"), [(9, False), (10, True), (19, True), (20, False)])
def test_an_intent_in_quiet_hours_is_named(intent_at, caught):
    told = history([row("a", intent_at=intent_at)], [arrival("a")], terms=Terms(quiet={"user of a": [(10, 20)]}))
    assert lies(told) == ({Lie.IN_QUIET_HOURS: ("a",)} if caught else {})


@pytest.mark.parametrize(("intent_at", "caught"), [(9, False), (10, True)])
def test_an_intent_after_its_expiry_is_named(intent_at, caught):
    told = history([row("a", intent_at=intent_at, expires_at=10)], [arrival("a")])
    assert lies(told) == ({Lie.AFTER_EXPIRY: ("a",)} if caught else {})


@pytest.mark.parametrize(("third", "caught"), [(99, True), (100, False)])
def test_one_message_over_the_cap_is_named(third, caught):
    rows = [replace(row(key), user="anna", intent_at=at) for key, at in (("a", 0), ("b", 50), ("c", third))]
    came = [arrival(one.id, seq) for seq, one in enumerate(rows, 1)]
    told = history(rows, came, terms=Terms(caps=[Cap(2, within=100)]))
    assert lies(told) == ({Lie.OVER_CAP: ("anna",)} if caught else {})


def test_a_summary_that_differs_from_its_rows_is_miscounted():
    rows = [row("a"), row("b", shard=1)]
    counts = summaries(*rows)
    counts[(1, 1)][0][-1] += 1
    told = history(rows, [arrival("a", 1), arrival("b", 2)], summaries=counts)
    assert lies(told) == {Lie.MISCOUNTED: ("run 1 shard 1",)}


def test_a_shard_without_a_summary_is_miscounted():
    rows = [row("a"), row("b", shard=1)]
    told = history(rows, [arrival("a", 1), arrival("b", 2)], summaries=summaries(rows[0]))
    assert lies(told) == {Lie.MISCOUNTED: ("run 1 shard 1",)}


def test_two_rows_of_one_delivery_are_named():
    assert lies(history([row("a"), row("a")], [arrival("a")])) == {Lie.DOUBLE_ROW: ("a",)}


@pytest.mark.parametrize(("hits", "void"), [(7, True), (8, False)])
def test_a_proof_whose_faults_missed_is_void(hits, void):
    faults = [replace(KILL, in_flight=int(number < hits)) for number in range(10)]
    verdict = check(history([row("a")], [arrival("a")], faults=faults))
    assert bool(verdict.void) is void
    assert verdict.holds is not void


def test_a_proof_without_faults_is_void():
    assert check(history([row("a")], [arrival("a")], faults=[])).void == "no fault was made"


states = st.sampled_from(["accepted", "delivered", "unknown", "skipped", "failed", "expired"])


@given(st.lists(st.tuples(states, st.booleans()), max_size=30))
def test_no_honest_history_is_ever_accused(fates):
    rows = [row(f"m{number}", state, shard=number % 3) for number, (state, _) in enumerate(fates)]
    came = [
        arrival(one.id, seq)
        for seq, (one, (state, arrived)) in enumerate(zip(rows, fates, strict=True), 1)
        if state in ("accepted", "delivered") or (state == "unknown" and arrived)
    ]
    told = history(rows, came, terms=Terms(unknown=30), summaries=summaries(*rows))
    assert lies(told) == {}


@given(st.lists(states, min_size=1, max_size=30), st.data())
def test_losing_any_one_arrival_of_an_accepted_row_is_always_found(fates, data):
    rows = [row("m0"), *(row(f"m{number}", state) for number, state in enumerate(fates, 1))]
    reached = [one.id for one in rows if one.state in ("accepted", "delivered")]
    gone = data.draw(st.sampled_from(reached))
    came = [arrival(key, seq) for seq, key in enumerate(reached, 1) if key != gone]
    told = history(rows, came, terms=Terms(unknown=30))
    assert lies(told) == {Lie.LOST: (gone,), Lie.FALSE_ACCEPT: (gone,)}
