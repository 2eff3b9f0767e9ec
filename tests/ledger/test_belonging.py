"""A ledger belongs to one environment: whoever comes first has it, and nobody else writes a word into it."""

from threading import Barrier, Thread

import pytest

from orchestrator.core.errors import OtherEnvironmentError
from orchestrator.ledger import Ledger


def meta(url, root):
    ledger = Ledger.open(url, root)
    try:
        return dict(ledger.store.rows("SELECT name, value FROM meta"))
    finally:
        ledger.close()


def test_a_ledger_made_for_one_environment_is_refused_to_every_other_which_writes_nothing(ledger_url, tmp_path):
    Ledger.open(ledger_url, tmp_path, environment="dev").close()
    before = meta(ledger_url, tmp_path)
    assert before["environment"] == "dev"
    with pytest.raises(OtherEnvironmentError, match="belongs to the environment dev, and live needs stores of its own"):
        Ledger.open(ledger_url, tmp_path, environment="live")
    Ledger.open(ledger_url, tmp_path, environment="dev").close()
    assert meta(ledger_url, tmp_path) == before


def test_a_ledger_of_an_older_release_goes_to_whoever_opens_it_first(ledger_url, tmp_path):
    Ledger.open(ledger_url, tmp_path).close()
    assert "environment" not in meta(ledger_url, tmp_path)
    Ledger.open(ledger_url, tmp_path, environment="live").close()
    with pytest.raises(OtherEnvironmentError):
        Ledger.open(ledger_url, tmp_path, environment="dev")
    assert meta(ledger_url, tmp_path)["environment"] == "live"


def test_a_refused_ledger_is_not_even_migrated(ledger_url, tmp_path):
    ledger = Ledger.open(ledger_url, tmp_path, environment="dev")
    ledger.store.change("UPDATE alembic_version SET version_num = '0006'")
    with pytest.raises(OtherEnvironmentError):
        Ledger.open(ledger_url, tmp_path, environment="live")
    assert ledger.store.rows("SELECT version_num FROM alembic_version") == [("0006",)]
    ledger.close()


@pytest.mark.parametrize("made", [True, False], ids=["nobody's yet", "not there yet"])
def test_of_many_environments_that_come_at_once_one_gets_it(ledger_url, tmp_path, made):
    if made:
        Ledger.open(ledger_url, tmp_path).close()
    names = [f"e{number}" for number in range(6)]
    start, won, refused = Barrier(len(names)), [], []

    def come(name):
        start.wait()
        try:
            Ledger.open(ledger_url, tmp_path, environment=name).close()
            won.append(name)
        except OtherEnvironmentError as problem:
            refused.append(str(problem))

    threads = [Thread(target=come, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(refused)) == (1, 5)
    assert meta(ledger_url, tmp_path)["environment"] == won[0]
    assert all(f"belongs to the environment {won[0]}," in said for said in refused)
