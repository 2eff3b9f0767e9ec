"""What a segment means for one person: the rules behind the words, on people made by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ruamel.yaml import YAML

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.segments import (
    Catalogue,
    Declared,
    Everybody,
    Happened,
    Kind,
    Moment,
    OraclePerson,
    explain,
    member,
    parse,
    sentences,
)
from orchestrator.core.segments.tree import Event
from orchestrator.core.times import DAY, HOUR, Instant, instant

VIENNA = "Europe/Vienna"
AT = instant(datetime(2026, 3, 2, 10, tzinfo=ZoneInfo(VIENNA)))
CATALOGUE = Catalogue(
    attributes={
        "country": Declared(Kind.TEXT),
        "email": Declared(Kind.TEXT),
        "born": Declared(Kind.DATE),
        "joined": Declared(Kind.TIME),
    },
    events={
        "app_open": {},
        "add_to_cart": {"product": Declared(Kind.TEXT), "price": Declared(Kind.NUMBER)},
        "purchase": {"amount": Declared(Kind.NUMBER), "currency": Declared(Kind.TEXT)},
    },
)
LAPSED_VIPS = """
about: Big spenders who browse, fill a cart and leave it
all:
  - {event: purchase, sum: amount, over: 200, where: {currency: EUR}, when: last 180 days}
  - {event: app_open, distinct: days, at_least: 4, when: previous month}
  - {event: add_to_cart, when: last 60 days, then_not: {event: purchase, within: 48 hours}}
  - {attribute: country, is_not: DE}              # country unknown: not in
  - not: {event: purchase, when: last 30 days}    # this is what "lapsed" means here
  - not: {segment: staff}
"""
STAFF = """
about: Us. Never in an audience.
any:
  - {attribute: email, ends_with: "@shop.example"}
  - {list: lists/contractors.csv}
