"""The short form of the proof: a dozen kills on each store under each policy, and SIGTERMs; `make prove` is the long form."""

import pytest

from tests.proof.cases import POLICIES, STORES, WEATHER, Case
from tests.proof.history import Lie
from tests.proof.kill import prove

DOORS = {"keys": "webhook", "hold": "mail", "resend": "mail"}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_dozen_kills_lose_nothing_and_the_ledger_never_lies(store, policy):
    result = prove(Case(store, policy, kills=12, messages=3000, door=DOORS[policy]))
    assert result.verdict.lies == {}
    assert result.verdict.void == ""
    assert result.holds
    assert result.verdict.duplicates == 0 or policy == "resend"
    assert result.verdict.unknown == 0 or policy == "hold"


@pytest.mark.parametrize("policy", POLICIES)
def test_kills_at_a_provider_that_drops_denies_and_throttles(policy):
    result = prove(Case("sqlite", policy, kills=6, messages=3000, door="webhook", weather=WEATHER))
    assert result.verdict.lies == {}
    assert result.holds


@pytest.mark.parametrize("store", STORES)
def test_a_sigterm_finishes_what_is_in_flight(store):
    result = prove(Case(store, "hold", kills=4, messages=3000, signal="term"))
    assert result.holds
    assert (result.verdict.duplicates, result.verdict.unknown, result.worst_exit) == (0, 0, 0)


def test_a_provider_that_breaks_its_word_about_keys_is_found_out():
    result = prove(Case("sqlite", "keys", kills=4, messages=3000, forgetful=True))
    assert result.verdict.duplicates > 0
    assert {Lie.DUP, Lie.UNEXPLAINED_DUP} <= set(result.verdict.lies)
    assert not result.holds
