"""Every variable and filter that a template brought along from Leanplum may use, each under its own name."""

from typing import Any

import pytest

from orchestrator.core.reasons import Reason
from orchestrator.rendering import Refusal
from tests.rendering.builders import answered, said

VARIABLES: list[tuple[str, dict[str, Any], str]] = [
    ("userAttribute.firstName", {"userAttribute": {"firstName": "Ada"}}, "Ada"),
    ("userAttribute['First name']", {"userAttribute": {"First name": "Ada"}}, "Ada"),
    ("linkedData.weather.today", {"linkedData": {"weather": {"today": "sunny"}}}, "sunny"),
    ("parameter.product", {"parameter": {"product": "coat"}}, "coat"),
    ("firstOccurrenceOf['buy'] | date('yyyy')", {"firstOccurrenceOf": {"buy": "2024-05-01T00:00:00Z"}}, "2024"),
    ("lastOccurrenceOf['buy'] | date('yyyy')", {"lastOccurrenceOf": {"buy": 1_767_225_600_000_000}}, "2026"),
    ("occurrencesOf['buy']", {"occurrencesOf": {"buy": 3}}, "3"),
    ("valueOf['buy']", {"valueOf": {"buy": 12.5}}, "12.5"),
    ("lifetimeValue", {"lifetimeValue": 99}, "99"),
    ("numPriorSessions", {"numPriorSessions": 7}, "7"),
    ("firstRun | date('yyyy-MM-dd')", {"firstRun": "2025-01-02T10:00:00Z"}, "2025-01-02"),
    ("lastActive | time_ago", {"lastActive": "2026-03-01T09:00:00Z"}, "1 day ago"),
    ("minutesSpentInApp", {"minutesSpentInApp": 41}, "41"),
    ("country", {"country": "AT"}, "AT"),
    ("region", {"region": "Wien"}, "Wien"),
    ("city", {"city": "Vienna"}, "Vienna"),
    ("appVersion", {"appVersion": "9.10"}, "9.10"),
    ("deviceModel", {"deviceModel": "Pixel 9"}, "Pixel 9"),
    ("systemName", {"systemName": "Android"}, "Android"),
    ("systemVersion", {"systemVersion": "16"}, "16"),
]


@pytest.mark.parametrize(("variable", "attributes", "text"), VARIABLES, ids=[row[0] for row in VARIABLES])
def test_a_variable_of_leanplum_works_unchanged(variable: str, attributes: dict[str, Any], text: str):
    assert said("{{ " + variable + " }}", attributes) == text


def test_locale_and_language_are_the_persons():
    assert said("{{ locale }} {{ language }}", locale="de-AT") == "de-AT de"


def test_a_declared_attribute_wins_over_the_variable_of_the_same_name():
    attributes = {"userAttribute": {"country": "from the profile"}, "country": "from the device"}
    assert said("{{ country }}", attributes) == "from the profile"
    assert said("{{ locale }}", {"userAttribute": {"locale": "xx"}}, locale="de") == "xx"


def test_the_newest_event_has_its_properties():
    assert said("{{ latest.add_to_cart.product }}", {"latest": {"add_to_cart": {"product": "coat"}}}) == "coat"


