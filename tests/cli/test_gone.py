"""While the ledger's file is away, every verb says so, and none begins a new one."""

import pytest

from tests.cli.conftest import orchestrator


@pytest.mark.parametrize(
    "words",
    [
        ("report", "new_in"),
        ("deliveries",),
        ("doctor",),
        ("pause", "new_in"),
        ("cancel", "1"),
        ("plan", "new_in"),
        ("send", "new_in", "--yes"),
        ("import", "suppressions", "--none"),
    ],
    ids=lambda words: words[0],
)
def test_a_verb_names_the_ledger_that_is_gone_and_begins_none(shop, words):
    assert orchestrator(shop, "import", "suppressions", "--none").code == 0
    place = shop / "data" / "ledger.db"
    place.rename(shop / "aside.db")
    said = orchestrator(shop, *words)
    assert said.code == 1, said.out
    assert f"{place}: the file is gone; put it back" in said.out + said.err
    assert not place.exists()
