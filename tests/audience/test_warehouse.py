"""An audience elsewhere: every criterion on PostgreSQL and ClickHouse over tables of somebody else's; answers come in batches."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestrator.audience.compiling import lists, members
from orchestrator.audience.warehouse import Warehouse, warehouse
from orchestrator.core.segments import Moment, parse
from tests.audience.elsewhere import in_clickhouse, in_postgres, mapping, shaped_like_ours
from tests.audience.test_criteria import AT, CATALOGUE, CRITERIA, SEGMENTS, ZONE

EVERYBODY = {"about": "x", "any": [{"bucket": "0 to 0 of 1", "salt": "x"}]}


@pytest.fixture(scope="module", params=["postgresql", "clickhouse", "clickhouse shaped like ours"])
def elsewhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    root = tmp_path_factory.mktemp("project")
    (root / "lists").mkdir()
    (root / "lists" / "vip.csv").write_text("user_id\nada\n", encoding="utf-8")
    if request.param == "postgresql":
        fresh: Callable[[], str] = request.getfixturevalue("fresh_postgresql")
        url = fresh()
        in_postgres(url)
        yield warehouse(url, root, CATALOGUE, mapping("crm."))
        return
    (root / "data" / "house").mkdir(parents=True)
    if request.param == "clickhouse":
        in_clickhouse(root / "data" / "house")
        yield warehouse("clickhouse:data/house", root, CATALOGUE, mapping())
    else:
        shaped_like_ours(root / "data" / "house")
        yield warehouse("clickhouse:data/house", root, CATALOGUE)


@pytest.mark.parametrize(("raw", "expected"), [pytest.param(raw, who, id=name) for name, raw, who in CRITERIA])
def test_a_criterion_finds_the_same_people_elsewhere(
    raw: dict[str, Any], expected: set[str], elsewhere: Warehouse
) -> None:
    moment = Moment(AT, ZONE, SEGMENTS)
    segment = parse({"about": "x", "all": [raw]}, CATALOGUE)
    found = [user for (user,) in elsewhere.ask(members(segment, moment, elsewhere.columns), lists(segment, moment))]
    assert set(found) == expected
    assert len(found) == len(set(found))
