"""Lists of people in git: by id, by address, and what a list that cannot be read says."""

import pytest

from orchestrator.audience.mapping import What
from orchestrator.core.errors import StoreError
from tests.audience.builders import a_file, an_audience, imported


@pytest.fixture
def audience(tmp_path):
    made = an_audience(tmp_path)
    lines = ["a,Ada@x.test,+43 660 0001", "b,bo@x.test,+43 660 0002", "c,ada@X.test,"]
    imported(made, What.PROFILES, a_file(tmp_path, "people.csv", "user,email,phone", *lines))
    (tmp_path / "lists").mkdir()
    return made


def listed(audience, *names):
    return audience.rows('SELECT list, "user" FROM list_member ORDER BY ALL', lists=names)


def test_ids_stand_for_themselves_and_addresses_for_everybody_who_has_them(audience, tmp_path):
    a_file(tmp_path, "lists/ids.csv", "note,user_id", "boss,b", ",a", "", "x,stranger")
    a_file(tmp_path, "lists/mail.csv", "Email", "ADA@x.test", "nobody@x.test")
    a_file(tmp_path, "lists/phone.csv", "phone", "+43 660 0002")
    assert [user for _, user in listed(audience, "lists/ids.csv")] == ["a", "b", "stranger"]
    both = listed(audience, "lists/mail.csv", "lists/phone.csv", "lists/mail.csv")
    assert both == [("lists/mail.csv", "a"), ("lists/mail.csv", "c"), ("lists/phone.csv", "b")]


def test_a_list_is_read_anew_every_time(audience, tmp_path):
    a_file(tmp_path, "lists/staff.csv", "user_id", "a")
    assert len(listed(audience, "lists/staff.csv")) == 1
    a_file(tmp_path, "lists/staff.csv", "user_id", "a", "b")
    assert len(listed(audience, "lists/staff.csv")) == 2
    a_file(tmp_path, "lists/staff.csv", "user_id")
    assert listed(audience, "lists/staff.csv") == []
    assert listed(audience) == []


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("lists/gone.csv", None, "there is no such file"),
        ("lists/odd.csv", b"name\nAda\n", "the header says name; name one column user_id, email or phone"),
        ("lists/bytes.csv", b"user_id\n\xff\n", "save it as CSV in UTF-8"),
        ("../outside.csv", b"user_id\na\n", "leads out of the project"),
    ],
)
def test_a_list_that_cannot_be_read_says_so(audience, tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StoreError, match=says):
        listed(audience, name)
