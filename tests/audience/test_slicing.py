"""A run's people, a slice at a time: everybody once, in order, in little memory, whatever their ids and zones are."""

import subprocess
import sys

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.audience import slicing

PROFILES = 'CREATE TABLE profile ("user" VARCHAR, zone VARCHAR, email VARCHAR)'
IDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=4)
ZONES = st.sampled_from([None, "", "Europe/Berlin", "Europe/Vienna", "it's", "\N{LATIN SMALL LETTER AE}"])


def of(people):
    """An engine with these profiles, in an order of no use."""
    connection = duckdb.connect(":memory:")
    connection.execute(PROFILES)
    for user, zone in people.items():
        connection.execute("INSERT INTO profile VALUES (?, ?, ?)", [user, zone, f"{user}@x.test"])
    return connection


def rows(connection, sql, *order, columns=("zone", "email")):
    return [
        tuple(row.values()) for batch in slicing.in_order(connection, sql, columns, order) for row in batch.to_pylist()
    ]


@pytest.fixture
def small(monkeypatch):
    """Slices of three people, and as many as it takes."""
    monkeypatch.setattr(slicing, "PEOPLE_A_SLICE", 3)
    monkeypatch.setattr(slicing, "SLICES", 12)


@pytest.mark.usefixtures("small")
@given(people=st.dictionaries(IDS, ZONES, max_size=40), by_zone=st.booleans())
def test_everybody_comes_once_and_in_order(people, by_zone):
    order = ("zone", "user") if by_zone else ("user",)
    found = rows(of(people), 'SELECT "user", 7 AS place FROM profile', *order)
    key = (lambda row: (row[2] or "", row[0])) if by_zone else (lambda row: row[0])
    assert found == sorted(((u, 7, z, f"{u}@x.test") for u, z in people.items()), key=key)


def test_slices_were_cut_where_there_are_many_and_there_are_never_too_many(small):
    connection = of({f"u{n:03}": None for n in range(100)})
    connection.execute('CREATE TEMP TABLE chosen AS SELECT "user" FROM profile')
    cuts = slicing._Slices(connection, (), by_zone=False)._cuts()
    assert len(cuts) == 11
    assert cuts == sorted(set(cuts))


@pytest.mark.usefixtures("small")
def test_who_has_no_profile_any_more_is_in_it_all_the_same():
    connection = of({f"u{n:03}": "UTC" for n in range(20)})
    found = rows(connection, "SELECT \"user\" FROM profile UNION ALL SELECT 'u005x'", "zone", "user")
    assert found[0] == ("u005x", None, None)
    assert len(found) == 21


@pytest.mark.usefixtures("small")
def test_with_too_little_room_it_takes_what_it_needs(monkeypatch):
    monkeypatch.setattr(slicing, "ROOM", "6MB")
    wide = duckdb.connect(":memory:", config={"threads": 1})
    wide.execute(PROFILES)
    wide.execute("INSERT INTO profile SELECT 'u' || range, NULL, repeat(md5(range::TEXT), 3000) FROM range(300)")
    monkeypatch.setattr(slicing, "PEOPLE_A_SLICE", 150)
    users = [user for user, *_ in rows(wide, 'SELECT "user" FROM profile', "user")]
    assert users == sorted(f"u{n}" for n in range(300))


MEASURED = """
import resource, sys, duckdb
from orchestrator.audience import slicing
connection = duckdb.connect(sys.argv[1], read_only=True, config={"threads": 2})
people = 0
for batch in slicing.in_order(connection, f'SELECT "user" FROM profile LIMIT {sys.argv[2]}', ("email",), ("user",)):
    people += batch.num_rows
print(people, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_twenty_times_as_many_people_take_no_more_memory(tmp_path):
    """Peak memory of a process of its own, in kilobytes; a sort of everybody at once would take some 400 MB more."""
    with duckdb.connect(tmp_path / "many.duckdb") as connection:
        connection.execute(PROFILES)
        wide = "hash(range)::TEXT, NULL, repeat(md5(range::TEXT), 12)"
        connection.execute(f"INSERT INTO profile SELECT {wide} FROM range(500000)")
    peak = {}
    for people in (25_000, 500_000):
        told = subprocess.run(
            [sys.executable, "-c", MEASURED, str(tmp_path / "many.duckdb"), str(people)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        found, peak[people] = map(int, told.stdout.split())
        assert found == people
    assert peak[500_000] < peak[25_000] + 60_000
