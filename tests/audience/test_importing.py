"""Imports of people and what they did: what an empty cell means, what a second import does, what is rejected and why."""

import csv
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrator.audience.catalogue import catalogue_from
from orchestrator.audience.importing import Order, import_file, look
from orchestrator.audience.mapping import What
from orchestrator.audience.mirroring import Place, mirror
from orchestrator.audience.texts import FileError
from orchestrator.core.segments.tree import Catalogue, Declared, Kind
from tests.audience.builders import NOW, SHOP, a_file, an_audience, events, imported, people

CDNOW = Path(__file__).parents[2].parent / "shared" / "data" / "cdnow_purchases.txt"
PURCHASES = {"separator": "whitespace", "header": False, "event": "purchase", "columns": ["user", "time", "quantity", "amount"]}  # fmt: skip


def rejects(done):
    with done.rejects.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_columns_are_guessed_and_values_are_typed_by_the_catalogue(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(
        tmp_path, "customers.csv",
        "customer_no,mail,country,score,vip,born,createdAt,app_version,tags,shoe",
        "00001,ada@x.test,AT,7.5,yes,1990-02-28,2026-01-05 10:00,9.10,a|b,38",
    )  # fmt: skip
    done = imported(audience, What.PROFILES, path)
    assert (done.rows, done.new, done.changed, done.rejects) == (1, 1, 0, None)
    row = audience.rows(
        'SELECT "user", email, "a.country", "a.score", "a.vip", CAST("a.born" AS VARCHAR), "a.createdAt", "a.app_version", "a.tags", rest FROM profile'
    )[0]
    # 10:00 in Vienna is 09:00 in UTC in winter; the id keeps its zeros; what nobody declared is kept in `rest`.
    assert row == (
        "00001", "ada@x.test", "AT", Decimal("7.5"), True, "1990-02-28", 1767603600000000, "9.10", ["a", "b"], '{"shoe":38}',
    )  # fmt: skip


def test_lines_of_json_may_name_the_same_field_by_different_names(tmp_path):
    audience = an_audience(tmp_path)
    lines = {"id": "a", "score": 1}, {"user_id": "b", "id": None, "score": 2}, {"customerNo": 3, "score": 3}
    done = imported(audience, What.PROFILES, a_file(tmp_path, "p.jsonl", *map(json.dumps, lines)))
    assert (done.new, done.rejects) == (3, None)
    assert people(audience, "a.score", "rest") == {name: (score, None) for score, name in enumerate("ab3", 1)}
    did = [
        {"id": "a", "event": "open", "time": "2026-01-05T10:00:00Z"},
        {"user": "b", "action": "open", "timestamp": "2026-01-05T10:00:00Z"},
    ]
    assert imported(audience, What.EVENTS, a_file(tmp_path, "e.jsonl", *map(json.dumps, did))).rejects is None
    assert sorted(audience.rows('SELECT "user", name, properties FROM event')) == [
        ("a", "open", "{}"),
        ("b", "open", "{}"),
    ]


def test_a_key_that_stands_beside_the_users_is_another_thing_in_every_line(tmp_path):
    """With `user_id` in the same line, `id` is not the user's: it must not become one where `user_id` is missing."""
    audience = an_audience(tmp_path)
    lines = {"user_id": "a", "id": "order 7"}, {"id": "order 8"}
    done = imported(audience, What.PROFILES, a_file(tmp_path, "p.jsonl", *map(json.dumps, lines)))
    assert people(audience, "rest") == {"a": '{"id":"order 7"}'}
    assert [(row["line"], row["column"], row["reason"]) for row in rejects(done)] == [("2", "user_id", "no user")]


def test_an_empty_cell_changes_nothing_and_null_deletes_and_a_missing_row_changes_nothing(tmp_path):
    audience = an_audience(tmp_path)
    imported(audience, What.PROFILES, a_file(tmp_path, "a.csv", "user,country,score,shoe", "a,AT,1,38", "b,DE,2,39"))
    done = imported(audience, What.PROFILES, a_file(tmp_path, "b.csv", "user,country,score,shoe", "a,,null,null"))
    assert (done.new, done.changed) == (0, 1)
    assert people(audience, "a.country", "a.score", "rest") == {
        "a": ("AT", None, "{}"),
        "b": ("DE", Decimal(2), '{"shoe":39}'),
    }


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_importing_the_same_file_twice_changes_nothing(tmp_path, name):
    audience = an_audience(tmp_path)
    rows = [{"user": f"u{n}", "country": "AT", "score": n, "shoe": n} for n in range(50)]
    path = tmp_path / name
    if name.endswith("csv"):
        a_file(tmp_path, name, "user,country,score,shoe", *(",".join(map(str, row.values())) for row in rows))
    elif name.endswith("jsonl"):
        a_file(tmp_path, name, *map(json.dumps, rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    first = imported(audience, What.PROFILES, path)
    before = people(audience, "a.country", "a.score", "rest")
    second = imported(audience, What.PROFILES, path)
    assert (first.new, first.changed, second.new, second.changed) == (50, 0, 0, 0)
    assert people(audience, "a.country", "a.score", "rest") == before
    assert before["u7"] == ("AT", Decimal(7), '{"shoe":7}')


def test_events_out_of_order_come_to_stand_in_the_order_of_their_times(tmp_path, monkeypatch):
    """Many questions are about a stretch of time, and then the engine passes over the rest."""
    monkeypatch.setattr("orchestrator.audience.landing._GROUPS", 4)
    monkeypatch.setattr("orchestrator.audience.landing._LEAST", 1)
    audience = an_audience(tmp_path)
    lines = [f"u{n % 3},visit,2026-03-02T09:00:{n:02}Z,m{n}" for n in (7, 3, 9, 1, 0, 8, 2, 6, 4, 5)]
    steps = []
    order = Order(What.EVENTS, a_file(tmp_path, "e.csv", "user,event,time,message_id", *lines), NOW, SHOP)
    done = import_file(audience, order, lambda step, *counts: steps.append((step, *counts)))
    assert done.new == 10
    assert audience.rows("SELECT message_id FROM event ORDER BY rowid") == [(f"m{n}",) for n in range(10)]
    landed = [done for step, done, of in steps if step == "writing"]
    assert landed[0] == 4
    assert landed[-1] == 10
    assert imported(audience, What.EVENTS, tmp_path / "e.csv").new == 0


def test_of_several_lines_about_one_person_the_last_word_on_each_value_counts(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(tmp_path, "a.csv", "user,country,score,vip", "a,AT,1,true", "a,DE,,", "a,,null,x")
    done = imported(audience, What.PROFILES, path)
    assert (done.rows, done.new) == (3, 1)
    assert people(audience, "a.country", "a.score", "a.vip") == {"a": ("DE", None, True)}


def test_a_wrong_typed_value_leaves_the_person_in_and_is_told_once_per_attribute_with_an_example(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(
        tmp_path, "shop.csv", "user;score;born;vip;createdAt;email",
        "a;12,50;1990-02-30;maybe;soon;nobody", "b;7,25;;;;", "c;3.5;;;;",
    )  # fmt: skip
    done = imported(audience, What.PROFILES, path)
    assert (done.rows, done.new, done.left_out, done.rejected) == (3, 3, 0, 6)
    assert people(audience, "a.score") == {"a": None, "b": None, "c": Decimal("3.5")}
    told = {one.column: (one.count, one.line, one.value) for one in done.conflicts}
    assert told["score"] == (2, 2, "12,50")
    assert set(told) == {"score", "born", "vip", "createdAt", "email"}
    assert done.rejects == tmp_path / "data" / "rejects" / "shop-1.csv"
    found = {(row["line"], row["column"]): row for row in rejects(done)}
    assert found["3", "score"]["reason"] == 'a decimal comma; write 12.50, or decimal: "," in the mapping'
    assert {row["row"] for row in found.values()} == {"kept without this value"}


def test_rows_that_cannot_be_taken_are_left_out_with_their_line_and_the_rest_goes_on(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(
        tmp_path, "e.csv", "user,event,time,amount", "a,purchase,2026-01-01,1", ",purchase,2026-01-01,1", "b,purchase,,1",
        "c,purchase,later,1", "d,purchase,2026-01-01", f"{'x' * 129},purchase,2026-01-01,1", "e,purchase,2026-01-02,2",
    )  # fmt: skip
    done = imported(audience, What.EVENTS, path)
    assert (done.rows, done.new, done.left_out) == (7, 2, 5)
    assert [(row["line"], row["column"]) for row in rejects(done)] == [
        ("3", "user"), ("4", "time"), ("5", "time"), ("6", ""), ("7", "user"),
    ]  # fmt: skip
    assert {row["row"] for row in rejects(done)} == {"left out"}


def test_equal_lines_of_one_file_are_different_events_and_the_file_again_is_none(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(
        tmp_path, "e.csv", "user,event,time,amount", *["a,purchase,2026-01-01,5"] * 3, "b,purchase,2026-01-01,5"
    )
    assert imported(audience, What.EVENTS, path).new == 4
    assert imported(audience, What.EVENTS, path).new == 0
    # What the catalogue learns in between does not make other events of them.
    other = Catalogue({}, {"purchase": {"amount": Declared(Kind.TEXT)}})
    assert imported(audience, What.EVENTS, path, catalogue=other).new == 0
    assert Counter(user for user, *_ in events(audience)) == {"a": 3, "b": 1}


def test_a_message_id_is_one_event_in_one_file_and_across_files(tmp_path):
    audience = an_audience(tmp_path)
    header = "messageId,user,event,time"
    done = imported(
        audience,
        What.EVENTS,
        a_file(tmp_path, "a.csv", header, "m1,a,x,2026-01-01", "m1,a,x,2026-01-01", ",a,x,2026-01-01"),
    )
    assert done.new == 2
    done = imported(audience, What.EVENTS, a_file(tmp_path, "b.csv", header, "m1,a,x,2026-01-03", "m2,a,x,2019-01-01"))
    assert done.new == 1
    assert {message for *_, message, _ in events(audience)} >= {"m1", "m2"}


def test_no_file_tells_of_our_own_events_or_replaces_them(tmp_path):
    audience = an_audience(tmp_path)
    sent = {"user": ["ada"], "name": ["message.sent"], "time": [1], "message_id": ["our:1:sent"], "properties": ["{}"]}
    mirror(audience, "a ledger", None, Place(1, None, 0, None), [pa.table(sent)])
    lines = (
        "user,event,time,id",
        "u,message.opened,2026-03-02,1",
        "u,consent.given,2026-03-02,2",
        "u,visit,2026-03-02,our:3",
    )
    done = imported(audience, What.EVENTS, a_file(tmp_path, "e.csv", *lines), replace=True, yes=True)
    assert (done.rows, done.new, done.left_out, done.removed) == (3, 1, 2, 0)
    assert [name for _, name, *_ in events(audience)] == ["message.sent", "visit"]
    assert not events(audience)[1][3].startswith("our:")
    assert "kept for our own events; call yours otherwise" in done.rejects.read_text()


def test_events_land_in_time_order_and_whoever_did_something_has_a_profile(tmp_path):
    audience = an_audience(tmp_path)
    lines = [f"u{n % 7},seen,2026-01-{1 + n * 5 % 28:02d}" for n in range(100)]
    imported(audience, What.EVENTS, a_file(tmp_path, "a.csv", "user,event,time", *lines))
    times = [time for (time,) in audience.rows('SELECT "time" FROM event ORDER BY rowid')]
    assert times == sorted(times)
    assert len(people(audience, "rest")) == 7


def test_events_of_tracking_libraries_keep_their_properties_and_declared_ones_are_read(tmp_path):
    audience = an_audience(tmp_path)
    line = {
        "type": "track", "userId": "a", "event": "purchase", "messageId": "m", "timestamp": "2026-01-01T00:00:00Z",
        "context": {"ip": "::1"}, "properties": {"amount": "12.5", "currency": "EUR", "cart": [{"id": 1}], 'odd "key"': 1},
    }  # fmt: skip
    wrong = {**line, "messageId": "n", "properties": {"amount": {"gross": 1}}}
    done = imported(audience, What.EVENTS, a_file(tmp_path, "a.jsonl", json.dumps(line), json.dumps(wrong)))
    assert json.loads(events(audience)[0][4]) == {
        "amount": 12.5,
        "currency": "EUR",
        "cart": [{"id": 1}],
        'odd "key"': 1,
    }
    assert json.loads(events(audience)[1][4]) == {}
    assert [(one.column, one.value) for one in done.conflicts] == [("properties.amount", '{"gross":1}')]


def test_profiles_of_tracking_libraries_are_read_from_their_traits(tmp_path):
    audience = an_audience(tmp_path)
    line = {"userId": "a", "traits": {"email": "a@x.test", "score": 1.25, "tags": ["x", 1, "y"], "nested": {"deep": 1}}}
    imported(audience, What.PROFILES, a_file(tmp_path, "a.jsonl", json.dumps(line)))
    assert people(audience, "email", "a.score", "a.tags", "rest") == {
        "a": ("a@x.test", Decimal("1.25"), ["x", "y"], '{"nested":{"deep":1}}')
    }
    imported(
        audience,
        What.PROFILES,
        a_file(tmp_path, "b.jsonl", '{"userId": "a", "traits": {"score": null, "nested": null}}'),
    )
    assert people(audience, "email", "a.score", "rest") == {"a": ("a@x.test", None, "{}")}


def test_replace_makes_the_file_the_whole_truth(tmp_path):
    audience = an_audience(tmp_path)
    imported(audience, What.PROFILES, a_file(tmp_path, "a.csv", "user,country,score", "a,AT,1", "b,DE,2"))
    imported(audience, What.PROFILES, a_file(tmp_path, "b.csv", "user,country", "a,CH", "c,FR"), replace=True)
    assert people(audience, "a.country", "a.score") == {"a": ("CH", None), "c": ("FR", None)}
    imported(audience, What.EVENTS, a_file(tmp_path, "e.csv", "user,event,time", "a,x,2026-01-01", "a,y,2026-01-01"))
    imported(audience, What.EVENTS, a_file(tmp_path, "f.csv", "user,event,time", "a,z,2026-01-01"), replace=True)
    assert [name for _, name, *_ in events(audience)] == ["z"]
    with pytest.raises(FileError, match="never replaced"):
        imported(audience, What.CONSENT, a_file(tmp_path, "c.csv", "user,channel,topic,granted"), replace=True)


def test_words_and_stopped_addresses_are_handed_to_whoever_writes_the_ledger(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(
        tmp_path, "c.csv", "user,channel,topic,status,timestamp,proof",
        "a,Email,offers,subscribed?,2026-01-01,", "a,Email,offers,yes,2026-01-01T12:00:00Z,form 7", "b,push,news,no,,", "c,pigeon,news,no,,",
    )  # fmt: skip
    done = imported(audience, What.CONSENT, path)
    said = list(done.words)
    assert [word[:4] for word in said] == [("a", "email", "offers", True), ("b", "push", "news", False)]
    assert (said[0].at, said[0].proof, said[0].source) == (1767268800000000, "form 7", "import:c.csv")
    assert list(imported(audience, What.CONSENT, path).words) == said, "the same file says the same, at the same time"
    assert done.left_out == 2
    stops = imported(
        audience, What.SUPPRESSIONS, a_file(tmp_path, "s.csv", "email,type", "A@x.test,bounce", "no-address,")
    )
    assert [stop[:3] for stop in stops.stops] == [("email", "A@x.test", "bounce")]
    assert stops.left_out == 1
    for rows in (done.words, stops.stops):
        rows.close()
    assert not audience.path.exists(), "nothing of it is the audience's"


def test_consent_can_stand_in_a_column_of_the_profiles(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(tmp_path, "a.csv", "user,newsletter", "a,yes", "b,no", "c,")
    done = imported(audience, What.PROFILES, path, {"columns": {"newsletter": "consent.email.offers"}})
    assert [word[:4] for word in done.words] == [("a", "email", "offers", True), ("b", "email", "offers", False)]
    assert done.new == 3


def test_every_device_is_counted_and_a_platform_there_is_not_is_not_kept(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(tmp_path, "a.csv", "user,token,platform", "a,t1,iOS", "a,t2,windows", "b,t3,")
    done = imported(audience, What.DEVICES, path)
    assert (done.devices, [one["reason"] for one in rejects(done)]) == (3, ["not a platform (ios, android, web)"])
    found = {one["token"]: one["platform"] for one in json.loads(people(audience, "devices")["a"])}
    assert found == {"t1": "ios", "t2": ""}
    assert imported(audience, What.DEVICES, path).devices == 0
    with pytest.raises(FileError, match=r"no platform 'windows'.*ios, android, web"):
        imported(audience, What.DEVICES, path, {"platform": "windows"})


BROWSER = {
    "endpoint": "https://fcm.googleapis.com/fcm/send/a,b",
    "expirationTime": None,
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}


def test_a_browser_is_one_device_however_its_subscription_is_written(tmp_path):
    audience = an_audience(tmp_path)
    cell = json.dumps(BROWSER).replace('"', '""')
    table = a_file(tmp_path, "a.csv", "user,token,platform", f'a,"{cell}",', "a,fcm-token,web", "b,t3,")
    assert imported(audience, What.DEVICES, table).devices == 3
    keys = {"p256dh": BROWSER["keys"]["p256dh"] + "=", "auth": BROWSER["keys"]["auth"] + "=="}
    spelt = {"keys": keys, "endpoint": BROWSER["endpoint"]}
    lines = [{"user": "a", "token": token} for token in (BROWSER, spelt, json.dumps(spelt, indent=1))]
    assert imported(audience, What.DEVICES, a_file(tmp_path, "b.jsonl", *map(json.dumps, lines))).rejects is None
    found = {one["token"]: one["platform"] for one in json.loads(people(audience, "devices")["a"])}
    plain = {"endpoint": BROWSER["endpoint"], "keys": dict(sorted(BROWSER["keys"].items()))}
    assert found == {json.dumps(plain, separators=(",", ":")): "web", "fcm-token": "web"}


def test_a_broken_subscription_is_set_aside_and_says_why(tmp_path):
    audience = an_audience(tmp_path)
    broken = [
        {**BROWSER, "keys": {}}, {**BROWSER, "keys": {**BROWSER["keys"], "auth": "c2hvcnQ"}}, {**BROWSER, "endpoint": "/x"},
        {**BROWSER, "keys": {**BROWSER["keys"], "p256dh": "B" * 87}}, [BROWSER],
    ]  # fmt: skip
    lines = [{"user": "a", "token": token} for token in broken]
    lines += [{"user": "a", "token": "{torn"}, {"user": "a", "token": BROWSER}]
    done = imported(audience, What.DEVICES, a_file(tmp_path, "b.jsonl", *map(json.dumps, lines)))
    assert done.devices == 1
    wrong = [one["reason"] for one in rejects(done)]
    parts = ["p256dh", "auth", "endpoint", "public key", "structure", "not JSON"]
    assert [(one, part) for one, part in zip(wrong, parts, strict=True) if part not in one] == []


def test_devices_are_added_and_the_latest_stands_first(tmp_path):
    audience = an_audience(tmp_path)
    header = "user,token,platform,last_seen"
    first = a_file(tmp_path, "a.csv", header, "a,old,iOS,2026-01-01T00:00:00Z", "a,new,android,2026-02-01T00:00:00Z")
    assert imported(audience, What.DEVICES, first).devices == 2
    assert imported(audience, What.DEVICES, first).devices == 0
    again = a_file(tmp_path, "b.csv", header, "a,old,,2026-03-01T00:00:00Z")
    assert imported(audience, What.DEVICES, again).devices == 1
    found = [(one["token"], one["platform"], one["seen_at"]) for one in json.loads(people(audience, "devices")["a"])]
    assert found == [("old", "ios", 1772323200000000), ("new", "android", 1769904000000000)]


def test_a_wall_time_in_the_fold_is_the_first_and_one_in_the_gap_the_moment_after_it(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(
        tmp_path, "a.csv", "user,createdAt", "fold,2024-10-27 02:30", "gap,2024-03-31 02:30", "day,20240701",
        "unix,1700000000", "zoned,2024-07-01T12:00:00+02:00",
    )  # fmt: skip
    imported(audience, What.PROFILES, path)
    assert people(audience, "a.createdAt") == {
        "fold": 1729989000000000, "gap": 1711846800000000, "day": 1719784800000000, "unix": 1700000000000000,
        "zoned": 1719828000000000,
    }  # fmt: skip


def test_the_mapping_file_says_the_format_and_the_zone_of_a_column(tmp_path):
    audience = an_audience(tmp_path)
    mapping = {
        "columns": {
            "seit": {"to": "createdAt", "format": "%d.%m.%Y %H:%M", "zone": "Asia/Tokyo"},
            "id": "user",
            "alt": "ignore",
        }
    }
    imported(audience, What.PROFILES, a_file(tmp_path, "a.csv", "id,seit,alt", "a,02.01.2026 09:00,x"), mapping)
    assert people(audience, "a.createdAt", "rest") == {"a": (1767312000000000, None)}


def test_what_was_seen_becomes_the_catalogue_and_what_people_wrote_there_stays(tmp_path):
    audience = an_audience(tmp_path, Catalogue())
    path = a_file(
        tmp_path, "a.csv", "user,email,zip,score,vip,joined,site,empty", "a,a@x.test,00123,1.5,true,2026-01-01,https://x.test,",
        "b,b@x.test,12345,2,false,2026-01-02,https://y.test,",
    )  # fmt: skip
    done = imported(audience, What.PROFILES, path, catalogue=Catalogue())
    existing = {"attributes": {"score": {"is": "text"}}, "revenue": "purchase.amount"}
    assert catalogue_from(done.seen, existing) == {
        "attributes": {
            "score": {"is": "text"}, "email": "email", "joined": "date", "site": "url", "vip": "boolean", "zip": "text",
        },
        "events": {}, "revenue": "purchase.amount",
    }  # fmt: skip
    path = a_file(
        tmp_path,
        "e.csv",
        "user,event,time,amount,at",
        "a,buy,2026-01-01,12.5,2026-01-01T00:00:00Z",
        "a,look,2026-01-01,,",
    )
    done = imported(audience, What.EVENTS, path, {"columns": {"at": "shown"}}, catalogue=Catalogue())
    assert done.seen.events == {"buy": {"amount": "number", "shown": "time"}, "look": {}}


def test_a_look_shows_the_guesses_and_lands_nothing(tmp_path):
    audience = an_audience(tmp_path, Catalogue())
    path = a_file(
        tmp_path, "a.csv", "customer_no,mail,signup_ts,old", "00001,a@x.test,2026-01-05 10:00,x", "00002,bo,,"
    )
    order = Order(
        What.PROFILES, path, NOW, Catalogue(), "Europe/Vienna", {"columns": {"old": "ignore", "signup_ts": "createdAt"}}
    )
    found = look(audience, order)
    assert (found.rows, found.left_out) == (2, 0)
    assert [(one.name, one.to, one.kind, one.filled, one.rejected, one.example) for one in found.columns] == [
        ("customer_no", "user", "text", 2, 0, "00001"), ("mail", "email", "text", 1, 1, "a@x.test"),
        ("signup_ts", "createdAt", "time", 1, 0, "2026-01-05 10:00"), ("old", "", "", 0, 0, ""),
    ]  # fmt: skip
    assert found.seen.attributes == {"email": "email", "createdAt": "time"}
    assert not audience.path.exists()


def test_progress_reaches_the_end_of_reading_and_of_landing(tmp_path):
    audience = an_audience(tmp_path)
    path = a_file(tmp_path, "a.csv", "user,event,time", *(f"u{n},x,2026-01-01" for n in range(120_000)))
    told = []
    import_file(audience, Order(What.EVENTS, path, NOW, SHOP), lambda *step: told.append(step))
    assert [step for step in told if step[0] == "reading"][-1] == ("reading", 120_000, 120_000)
    assert told[-1] == ("writing", 120_000, 120_000)
    assert len({phase for phase, *_ in told}) == 2
    assert [done for phase, done, _ in told if phase == "writing"] == sorted(
        done for phase, done, _ in told if phase == "writing"
    )


@pytest.mark.skipif(not CDNOW.exists(), reason="the public data set stands beside the project on some machines only")
def test_real_purchases_come_in_whole_with_their_equal_lines_and_a_second_time_not_at_all(tmp_path):
    audience = an_audience(tmp_path, Catalogue())
    written = [line.split() for line in CDNOW.read_text().splitlines() if line.strip()]
    first = imported(audience, What.EVENTS, CDNOW, PURCHASES, catalogue=Catalogue())
    second = imported(audience, What.EVENTS, CDNOW, PURCHASES, catalogue=Catalogue())
    assert (first.rows, first.new, first.left_out, second.new) == (len(written), len(written), 0, 0)
    assert audience.counts().profiles == len({user for user, *_ in written})
    found = Counter(
        (user, json.loads(properties)["quantity"], Decimal(str(json.loads(properties)["amount"])))
        for user, _, _, _, properties in events(audience)
    )
    assert found == Counter((user, int(quantity), Decimal(dollars)) for user, _, quantity, dollars in written)
    assert first.seen.events == {"purchase": {"quantity": "number", "amount": "number"}}
