"""Values out of a list: topics, time zones, and what config/data.yaml declares; what is none of them is set aside with the reason."""

import csv
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrator.audience.cells import listed, properties_of
from orchestrator.audience.importing import Order, import_file
from orchestrator.audience.loading import load
from orchestrator.audience.mapping import What
from orchestrator.audience.mapping_file import MappingError
from orchestrator.audience.plain import Events, apart
from orchestrator.audience.texts import FileError
from orchestrator.audience.visiting import Arrival, Arriving
from orchestrator.core.segments.tree import Catalogue, Declared, Kind
from orchestrator.core.zones import find_zone, zone_names
from tests.audience.builders import NOW, SHOP, a_file, an_audience, events, imported, people

TOPICS = frozenset(["offers", "news"])
LISTED = Catalogue(
    {
        "country": Declared(Kind.TEXT, ("AT", "CH", "Österreich")),
        "size": Declared(Kind.NUMBER, (), (38, 39.5)),
        "likes": Declared(Kind.LIST, ("shoes", "hats")),
        "born": Declared(Kind.DATE, ("2000-01-01",)),
        "joined": Declared(Kind.TIME, ("2000-01-01T00:00:00Z",)),
    }
)


def reasons(done):
    with done.rejects.open(encoding="utf-8", newline="") as file:
        return [(int(row["line"]), row["column"], row["reason"], row["row"]) for row in csv.DictReader(file)]


def told(tmp_path, what, path, mapping=None, topics=TOPICS):
    order = Order(what, path, NOW, SHOP, mapping=mapping, topics=topics)
    return import_file(an_audience(tmp_path), order)


def test_a_word_on_a_topic_there_is_not_is_left_out_with_the_one_that_was_meant(tmp_path):
    lines = ("a,email,offers,no", "b,email,offerz,no", "c,email, news ,yes", "d,email,pigeons,no", "e,email,offerz,no")
    done = told(tmp_path, What.CONSENT, a_file(tmp_path, "c.csv", "user,channel,topic,granted", *lines))
    assert [(word.user, word.topic, word.granted) for word in done.words] == [
        ("a", "offers", False),
        ("c", "news", True),
    ]
    done.words.close()
    assert reasons(done) == [
        (3, "topic", "no topic 'offerz'; did you mean offers?", "left out"),
        (5, "topic", "no topic 'pigeons'; allowed: news, offers", "left out"),
        (6, "topic", "no topic 'offerz'; did you mean offers?", "left out"),
    ]


def test_without_topics_every_word_is_left_out_and_the_reason_says_where_to_declare_one(tmp_path):
    path = a_file(tmp_path, "c.jsonl", '{"user": "a", "channel": "email", "topic": "offers", "granted": true}')
    done = told(tmp_path, What.CONSENT, path, topics=frozenset())
    done.words.close()
    assert reasons(done) == [
        (1, "topic", "no topic 'offers'; declare it under `topics` in config/orchestrator.yaml", "left out")
    ]


@pytest.mark.parametrize(
    "mapping",
    [
        {"columns": {"said": "consent.email.offerz"}},
        {"columns": {"said": {"to": "consent.email.offerz"}}},
        {"topic": "offerz"},
    ],
)
def test_a_mapping_to_a_topic_there_is_not_imports_nothing(tmp_path, mapping):
    with pytest.raises(MappingError, match=r"no topic 'offerz'\. Did you mean `offers`"):
        told(tmp_path, What.PROFILES, a_file(tmp_path, "p.csv", "user,said", "a,no"), mapping)


