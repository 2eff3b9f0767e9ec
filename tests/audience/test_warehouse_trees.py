"""Random segments over tables that a mapping shows: the same members as in memory, person by person."""

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from orchestrator.audience.columns import OWN, home
from orchestrator.audience.compiling import lists, members
from orchestrator.audience.warehouse import Warehouse, warehouse
from orchestrator.core.foreign import Clock, EventTable, Foreign, PeopleTable, Place
from orchestrator.core.segments import Catalogue, Everybody, Kind, Moment, SegmentError, member
from tests.audience.conditions import IN_TURN, trees
from tests.audience.engines import InPostgres
from tests.audience.population import ANCHORS, CATALOGUE, LISTS, LOOSE, TYPED, ZONES, Population, population
from tests.audience.test_compiling import SEGMENTS, a_segment

TREES = int(os.environ.get("SEGMENT_TREES", "120"))
KNOWN = Catalogue(CATALOGUE.attributes, CATALOGUE.events)
FOREIGN = Foreign(
    (
        PeopleTable("public.profile", Place("user"), {name: Place(name) for name in OWN}),
        PeopleTable(
            "public.profile",
            Place("user"),
            {
                name: Place(home(name), None, Clock.MICROSECONDS if it.kind is Kind.TIME else Clock.TIMESTAMP)
                for name, it in TYPED.items()
            }
            | {name: Place("rest", (name,)) for name in LOOSE},
        ),
    ),
    (
        EventTable(
            "public.event",
            Place("user"),
            Place("time", None, Clock.MICROSECONDS),
            "",
            Place("name"),
            Place("message_id"),
            Place("properties"),
        ),
    ),
)
"""Devices are not in it."""


@pytest.fixture(scope="module")
def both(
    fresh_postgresql: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Population, Warehouse]]:
    people, url, root = population(0), fresh_postgresql(), tmp_path_factory.mktemp("project")
    engine = InPostgres(url, people.people, TYPED)
    for name in LISTS:
        path: Path = root / name
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["user_id"], *([one.user] for one in people.people if name in one.lists)])
    yield people, warehouse(url, root, KNOWN, FOREIGN)
    engine.close()
    people.connection.close()


def _unknown_here(raw: Any) -> bool:
    """Whether a tree asks for what the mapping does not show."""
    if isinstance(raw, dict):
        pushed = "push" in (raw.get("address"), raw.get("reachable"))
        return pushed or any(_unknown_here(value) for value in raw.values())
    return isinstance(raw, list) and any(_unknown_here(value) for value in raw)


def test_a_mapping_and_memory_agree_on_every_user(both: tuple[Population, Warehouse]) -> None:
    people, store = both
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
            parts = [part for part in (raw, one) if not _unknown_here(part)]
            if not parts:
                return
            try:
                segment = a_segment({word: parts})
            except SegmentError:  # pairs the wrong way round
                return
            moment = Moment(at, zone, SEGMENTS)
            crowd = Everybody(people.people, moment).moment
            query = members(segment, moment, store.columns)
            found = [user for (user,) in store.ask(query, lists(segment, moment))]
            assert set(found) == {one.user for one in people.people if member(segment, one, crowd)}, query.sql(
                "postgres"
            )
            assert len(found) == len(set(found))
            asked.append(1)

        on_every_tree()
    assert len(asked) >= TREES * 0.7
