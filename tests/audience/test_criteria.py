"""Every criterion marketers know from other tools can be asked here, and means the same in SQL and in memory.

Every line of Leanplum's criteria and operators by its name, and what goes beyond it, all of it combined and negated.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.audience.compiling import members_sql
from orchestrator.audience.sql_columns import DuckColumns
from orchestrator.core.campaigns import Goal
from orchestrator.core.draw import bucket
from orchestrator.core.mirrors import CONSENT
from orchestrator.core.segments import (
    Catalogue,
    Declared,
    Everybody,
    Happened,
    Kind,
    Moment,
    OraclePerson,
    member,
    parse,
)
from orchestrator.core.times import DAY, HOUR, Instant
from tests.audience.population import Population, day, loaded

AT = day(2026, 3, 2, 9)
ZONE = "Europe/Vienna"
ATTRIBUTES = {
    "country": Declared(Kind.TEXT),
    "city": Declared(Kind.TEXT),
    "os": Declared(Kind.TEXT),
    "os_version": Declared(Kind.VERSION),
    "age": Declared(Kind.NUMBER),
    "push_enabled": Declared(Kind.BOOLEAN),
    "birthday": Declared(Kind.DATE),
    "firstRun": Declared(Kind.TIME),
    "trialEnds": Declared(Kind.TIME),
    "interests": Declared(Kind.LIST),
    "nickname": Declared(Kind.TEXT),
    "region": Declared(Kind.TEXT),
    "deviceModel": Declared(Kind.TEXT),
    "acquisitionSource": Declared(Kind.TEXT),
    "acquisitionPublisher": Declared(Kind.TEXT),
    "acquisitionCampaign": Declared(Kind.TEXT),
    "plan": Declared(Kind.TEXT),
}
CATALOGUE = Catalogue(
    attributes=ATTRIBUTES,
    events={
        "purchase": {"value": Declared(Kind.NUMBER), "currency": Declared(Kind.TEXT), "sku": Declared(Kind.TEXT)},
        "session": {"minutes": Declared(Kind.NUMBER)},
        "cart": {"sku": Declared(Kind.TEXT)},
        "cancel": {},
    },
    campaigns=frozenset({"winback", "welcome", "spring", "news"}),
    goals={
        "winback": Goal("purchase", 7 * DAY, "value"),
        "spring": Goal("purchase", 7 * DAY, "", {"currency": "CHF"}),
        "welcome": Goal("session", 3 * DAY, "", {"minutes": {"over": 10}}),
        "news": None,
    },
    topics=frozenset({"offers", "news"}),
)


def did(name: str, ago: float, **properties: Any) -> Happened:
    """An event so many days before the planned moment."""
    return Happened(Instant(AT - int(ago * DAY)), f"{name}-{ago}", name, properties)


PEOPLE = (
    OraclePerson(
        "ada",
        {
            "country": "AT", "city": "Wien", "os": "iOS", "os_version": "9.10", "age": 36, "push_enabled": True,
            "birthday": "1990-03-04", "firstRun": "2024-01-10T08:00:00Z", "trialEnds": "2026-03-05T00:00:00Z",
            "interests": ["hats", "coats"], "nickname": "", "plan": "pro-2026", "region": "Wien", "deviceModel": "iPhone 17",
            "acquisitionSource": "search", "acquisitionPublisher": "Example Ads", "acquisitionCampaign": "spring",
            "locale": "de-AT", "zone": "Europe/Vienna", "email": "ada@shop.example", "phone": "+43 1 2345",
        },
        (
            did("purchase", 400, value=100.1, currency="EUR", sku="hat"), did("purchase", 20, value=50.2, currency="EUR", sku="coat"),
            did("purchase", 10, value=20, currency="CHF", sku="hat"), did("session", 20, minutes=5), did("session", 19.9, minutes=7),
            did("session", 1, minutes=12), did("cart", 20.5, sku="coat"),
            did("message.sent", 5, campaign="winback", variant="discount", channel="email", topic="offers", step=0),
            did("message.opened", 4.9, campaign="winback", variant="discount", channel="email", topic="offers", step=0),
            did("message.clicked", 4.8, campaign="winback", variant="discount", channel="email", topic="offers", step=0),
            did("message.sent", 3, campaign="welcome", channel="push", step=1),
            did(CONSENT, 300, channel="email", topic="offers", granted=False), did(CONSENT, 30, channel="email", topic="offers", granted=True),
        ),
        frozenset({"lists/vip.csv"}), frozenset({"email", "sms", "push"}),
    ),
    OraclePerson(
        "bo",
        {
            "country": "DE", "city": "München", "os": "Android", "os_version": "9.9", "age": 17.5, "push_enabled": False,
            "birthday": "2000-02-29", "firstRun": "2026-02-27T08:00:00Z", "trialEnds": "2026-04-05T00:00:00Z", "interests": ["hats"],
            "nickname": "Bobo", "locale": "de_DE", "plan": "free", "region": "Bayern", "deviceModel": "Pixel 11", "acquisitionSource": "friend",
            "email": "bo@shop.example",
        },
        (
            did("message.sent", 5, campaign="winback", variant="reminder", channel="email", topic="offers", step=0),
            did("message.delivered", 4.99, campaign="winback", variant="reminder", channel="email", topic="offers", step=0),
            did(CONSENT, 2, channel="email", topic="offers", granted=False), did("cancel", 2.75),
            did("session", 3, minutes=60), did("cart", 3, sku="hat"), did("purchase", 2.5, value=200, currency="EUR", sku="hat"),
        ),
        addresses=frozenset({"email"}),
    ),
    OraclePerson("cy", {"country": None, "city": "wien", "interests": []}, (did("cart", 1, sku="hat"),)),
)  # fmt: skip

CRITERIA: tuple[tuple[str, dict[str, Any], set[str]], ...] = (
    # user
    ("any custom user attribute", {"attribute": "plan", "is": "free"}, {"bo"}),
    ("user id", {"attribute": "user", "is": ["ada", "cy"]}, {"ada", "cy"}),
    ("language", {"attribute": "language", "is": "de"}, {"ada", "bo"}),
    ("locale", {"attribute": "locale", "is": "de-AT"}, {"ada"}),
    ("time zone", {"attribute": "zone", "starts_with": "Europe/"}, {"ada"}),
    ("lifetime value", {"event": "purchase", "sum": "value", "at_least": 170.3}, {"ada", "bo"}),
    ("lifetime value is exact", {"event": "purchase", "sum": "value", "exactly": 170.3}, {"ada"}),
    ("first run", {"attribute": "firstRun", "when": "last 7 days"}, {"bo"}),
    ("last active", {"event": "session", "last": "time", "before": "2 days ago"}, {"bo"}),
    ("number of sessions", {"event": "session", "over": 2}, {"ada"}),
    ("minutes spent in app", {"event": "session", "sum": "minutes", "over": 24}, {"bo"}),
    ("first-time users", {"event": "session", "exactly": 1}, {"bo"}),
    # place and device
    ("country, one of several", {"attribute": "country", "is": ["AT", "CH"]}, {"ada"}),
    ("country known and another", {"attribute": "country", "is_not": ["DE", "CH"]}, {"ada"}),
    ("region", {"attribute": "region", "is": "Bayern"}, {"bo"}),
    ("city", {"attribute": "city", "is": "Wien"}, {"ada"}),
    ("OS name", {"attribute": "os", "is": "Android"}, {"bo"}),
    ("device model", {"attribute": "deviceModel", "starts_with": "iPhone"}, {"ada"}),
    ("acquisition source", {"attribute": "acquisitionSource", "is": "friend"}, {"bo"}),
    ("acquisition publisher", {"attribute": "acquisitionPublisher", "is_set": True}, {"ada"}),
    ("acquisition campaign", {"attribute": "acquisitionCampaign", "is": "spring"}, {"ada"}),
    ("os version as a version", {"attribute": "os_version", "over": "9.9"}, {"ada"}),
    ("app version between", {"attribute": "os_version", "between": ["9.1", "9.9.0"]}, {"bo"}),
    # channel
    ("push enabled", {"attribute": "push_enabled", "is": True}, {"ada"}),
    ("push enabled, by a device", {"address": "push"}, {"ada"}),
    ("e-mail reachable", {"reachable": "email"}, {"ada"}),
    ("e-mail reachable, by topic", {"reachable": "email", "topic": "news"}, {"ada", "bo"}),
    ("unsubscribed", {"unsubscribed": "email", "topic": "offers"}, {"bo"}),
    ("subscribed", {"subscribed": "email", "topic": "offers"}, {"ada"}),
    ("text push enabled", {"reachable": "sms"}, {"ada"}),
    ("opened a campaign", {"message": "opened", "campaign": "winback"}, {"ada"}),
    ("clicked on a campaign", {"message": "clicked", "campaign": "winback", "when": "last 7 days"}, {"ada"}),
    ("received a message", {"message": "delivered"}, {"bo"}),
    ("was sent a message on a channel", {"message": "sent", "channel": "push"}, {"ada"}),
    ("was sent a variant", {"message": "sent", "campaign": "winback", "variant": ["discount", "x"]}, {"ada"}),
    ("was sent a step", {"message": "sent", "step": 1}, {"ada"}),
    ("converted on a campaign", {"message": "converted", "campaign": "winback"}, {"bo"}),
    ("converted on a campaign whose goal has conditions", {"message": "converted", "campaign": "welcome"}, {"ada"}),
    ("converted on any campaign", {"message": "converted"}, {"ada", "bo"}),
    ("converted on a channel", {"message": "converted", "channel": "push"}, {"ada"}),
    ("converted by a variant", {"message": "converted", "campaign": "winback", "variant": ["discount", "x"]}, set()),
    ("converted lately", {"message": "converted", "when": "last 2 days"}, {"ada"}),
    ("converted in a window that the message lies before", {"message": "converted", "campaign": "winback", "when": "last 3 days"}, {"bo"}),
    ("conversions counted", {"message": "converted", "campaign": "winback", "exactly": 0}, {"ada", "cy"}),
    ("converted, and did nothing more", {"message": "converted", "then_not": {"event": "session", "within": "2 days"}}, {"bo"}),
    ("converted, and then", {"message": "converted", "then": {"event": "cart"}}, set()),
    ("most conversions", {"message": "converted", "campaign": "winback", "top": "50%"}, {"bo"}),
    ("sent and not converted", {"message": "sent", "campaign": "winback", "then_not": {"event": "purchase", "within": "4 days"}}, {"ada"}),
    ("sent and never opened", {"all": [{"message": "sent", "campaign": "winback"}, {"not": {"message": "opened", "campaign": "winback"}}]}, {"bo"}),
    ("messages counted", {"message": "sent", "at_least": 2, "when": "last 7 days"}, {"ada"}),
    ("not opened within a day", {"message": "sent", "channel": "email", "then_not": {"message": "opened", "within": "1 day"}}, {"bo"}),
    # event, life time
    ("total occurrences", {"event": "purchase", "at_least": 3}, {"ada"}),
    ("never", {"event": "purchase", "exactly": 0}, {"cy"}),
    ("first occurrence", {"event": "purchase", "first": "time", "when": "last 7 days"}, {"bo"}),
    ("first occurrence before a date", {"event": "purchase", "first": "time", "before": "2026-01-01"}, {"ada"}),
    ("last occurrence", {"event": "purchase", "last": "time", "not_after": "10 days ago"}, {"ada"}),
    ("with a parameter condition", {"event": "purchase", "where": {"currency": "CHF"}}, {"ada"}),
    # event, recent
    ("occurrences in the last days", {"event": "purchase", "when": "last 30 days", "between": [2, 3]}, {"ada"}),
    ("sum, narrowed by another parameter", {"event": "purchase", "sum": "value", "over": 150, "when": "last 30 days", "where": {"currency": "EUR", "sku": ["hat", "coat"]}}, {"bo"}),
    ("average", {"event": "session", "average": "minutes", "exactly": 8}, {"ada"}),
    ("minimum", {"event": "session", "min": "minutes", "under": 6}, {"ada"}),
    ("maximum", {"event": "session", "max": "minutes", "at_most": 12}, {"ada"}),
    ("parameter compared", {"event": "purchase", "where": {"value": {"over": 150}}}, {"bo"}),
    # segment, list, bucket
    ("member of a saved segment", {"segment": "buyers"}, {"ada", "bo"}),
    ("not a member", {"not": {"segment": "buyers"}}, {"cy"}),
    ("uploaded list", {"list": "lists/vip.csv"}, {"ada"}),
    # beyond: days, sequences
    ("distinct active days", {"event": "session", "distinct": "days", "at_least": 2}, {"ada"}),
    ("did A, then B within T", {"event": "cart", "then": {"event": "purchase", "within": "1 day"}}, {"ada", "bo"}),
    ("did A, then not B within T", {"event": "cart", "then_not": {"event": "purchase", "within": "6 hours"}}, {"ada", "bo", "cy"}),
    ("did A, then B within T, without C between", {"event": "cart", "then": {"event": "purchase", "within": "1 day", "without": {"event": "cancel"}}}, {"ada"}),
    ("several forbidden events", {"event": "cart", "then": {"event": "purchase", "without": [{"event": "session", "where": {"minutes": 5}}, {"event": "cancel"}]}}, {"ada"}),
    ("first time in a window", {"event": "purchase", "first": "time", "when": "last 30 days"}, {"bo"}),
    ("property of the most recent event", {"event": "purchase", "latest": {"currency": "CHF"}}, {"ada"}),
    ("property of the most recent event, narrowed", {"event": "purchase", "latest": {"value": {"over": 50}}, "where": {"currency": "EUR"}, "when": "last 30 days"}, {"ada", "bo"}),
    ("property of the first event", {"event": "purchase", "earliest": {"sku": "hat", "value": {"over": 150}}}, {"bo"}),
    ("percentile band, top by spend", {"event": "purchase", "sum": "value", "top": "50%"}, {"bo"}),
    ("percentile band, bottom by spend", {"event": "purchase", "sum": "value", "bottom": "50%"}, {"ada"}),
    ("percentile band of an attribute", {"attribute": "age", "percentile": [50, 100]}, {"ada"}),
    ("percentile band, most recent", {"event": "session", "last": "time", "top": "50%"}, {"ada"}),
    ("RFM scores", {"rfm": "purchase", "sum": "value", "recency": 5, "monetary": [4, 5]}, {"bo"}),
    ("RFM, frequency", {"rfm": "purchase", "frequency": 5, "when": "last 30 days"}, {"ada"}),
    ("random sample of N", {"sample": 1, "of": {"event": "purchase"}}, {"ada"}),
    ("random sample of everybody", {"sample": 3, "of": "everybody"}, {"ada", "bo", "cy"}),
    ("not done since", {"event": "cart", "then_not": {"event": "purchase"}}, {"cy"}),
    # operators, any value
    ("is set", {"attribute": "country", "is_set": True}, {"ada", "bo"}),
    ("is not set", {"attribute": "country", "is_set": False}, {"cy"}),
    ("is empty string", {"attribute": "nickname", "is_empty": True}, {"ada"}),
    # number
    ("greater than", {"attribute": "age", "over": 17.5}, {"ada"}),
    ("less than", {"attribute": "age", "under": 36}, {"bo"}),
    ("at least", {"attribute": "age", "at_least": 17.5}, {"ada", "bo"}),
    ("at most", {"attribute": "age", "at_most": 17.5}, {"bo"}),
    ("between", {"attribute": "age", "between": [18, 36]}, {"ada"}),
    # text
    ("contains", {"attribute": "city", "contains": "nch"}, {"bo"}),
    ("does not contain", {"attribute": "city", "does_not_contain": "nch"}, {"ada", "cy"}),
    ("begins with", {"attribute": "city", "starts_with": "W"}, {"ada"}),
    ("ends with", {"attribute": "city", "ends_with": "ien"}, {"ada", "cy"}),
    ("matches a pattern", {"attribute": "city", "matches": "M?nch*"}, {"bo"}),
    ("matches an expression", {"attribute": "plan", "regex": "-[0-9]{4}$"}, {"ada"}),
    ("does not match an expression", {"attribute": "plan", "not_regex": "^PRO", "ignore_case": True}, {"bo"}),
    ("without case", {"attribute": "city", "is": "WIEN", "ignore_case": True}, {"ada", "cy"}),
    # list
    ("contains any of", {"attribute": "interests", "contains_any": ["coats", "shoes"]}, {"ada"}),
    ("contains all of", {"attribute": "interests", "contains_all": ["hats", "coats"]}, {"ada"}),
    ("contains none of", {"attribute": "interests", "contains_none": ["coats"]}, {"bo", "cy"}),
    ("empty list", {"attribute": "interests", "is_empty": True}, {"cy"}),
    # date and time
    ("is after", {"attribute": "firstRun", "after": "2026-02-26"}, {"bo"}),
    ("is not after", {"attribute": "firstRun", "not_after": "2026-02-26"}, {"ada"}),
    ("is before", {"attribute": "firstRun", "before": "2024-01-10"}, set()),
    ("is not before", {"attribute": "firstRun", "not_before": "2024-01-10"}, {"ada", "bo"}),
    ("is between", {"attribute": "firstRun", "between": ["2024-01-10", "2024-01-10"]}, {"ada"}),
    ("relative, past", {"attribute": "firstRun", "before": "3 days ago"}, {"ada", "bo"}),
    ("relative, ahead", {"attribute": "trialEnds", "when": "next 7 days"}, {"ada"}),
    ("birthday", {"attribute": "birthday", "anniversary": "in 2 days"}, {"ada"}),
    ("birthday soon", {"attribute": "birthday", "anniversary": "next 7 days"}, {"ada"}),
    ("birthday on 29 February", {"attribute": "birthday", "anniversary": "2 days ago"}, {"bo"}),
    # combination
    ("AND, OR, nested, NOT at every level", {"all": [{"any": [{"attribute": "os", "is": "iOS"}, {"not": {"event": "purchase"}}]}, {"not": {"all": [{"list": "lists/vip.csv"}, {"attribute": "age", "under": 30}]}}]}, {"ada", "cy"}),
)  # fmt: skip

SEGMENTS = {"buyers": parse({"about": "Bought once or more", "all": [{"event": "purchase"}]}, CATALOGUE)}


@pytest.fixture(scope="module")
def shop() -> Iterator[Population]:
    with loaded(PEOPLE, ATTRIBUTES) as connection:
        yield Population(PEOPLE, connection)


def found(raw: dict[str, Any], shop: Population, at: Instant = AT) -> set[str]:
    """The members, in SQL and in memory."""
    segment, moment = parse({"about": "x", "all": [raw]}, CATALOGUE), Moment(at, ZONE, SEGMENTS)
    answer = shop.answer(members_sql(segment, moment, DuckColumns(ATTRIBUTES)))
    with_all = Everybody(shop.people, moment).moment
    assert answer == {one.user for one in shop.people if member(segment, one, with_all)}
    return answer


@pytest.mark.parametrize(("raw", "expected"), [pytest.param(raw, who, id=name) for name, raw, who in CRITERIA])
def test_a_criterion_finds_whom_it_should(raw: dict[str, Any], expected: set[str], shop: Population) -> None:
    assert found(raw, shop) == expected
    assert found({"not": raw}, shop) == {"ada", "bo", "cy"} - expected


def test_user_buckets_are_the_draw_and_cover_everybody_once(shop: Population) -> None:
    places = {one.user: bucket("bucket", one.user, 1000) for one in PEOPLE}
    for user, place in places.items():
        assert user in found({"bucket": f"{place} of 1000"}, shop)
    assert found({"bucket": "0 to 999 of 1000"}, shop) == set(places)
    held = {user for user, place in places.items() if place >= 970}
    assert found({"bucket": "970 to 999 of 1000"}, shop) == held


def test_windows_end_just_before_the_planned_moment(shop: Population) -> None:
    raw = {"event": "purchase", "when": "last 24 hours"}
    bought = Instant(AT - int(2.5 * DAY))
    assert found(raw, shop, bought) == set()
    assert found(raw, shop, Instant(bought + 1)) == {"bo"}
    assert found(raw, shop, Instant(bought + DAY)) == {"bo"}
    assert found(raw, shop, Instant(bought + DAY + 1)) == set()


def test_then_not_counts_only_once_its_time_is_over(shop: Population) -> None:
    raw = {"event": "cart", "where": {"sku": "hat"}, "then_not": {"event": "purchase", "within": "48 hours"}}
    put = Instant(AT - DAY)
    assert found(raw, shop, Instant(put + 48 * HOUR - 1)) == set()
    assert found(raw, shop, Instant(put + 48 * HOUR)) == {"cy"}


def test_a_conversion_lies_after_the_message_and_before_the_goals_time_is_over(shop: Population) -> None:
    raw = {"message": "converted", "campaign": "winback"}
    bought = Instant(AT - int(2.5 * DAY))
    assert found(raw, shop, bought) == set(), "not yet bought"
    assert found(raw, shop, Instant(bought + 1)) == {"bo"}
    sent = did("message.sent", 0, campaign="winback")
    for after, who in ((0, {"x"}), (-1, set()), (7 * DAY - 1, {"x"}), (7 * DAY, set())):
        goal = Happened(Instant(sent.time + after), "p", "purchase", {})
        with loaded([OraclePerson("x", events=(replace(sent, message_id="a"), goal))], ATTRIBUTES) as connection:
            one = Population((OraclePerson("x", events=(replace(sent, message_id="a"), goal)),), connection)
            assert found(raw, one, Instant(AT + 8 * DAY)) == who, after


def test_two_messages_that_led_to_one_purchase_are_two_conversions(shop: Population) -> None:
    sent = (
        did("message.sent", 3, campaign="winback", channel="email"),
        did("message.sent", 2, campaign="winback", channel="push"),
    )
    twice = (OraclePerson("x", events=(*sent, did("purchase", 1))),)
    with loaded(twice, ATTRIBUTES) as connection:
        people = Population(twice, connection)
        assert found({"message": "converted", "campaign": "winback", "exactly": 2}, people) == {"x"}
        assert found({"message": "converted", "campaign": "winback", "channel": "push", "exactly": 1}, people) == {"x"}