@pytest.mark.parametrize(
    ("name", "said"), [("consent.email.offerz", "no topic 'offerz'"), ("consent.mail.offers", "no channel 'mail'")]
)
def test_neither_does_a_column_that_is_called_so(tmp_path, name, said):
    with pytest.raises(FileError, match=said):
        told(tmp_path, What.PROFILES, a_file(tmp_path, "p.csv", f"user,{name}", "a,no"))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_time_zone_there_is_not_is_not_kept_and_the_person_is(tmp_path, form):
    found = ["Europe/Vienna", " Asia/Tokyo", "Europe/Wien", "+02:00", None, "UTC"]
    path = tmp_path / f"p.{form}"
    if form == "csv":
        a_file(tmp_path, "p.csv", "user,timezone", *(f"u{n},{zone or ''}" for n, zone in enumerate(found)))
    else:
        pq.write_table(pa.table({"user": [f"u{n}" for n in range(6)], "timezone": found}), path)
    audience = an_audience(tmp_path)
    done = imported(audience, What.PROFILES, path)
    assert (done.new, done.left_out) == (6, 0)
    assert list(people(audience, "zone").values()) == ["Europe/Vienna", "Asia/Tokyo", None, None, None, "UTC"]
    assert [reason for _, _, reason, _ in reasons(done)] == [
        "no time zone 'Europe/Wien'; did you mean Europe/Vienna or Europe/Kiev?",
        "no time zone '+02:00'; write a name like Europe/Vienna",
    ]
    assert {row for *_, row in reasons(done)} == {"kept without this value"}


def test_every_zone_of_the_table_is_one():
    assert all(find_zone(name) for name in zone_names())
    assert "localtime" not in zone_names()


def test_values_that_are_not_declared_are_not_kept(tmp_path):
    lines = (
        "a,AT,38,shoes|hats,2000-01-01,2001-01-01",
        "b,A,40,shoes|cars,2000-01-02,2001-01-01",
        "c,O\u0308sterreich,39.50,hats,x,2001-01-01",
        "d, CH ,many,,,",
        "e,,,,,",
    )
    audience = an_audience(tmp_path, LISTED)
    path = a_file(tmp_path, "p.csv", "user,country,size,likes,born,joined", *lines)
    done = imported(audience, What.PROFILES, path, catalogue=LISTED)
    assert people(audience, "a.country", "a.size", "a.likes") == {
        "a": ("AT", Decimal(38), ["shoes", "hats"]),
        "b": (None, None, None),
        "c": ("Österreich", Decimal("39.5"), ["hats"]),
        "d": ("CH", None, None),
        "e": (None, None, None),
    }
    assert [(line, column, reason) for line, column, reason, _ in reasons(done)] == [
        (3, "country", "'A' is none of the values in config/data.yaml; did you mean AT?"),
        (3, "size", "'40' is none of the values in config/data.yaml; allowed: 38, 39.5"),
        (3, "likes", "'shoes|cars' is none of the values in config/data.yaml; did you mean shoes?"),
        (3, "born", "'2000-01-02' is none of the values in config/data.yaml; did you mean 2000-01-01?"),
        (4, "born", "not a day; write 2026-03-02"),
        (5, "size", "not a number below 10^14"),
    ]


def test_a_structure_where_a_word_was_expected_is_called_one(tmp_path):
    done = imported(
        an_audience(tmp_path, LISTED),
        What.PROFILES,
        a_file(tmp_path, "p.jsonl", '{"user": "a", "country": {"code": "AT"}}'),
        catalogue=LISTED,
    )
    assert [reason for _, _, reason, _ in reasons(done)] == ["a structure where a text was expected"]


PLANS = Declared(Kind.TEXT, ("free", "gold", "Öl"))
HAPPENING = Catalogue(
    events={
        "signup": {"plan": PLANS, "size": Declared(Kind.NUMBER, (), (38, 39.5)), "likes": Declared(Kind.LIST, ("hats", "shoes"))},
        "upgrade": {"plan": Declared(Kind.TEXT, ("gold", "platinum"))},
        "note": {"plan": Declared(Kind.TEXT)},
    }
)  # fmt: skip
SAID = [
    ("signup", {"plan": "free", "size": 38, "likes": ["hats"]}, {"plan": "free", "size": 38, "likes": ["hats"]}),
    ("signup", {"plan": "platinum", "size": 40, "likes": ["hats", "cars"]}, {}),
    ("upgrade", {"plan": "platinum", "size": 39.5}, {"plan": "platinum", "size": 39.5}),
    ("upgrade", {"plan": "fre"}, {}),
    ("note", {"plan": " anything goes "}, {"plan": " anything goes "}),
    ("signup", {"plan": " gold ", "colour": "red"}, {"plan": "gold", "colour": "red"}),
    ("signup", {"plan": None, "size": "many"}, {}),
    ("other", {"plan": "bronze", "size": 41}, {"plan": "bronze", "size": 41}),
]
"""Of each event what is said, and what is kept of it."""
REFUSED = [
    (2, "likes", '\'["hats","cars"]\' is none of the values in config/data.yaml; allowed: hats, shoes'),
    (2, "plan", "'platinum' is none of the values in config/data.yaml; allowed: free, gold, Öl"),
    (2, "size", "'40' is none of the values in config/data.yaml; allowed: 38, 39.5"),
    (4, "plan", "'fre' is none of the values in config/data.yaml; allowed: gold, platinum"),
    (7, "size", "not a number below 10^14"),
]


