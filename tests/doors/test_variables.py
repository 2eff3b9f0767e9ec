"""Every variable of a template that is read from what people did, computed by the engine from their events."""

import pytest

from orchestrator import planner
from orchestrator.core.times import DAY, HOUR, MINUTE, Instant
from tests.doors.shop import FILES, NOON, Shop, did, is_

TEMPLATE = "templates/spring/_default/email.html"
SUBJECT = FILES[TEMPLATE].split('subject: "')[1].split('"\n')[0]


@pytest.fixture
def said(tmp_path, monkeypatch):
    """What a template says to ada, who did these things, in a shop whose catalogue says more."""
    monkeypatch.setenv("SHOP_LEDGER", "sqlite:data/ledger.db")
    opened = []

    def say(text, *events, more="", declared="", **attributes):
        files = {**FILES, TEMPLATE: FILES[TEMPLATE].replace(SUBJECT, text)}
        data = files["config/data.yaml"].replace("country: text}", f"country: text, {declared}}}")
        files["config/data.yaml"] = (data if declared else files["config/data.yaml"]) + more
        shop = Shop(tmp_path / str(len(opened)), files)
        opened.append(shop)
        shop.people(ada="Ada")
        shop.load(is_("ada", **attributes), *events, *OTHERS)
        planner.plan_run(shop.opened, shop.ledger, shop.fire(), shop.clock)
        shop.drain()
        return shop.subjects().get("ada") or shop.rows()["ada"]

    yield say
    for shop in opened:
        shop.ledger.close()


OTHERS = [did("bo", "app_open", NOON - minutes * MINUTE) for minutes in (1, 2, 50, 500)]
"""Somebody else's events, which must not count."""
VISITS = [
    did("ada", "app_open", NOON - 2 * DAY),
    did("ada", "purchase", NOON - 2 * DAY + 12 * MINUTE, amount=20, currency="EUR", value=7),
    did("ada", "app_open", NOON - 2 * DAY + 41 * MINUTE),  # no pause, but a new opening
    did("ada", "purchase", NOON - DAY, amount=5, currency="EUR"),  # the server's: the app was not open
    did("ada", "app_open", NOON - HOUR),
    did("ada", "purchase", NOON - HOUR + 9 * MINUTE, amount="gift", currency="EUR", value=2.5),
    did("ada", "app_open", NOON + MINUTE),  # after the planned moment
]


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("numPriorSessions", "3"),
        ("firstRun | date('dd HH:mm')", "28 12:00"),
        ("lastActive | date('dd HH:mm')", "02 11:09"),
        ("minutesSpentInApp", "21"),
    ],
)
def test_a_session_begins_with_the_event_the_catalogue_names(said, variable, text):
    assert said("{{ " + variable + " }}", *VISITS, more="session: app_open\n") == text


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("numPriorSessions", "3"),
        ("firstRun | date('dd HH:mm')", "28 12:00"),
        ("lastActive | date('dd HH:mm')", "02 11:09"),
        ("minutesSpentInApp", "50"),
    ],
)
def test_without_such_an_event_a_session_begins_after_half_an_hour_of_nothing(said, variable, text):
    assert said("{{ " + variable + " }}", *VISITS) == text


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("lifetimeValue", "25"),
        ("valueOf['purchase']", "25"),
        ("valueOf['app_open']", "0"),
        ("occurrencesOf['purchase']", "3"),
        ("occurrencesOf['app_open']", "3"),
        ("firstOccurrenceOf['purchase'] | date('HH:mm')", "12:12"),
        ("lastOccurrenceOf['purchase'] | date('HH:mm')", "11:09"),
        ("latest.purchase.value", "2.5"),
    ],
)
def test_occurrences_are_counted_and_added_up_before_the_planned_moment(said, variable, text):
    assert said("{{ " + variable + " }}", *VISITS) == text


def test_an_event_that_is_not_the_revenues_adds_up_its_value_as_leanplum_does(said):
    events = [did("ada", "app_open", NOON - HOUR, value=2), did("ada", "app_open", NOON - DAY, value=1.5)]
    assert said("{{ valueOf['app_open'] }}", *events) == "3.5"


@pytest.mark.parametrize(
    "variable",
    ["numPriorSessions", "minutesSpentInApp", "lifetimeValue", "occurrencesOf['purchase']", "valueOf['purchase']"],
)
def test_who_did_nothing_did_it_zero_times(said, variable):
    assert said("{{ " + variable + " }}") == "0"


@pytest.mark.parametrize(
    "variable", ["firstRun", "lastActive", "firstOccurrenceOf['purchase']", "latest.purchase.amount"]
)
def test_who_did_nothing_has_no_first_time(said, variable):
    assert said("{{ " + variable + " | default('never') }}") == "never"
    assert said("{{ " + variable + " }}") == ("skipped", "missing_data")


def test_a_declared_attribute_of_the_same_name_wins(said):
    assert said("{{ lifetimeValue }}", *VISITS, declared="lifetimeValue: number", lifetimeValue=7) == "7"


@pytest.mark.parametrize(
    "name", ["country", "region", "city", "appVersion", "deviceModel", "systemName", "systemVersion"]
)
def test_what_a_device_says_is_an_attribute_declared_or_not(said, name):
    assert said("{{ " + name + " }}", **{name: "AT"}) == "AT"


def test_all_of_them_at_once_are_one_question(said):
    text = "{{ numPriorSessions }}/{{ minutesSpentInApp }}/{{ occurrencesOf['app_open'] }}/{{ lifetimeValue }}/{{ firstRun | date('dd') }}"
    assert said(text, *VISITS, more="session: app_open\n") == "3/21/3/25/28"


def test_at_the_first_moment_there_was_no_prior_session(said):
    assert said("{{ numPriorSessions }}", did("ada", "app_open", Instant(NOON)), more="session: app_open\n") == "0"
