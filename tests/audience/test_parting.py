"""People asked for in parts: whatever the parts, they come once and in order, and nobody's answer hangs on who is asked with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audience import parting
from orchestrator.audience.casting import Wish, question
from orchestrator.audience.engines.clickhouse import ClickHouseColumns
from orchestrator.core.segments import Catalogue, Declared, Kind, Moment, parse
from orchestrator.core.times import Instant

SCHEMA = pa.schema([("user", pa.string()), ("zone", pa.string()), ("tags", pa.list_(pa.string()))])
CATALOGUE = Catalogue({"age": Declared(Kind.NUMBER)}, {"buy": {"sum": Declared(Kind.NUMBER)}})
ZONES = st.sampled_from([None, "", "Asia/Tokyo", "Europe/Vienna", "Ωmega", "a"])


def runs_of(people: dict[str, str | None], parts: int, order: tuple[str, ...]) -> list[list[dict[str, Any]]]:
    """Everybody in one of the parts, each of which is in order."""
    found: list[list[dict[str, Any]]] = [[] for _ in range(parts)]
    for number, (user, zone) in enumerate(people.items()):
        found[number * 7 % parts].append({"user": user, "zone": zone, "tags": [user]})
    return [sorted(one, key=lambda row: key_of(row, order)) for one in found]


def key_of(row: dict[str, Any], order: tuple[str, ...]) -> tuple[Any, ...]:
    """By code point, missing ones last."""
    return tuple((row[name] is None, row[name] or "") for name in order)


@given(
    people=st.dictionaries(st.text("aßz€😀", min_size=1, max_size=4), ZONES, max_size=60),
    parts=st.integers(1, 9),
    cut=st.integers(1, 5),
    once=st.integers(1, 40),
    order=st.sampled_from([("user",), ("zone", "user")]),
)
@settings(max_examples=150, deadline=None)
def test_parts_become_one_answer_in_order(
    people: dict[str, str | None], parts: int, cut: int, once: int, order: tuple[str, ...], tmp_path_factory: Any
) -> None:
    runs = runs_of(people, parts, order)

    def batches(rows: list[dict[str, Any]]) -> Iterator[Any]:
        for start in range(0, len(rows), cut):
            yield pa.RecordBatch.from_pylist(rows[start : start + cut], SCHEMA)

    folder: Path = tmp_path_factory.getbasetemp() / "parts"
    with (
        pytest.MonkeyPatch.context() as patch,
        patched(patch, once),
        parting.in_order(map(batches, runs), parts, SCHEMA, order, folder) as merged,
    ):
        found = [row for batch in merged for row in batch.to_pylist()]
    everybody = [row for run in runs for row in run]
    assert found == sorted(everybody, key=lambda row: key_of(row, order))
    assert list(folder.glob("*/*.arrow")) == []


def patched(patch: pytest.MonkeyPatch, rows: int) -> Any:
    """So few rows in memory that parts have to wait for each other."""
    patch.setattr(parting, "AT_ONCE", rows)
    return patch.context()


@pytest.mark.parametrize(
    ("raw", "everybody"),
    [
        ({"attribute": "age", "top": "10%"}, True),
        ({"event": "buy", "sum": "sum", "top": "10%"}, True),
        ({"sample": 3, "of": "everybody"}, True),
        ({"not": {"any": [{"sample": 3, "of": {"attribute": "age", "at_least": 3}}]}}, True),
        ({"attribute": "age", "at_least": 3}, False),
        ({"event": "buy", "then": {"event": "buy", "within": "1 day"}}, False),
        ({"event": "buy", "first": "time", "when": "last 7 days"}, False),
        ({"event": "buy", "latest": {"sum": {"at_least": 3}}}, False),
        ({"bucket": "0 to 4 of 10", "salt": "x"}, False),
    ],
)
def test_only_a_place_among_everybody_keeps_people_together(raw: dict[str, Any], everybody: bool) -> None:
    moment = Moment(Instant(1_772_449_200_000_000), "UTC")
    wish = Wish([parse({"about": "x", "all": [raw]}, CATALOGUE)], [], moment, CATALOGUE.attributes, [("lastOccurrenceOf", "buy")])  # fmt: skip
    assert parting.of_everybody(question(wish, ClickHouseColumns(CATALOGUE.attributes)).query) is everybody


def test_parts_are_as_many_as_there_are_people_for() -> None:
    assert [parting.parts(people) for people in (0, 1, 25_000, 25_001, 1_000_000, 10_000_000)] == [1, 1, 1, 2, 40, 100]
