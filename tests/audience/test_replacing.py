"""A file that is the whole truth: what it takes away is counted, and a file that is probably torn takes nothing."""

import csv

import pytest

from orchestrator.audience.importing import Order, import_file
from orchestrator.audience.mapping import What
from orchestrator.audience.replacing import Share
from orchestrator.audience.texts import FileError
from tests.audience.builders import NOW, SHOP, a_file, an_audience, events, imported, people


@pytest.fixture
def audience(tmp_path):
    audience = an_audience(tmp_path)
    imported(audience, What.PROFILES, a_file(tmp_path, "all.csv", "user,country", "a,AT", "b,DE", "c,CH"))
    lines = [f"a,visit,2026-01-0{day},m{day}" for day in range(1, 5)]
    imported(audience, What.EVENTS, a_file(tmp_path, "did.csv", "user,event,time,message_id", *lines))
    return audience


EVERYBODY = {"a": "AT", "b": "DE", "c": "CH"}
TORN = ('{"user": "a", "country": "FR"}', '{"user": "b", "cou', '{"user": "d"}')


def test_a_replacement_says_how_many_people_and_events_it_removed(audience, tmp_path):
    done = imported(audience, What.PROFILES, a_file(tmp_path, "p.csv", "user,country", "a,FR", "d,IT"), replace=True)
    assert (done.new, done.changed, done.removed) == (1, 1, 2)
    assert people(audience, "a.country") == {"a": "FR", "d": "IT"}
    lines = ("a,visit,2026-01-02,m2", "a,visit,2026-01-09,m9")
    done = imported(
        audience, What.EVENTS, a_file(tmp_path, "e.csv", "user,event,time,message_id", *lines), replace=True
    )
    assert (done.new, done.removed) == (1, 3)
    assert [message for *_, message, _ in events(audience)] == ["m2", "m9"]
    again = imported(audience, What.EVENTS, tmp_path / "e.csv", replace=True)
    assert (again.new, again.removed) == (0, 0)


def test_what_is_only_added_removes_nobody(audience, tmp_path):
    assert imported(audience, What.PROFILES, a_file(tmp_path, "p.csv", "user,country", "d,IT")).removed == 0


def test_devices_that_a_file_of_devices_does_not_name_are_counted_by_their_people(audience, tmp_path):
    imported(audience, What.DEVICES, a_file(tmp_path, "d.csv", "user,token", "a,t1", "b,t2"))
    done = imported(audience, What.DEVICES, a_file(tmp_path, "d.csv", "user,token", "b,t3"), replace=True)
    assert (done.devices, done.removed) == (1, 1)
    assert set(people(audience, "devices")) == set(EVERYBODY), "they are people still"


def test_a_torn_file_replaces_nobody_and_its_rejects_are_written_all_the_same(audience, tmp_path):
    path = a_file(tmp_path, "people.jsonl", *TORN)
    with pytest.raises(FileError, match=r"people\.jsonl: nothing was changed: 1 of its 3 rows.*say --yes"):
        imported(audience, What.PROFILES, path, replace=True)
    assert people(audience, "a.country") == EVERYBODY
    with (tmp_path / "data/rejects/people-1.csv").open(newline="") as file:
        assert [row["line"] for row in csv.DictReader(file)] == ["2"]
    done = imported(audience, What.PROFILES, path, replace=True, yes=True)
    assert (done.left_out, done.removed) == (1, 2)
    assert people(audience, "a.country") == {"a": "FR", "d": None}


@pytest.mark.parametrize(
    ("what", "name", "lines"),
    [
        (What.PROFILES, "p.csv", ["user,country"]),
        (What.EVENTS, "e.csv", ["user,event,time"]),
        (What.DEVICES, "d.csv", ["user,token"]),
    ],
)
def test_a_file_without_rows_replaces_nobody(audience, tmp_path, what, name, lines):
    imported(audience, What.DEVICES, a_file(tmp_path, "tokens.csv", "user,token", "a,t1"))
    before = people(audience, "a.country", "devices"), events(audience)
    with pytest.raises(FileError, match=r"nothing was changed: it has no rows.*say --yes"):
        imported(audience, what, a_file(tmp_path, name, *lines), replace=True)
    assert (people(audience, "a.country", "devices"), events(audience)) == before


def test_whoever_approves_is_told_the_numbers_before_anything_is_written(audience, tmp_path):
    told = []

    def refuse(loss):
        told.append((loss.noun, loss.rows, loss.share, loss.share.going))
        raise FileError("no")

    path = a_file(tmp_path, "p.csv", "user,country", "a,FR", "d,IT")
    with pytest.raises(FileError, match="no"):
        import_file(audience, Order(What.PROFILES, path, NOW, SHOP, replace=True, approve=refuse))
    assert told == [("people", 2, Share(3, 1), 2)]
    assert people(audience, "a.country") == EVERYBODY


def test_nothing_people_said_stays_on_disk_when_a_replacement_is_refused(audience, tmp_path):
    def refuse(loss):
        assert len(list(audience.spools.glob("*/*.arrow"))) == 1
        raise FileError("no")

    path = a_file(tmp_path, "p.csv", "user,agreed", "a,yes", "d,no")
    mapping = {"columns": {"agreed": "consent.email.offers"}}
    with pytest.raises(FileError, match="no"):
        import_file(audience, Order(What.PROFILES, path, NOW, SHOP, mapping=mapping, replace=True, approve=refuse))
    assert list(audience.spools.glob("*/*.arrow")) == []
