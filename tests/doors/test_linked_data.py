"""Linked data: what tables beside the audience say of a person, from the file to the sent message."""

import json

import pytest

from orchestrator import checking, config, planner
from orchestrator.core.errors import StoreError
from orchestrator.core.times import HOUR, Instant
from tests.doors.shop import FILES, NOON, Shop

TEMPLATE, SETTINGS = "templates/spring/_default/email.html", "config/orchestrator.yaml"
SUBJECT = FILES[TEMPLATE].split('subject: "')[1].split('"\n')[0]
WEATHER = "sources:\n  weather: {file: data/weather.csv, key: code, by: country}\n"
PICKS = "sources:\n  picks: {file: data/picks.json, key: id, by: user}\n"


def files(text, sources):
    return {**FILES, TEMPLATE: FILES[TEMPLATE].replace(SUBJECT, text), SETTINGS: FILES[SETTINGS] + sources}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", "sqlite:data/ledger.db")
    opened = []

    def open_shop(text, sources, **tables):
        opened.append(Shop(tmp_path, files(text, sources)))
        for name, content in tables.items():
            write(opened[-1], name, content)
        opened[-1].people(ada="Ada", bo="Bo")
        return opened[-1]

    yield open_shop
    for one in opened:
        one.ledger.close()


def write(shop, name, content):
    path = shop.root / "data" / name.replace("_", ".")
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)


def sent(shop, occurrence="one"):
    planner.plan_run(shop.opened, shop.ledger, shop.fire(occurrence=occurrence), shop.clock)
    shop.drain()
    return shop.subjects()


def test_a_row_is_found_by_an_attribute(shop):
    made = shop("It is {{ linkedData.weather.today }}", WEATHER, weather_csv="code,today\nAT,sunny\nCH,snowing\n")
    assert sent(made) == {"ada": "It is sunny", "bo": "It is sunny"}


def test_a_row_of_json_is_found_by_the_persons_id_and_may_hold_lists(shop):
    text = "{% for one in linkedData.picks.products %}{{ one.name }} {{ one.price | currency('EUR') }}. {% endfor %}"
    picks = {"ada": {"products": [{"name": "Coat", "price": 129}, {"name": "Hat", "price": 20}]}}
    made = shop("Hi" + text, PICKS, picks_json=json.dumps(picks))
    assert sent(made)["ada"] == "HiCoat €129.00. Hat €20.00. "


def test_who_is_in_no_row_is_skipped_unless_there_is_a_default(shop):
    made = shop("{{ linkedData.picks.product }}", PICKS, picks_json='[{"id": "ada", "product": "Coat"}]')
    assert sent(made) == {"ada": "Coat"}
    assert made.rows()["bo"] == ("skipped", "missing_data")


def test_the_row_of_now_is_sent_to_whoever_waited_long(shop):
    made = shop("{{ linkedData.weather.today }}", WEATHER, weather_csv="code,today\nAT,sunny\n")
    planner.plan_run(made.opened, made.ledger, run := made.fire(), made.clock)
    write(made, "weather_csv", "code,today\nAT,raining\n")
    made.clock.at = Instant(NOON + 2 * HOUR)
    planner.ask_run(made.opened, made.ledger, run, made.clock)
    made.drain()
    assert made.subjects()["ada"] == "raining"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (None, "data/weather.csv cannot be read"),
        ("code,today\nAT,sunny\nAT,raining\n", "line 3: AT stands there twice"),
        ("land,today\nAT,sunny\n", "line 2 has no code"),
        (b"code,today\nAT,\xff\n", "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_read_makes_the_run_wait_or_is_skipped(shop, table, says):
    text = "{{ linkedData.weather.today | default('fine') }}"
    made = shop(text, WEATHER)
    if table is not None:
        (made.root / "data" / "weather.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    with pytest.raises(StoreError, match=says):
        sent(made)
    skipping = shop(text, WEATHER.replace("by: country", "by: country, on_error: skip"))
    assert sent(skipping, "two") == {"ada": "fine", "bo": "fine"}


def test_check_knows_the_sources_and_what_they_are_looked_up_by():
    content = {name: text.encode() for name, text in files("{{ linkedData.wether.today }}", WEATHER).items()}
    [mistake] = [it for it in checking.mistakes(config.load(content)) if "source" in it.text]
    assert (mistake.text, mistake.remedy) == ("linkedData.wether.today: no source 'wether'", "Did you mean weather?")
    wrong = {**content, SETTINGS: content[SETTINGS].replace(b"by: country", b"by: county")}
    assert any(
        "no attribute 'county'" in it.text and "country" in it.remedy for it in checking.mistakes(config.load(wrong))
    )
    outside = {**content, SETTINGS: content[SETTINGS].replace(b"data/weather.csv", b"../weather.csv")}
    assert any("../weather.csv" in it.text for it in checking.mistakes(config.load(outside)))
