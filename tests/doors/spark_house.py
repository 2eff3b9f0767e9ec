"""One run whose people live in files that Spark reads: word for word what our own store would send. Run by `make segments-spark`."""

import json
from pathlib import Path

import pytest

from tests.doors.house import OURS, into_files, through


def test_a_run_from_spark_sends_word_for_word_what_our_own_store_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSE_SECRET", "whsec_aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8=")
    into_files(tmp_path / "lake")
    at_home = through(tmp_path / "home", OURS)
    assert at_home["planned"] == 40
    found = through(tmp_path / "spark", "spark:local[2]", tmp_path / "lake")
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(at_home))
