"""Files larger than memory: an import takes so much and no more, and says so where there is no room at all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.audience import opening
from orchestrator.audience.mapping import What
from orchestrator.audience.texts import FileError
from orchestrator.core.errors import StoreError
from tests.audience.builders import a_file, an_audience, imported


def test_the_memory_of_an_import_does_not_grow_with_its_file(tmp_path):
    """All in the engine's memory, 300,000 rows more took 150 MB more; what is left is the index of those who are there."""
    found = []
    for rows in (100_000, 400_000):
        (tmp_path / str(rows)).mkdir()
        words = [str(tmp_path / str(rows)), str(rows), str(64 << 20)]
        done = subprocess.run(
            [sys.executable, "-m", "tests.audience.weighing", *words],
            cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
        )  # fmt: skip
        found.append(json.loads(done.stdout))
    assert [(one["rows"], one["new"], one["left_out"]) for one in found] == [
        (100_000, 100_000, 0),
        (400_000, 400_000, 0),
    ]
    assert found[1]["peak"] - found[0]["peak"] < 100, f"MB: {found}"


def rows_of(count):
    return [f"u{number:06},{'x' * 200}{number}" for number in range(count)]


def test_a_file_that_takes_more_memory_than_it_should_is_imported_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "BENCH_ROOM", 2 << 20)
    audience = an_audience(tmp_path)
    done = imported(audience, What.PROFILES, a_file(tmp_path, "a.csv", "user,country", *rows_of(20_000)))
    assert (done.new, done.left_out) == (20_000, 0)


def test_where_nothing_has_room_for_a_file_it_says_so_and_where_room_is_needed(tmp_path, monkeypatch):
    made = opening.private

    def cramped(folder):
        engine = made(folder)
        engine.execute("SET max_temp_directory_size = '1MB'")
        return engine

    monkeypatch.setattr(opening, "BENCH_ROOM", 2 << 20)
    monkeypatch.setattr(opening, "private", cramped)
    monkeypatch.setattr(opening, "unconfine", lambda _: None)
    audience = an_audience(tmp_path)
    with pytest.raises(StoreError, match=r"no room to read it, and nothing was imported .* make room there"):
        imported(audience, What.PROFILES, a_file(tmp_path, "a.csv", "user,country", *rows_of(20_000)))
    assert not audience.path.exists()
    assert list(audience.spools.glob("*/*")) == []


@pytest.mark.parametrize(
    ("name", "head", "line", "says"),
    [
        ("a.csv", "user,country", "u1;AT;x", "line 2: 1 cells where the header has 2"),
        ("a.jsonl", '{"user": "u0"}', "user=u1", "line 2: no JSON object"),
    ],
)
def test_a_file_of_which_hardly_a_line_is_a_row_is_refused_before_it_fills_the_memory(
    tmp_path, monkeypatch, name, head, line, says
):
    monkeypatch.setattr("orchestrator.audience.texts.MOST_BROKEN", 1000)
    monkeypatch.setattr("orchestrator.audience.bench.MOST_BROKEN", 1000)
    audience = an_audience(tmp_path)
    assert imported(audience, What.PROFILES, a_file(tmp_path, name, head, *[line] * 1000)).left_out == 1000
    with pytest.raises(FileError, match=f"more than 1,000 lines of it are no rows, the first of them {says}"):
        imported(audience, What.PROFILES, a_file(tmp_path, name, head, *[line] * 5000))
