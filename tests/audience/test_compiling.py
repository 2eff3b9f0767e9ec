"""The SQL of a segment and the evaluation in memory are the same meaning, for everybody, everywhere, at any moment."""

import os
from collections import Counter
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestrator.audience.compiling import members_sql
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.segments import Moment, SegmentError, member, parse
from orchestrator.core.times import DAY, HOUR, Instant
from tests.audience.conditions import trees
from tests.audience.population import ANCHORS, CATALOGUE, TYPED, ZONES, Population, population

TREES = int(os.environ.get("SEGMENT_TREES", "300"))
SEEDS = 3
COLUMNS = DuckColumns(TYPED)
SEGMENTS = {
    "known": parse({"about": "We know where they live", "all": [{"attribute": "its_text", "is_set": True}]}, CATALOGUE),
    "odd": parse(
        {"about": "Known, and no buyers", "any": [{"segment": "known"}, {"not": {"event": "purchase"}}]}, CATALOGUE
    ),
}

everybody = cache(population)


def said(raw: Any) -> set[str]:
    """Every key of a segment's file, and where it stands under `not`."""
    if isinstance(raw, list):
        return {word for one in raw for word in said(one)}
    if not isinstance(raw, dict):
        return set()
    return set(raw) | {word for one in raw.values() for word in said(one)}


def check(raw: dict[str, Any], people: Population, moment: Moment, seen: Counter[str]) -> None:
    try:
        segment = parse({"about": "made up", "all": [raw]}, CATALOGUE)
    except SegmentError as error:
        assert all("is above" in one.text or "is after" in one.text for one in error.mistakes), error
        return
    sql = members_sql(segment, moment, COLUMNS)
    expected = {person.user for person in people.people if member(segment, person, moment)}
    assert people.answer(sql) == expected, sql
    seen.update(said(raw))
    seen["members"] += len(expected)
    seen["others"] += len(people.people) - len(expected)


def test_sql_and_memory_agree_on_every_user() -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=TREES, deadline=None, derandomize="SEGMENT_TREES" not in os.environ, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(
        raw=trees,
        seed=st.integers(0, SEEDS - 1),
        zone=st.sampled_from(ZONES),
        at=st.sampled_from(ANCHORS),
        by=st.sampled_from((0, 0, 0, 1, HOUR, -DAY, 6 * HOUR)),
    )
    def agree(raw: dict[str, Any], seed: int, zone: str, at: Instant, by: int) -> None:
        check(raw, everybody(seed), Moment(Instant(at + by), zone, SEGMENTS), seen)

    agree()
    print(seen)
