"""Where the ledger is, read past mistakes elsewhere, and never guessed."""

import pytest

from orchestrator.config import ledger_of

SETTINGS = """\
project: shop
stores: {ledger: "sqlite:data/ledger.db"}
environments:
  live: {deliver: everyone, stores: {ledger: "postgresql://db/live"}}
  staging: {deliver: seeds}
"""


def found(text, environment="live"):
    ledger = ledger_of({"config/orchestrator.yaml": text.encode()}, environment)
    return ledger and ledger.resolve({}.get)


@pytest.mark.parametrize("broken", ["", "colour: red\n", "time_zone: Mars/Base\n", "providers: 7\n", "topics: [x]\n"])
def test_mistakes_elsewhere_hide_no_ledger(broken):
    text = SETTINGS + broken
    assert found(text) == "postgresql://db/live"
    assert found(text, "staging") == found(text, "dev") == "sqlite:data/ledger.db"


@pytest.mark.parametrize(
    "text",
    [
        SETTINGS.replace('stores: {ledger: "sq', 'storse: {ledger: "sq'),
        SETTINGS.replace("environments:", "enviroments:"),
        SETTINGS.replace('stores: {ledger: "postgresql', 'storse: {ledger: "postgresql'),
        SETTINGS.replace("everyone, stores: {ledger", "everyone, stores: {ledgr"),
        SETTINGS + "about: x: y: [",
        SETTINGS + "project: twice\n",
        "",
    ],
    ids=["stores", "environments", "own stores", "own ledger", "no yaml", "a key twice", "empty"],
)
def test_a_ledger_that_is_not_named_beyond_doubt_is_not_guessed(text):
    assert found(text) is None


def test_an_environment_nobody_wrote_down_has_no_ledger():
    assert found(SETTINGS, "prod") is None
