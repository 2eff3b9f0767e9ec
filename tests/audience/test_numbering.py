"""The number beside each event: whatever is written in whatever order, it stands for the event's user, and for nobody else."""

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audience.compiling import members_sql
from orchestrator.audience.loading import load
from orchestrator.audience.mapping import What
from orchestrator.audience.visiting import Arrival, Arriving
from orchestrator.core.segments import Moment, parse
from orchestrator.core.times import Instant
from tests.audience.builders import NOW, SHOP, a_file, an_audience, events, imported, people

BUYERS = parse({"about": "x", "all": [{"event": "purchase"}]}, SHOP)
MOMENT = Moment(NOW, "UTC", {})


def buyers(audience):
    return {user for (user,) in audience.rows(members_sql(BUYERS, MOMENT, audience.columns))}


def purchase(user, message):
    return Arrival(Arriving.EVENT, user, message, Instant(5), "purchase", {"amount": 1})


def alias(old, new):
    return Arrival(Arriving.ALIAS, new, f"{old}-{new}", Instant(6), old)


def replaced(audience, *users):
    """All people by a file of these."""
    path = a_file(audience.root, "all.csv", "user,country", *(f"{user},AT" for user in users))
    imported(audience, What.PROFILES, path, replace=True)


def numbers(audience):
    """Everybody's number, also of people who have events alone; checked against every event."""
    found = audience.rows('SELECT "user", who FROM profile UNION SELECT "user", who FROM parted')
    told = dict(found)
    assert len(told) == len(found) == len(set(told.values())), "two numbers of one, or one of two"
    for user, who in audience.rows('SELECT "user", who FROM event'):
        assert told[user] == who
    return told


USERS = st.sampled_from("abcd")
STEPS = st.one_of(
    st.tuples(st.just("event"), USERS),
    st.tuples(st.just("person"), USERS),
    st.tuples(st.just("alias"), USERS, USERS),
    st.tuples(st.just("erase"), USERS),
    st.tuples(st.just("replace"), USERS, USERS),
    st.tuples(st.just("compact")),
)


@given(steps=st.lists(STEPS, min_size=2, max_size=9))
@settings(max_examples=12, deadline=None, database=None, derandomize=True)
def test_events_and_people_keep_together_whatever_happens(steps):
    with TemporaryDirectory() as folder:
        audience = an_audience(Path(folder))
        known, bought = set(), {}
        for batch, (step, *users) in enumerate([("event", "a"), *steps]):
            if step == "event":
                load(audience, batch, [purchase(users[0], f"m{batch}")], SHOP)
                known.add(users[0])
                bought[f"m{batch}"] = users[0]
            elif step == "person":
                load(
                    audience,
                    batch,
                    [Arrival(Arriving.PROFILE, users[0], f"p{batch}", Instant(5), body={"score": 1})],
                    SHOP,
                )
                known.add(users[0])
            elif step == "alias":
                old, new = users
                load(audience, batch, [alias(old, new)], SHOP)
                if old != new:
                    bought = {message: new if user == old else user for message, user in bought.items()}
                    known = (known - {old}) | {new} if old in known else known
            elif step == "erase":
                audience.erase(users[0])
                known.discard(users[0])
                bought = {message: user for message, user in bought.items() if user != users[0]}
            elif step == "replace":
                replaced(audience, *dict.fromkeys(users))
                known = set(users)
            else:
                audience.compact()
            numbers(audience)
        assert set(people(audience, "user")) == known
        assert {message: user for user, _, _, message, _ in events(audience)} == bought
        assert buyers(audience) == set(bought.values()) & known


def test_who_goes_with_a_file_that_replaces_everybody_comes_back_to_what_they_did(tmp_path):
    audience = an_audience(tmp_path)
    load(audience, 1, [purchase("a", "1"), purchase("b", "2")], SHOP)
    before = numbers(audience)
    replaced(audience, "b", "c")
    assert buyers(audience) == {"b"}
    replaced(audience, "a", "c")
    assert buyers(audience) == {"a"}
    assert numbers(audience) | before == numbers(audience)


def test_an_erased_person_leaves_no_number_behind(tmp_path):
    audience = an_audience(tmp_path)
    load(audience, 1, [purchase("a", "1"), purchase("b", "2")], SHOP)
    replaced(audience, "b")
    assert audience.erase("a")
    assert audience.rows("SELECT count(*) FROM parted") == [(0,)]
    load(audience, 2, [purchase("a", "3")], SHOP)
    assert len(events(audience)) == 2
    numbers(audience)


def an_older_file(path):
    """As it was before people had numbers; with a person of whom events alone are left."""
    path.parent.mkdir(parents=True)
    with duckdb.connect(path) as connection:
        connection.execute(
            'CREATE TABLE profile ("user" VARCHAR PRIMARY KEY, zone VARCHAR, locale VARCHAR, email VARCHAR, phone VARCHAR,'
            ' devices JSON, rest JSON, "a.level" BIGINT)'
        )
        connection.execute(
            'CREATE TABLE event ("user" VARCHAR NOT NULL, name VARCHAR NOT NULL, "time" BIGINT NOT NULL,'
            " message_id VARCHAR NOT NULL, properties JSON)"
        )
        connection.execute("CREATE TABLE loaded (batch BIGINT PRIMARY KEY)")
        connection.execute("INSERT INTO loaded VALUES (1)")
        connection.execute(
            """INSERT INTO profile SELECT 'u' || n, 'UTC', NULL, 'u' || n || '@x.test', NULL, NULL, '{"country":"AT"}', n FROM range(500) AS t(n)"""
        )
        connection.execute(
            """INSERT INTO event SELECT 'u' || (n * 7 % 510), 'purchase', n, 'm' || n, '{"amount":1}' FROM range(3000) AS t(n)"""
        )


def test_a_file_of_an_older_release_is_numbered_when_it_is_opened(tmp_path):
    an_older_file(tmp_path / "data" / "audience.duckdb")
    audience = an_audience(tmp_path)
    told = numbers(audience)
    assert len(told) == 510
    assert buyers(audience) == {f"u{n}" for n in range(500)}
    assert people(audience, "email", "a.country", "a.level")["u7"] == ("u7@x.test", "AT", 7)
    assert [message for (message,) in audience.rows("SELECT message_id FROM event ORDER BY rowid")] == [
        f"m{n}" for n in range(3000)
    ]
    assert audience.rows("SELECT batch FROM loaded") == [(1,)]
    load(audience, 2, [purchase("u509", "late"), purchase("new", "later")], SHOP)
    assert buyers(audience) == {f"u{n}" for n in (*range(500), 509)} | {"new"}
    audience.compact()
    assert numbers(audience) == told | numbers(audience)
    assert len(numbers(audience)) == 511
    layout = "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE table_name IN ('profile', 'event')"
    fresh = an_audience(tmp_path / "fresh")
    load(fresh, 1, [purchase("a", "1")], SHOP)
    assert {row for row in audience.rows(layout) if row[1] != "a.level"} == set(fresh.rows(layout))
