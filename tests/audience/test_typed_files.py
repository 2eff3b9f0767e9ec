"""Files whose columns have types: read as the values they are, they say what their JSON would say."""

import csv
import json
import math
import os
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.audience import cells
from orchestrator.audience.mapping import What
from tests.audience.builders import a_file, an_audience, events, imported, people

TEXTS = ["", "null", "a", "Ä", "A\u030a", " 7 ", "12,5", "1e3", "true", "NO", "2026-03-02", "20260302", "2026-03-29 02:30", "1.20.3", "a|b", '["a"]', '{"a":1}', "x\u0000"]  # fmt: skip
NUMBERS = [0, 1, -1, 7, 20260302, 20261302, 1_767_225_600, 1_767_225_600_000, 1_767_225_600_000_000, 10**14, -(10**15)]
MOMENTS = [
    datetime.fromisoformat(text)
    for text in ("2026-03-29T02:30", "2026-10-25T02:30", "1970-01-01", "1700-01-01", "9999-12-31")
]
COLUMNS = {
    pa.string(): st.sampled_from(TEXTS),
    pa.int64(): st.sampled_from(NUMBERS),
    pa.int32(): st.sampled_from(NUMBERS[:7]),
    pa.uint16(): st.sampled_from([0, 7, 65535]),
    pa.bool_(): st.booleans(),
    pa.date32(): st.sampled_from([date(2026, 3, 2), date(1, 1, 1), date(9999, 12, 31)]),
    pa.timestamp("us"): st.sampled_from(MOMENTS),
    pa.timestamp("ms"): st.sampled_from(MOMENTS),
    pa.timestamp("us", tz="UTC"): st.sampled_from([moment.replace(tzinfo=UTC) for moment in MOMENTS]),
    pa.float64(): st.sampled_from([0.0, -1.5, 1e20, 1e-7, 0.1, 1.00005, math.nan, math.inf]),
    pa.float32(): st.sampled_from([0.0, 0.5, 12.34567, 1e20]),
    pa.decimal128(10, 2): st.sampled_from([Decimal("12.50"), Decimal(0)]),
}
NAMES = ("score", "vip", "born", "createdAt", "app_version", "country", "tags", "shoe", "email", "device", "seen_at")


@st.composite
def tables(draw):
    """A table of people, each column of some type or other."""
    many = draw(st.integers(1, 6))
    columns = {"user": pa.array([f"u{number}" for number in range(many)])}
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)):
        kind = draw(st.sampled_from(list(COLUMNS)))
        values = draw(st.lists(st.none() | COLUMNS[kind], min_size=many, max_size=many))
        columns[name] = pa.array(values, kind)
    return pa.table(columns)


def came_of(root, table):
    """Everything an import of this table did, and its complaints."""
    audience = an_audience(root)
    pq.write_table(table, root / "people.parquet")
    os.utime(root / "people.parquet", (1_767_225_600, 1_767_225_600))  # since when devices without a time count
    done = imported(audience, What.PROFILES, root / "people.parquet")
    said = []
    if done.rejects:
        with done.rejects.open(encoding="utf-8", newline="") as file:
            said = [(row["line"], row["column"], row["reason"], row["row"]) for row in csv.DictReader(file)]
    columns = audience.rows("SELECT name FROM pragma_table_info('profile') ORDER BY 1")
    stands = people(audience, *(name for (name,) in columns))
    return stands, said, (done.rows, done.new, done.devices, done.left_out), done.seen


@given(tables())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_typed_column_says_what_its_json_would_say(tmp_path_factory, table):
    typed = came_of(tmp_path_factory.mktemp("typed"), table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "PLAIN", ())
        assert came_of(tmp_path_factory.mktemp("json"), table) == typed


def test_a_file_the_engine_cannot_read_by_itself_is_read_all_the_same(tmp_path):
    """It takes some characters of a name for a pattern, and has a column of its own by this name."""
    table = pa.table({"user": ["a"], "score": [7], "file_row_number": ["x"]})
    pq.write_table(table, tmp_path / "all[1].parquet")
    pq.write_table(table.set_column(0, "user", [["b"]]), tmp_path / "twin.parquet")
    audience = an_audience(tmp_path)
    for name in ("all[1].parquet", "twin.parquet"):
        imported(audience, What.PROFILES, tmp_path / name)
    assert people(audience, "a.score", "rest") == {
        "a": (7, '{"file_row_number":"x"}'),
        "b": (7, '{"file_row_number":"x"}'),
    }


@pytest.mark.parametrize("name", ["e.parquet", "e.csv"])
def test_properties_in_a_text_are_taken_out_of_it(tmp_path, name):
    texts = ['{"amount":"12.50","sku":"s1"}', '{"amount":"many"}', "no object", ""]
    if name == "e.csv":
        quoted = [text.replace('"', '""') for text in texts]
        rows = [f'u{n},purchase,2026-03-02T09:00:0{n}Z,m{n},"{text}"' for n, text in enumerate(quoted)]
        a_file(tmp_path, name, "user,event,time,message_id,properties", *rows)
    else:
        table = {
            "user": [f"u{n}" for n in range(4)], "event": ["purchase"] * 4, "properties": texts, "message_id": [f"m{n}" for n in range(4)],
            "time": [datetime(2026, 3, 2, 9, 0, n, tzinfo=UTC) for n in range(4)],
        }  # fmt: skip
        pq.write_table(pa.table(table), tmp_path / name)
    audience = an_audience(tmp_path)
    done = imported(audience, What.EVENTS, tmp_path / name)
    assert [json.loads(properties) for *_, properties in events(audience)] == [
        {"amount": 12.5, "sku": "s1"},
        {},
        {},
        {},
    ]
    assert [(one.column, one.count) for one in done.conflicts] == [("properties.amount", 1)]
