"""Where one person stands among everybody, asked of the store: the same as with everybody in memory."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.audience import What
from orchestrator.audience.compiling import members_sql
from orchestrator.audience.person import AskedCrowd, read_person
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.segments import Everybody, Moment, explain, member, parse
from tests.audience.builders import NOW, SHOP, a_file, an_audience, imported

CONDITIONS: tuple[dict[str, Any], ...] = (
    {"attribute": "score", "top": "50%"},
    {"event": "purchase", "sum": "amount", "top": "50%"},
    {"event": "purchase", "last": "time", "bottom": "40%"},
    {"rfm": "purchase", "sum": "amount", "recency": [3, 4, 5], "frequency": [4, 5], "monetary": [1, 2, 3, 4, 5]},
    {"sample": 2, "of": {"event": "purchase"}},
    {"not": {"sample": 3, "of": "everybody"}},
    {"address": "push"},
    {"attribute": "user", "is": "u1"},
    {"attribute": "language", "is": "de"},
)
USERS = tuple(f"u{number}" for number in range(6))


@pytest.mark.parametrize("raw", CONDITIONS, ids=str)
def test_one_person_is_explained_as_if_everybody_were_here(raw: dict[str, Any], tmp_path: Path) -> None:
    audience = an_audience(tmp_path)
    lines = [f"{user},{number % 3},de_AT,t{number}" for number, user in enumerate(USERS)]
    imported(audience, What.PROFILES, a_file(tmp_path, "p.csv", "user_id,score,locale,device_token", *lines))
    bought = [(user, day) for number, user in enumerate(USERS[1:]) for day in range(1, number % 3 + 2)]
    rows = [f"{user},2026-01-0{day}T00:00:00Z,purchase,{day * 10}" for user, day in bought]
    imported(audience, What.EVENTS, a_file(tmp_path, "e.csv", "user_id,time,event,amount", *rows))
    moment, columns = Moment(NOW, "Europe/Vienna"), DuckColumns(SHOP.attributes)
    segment = parse({"about": "x", "all": [raw]}, SHOP)
    people = [person for user in USERS if (person := read_person(audience, user, SHOP.attributes))]
    assert len(people) == len(USERS)
    asked = replace(moment, crowd=AskedCrowd(audience, moment, ()))
    everybody = Everybody(people, moment).moment
    found = {row[0] for row in audience.rows(members_sql(segment, moment, columns))}
    assert {one.user for one in people if member(segment, one, everybody)} == found
    for person in people:
        assert explain(segment, person, asked) == explain(segment, person, everybody)