"""


def read(text: str) -> Any:
    return parse(YAML().load(text), CATALOGUE)


SEGMENTS = {"staff": read(STAFF), "lapsed_vips": read(LAPSED_VIPS)}


def local(text: str) -> Instant:
    """A wall time of Vienna."""
    return instant(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(VIENNA)))


def did(name: str, when: str | Instant, message_id: str = "", **properties: Any) -> Happened:
    time = local(when) if isinstance(when, str) else when
    return Happened(time, message_id or f"{name}{time}", name, properties)


def a_person(events: Sequence[Happened] = (), lists: Sequence[str] = (), **attributes: Any) -> OraclePerson:
    return OraclePerson("ada", attributes, tuple(events), frozenset(lists))


def belongs(raw: dict[str, Any], person: OraclePerson, at: Instant = AT, zone: str = VIENNA) -> bool:
    return member(parse({"about": "x", "all": [raw]}, CATALOGUE), person, Moment(at, zone, SEGMENTS))


BOUGHT = (did("purchase", "2026-01-10 12:00", amount=262.40, currency="EUR"),)
OPENED = tuple(did("app_open", f"2026-02-{day} 09:00") for day in ("03", "07", "11", "20"))
LEFT = (did("add_to_cart", "2026-02-14 18:00", product="Wool coat"),)


def vip(
    bought: Sequence[Happened] = BOUGHT,
    opened: Sequence[Happened] = OPENED,
    left: Sequence[Happened] = LEFT,
    **more: Any,
) -> bool:
    """Whether somebody who is Ada but for this is one of the lapsed VIPs."""
    attributes = {"country": "AT", **more}
    person = a_person((*bought, *opened, *left), attributes.pop("lists", ()), **attributes)
    return member(SEGMENTS["lapsed_vips"], person, Moment(AT, VIENNA, SEGMENTS))


def test_ada_is_a_lapsed_vip() -> None:
    assert vip()


def test_last_month_is_a_month_of_the_calendar_and_not_the_last_30_days() -> None:
    assert vip(opened=[did("app_open", f"2026-02-01 0{hour}:00") for hour in range(1)] + list(OPENED[:3]))
    in_march = [did("app_open", "2026-03-01 09:00"), did("app_open", "2026-03-02 09:00")]
    assert not vip(opened=[*OPENED[:2], *in_march])


def test_days_are_cut_in_the_zone_of_the_project() -> None:
    # 23:30 UTC on 31 January is 1 February in Vienna; 23:30 UTC on 3 February is the 4th there.
    first = did("app_open", instant(datetime(2026, 1, 31, 23, 30, tzinfo=UTC)))
    second = did("app_open", instant(datetime(2026, 2, 3, 23, 30, tzinfo=UTC)))
    assert vip(opened=[first, did("app_open", "2026-02-03 09:00"), second, OPENED[3]])
    assert not vip(opened=[first, did("app_open", "2026-02-04 09:00"), second, OPENED[3]])


def test_other_currencies_are_not_summed() -> None:
    assert not vip(bought=[did("purchase", "2026-01-10 12:00", amount=262.40, currency="CHF")])


def test_over_200_is_not_200() -> None:
    assert not vip(bought=[did("purchase", "2026-01-10 12:00", amount=200, currency="EUR")])
    assert vip(bought=[did("purchase", "2026-01-10 12:00", amount=200.01, currency="EUR")])


def test_a_cart_younger_than_48_hours_is_not_left_yet() -> None:
    assert not vip(left=[did("add_to_cart", Instant(AT - 48 * HOUR + 1))])
    assert vip(left=[did("add_to_cart", Instant(AT - 48 * HOUR))])


def test_one_left_cart_is_enough() -> None:
    bought = [*BOUGHT, did("purchase", "2026-01-20 12:00", amount=1, currency="EUR")]
    kept, left = did("add_to_cart", "2026-01-19 18:00"), did("add_to_cart", "2026-01-12 18:00")
    assert not vip(bought=bought, left=[kept])
    assert vip(bought=bought, left=[kept, left])


def test_an_unknown_country_is_not_outside_germany() -> None:
    assert not vip(country=None)
    assert not vip(country="DE")
    assert not vip(country=49)


def test_lapsed_is_spelled_out() -> None:
    assert not vip(bought=[*BOUGHT, did("purchase", "2026-02-10 12:00", amount=1, currency="EUR")])


def test_staff_is_never_in() -> None:
    assert not vip(email="cy@shop.example")
    assert not vip(lists=["lists/contractors.csv"])


def test_not_is_the_exact_complement_also_for_the_unknown() -> None:
    unknown = a_person()
    assert not belongs({"attribute": "country", "is": "DE"}, unknown)
    assert not belongs({"attribute": "country", "is_not": "DE"}, unknown)
    assert belongs({"not": {"attribute": "country", "is": "DE"}}, unknown)
    assert belongs({"not": {"attribute": "country", "is_not": "DE"}}, unknown)


def test_sums_are_decimals() -> None:
    events = [did("purchase", f"2026-01-0{number} 10:00", amount=0.1, currency="EUR") for number in (1, 2, 3)]
    assert belongs({"event": "purchase", "sum": "amount", "exactly": 0.3}, a_person(events))
    assert not belongs({"event": "purchase", "sum": "amount", "over": 0.3}, a_person(events))


def test_an_average_is_compared_without_dividing() -> None:
    events = [did("purchase", f"2026-01-0{number} 10:00", amount=amount) for number, amount in ((1, 1), (2, 0), (3, 0))]
    third = {"event": "purchase", "average": "amount"}
    assert belongs({**third, "over": 0.3333}, a_person(events))
    assert belongs({**third, "under": 0.3334}, a_person(events))


def test_events_without_the_property_take_no_part_in_an_average() -> None:
    events = [
        did("purchase", "2026-01-01 10:00", amount=4),
        did("purchase", "2026-01-02 10:00"),
        did("purchase", "2026-01-03 10:00", amount="8"),
    ]
    assert belongs({"event": "purchase", "average": "amount", "exactly": 4}, a_person(events))


@pytest.mark.parametrize(("cart", "purchase", "expected"), [("a", "b", True), ("b", "a", False)])
def test_events_of_one_moment_stand_in_the_order_of_their_message_ids(cart: str, purchase: str, expected: bool) -> None:
    events = [did("add_to_cart", "2026-01-01 10:00", cart), did("purchase", "2026-01-01 10:00", purchase)]
    assert belongs({"event": "add_to_cart", "then": {"event": "purchase"}}, a_person(events)) is expected


def test_within_ends_just_before_its_last_moment() -> None:
    raw = {"event": "add_to_cart", "then": {"event": "purchase", "within": "1 hour"}}
    start = local("2026-01-01 10:00")
    cart = did("add_to_cart", start)
    assert belongs(raw, a_person([cart, did("purchase", Instant(start + HOUR - 1))]))
    assert not belongs(raw, a_person([cart, did("purchase", Instant(start + HOUR))]))


def test_days_around_the_clock_change_are_days_of_the_wall_clock() -> None:
    # 29 March 2026 has 23 hours in Vienna; 24 hours before its end lie on the day before.
    opened = did("app_open", "2026-03-28 23:30")
    at = local("2026-03-30 00:00")
    assert not belongs({"event": "app_open", "when": "previous day"}, a_person([opened]), at)
    assert belongs({"event": "app_open", "when": "last 24 hours"}, a_person([opened]), at)


def test_text_is_compared_composed_and_case_is_for_a_to_z_only() -> None:
    decomposed = a_person(country="O\u0308sterreich")
    assert belongs({"attribute": "country", "is": "Österreich"}, decomposed)
    assert belongs({"attribute": "country", "is": "ÖSTERREICH", "ignore_case": True}, decomposed)
    assert not belongs({"attribute": "country", "is": "österreich", "ignore_case": True}, decomposed)


@pytest.mark.parametrize(
    ("higher", "lower"),
    [("9.10", "9.9"), ("10", "9.99.99"), ("1.2.1", "1.2"), ("v2", "1.9-beta"), ("1.0.0.10", "1.0.0.9")],
)
def test_versions_are_compared_part_by_part(higher: str, lower: str) -> None:
    assert belongs_without_catalogue({"attribute": "app", "over": lower}, app=higher)
    assert not belongs_without_catalogue({"attribute": "app", "over": higher}, app=lower)


def belongs_without_catalogue(raw: dict[str, Any], **attributes: Any) -> bool:
    return member(parse({"about": "x", "all": [raw]}), a_person(**attributes), Moment(AT, VIENNA))


def test_trailing_zeros_make_no_other_version() -> None:
    assert belongs_without_catalogue({"attribute": "app", "between": ["1.2.0", "1.2"]}, app="1.2.0.0")


def test_a_date_is_a_day_and_a_moment_without_a_zone_is_none() -> None:
    assert belongs({"attribute": "born", "is": "1990-05-05"}, a_person(born="1990-05-05"))
    assert not belongs({"attribute": "joined", "is_set": True}, a_person(joined="2026-01-01T10:00"))
    assert belongs({"attribute": "joined", "is": "2026-01-01"}, a_person(joined="2025-12-31T23:30:00Z"))


def test_an_explanation_shows_each_condition_with_its_value() -> None:
    person = a_person((*BOUGHT, *OPENED, *LEFT), country="AT")
    told = explain(SEGMENTS["lapsed_vips"], person, Moment(AT, VIENNA, SEGMENTS))
    assert told.holds
    assert [(part.holds, str(part.value)) for part in told.parts[:4]] == [
        (True, "262.4000"), (True, "4"), (True, "1"), (True, "AT"),
    ]  # fmt: skip
    lapsed = told.parts[4]
    assert lapsed.holds
    assert isinstance(lapsed.parts[0].node, Event)
    assert (lapsed.parts[0].holds, lapsed.parts[0].value) == (False, 0)


def test_the_sentences_of_a_segment_spell_its_decisions_out() -> None:
    assert sentences(SEGMENTS["lapsed_vips"], VIENNA) == (
        "sum of amount of purchase where currency is EUR in the last 180 days is over 200",
        "did app_open on at least 4 different days in the previous month (days of Europe/Vienna)",
        "did add_to_cart in the last 60 days, then no purchase within 2 days (counts once the 2 days are over; one such add_to_cart is enough)",
        "country is known and is not DE (country unknown: not in)",
        "did not purchase in the last 30 days",
        "is not in staff",
    )


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"event": "purchase", "at_most": 2}, "did purchase at most 2 times ever (without any purchase: in)"),
        ({"event": "purchase", "exactly": 1}, "did purchase exactly 1 time ever"),
        ({"not": {"event": "purchase", "average": "amount", "over": 9.5}}, "not: average of amount of purchase ever is over 9.5 (without any purchase: in)"),
        ({"event": "purchase", "first": "time", "when": "last 30 days"}, "the first purchase ever is in the last 30 days"),
        ({"event": "add_to_cart", "then": {"event": "purchase", "within": "1 day", "where": {"currency": "EUR"}}}, "did add_to_cart ever, then purchase where currency is EUR within 1 day"),
        ({"not": {"attribute": "country", "is": ["DE", "AT"]}}, "not: country is DE or AT (country unknown: in)"),
        ({"not": {"attribute": "country", "is_set": True}}, "country is not known"),
        ({"bucket": "970 to 999 of 1000"}, "falls into the buckets 970 to 999 of 1000 (3% by a stable draw)"),
        ({"attribute": "country", "matches": "A*", "ignore_case": True}, "country matches A* in any case (A to Z only) (country unknown: not in)"),
        ({"attribute": "joined", "between": ["2026-01-01", "2026-01-31"]}, "joined is between 2026-01-01 and 2026-01-31 (clock of Europe/Vienna) (joined unknown: not in)"),
        ({"attribute": "born", "anniversary": "next 7 days"}, "born comes round in the next 1 week (days of Europe/Vienna; 29 February on the 28th in other years) (born unknown: not in)"),
        ({"not": {"any": [{"segment": "staff"}, {"list": "lists/x.csv"}]}}, "none of: is in staff; or is on lists/x.csv"),
        ({"event": "purchase", "sum": "amount", "top": "10%", "when": "last 90 days"}, "sum of amount of purchase in the last 90 days is among the highest 10% of everybody with any (without any purchase: not in)"),
        ({"not": {"event": "purchase", "percentile": [80, 90]}}, "not: number of purchase ever is above the lowest 80% and within the lowest 90% of everybody with any (without any purchase: in)"),
        ({"attribute": "born", "bottom": "5%"}, "born is among the lowest 5% of everybody who has one (born unknown: not in)"),
        ({"event": "purchase", "latest": {"currency": "CHF"}, "when": "last 30 days"}, "the latest purchase in the last 30 days is one where currency is CHF (without any purchase: not in)"),
        ({"event": "add_to_cart", "then": {"event": "purchase", "within": "1 day", "without": {"event": "app_open"}}}, "did add_to_cart ever, then purchase within 1 day without app_open in between"),
        ({"rfm": "purchase", "sum": "amount", "recency": [4, 5], "monetary": 5}, "scores recency (latest time) 4 or 5, monetary (sum of amount) 5 of 5 (5 is best) among everybody who did purchase ever"),
        ({"sample": 1000, "of": {"segment": "staff"}}, "is one of 1000 drawn at random, always the same ones, from those for whom: is in staff"),
        ({"not": {"address": "push"}}, "has no address for push"),
        ({"message": "opened", "campaign": "winback", "when": "last 30 days"}, "did message.opened where campaign is winback in the last 30 days"),
        ({"unsubscribed": "email", "topic": "offers"}, "the latest consent.given where channel is email and topic is offers ever is one where granted is false (without any consent.given: not in)"),
        ({"attribute": "country", "regex": "^A"}, "country matches the expression ^A (country unknown: not in)"),
        ({"attribute": "language", "is": "de"}, "language is de (language unknown: not in)"),
        ({"any": [{"segment": "staff"}, {"all": [{"list": "a"}, {"list": "b"}]}]}, "is in staff; or (is on a; and is on b)"),
    ],
)  # fmt: skip
def test_a_sentence_says_what_the_words_mean(raw: dict[str, Any], sentence: str) -> None:
    assert sentences(parse({"about": "x", "all": [raw]}, CATALOGUE), VIENNA) == (sentence,)


def test_180_days_are_180_times_24_hours() -> None:
    bought = did("purchase", Instant(AT - 180 * DAY), amount=300, currency="EUR")
    raw = {"event": "purchase", "when": "last 180 days"}
    assert belongs(raw, a_person([bought]))
    assert not belongs(raw, a_person([bought]), Instant(AT + 1))


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("a.c", "xa\nc", True), ("^a.c$", "xabc", False), (r"^\d{2,3}$", "12", True), (r"^\d{2,3}$", "1234", False), (r"\D", "12", False),
        ("^(ab|cd)+$", "abcdab", True), ("[^a-c]", "abcab", False), (r"[\]\-]", "-", True), (r"\$", "5$", True),
        ("^[À-ÿ]+$", "éü", True), ("ß", "SS", False),
    ],
)  # fmt: skip
def test_an_expression_is_looked_for_anywhere_but_for_its_anchors(pattern: str, text: str, found: bool) -> None:
    assert belongs({"attribute": "country", "regex": pattern}, a_person(country=text)) is found


def test_an_expression_without_case_is_for_a_to_z_only() -> None:
    assert belongs({"attribute": "country", "regex": "^[A-C]+É$", "ignore_case": True}, a_person(country="abCÉ"))
    assert not belongs({"attribute": "country", "regex": "É", "ignore_case": True}, a_person(country="é"))


def test_bands_side_by_side_have_everybody_once_and_equals_stand_together() -> None:
    ages = (5, 1, 3, 3, 3, 9, None)
    people = [OraclePerson(f"u{number}", {"age": age}) for number, age in enumerate(ages)]
    at = Everybody(people, Moment(AT, VIENNA)).moment
    bands = [
        parse({"about": "x", "all": [{"attribute": "age", "percentile": [low, low + 20]}]}) for low in range(0, 100, 20)
    ]
    found = [{one.user for one in people if member(band, one, at)} for band in bands]
    assert found == [{"u1"}, set(), set(), {"u2", "u3", "u4"}, {"u0", "u5"}]


def test_a_band_of_one_person_alone_cannot_be_told() -> None:
    with pytest.raises(OrchestratorError, match="a place among everybody"):
        belongs({"event": "purchase", "top": "10%"}, a_person(BOUGHT))
