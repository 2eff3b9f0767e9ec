"""Random segments on Spark: the same members as in memory. Run by `make segments-spark`, for it takes a Java."""

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from orchestrator.audience.compiling import members_sql
from orchestrator.audience.counting import counts
from orchestrator.audience.engines.spark import SparkColumns
from orchestrator.audience.membership import membership
from orchestrator.audience.questions import Questions
from orchestrator.core.segments import Everybody, Moment, SegmentError, member
from tests.audience.conditions import IN_TURN, happenings, trees
from tests.audience.in_spark import InSpark
from tests.audience.population import ANCHORS, TYPED, ZONES, Population, population
from tests.audience.test_compiling import SEGMENTS, a_segment
from tests.audience.test_counting import read
from tests.audience.test_membership import in_memory

TREES = int(os.environ.get("SEGMENT_TREES", "300"))


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Population, InSpark]]:
    people = population(0)
    spark = InSpark(people.people, TYPED)
    yield people, spark
    spark.close()
    people.close()


def test_spark_and_memory_agree_on_every_user(both: tuple[Population, InSpark]) -> None:
    people, spark = both
    asked: list[int] = []
    for turn, leaf in enumerate(IN_TURN):

        @seeded(turn)
        @settings(
            max_examples=-(-TREES // len(IN_TURN)), deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(
            raw=trees,
            one=leaf,
            word=st.sampled_from(("all", "any")),
            zone=st.sampled_from(ZONES),
            at=st.sampled_from(ANCHORS),
        )
        def on_every_tree(raw: Any, one: Any, word: str, zone: str, at: Any) -> None:
            try:
                segment = a_segment({word: [raw, one]})
            except SegmentError:  # pairs the wrong way round
                return
            moment = Moment(at, zone, SEGMENTS)
            crowd = Everybody(people.people, moment).moment
            sql = members_sql(segment, moment, SparkColumns(TYPED))
            assert spark.answer(sql) == {one.user for one in people.people if member(segment, one, crowd)}, sql
            asked.append(1)

        on_every_tree()
    assert len(asked) >= TREES * 0.8


def test_spark_counts_segments_together_and_knows_whose_they_are(both: tuple[Population, InSpark]) -> None:
    people, spark = both
    columns = SparkColumns(TYPED)
    reader: Any = SimpleNamespace(columns=columns, ask=lambda query, _=(): spark.rows(query.sql("spark")))
    users = [one.user for one in people.people]

    @seeded(TREES)
    @settings(
        max_examples=-(-TREES // 30), deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        raws=st.lists(st.one_of(happenings(), happenings(), trees), min_size=3, max_size=8),
        zone=st.sampled_from(ZONES),
        at=st.sampled_from(ANCHORS),
    )
    def on_every_set(raws: list[Any], zone: str, at: Any) -> None:
        segments = read(*raws)
        moment = Moment(at, zone, SEGMENTS)
        expected = in_memory(segments, users, people, moment)
        assert membership(reader, users[:20], segments, moment) == {user: expected[user] for user in users[:20]}
        sizes = {name: sum(name in one for one in expected.values()) for name in segments}
        assert counts(Questions(reader.ask, columns, moment), segments) == sizes

    on_every_set()