def kept(audience):
    return [json.loads(properties) for *_, properties in sorted(events(audience), key=lambda row: int(row[3][1:]))]


@pytest.mark.parametrize("inside", [True, False], ids=["inside properties", "beside the name"])
def test_a_property_has_the_values_its_event_says_and_the_row_is_kept_without_another(tmp_path, inside):
    lines = []
    for number, (name, said, _) in enumerate(SAID, 1):
        envelope = {"user": "a", "event": name, "time": "2026-03-02T10:00:00Z", "message_id": f"m{number}"}
        lines.append(json.dumps({**envelope, "properties": said} if inside else {**envelope, **said}))
    audience = an_audience(tmp_path, HAPPENING)
    done = imported(audience, What.EVENTS, a_file(tmp_path, "e.jsonl", *lines), catalogue=HAPPENING)
    assert (done.new, done.left_out) == (len(SAID), 0)
    assert kept(audience) == [good for _, _, good in SAID]
    told = [(line, column.removeprefix("properties."), reason) for line, column, reason, _ in reasons(done)]
    assert sorted(told) == REFUSED
    assert {row for *_, row in reasons(done)} == {"kept without this value"}
    assert sorted((one.column.removeprefix("properties."), one.count) for one in done.conflicts) == [
        ("likes", 1), ("plan", 2), ("size", 2),
    ]  # fmt: skip


def test_a_file_of_one_event_is_held_against_that_events_values(tmp_path):
    lines = ("a,2026-03-02T10:00:00Z,gold", "b,2026-03-02T10:00:00Z,free", "c,2026-03-02T10:00:00Z,plat")
    path = a_file(tmp_path, "e.csv", "user,time,plan", *lines)
    for event, refused in (("upgrade", ["free", "plat"]), ("note", [])):
        audience = an_audience(tmp_path / event, HAPPENING)
        done = imported(audience, What.EVENTS, path, {"event": event}, catalogue=HAPPENING)
        assert done.new == 3
        assert [reason.split("'")[1] for _, _, reason, _ in (reasons(done) if refused else [])] == refused


def test_events_of_the_inbox_are_held_against_the_same_values(tmp_path):
    sent = [
        Arrival(Arriving.EVENT, "a", f"m{number}", NOW, name, said) for number, (name, said, _) in enumerate(SAID, 1)
    ]
    audience = an_audience(tmp_path, HAPPENING)
    done = load(audience, 1, sent, HAPPENING, "Europe/Vienna")
    assert kept(audience) == [good for _, _, good in SAID]
    assert sorted((one.column, one.count) for one in done.conflicts) == [
        ("properties.likes", 1), ("properties.plan", 2), ("properties.size", 2),
    ]  # fmt: skip


def test_events_with_good_values_need_no_workbench_and_those_with_others_do():
    sent = [
        ("signup", b'{"plan":"gold"}'),
        ("note", b'{"plan":"free"}'),
        ("signup", b'{"plan":"fre"}'),
        ("signup", b"{}"),
        ("signup", b'{"likes":["hats"]}'),
    ]
    rows = Events(*zip(*((n, "a", name, NOW, f"m{n}", body) for n, (name, body) in enumerate(sent, 1)), strict=True))
    plain, others = apart(rows, properties_of(HAPPENING), listed(HAPPENING))
    assert ([*plain.line], [*others.line]) == ([1, 4, 5], [2, 3]), "gold is good in every event that says so"
