"""The mapping of a warehouse: what is wrong with it is named where it stands, and what is right is read with its places."""

import json

import jsonschema
import pytest

from orchestrator.config import load, schemas
from orchestrator.core.foreign import Clock, Place
from tests.config.builders import SETTINGS, STAFF, Given, the_example, with_edit, with_file
from tests.config.builders import said as all_said

MAPPING = "config/warehouse.yaml"
GOOD = """\
people:
  - table: crm.customers
    user: customer_no
    columns:
      email: mail
      firstName: first_name
      country: doc.address.country
      lastSeen: {column: seen, clock: milliseconds}
  - {table: crm.more, user: id, columns: {interests: {column: tags, path: []}, locale: language}}
events:
  - {table: dwh.orders, user: who, event: purchase, time: placed, message_id: id, columns: {amount: total}}
  - {table: dwh.deeds, user: who, name: what, time: {column: at, clock: seconds}, properties: payload.properties}
devices:
  - {table: app.tokens, user: who, token: token, platform: os, seen_at: seen}
consent:
  - {table: crm.words, user: who, channel: email, topic_column: topic, granted: said_yes, time: at}
"""
ELSEWHERE = "postgresql://me@warehouse.shop.example/crm"


def mapped(text=GOOD):
    files = with_file(MAPPING, text)
    data = files["config/data.yaml"].decode()
    files["config/data.yaml"] = data.replace(
        "attributes:\n", "attributes:\n  lastSeen: time\n  interests: list\n", 1
    ).encode()
    return files


def test_a_mapping_is_read_with_the_place_of_every_name():
    foreign = load(mapped()).sound().warehouse
    first, more = foreign.people
    assert first.table == "crm.customers"
    assert first.at == f"{MAPPING}:2:12"
    assert (first.user, first.user.at) == (Place("customer_no"), f"{MAPPING}:3:11")
    assert first.values["country"] == Place("doc", ("address", "country"))
    assert first.values["lastSeen"] == Place("seen", None, Clock.MILLISECONDS)
    assert first.values["country"].at == f"{MAPPING}:7:16"
    assert more.values["interests"] == Place("tags", ())
    orders, deeds = foreign.events
    assert (orders.event, orders.name, orders.more) == ("purchase", None, {"amount": Place("total")})
    assert (deeds.event, deeds.name, deeds.properties) == ("", Place("what"), Place("payload", ("properties",)))
    assert deeds.time == Place("at", None, Clock.SECONDS)
    assert foreign.devices[0].seen_at == Place("seen")
    assert (foreign.consent[0].channel, foreign.consent[0].topic) == ("email", Place("topic"))


def test_without_the_file_there_is_no_mapping():
    assert load(the_example()).sound().warehouse is None


# (what stands there, what stands there instead, the word the mistake is about, its text, a part of the remedy)
SLIPS = [
    ("email: mail", "emial: mail", "emial", "people[0].columns: no attribute 'emial'", "Did you mean 'email'?"),
    ("firstName: first_name", "firstName: 7", "7", "people[0].columns.firstName", ""),
    ("locale: language", "email: other", "email: other", "people[1].columns: 'email' stands in people[0] already", "Delete one."),
    ("event: purchase", "event: purchas", "purchas,", "events[0].event: no event 'purchas'", "Did you mean 'purchase'?"),
    ("event: purchase, ", "", "{table: dwh.orders", "events[0]: says neither `event` nor `name`", "the column that names it"),
    ("name: what", "name: what, event: purchase", "{table: dwh.deeds", "events[1]: says both `event` and `name`", "Write the event"),
    ("{amount: total}", "{amonut: total}", "amonut", "events[0].columns: the event 'purchase' has no property 'amonut'", "Did you mean 'amount'?"),
    ("time: placed, ", "", "{table: dwh.orders", "events[0]: the key 'time' is missing", ""),
    ("clock: seconds", "clock: minutes", "minutes", "events[1].time.clock: 'minutes' is not possible", "microseconds"),
    ("platform: os", "platfrom: os", "platfrom", "devices[0]: no key 'platfrom'", "Did you mean 'platform'?"),
    ("token: token", "tokn: token", "tokn", "devices[0]: no key 'tokn'", "Did you mean 'token'?"),
    ("table: app.tokens", "table: app tokens", "app tokens", "devices[0].table: 'app tokens' is not the name of a table", "crm.customers"),
    ("channel: email", "channel: mail", "mail, topic", "consent[0].channel: 'mail' is not possible", "Did you mean 'email'?"),
    ("topic_column: topic", "topic: ofers", "ofers", "consent[0].topic: no topic 'ofers'", "Did you mean 'offers'?"),
    (", topic_column: topic", "", "{table: crm.words", "consent[0]: says neither `topic` nor `topic_column`", "the column that names it"),
    ("people:\n", "poeple:\n", "poeple", "no key 'poeple'", "Did you mean 'people'?"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "spot", "text", "remedy"), SLIPS)