FILTERS = [
    ("-3 | abs", "3"),
    ("2 | add(3)", "5"),
    ("0.1 | add(0.2)", "0.3"),
    ("'4' | add(1)", "5"),
    ("{'first': 'Ada'} | attr('first')", "Ada"),
    ("[1, 2, 3] | batch(2, 0) | map('join', '-') | join('|')", "1-2|3-0"),
    ("'2026-03-02' | between_times('2026-03-05', 'days')", "3"),
    ("'2026-03-05' | between_times('2026-03-02', 'days')", "-3"),
    ("'2026-01-31' | between_times('2026-03-30', 'months')", "1"),
    ("'2020-03-02' | between_times('2026-03-01', 'years')", "5"),
    ("1234.5 | currency('EUR')", "€1,234.50"),
    ("'2026-03-05T10:00:00Z' | date('d MMMM')", "5 March"),
    ("'2026-03-05' | date", "Mar 5, 2026"),
    ("'2026-03-05T10:00:00Z' | date('%-d %B at %H:%M')", "05 March at 11:00"),
    ("nothing | default('friend')", "friend"),
    ("'' | default('friend', true)", "friend"),
    ("7 | divide(2)", "3.5"),
    ("6 | divide(2)", "3"),
    ("6 | multiply(2.5)", "15"),
    ("'2026-03-05T10:00:00Z' | time_zone('Asia/Tokyo') | date('HH:mm')", "19:00"),
    ("'Ada' | upcase", "ADA"),
    ("'Ada' | downcase", "ada"),
    ("'Ada' | size", "3"),
    ("1 | pluralize('item', 'items')", "item"),
    ("0 | pluralize('item', 'items')", "items"),
    ("1234567.891 | number", "1,234,567.891"),
    ("1234.5 | number(2)", "1,234.50"),
    ("'2026-02-09T09:00:00Z' | time_ago", "3 weeks ago"),
    ("'2026-03-02T09:00:30Z' | time_ago", "in 30 seconds"),
    ("'Hello to you all' | truncate(8, true)", "Hello..."),
]


@pytest.mark.parametrize(("expression", "text"), FILTERS, ids=[row[0] for row in FILTERS])
def test_a_filter_of_leanplum_or_liquid_works(expression: str, text: str):
    assert said("{{ " + expression + " }}") == text


def test_words_of_dates_and_money_are_in_the_language_of_the_text():
    """Between English words, a German month would look like a mistake."""
    assert said("{{ '2026-03-05' | date('MMMM') }} {{ 5 | currency('EUR') }}", locale="de-AT") == "March €5.00"
    assert said("{{ '2026-12-05' | date('short') }}", locale="en-GB") == "05/12/2026"


def test_dates_are_on_the_clock_of_the_person():
    at = "{{ '2026-03-05T23:30:00Z' | date('d HH:mm') }}"
    assert said(at, zone="Asia/Tokyo") == "6 08:30"
    assert said(at, zone="America/New_York") == "5 18:30"
    assert said(at) == "6 00:30", "unknown: the project's"


def test_one_moment_on_two_clocks_is_written_twice():
    """Moments that are equal must not share a text."""
    assert said("{{ '2026-03-05T10:00:00+01:00' | date('HH') }}", zone="Europe/Vienna") == "10"
    assert said("{{ '2026-03-05T10:00:00+01:00' | date('HH') }}", zone="UTC") == "09"


@pytest.mark.parametrize(
    "filter_",
    [
        "abs", "add(1)", "attr('x')", "batch(2)", "between_times('2026-01-01')", "currency('EUR')", "date", "divide(2)",
        "multiply(2)", "number", "pluralize('a', 'b')", "size", "time_ago", "upcase", "downcase", "length", "upper",
        "join(', ')", "first", "truncate(3)", "time_zone('UTC')", "int", "list", "string", "round", "sum",
    ],
)  # fmt: skip
def test_a_missing_value_stops_every_filter_but_default(filter_: str):
    answer = answered("{{ userAttribute.gone | " + filter_ + " }}", {"userAttribute": {"gone": None}})
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.MISSING_DATA
    assert answer.detail == "userAttribute.gone (templates/winback/_default/push.yaml:1)"


@pytest.mark.parametrize(
    ("expression", "said_"),
    [
        ("'x' | add(1)", "'x' is not a number"),
        ("1 | divide(0)", "1 cannot be divided by 0"),
        ("1 | currency('XYZ1')", "'XYZ1' is not a currency"),
        ("'tomorrow' | date", "'tomorrow' is not a date"),
        ("'2026-03-05' | time_zone('Vienna')", "'Vienna' is not a time zone"),
        ("'2026-03-05' | between_times('2026-03-06', 'moons')", "'moons' is no unit of time"),
    ],
)
def test_a_value_a_filter_cannot_use_concerns_this_person_only(expression: str, said_: str):
    answer = answered("{{ " + expression + " }}")
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.TEMPLATE_ERROR
    assert said_ in answer.detail
    assert answer.detail.endswith("(templates/winback/_default/push.yaml:1)")
