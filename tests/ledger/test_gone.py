"""A SQLite ledger that was moved away is missed: nobody begins a new one in its place."""

import pytest

from orchestrator.core.errors import StoreError
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger

URL = "sqlite:data/ledger.db"


@pytest.fixture
def place(tmp_path):
    Ledger.open(URL, tmp_path).close()
    return tmp_path / "data" / "ledger.db"


def test_a_ledger_that_was_moved_away_is_not_begun_anew_and_goes_on_when_it_is_back(place, tmp_path):
    place.rename(tmp_path / "aside.db")
    with pytest.raises(StoreError, match="the file is gone; put it back") as told:
        Ledger.open(URL, tmp_path)
    assert str(place) in str(told.value)
    assert "delete ledger.db.write beside it as well" in str(told.value)
    assert not place.exists()
    (tmp_path / "aside.db").rename(place)
    Ledger.open(URL, tmp_path).close()


@pytest.mark.parametrize("trace", ["boots", "log"])
def test_a_ledger_of_an_older_release_is_missed_by_what_else_stands_beside_it(place, tmp_path, trace):
    living = Ledger.open(URL, tmp_path)
    if trace == "boots":
        living.begin_boot("cli", Instant(1))
        living.close()
    (tmp_path / "data" / "ledger.db.write").write_bytes(b"")
    place.rename(tmp_path / "aside.db")
    with pytest.raises(StoreError, match="ledger.db.boots" if trace == "boots" else "ledger.db-wal"):
        Ledger.open(URL, tmp_path)
    living.close()


def test_who_deletes_every_trace_begins_anew(place, tmp_path):
    for one in place.parent.iterdir():
        one.unlink()
    Ledger.open(URL, tmp_path).close()
    assert place.exists()
