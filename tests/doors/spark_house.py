"""An audience in files that Spark reads: a run and every verb tell what our own store would. Run by `make segments-spark`."""

import json
from pathlib import Path

import pytest

from tests.doors.house import OURS, VERBS, into_files, lasting, open_shop, through, told


def test_a_run_from_spark_sends_word_for_word_what_our_own_store_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "whsec_aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8=")
    into_files(tmp_path / "lake")
    at_home = through(tmp_path / "home", OURS)
    assert at_home["planned"] == 40
    found = through(tmp_path / "spark", "spark:local[2]", tmp_path / "lake")
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(at_home))


def test_every_verb_that_reads_tells_the_same_of_spark_as_of_our_own_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "whsec_aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8=")
    into_files(tmp_path / "lake")
    twin = open_shop(tmp_path / "home", OURS)
    shop = open_shop(tmp_path / "spark", "spark:local[2]", tmp_path / "lake")
    try:
        for words in VERBS:
            assert lasting(told(shop, *words)) == lasting(told(twin, *words)), words
    finally:
        twin.ledger.close()
        shop.ledger.close()
