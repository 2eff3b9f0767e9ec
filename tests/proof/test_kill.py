"""The short form of the proof: a few kills of `orchestrator serve` on each store; `make prove` is the long form."""

import pytest

from tests.proof.cases import WEATHER, Case
from tests.proof.history import Lie
from tests.proof.kill import prove
from tests.proof.remembering import Memory

MANY = 16_000
"""Messages over HTTP: of fewer, a fast machine has sent a whole run before a kill lands."""


@pytest.mark.parametrize(
    ("store", "policy", "door", "messages"), [("sqlite", "keys", "webhook", MANY), ("postgresql", "hold", "mail", 4000)]
)
def test_kills_of_workers_and_of_everything_lose_nothing_and_the_ledger_never_lies(store, policy, door, messages):
    result = prove(Case(store, policy, kills=5, messages=messages, door=door))
    assert result.verdict.lies == {}
    assert result.verdict.void == ""
    assert result.holds
    assert result.verdict.duplicates == 0
    assert result.verdict.unknown == 0 or policy == "hold"


def test_kills_at_a_provider_that_forgets_drops_denies_and_throttles():
    result = prove(Case("sqlite", "resend", kills=5, messages=MANY, door="webhook", weather=WEATHER))
    assert result.verdict.lies == {}
    assert result.holds


def test_a_sigterm_finishes_what_is_in_flight_and_the_verdict_is_remembered_for_these_files(tmp_path):
    result = prove(Case("sqlite", "hold", kills=2, messages=2000, signal="term"))
    assert result.holds
    assert (result.verdict.duplicates, result.verdict.unknown, result.worst_exit) == (0, 0, 0)
    Memory(tmp_path).keep(result)
    assert Memory(tmp_path).recall(result.case) == result
    assert Memory(tmp_path, "other files").recall(result.case) is None


def test_a_provider_that_breaks_its_word_about_keys_is_found_out_and_not_remembered(tmp_path):
    result = prove(Case("sqlite", "keys", kills=3, messages=MANY, door="webhook", forgetful=True))
    assert result.verdict.duplicates > 0
    assert {Lie.DUP, Lie.UNEXPLAINED_DUP} <= set(result.verdict.lies)
    assert not result.holds
    memory = Memory(tmp_path)
    memory.keep(result)
    assert memory.recall(result.case) is None