def test_a_slip_is_named_where_it_stands_with_what_was_meant(old, new, spot, text, remedy):
    assert old in GOOD
    text_of_it = GOOD.replace(old, new, 1)
    [mistake] = load(mapped(text_of_it)).mistakes
    before = text_of_it[: text_of_it.index(spot)].splitlines()
    assert (mistake.file, mistake.line, mistake.column) == (
        MAPPING,
        max(len(before), 1),
        len(before[-1]) + 1 if before else 1,
    )
    assert text in mistake.text
    assert remedy in mistake.remedy


def test_every_mistake_of_the_mapping_is_named_at_once():
    broken = GOOD.replace("email: mail", "emial: mail").replace("event: purchase", "event: purchas").replace("token: token", "tokn: token")  # fmt: skip
    assert len(load(mapped(broken)).mistakes) == 3


def test_the_schema_knows_the_file():
    import ruamel.yaml

    schema = schemas()["warehouse.schema.json"]
    content = json.loads(json.dumps(ruamel.yaml.YAML(typ="safe", pure=True).load(GOOD)))
    jsonschema.validate(content, schema)
    content["people"][0]["colums"] = {}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema)


@pytest.mark.parametrize(
    ("address", "text", "remedy"),
    [
        ("mysql://x", "no such kind of store", "duckdb: or postgresql: or clickhouse: or spark:"),
        ("clickhouse://me:hunter2@house.example:8123/x", "holds a password in plain text", "${env:NAME}"),
        ("postgresql://me:hunter2@x/y", "holds a password in plain text", "${env:NAME}"),
    ],
)
def test_an_address_of_no_engine_is_refused(address, text, remedy):
    [mistake] = [one for one in load(elsewhere(address)).mistakes if "stores.audience" in one.text]
    assert text in mistake.text
    assert remedy in mistake.remedy
    assert "hunter2" not in str(mistake)


def elsewhere(address=ELSEWHERE, files=None):
    return with_edit(
        SETTINGS, "time_zone:", f'stores: {{audience: "{address}"}}\ntime_zone:', without_own(files or the_example())
    )


def without_own(files):
    """The example's settings without stores of their own."""
    lines = files[SETTINGS].decode().splitlines(keepends=True)
    kept, inside = [], False
    for line in lines:
        inside = line.startswith("stores:") or (inside and line.startswith(" "))
        kept += [] if inside or line.lstrip().startswith("stores:") else [line]
    return {**files, SETTINGS: "".join(kept).encode()}


ASKS = "about: Us\nall:\n  - {message: opened, when: last 7 days}\n  - not: {unsubscribed: email}\n"


def test_a_segment_that_asks_for_what_nobody_tells_an_engine_is_named():
    files = elsewhere(files=with_file(STAFF, ASKS))
    told = [str(one) for one in load(files).mistakes if one.file == STAFF]
    assert len(told) == 2
    assert f"{STAFF}:3:6" in told[0]
    assert "asks for messages, which nobody tells postgresql: it is only read" in told[0]
    assert f"{STAFF}:4:11" in told[1]
    assert "Map it under `consent:`" in told[1]


def test_consent_may_be_asked_for_where_it_is_mapped():
    files = elsewhere(files={**mapped(), STAFF: ASKS.encode()})
    assert [one.line for one in load(files).mistakes if one.file == STAFF] == [3]


UNMAPPED = """\
about: They ask for much
all:
  - {attribute: country, is: AT}
  - {attribute: app_version, is_set: true}
  - {attribute: language, is: de}
  - {attribute: phone, is_set: true}
  - {event: add_to_cart, then: {event: purchase, within: 1 day}}
  - {rfm: add_to_cart, recency: 5}
  - {address: push}
  - {address: sms}
  - not: {attribute: user, is: me}
"""


def test_what_no_table_of_the_mapping_tells_of_is_named_instead_of_being_nobody():
    bare = GOOD.replace("locale: language", "plan: plan").replace("name: what,", "event: app_open,")
    bare = bare[: bare.index("devices:")]
    files = elsewhere(files={**mapped(bare.replace("plan: plan", "city: town")), STAFF: UNMAPPED.encode()})
    data = files["config/data.yaml"].decode().replace("attributes:\n", "attributes:\n  city: text\n", 1)
    found = [one for one in load({**files, "config/data.yaml": data.encode()}).mistakes if one.file == STAFF]
    assert [(one.line, one.text.partition(": ")[2]) for one in found] == [
        (4, "no table tells of 'app_version'"),
        (5, "no table tells of 'locale'"),
        (6, "no table tells of 'phone'"),
        (7, "no table tells of 'add_to_cart'"),
        (8, "no table tells of 'add_to_cart'"),
        (9, "no table tells of devices"),
        (10, "no table tells of 'phone'"),
    ]
    assert "Map it under `people:` in config/warehouse.yaml." in found[0].remedy


def test_an_address_out_of_the_environment_is_looked_at_once_it_is_known():
    files = elsewhere("${env:HOUSE}", with_file(STAFF, ASKS))
    assert STAFF not in all_said(files, "dev")
    known = Given({"HOUSE": ELSEWHERE})
    assert {one.file for one in load(files, "dev", known).mistakes} == {STAFF}
