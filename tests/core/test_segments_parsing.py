"""Reading a segment's file: every mistake at once, with its place, and never a guess."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from orchestrator.core.campaigns import Goal
from orchestrator.core.segments import Catalogue, Declared, Kind, Segment, SegmentError, SegmentMistake, parse
from orchestrator.core.segments.reading_tests import EVERY_WORD
from orchestrator.core.segments.sentence import sentences
from orchestrator.core.times import DAY

CATALOGUE = Catalogue(
    attributes={
        "country": Declared(Kind.TEXT, ("AT", "CH", "DE")), "app_version": Declared(Kind.VERSION), "age": Declared(Kind.NUMBER),
        "born": Declared(Kind.DATE), "joined": Declared(Kind.TIME), "tags": Declared(Kind.LIST), "name": Declared(Kind.TEXT),
        "vip": Declared(Kind.BOOLEAN),
    },
    events={"add_to_cart": {"price": Declared(Kind.NUMBER)}, "purchase": {"amount": Declared(Kind.NUMBER), "currency": Declared(Kind.TEXT)}},
    segments=frozenset({"staff", "lapsed"}),
    campaigns=frozenset({"winback", "welcome", "news"}),
    goals={"winback": Goal("purchase", 7 * DAY, "", {"amount": {"over": 5}}), "welcome": Goal("add_to_cart", DAY), "news": None},
    topics=frozenset({"offers"}),
)  # fmt: skip


def mistakes(raw: Any, catalogue: Catalogue | None = CATALOGUE) -> tuple[SegmentMistake, ...]:
    with pytest.raises(SegmentError) as told:
        parse(raw, catalogue)
    return told.value.mistakes


def the_mistake(condition: str) -> SegmentMistake:
    """The one mistake of a condition written as in a file; its path begins at the condition."""
    (found,) = mistakes({"about": "x", "all": [YAML(typ="safe").load(condition)]})
    assert found.path[:2] == ("all", 0)
    return SegmentMistake(found.path[2:], found.text, found.remedy, found.at_key)


MISTAKES = [
    ("{event: add_to_card}", ("event",), "no event 'add_to_card'", "`add_to_cart`"),
    ("{atribute: country, is: DE}", ("atribute",), "no condition begins with", "`attribute`"),
    ("{attribute: contry, is: DE}", ("attribute",), "no attribute 'contry'", "`country`"),
    ("{attribute: country, is: DEE}", ("is",), "'DEE'", "`DE`"),
    ("{attribute: country, equals: DE}", ("equals",), "no key 'equals'", "`is`"),
    ("{attribute: country, over: 5}", ("over",), "'country' is a text", "is, is_not"),
    ("{attribute: country}", (), "compared with nothing", "is, is_not"),
    ("{attribute: age, over: 5, under: 9}", (), "over and under", "under `all:`"),
    ("{attribute: age, over: '5'}", ("over",), "not a number", "without quotes"),
    ("{attribute: age, over: 0.12345}", ("over",), "four decimals", "0.1235"),
    ("{attribute: age, over: .inf}", ("over",), "not a number", "200"),
    ("{attribute: age, between: [9, 5]}", ("between",), "9 is above 5", "[5, 9]"),
    ("{attribute: age, between: 9}", ("between",), "not a pair", "[2, 5]"),
    ("{attribute: app_version, at_least: 9.10}", ("at_least",), "read as a number", "quotes"),
    ("{attribute: app_version, at_least: 'nine'}", ("at_least",), "not a version", '"9.10"'),
    ("{attribute: name, is: 00001}", ("is",), "1 is not a text", "quotes"),
    ("{attribute: name, is: true}", ("is",), "True is not a text", '"true"'),
    ("{attribute: name, is: }", ("is",), "no value", "is_set: false"),
    ("{attribute: name, contains: ''}", ("contains",), "empty one", "is_empty"),
    ('{attribute: name, is: "a\\0b"}', ("is",), "no database can store", "\\0"),
    ("{attribute: name, is: a, ignore_case: maybe}", ("ignore_case",), "not true or false", "true, false"),
    ("{attribute: age, is: 5, ignore_case: true}", ("ignore_case",), "has no meaning", "texts"),
    ("{attribute: vip, is: 'yes'}", ("is",), "'yes' is not true or false", "true, false"),
    ("{attribute: name, is: set}", ("is",), "two readings: `is_set: true`", "`is: [set]`"),
    ("{attribute: name, is_not: set}", ("is_not",), "two readings: `is_set: false`", "`is_not: [set]`"),
    ("{attribute: age, is: not set}", ("is",), "two readings: `is_set: false`", "`is_set: false`"),
    ("{attribute: name, is_set: 1}", ("is_set",), "not true or false", "true, false"),
    ("{attribute: joined, after: yesterday}", ("after",), "not a point in time", "`1 day ago`"),
    ("{attribute: joined, after: '2026-02-30'}", ("after",), "not a point in time", "`2026-01-01`"),
    ("{attribute: joined, when: last month}", ("when",), "'last month'", "`previous month` or `last 30 days`"),
    ("{attribute: joined, between: [2026-02-01, 2026-01-01]}", ("between",), "is after", "Write"),
    ("{attribute: born, anniversary: in 3 hours}", ("anniversary",), "not a day", "`today`"),
    ("{attribute: tags, contains: a}", ("contains",), "'tags' is a list", "`contains_any`"),
    ("{event: purchase, when: last month}", ("when",), "'last month'", "`previous month` or `last 30 days`"),
    ("{event: purchase, when: last week}", ("when",), "'last week'", "`previous week` or `last 7 days`"),
    ("{event: purchase, wen: last 3 days}", ("wen",), "no key 'wen'", "`when`"),
    ("{event: purchase, sum: amount}", (), "compared with nothing", "over, under"),
    ("{event: purchase, sum: amout, over: 5}", ("sum",), "no property of purchase 'amout'", "`amount`"),
    ("{event: purchase, sum: currency, over: 5}", ("sum",), "has no sum", "numbers"),
    ("{event: purchase, sum: amount, max: amount, over: 5}", ("max",), "one measure", "`all:`"),
    ("{event: purchase, distinct: amount, over: 5}", ("distinct",), "cannot be measured", "`distinct: days`"),
    ("{event: purchase, over: 5, under: 9}", ("under",), "one comparison", "`all:`"),
    ("{event: purchase, over: 2.5}", ("over",), "no count", "whole numbers"),
    ("{event: purchase, at_least: -1}", ("at_least",), "no count", "whole numbers"),
    ("{event: purchase, at_least: 0}", ("at_least",), "always true", "`exactly: 0`"),
    ("{event: purchase, under: 0}", ("under",), "never true", "`exactly: 0`"),
    ("{event: purchase, first: time}", (), "compared with nothing", "after"),
    ("{event: purchase, first: amount, after: 2026-01-01}", ("first",), "cannot be measured", "`first: time`"),
    ("{event: purchase, first: time, over: 3}", ("over",), "no key 'over'", "after"),
    ("{event: purchase, where: EUR}", ("where",), "not a set of conditions", "{currency: EUR}"),
    ("{event: purchase, where: {currncy: EUR}}", ("where", "currncy"), "'currncy'", "`currency`"),
    ("{event: purchase, where: {currency: 5}}", ("where", "currency"), "5 is not a text", "quotes"),
    ("{event: purchase, where: {currency: [EUR, 5]}}", ("where", "currency", 1), "5 is not a text", "quotes"),
    ("{event: purchase, where: {amount: {ovr: 5}}}", ("where", "amount", "ovr"), "no key 'ovr'", "`over`"),
    ("{event: purchase, then: purchase}", ("then",), "names no event", "within: 48 hours"),
    ("{event: purchase, then: {event: add_to_cart, within: 1 month}}", ("then", "within"), "'1 month'", "`30 days` or `31 days`"),
    ("{event: purchase, then: {event: add_to_card}}", ("then", "event"), "'add_to_card'", "`add_to_cart`"),
    ("{event: purchase, then: {event: add_to_cart, when: last 3 days}}", ("then", "when"), "no key 'when'", "within"),
    ("{event: purchase, then_not: {event: add_to_cart, then: {event: purchase}}}", ("then_not", "then"), "did not happen", "before it"),
    ("{segment: staf}", ("segment",), "no segment 'staf'", "`staff`"),
    ("{segment: staff, list: x}", ("list",), "segment and list", "each"),
    ("{bucket: 3%}", ("bucket",), "not a span of buckets", "`970 to 999 of 1000`"),
    ("{bucket: 1 to 1000 of 1000}", ("bucket",), "outside", "970"),
    ("{not: [{segment: staff}]}", ("not",), "two readings", "`not: {any:"),
    ("{all: []}", ("all",), "no conditions", "list"),
    ("{any: {segment: staff}}", ("any",), "no conditions", "list"),
    ("{message: openned}", ("message",), "no deed of a message 'openned'", "`opened`"),
    ("{message: received}", ("message",), "no deed of a message", "`delivered`"),
    ("{message: opened, campaign: winbak}", ("campaign",), "no campaign 'winbak'", "`winback`"),
    ("{message: opened, campaign: [welcome, 5]}", ("campaign", 1), "5 is not a text", "quotes"),
    ("{message: opened, channel: mail}", ("channel",), "no channel 'mail'", "email"),
    ("{message: opened, campain: winback}", ("campain",), "no key 'campain'", "`campaign`"),
    ("{message: sent, where: {price: 5}}", ("where", "price"), "'price'", "variant"),
    ("{message: converted, campaign: winbak}", ("campaign",), "no campaign 'winbak'", "`winback`"),
    ("{message: converted, campaign: news}", ("campaign",), "'news' has no goal", "goal: {event: …, within: …}"),
    ("{message: converted, campaign: [winback, news]}", ("campaign",), "'news' has no goal", "welcome, winback"),
    ("{message: converted, at_least: 2}", ("at_least",), "different goals", "one `campaign`"),
    ("{message: converted, campaign: [winback, welcome], top: 10%}", ("top",), "winback: purchase within 1 week with conditions", "`not:`"),
    ("{message: converted, campaign: winback, last: time, before: 3 days ago}", ("last",), "has no `last`", "goal's event"),
    ("{message: converted, campaign: winback, sum: step, between: [1, 2]}", ("sum",), "has no `sum`", "`at_least: 2`"),
    ("{message: converted, campaign: winback, latest: {variant: a}}", ("latest",), "has no `latest`", "counted"),
    ("{message: converted, campain: winback}", ("campain",), "no key 'campain'", "`campaign`"),
    ("{message: converted, campaign: winback, when: last month}", ("when",), "'last month'", "`previous month`"),
    ("{message: converted, campaign: winback, at_least: 0}", ("at_least",), "always true", "`exactly: 0`"),
    ("{message: converted, campaign: winback, then: {event: add_to_card}}", ("then", "event"), "'add_to_card'", "`add_to_cart`"),
    ("{message: sent, then: {message: converted, campaign: welcome}}", ("then", "message"), "cannot be a step", "{event: add_to_cart, within: 1 day}"),
    ("{message: sent, then_not: {message: converted}}", ("then_not", "message"), "cannot be a step", "{event: purchase, within: 1 week}"),
    ("{event: purchase, then: {event: purchase, without: {message: converted}}}", ("then", "without", "message"), "cannot be a step", "`message: sent`"),
    ("{message: sent, step: one}", ("step",), "not a number", "200"),
    ("{event: purchase, campaign: winback}", ("campaign",), "no key 'campaign'", "where"),
    ("{reachable: mail}", ("reachable",), "no channel 'mail'", "email"),
    ("{reachable: in_app}", ("reachable",), "reaches everybody", "push, email, sms"),
    ("{unsubscribed: email, topic: offer}", ("topic",), "no topic 'offer'", "`offers`"),
    ("{address: email, topic: offers}", ("topic",), "no key 'topic'", ""),
    ("{attribute: age, top: 10}", ("top",), "not a share of everybody", "10%"),
    ("{attribute: age, top: 0%}", ("top",), "not a share", "above 0"),
    ("{attribute: age, top: 10%, over: 5}", (), "top and over", "`all:`"),
    ("{attribute: name, bottom: 10%}", ("bottom",), "'name' is a text", "numbers, dates"),
    ("{attribute: age, percentile: [90, 80]}", ("percentile",), "no band", "smaller one first"),
    ("{attribute: age, percentile: 90}", ("percentile",), "not a pair", "[80, 90]"),
    ("{event: purchase, average: amount, top: 10%}", ("top",), "averages have no bands", "sum"),
    ("{event: purchase, latest: EUR}", ("latest",), "says nothing", "{currency: EUR}"),
    ("{event: purchase, latest: {currncy: EUR}}", ("latest", "currncy"), "'currncy'", "`currency`"),
    ("{event: purchase, latest: {currency: EUR}, over: 2}", ("over",), "no key 'over'", "where"),
    ("{event: purchase, then: {event: add_to_cart, without: cancel}}", ("then", "without"), "names no event", "without: {event"),
    ("{event: purchase, then: {event: add_to_cart, without: [{event: add_to_card}]}}", ("then", "without", 0, "event"), "'add_to_card'", "`add_to_cart`"),
    ("{event: purchase, then_not: {event: add_to_cart, without: {event: purchase}}}", ("then_not", "without"), "did not happen", "before it"),
    ("{rfm: purchase}", (), "asks for no score", "recency"),
    ("{rfm: purchase, recency: 6}", ("recency",), "'6' is not a score", "1 to 5"),
    ("{rfm: purchase, monetary: 5}", ("monetary",), "the sum of what", "sum: amount"),
    ("{rfm: purchase, monetary: 5, sum: currency}", ("sum",), "has no sum", "numbers"),
    ("{rfm: buy, recency: 5}", ("rfm",), "no event 'buy'", "purchase"),
    ("{sample: 10}", (), "a sample of whom", "of: everybody"),
    ("{sample: 10%, of: everybody}", ("sample",), "not a number of people", "1000"),
    ("{sample: 10, of: {segment: staf}}", ("of", "segment"), "no segment 'staf'", "`staff`"),
    ("{limit: 10, of: everybody}", ("limit",), "no condition begins", "`sample`"),
    ("{attribute: name, regex: '(a'}", ("regex",), "a bracket is not closed", "\\("),
    ("{attribute: name, regex: [b, '(?i)a']}", ("regex", 1), "not every engine knows", "ignore_case"),
    ("{attribute: name, regex: '(a+)+'}", ("regex",), "a repeat inside a repeat", "one of them"),
    ("{attribute: name, regex: 'a*?'}", ("regex",), "after a repeat", "leave it out"),
    ("{attribute: name, regex: '\\bword'}", ("regex",), "not read alike", "d w s"),
    ("{attribute: name, regex: '^a|b'}", ("regex",), "two readings", "^(a|b)$"),
    ("{attribute: name, regex: 'a{3'}", ("regex",), "begins no repeat", "{2,5}"),
    ("{attribute: name, regex: '[z-a]'}", ("regex",), "runs backwards", "[a-z]"),
    ("{attribute: name, regex: 'a||b'}", ("regex",), "nothing to look for", "empty"),
    ("{attribute: name, regex: a^b}", ("regex",), "inside the pattern", "start"),
    ("staff", (), "not a condition", "braces"),
    ("{}", (), "no condition", "attribute"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "path", "text", "remedy"), MISTAKES)
def test_a_mistake_names_its_place_and_a_remedy(condition: str, path: tuple[Any, ...], text: str, remedy: str) -> None:
    found = the_mistake(condition)
    assert found.path == path
    assert text in found.text
    assert remedy in found.remedy


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    found = mistakes(
        {
            "all": [
                {"event": "add_to_card"},
                {"any": [{"attribute": "contry", "is": "DE"}, {"segment": "staff"}, {"segment": "staf"}]},
                {
                    "not": {
                        "event": "purchase",
                        "when": "last month",
                        "sum": "amount",
                        "over": "5",
                        "where": {"currncy": "EUR"},
                    }
                },
            ]
        }
    )
    assert [one.path for one in found] == [
        (), ("all", 0, "event"), ("all", 1, "any", 0, "attribute"), ("all", 1, "any", 2, "segment"),
        ("all", 2, "not", "over"), ("all", 2, "not", "when"), ("all", 2, "not", "where", "currncy"),
    ]  # fmt: skip


SEVERAL = [
    ("{attribute: contry, equals: [DEE, AT, ATT]}", {("attribute",): "no attribute", ("equals",): "no key", ("equals", 0): "'DEE'", ("equals", 2): "'ATT'"}),
    ("{attribute: country, is: [DEE, CHH], ignore_case: maybe}", {("is", 0): "'DEE'", ("is", 1): "'CHH'", ("ignore_case",): "not true"}),
    ("{attribute: name, is: [1, ok, true]}", {("is", 0): "1 is not a text", ("is", 2): "True is not a text"}),
    ("{attribute: age, over: old, between: [a, b]}", {(): "over and between", ("over",): "'old'", ("between", 0): "'a'", ("between", 1): "'b'"}),
    ("{attribute: age, top: 10, over: old}", {(): "top and over", ("top",): "share", ("over",): "'old'"}),
    ("{attribute: joined, between: [yesterday, '2026-02-30']}", {("between", 0): "'yesterday'", ("between", 1): "2026-02-30"}),
    ("{attribute: tags, contains: [1, x], ignore_cas: 5}", {("contains",): "is a list", ("contains", 0): "1 is not", ("ignore_cas",): "no key"}),
    ("{attribute: name, regex: ['(a', 'a*?', fine]}", {("regex", 0): "not closed", ("regex", 1): "after a repeat"}),
    ("{attribute: name, regex: [b, 7], foo: bar}", {("foo",): "no key", ("regex", 1): "7 is not"}),
    ("{atribute: contry, is: DEE}", {("atribute",): "no condition begins", ("is",): "'DEE'"}),
    ("{event: add_to_card, where: {pric: 5, price: {ovr: x}}, wen: last month}", {("event",): "no event", ("where", "pric"): "'pric'", ("where", "price", "ovr"): "no key", ("wen",): "no key"}),
    ("{event: purchase, sum: [amount], max: amout, ovr: x, when: last month}", {("max",): "one measure", ("sum",): "not a text", ("ovr",): "no key", ("when",): "'last month'"}),
    ("{event: purchase, sum: amout, over: x, under: y}", {("sum",): "'amout'", ("under",): "one comparison", ("over",): "'x' is not"}),
    ("{event: purchase, at_least: -1, where: {currency: [5, EUR, 6], amount: {over: x, under: y}}}", {("at_least",): "no count", ("where", "currency", 0): "5 is not", ("where", "currency", 2): "6 is not", ("where", "amount"): "over and under", ("where", "amount", "over"): "'x'", ("where", "amount", "under"): "'y'"}),
    ("{event: purchase, then: {event: add_to_card, withn: 1 month, where: {pric: 5}}}", {("then", "event"): "'add_to_card'", ("then", "withn"): "no key", ("then", "where", "pric"): "'pric'"}),
    ("{event: purchase, then_not: {event: add_to_card, then: x, without: y, within: soon}}", {("then_not", "then"): "did not happen", ("then_not", "without"): "did not happen", ("then_not", "event"): "'add_to_card'", ("then_not", "within"): "'soon'"}),
    ("{event: purchase, then: {event: add_to_cart, without: [cancel, {event: add_to_card, were: 5}]}}", {("then", "without", 0): "names no event", ("then", "without", 1, "event"): "'add_to_card'", ("then", "without", 1, "were"): "no key"}),
    ("{message: openned, campaign: [winbak, news, welcom], channel: mail, step: one, top: 5}", {("message",): "no deed", ("campaign", 0): "'winbak'", ("campaign", 2): "'welcom'", ("channel",): "no channel", ("step",): "not a number", ("top",): "share"}),
    ("{message: converted, campaign: [news, winback], sum: step, when: last month}", {("sum",): "has no `sum`", ("when",): "'last month'", ("campaign",): "'news' has no goal"}),
    ("{unsubscribed: mail, topic: offer, foo: 1}", {("foo",): "no key", ("topic",): "'offer'", ("unsubscribed",): "no channel"}),
    ("{rfm: purchas, recency: [6, 5, 0], monetary: x, wen: now, where: {currncy: 5}}", {("rfm",): "no event", ("recency", 0): "'6'", ("recency", 2): "'0'", ("monetary",): "", ("wen",): "no key", ("where", "currncy"): "'currncy'"}),
    ("{sample: 10%, of: {segment: staf}, salt: 5}", {("sample",): "not a number of people", ("salt",): "5 is not a text", ("of", "segment"): "'staf'"}),
    ("{bucket: 3%, salt: 5, salty: 6}", {("bucket",): "not a span", ("salt",): "5 is not a text", ("salty",): "no key"}),
    ("{not: [{segment: staf}, {attribute: country, is: DEE}]}", {("not",): "two readings", ("not", 0, "segment"): "'staf'", ("not", 1, "is"): "'DEE'"}),
    ("{any: {segment: staf}}", {("any",): "no conditions", ("any", "segment"): "'staf'"}),
    ("{percentile: [a, b], attribute: age, foo: 1}", {("foo",): "no key", ("percentile", 0): "'a'", ("percentile", 1): "'b'"}),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "told"), SEVERAL, ids=[condition for condition, _ in SEVERAL])
def test_several_mistakes_of_one_condition_are_told_at_once_and_none_is_made_up(condition: str, told: Any) -> None:
    found = [(one.path[2:], one.text) for one in mistakes({"about": "x", "all": [YAML(typ="safe").load(condition)]})]
    assert {path for path, _ in found} == set(told)
    assert len(found) == len(set(found))
    for path, text in told.items():
        assert any(place == path and text in said for place, said in found), path


LISTED = Catalogue(
    {"size": Declared(Kind.NUMBER, (), (38, 39.5)), "likes": Declared(Kind.LIST, ("hats", "shoes")), "code": Declared(Kind.TEXT, (), (1, 2))},
    {"signup": {"plan": Declared(Kind.TEXT, ("free", "gold"))}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "path", "said", "allowed"),
    [
        ("{event: signup, where: {plan: glod}}", ("where", "plan"), "no value of 'plan' is 'glod'", "`gold`? Allowed: free, gold"),
        ("{event: signup, where: {plan: [gold, glod]}}", ("where", "plan", 1), "'glod'", "`gold`"),
        ("{event: signup, where: {plan: {is_not: fre}}}", ("where", "plan", "is_not"), "'fre'", "`free`"),
        ("{event: signup, latest: {plan: glod}}", ("latest", "plan"), "'glod'", "`gold`"),
        ("{event: signup, then: {event: signup, where: {plan: glod}}}", ("then", "where", "plan"), "'glod'", "`gold`"),
        ("{attribute: size, is: 40}", ("is",), "no value of 'size' is '40'", "Allowed: 38, 39.5"),
        ("{attribute: likes, contains_any: [hats, hut]}", ("contains_any", 1), "'hut'", "hats, shoes"),
    ],
)  # fmt: skip
def test_a_value_nobody_can_have_is_a_mistake_of_attributes_and_properties_alike(
    condition: str, path: tuple[Any, ...], said: str, allowed: str
) -> None:
    (found,) = mistakes({"about": "x", "all": [YAML(typ="safe").load(condition)]}, LISTED)
    assert (found.path[2:], said in found.text, allowed in found.remedy) == (path, True, True)


def test_values_that_somebody_can_have_are_none() -> None:
    for one in ({"attribute": "size", "is": [38, 39.5]}, {"attribute": "size", "over": 40}, {"attribute": "code", "is": "1"}, {"event": "signup", "where": {"plan": {"starts_with": "g"}}}):  # fmt: skip
        parse({"about": "x", "all": [one]}, LISTED)


def test_mistakes_around_conditions_hide_none_within_them() -> None:
    wrong = {"attribute": "country", "is": "DEE"}
    found = mistakes({"about": "x", "formerly": [5], "al": [wrong], "any": [{"segment": "staf"}]})
    assert [one.path for one in found] == [
        ("formerly", 0), ("al",), ("any",), ("al", 0, "is"), ("any", 0, "segment"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ([], "a segment is a mapping"),
        ({"about": "x"}, "no condition"),
        ({"about": "", "all": [{"segment": "staff"}]}, "no `about`"),
        ({"about": "x", "al": []}, "no key 'al'"),
        ({"about": "x", "all": [{"segment": "staff"}], "any": [{"segment": "lapsed"}]}, "side by side"),
    ],
)
def test_a_segment_needs_a_title_and_one_group(raw: Any, text: str) -> None:
    assert text in mistakes(raw)[0].text


def test_a_conversion_says_the_goal_it_stands_for() -> None:
    one = {"message": "converted", "campaign": "winback", "channel": "email", "when": "previous month"}
    raw = {
        "about": "x",
        "all": [one, {"message": "converted"}, {"not": {"message": "converted", "campaign": "welcome"}}],
    }
    bought = "then purchase where amount is over 5 within 1 week"
    added = "message.sent where campaign is welcome ever, then add_to_cart within 1 day"
    assert sentences(parse(raw, CATALOGUE), "UTC") == (
        f"did message.sent where campaign is winback and channel is email ever, {bought} and in the previous month (clock of UTC)",
        f"did {added}; or did message.sent where campaign is winback ever, {bought}",
        f"did not {added}",
    )


def test_campaigns_with_the_same_goal_are_counted_together() -> None:
    known = replace(
        CATALOGUE, goals={"winback": Goal("purchase", DAY, "amount"), "news": Goal("purchase", DAY), "welcome": None}
    )
    raw = {"about": "x", "all": [{"message": "converted", "at_least": 2}]}
    assert sentences(parse(raw, known), "UTC") == (
        "did message.sent where campaign is news or winback at least 2 times ever, then purchase within 1 day",
    )


def test_without_any_goal_nobody_can_convert() -> None:
    raw = {"about": "x", "all": [{"message": "converted"}]}
    (found,) = mistakes(raw, replace(CATALOGUE, goals=dict.fromkeys(CATALOGUE.campaigns or ())))
    assert (found.path, found.text) == (("all", 0, "message"), "no campaign has a goal")


@pytest.mark.parametrize(
    "known",
    [
        None,
        replace(CATALOGUE, campaigns=None),
        replace(CATALOGUE, goals={"winback": None}),
        replace(CATALOGUE, goals=dict.fromkeys(CATALOGUE.campaigns or (), Goal("nothing", DAY))),
        replace(CATALOGUE, goals=dict.fromkeys(CATALOGUE.campaigns or (), Goal("purchase", DAY, "", {"amont": 5}))),
    ],
)
def test_where_goals_cannot_be_read_a_conversion_is_refused_and_no_mistake_made_up(known: Catalogue | None) -> None:
    with pytest.raises(SegmentError, match="not known here") as refused:
        parse({"about": "x", "any": [{"attribute": "vip", "is": True}, {"message": "converted"}]}, known)
    assert refused.value.mistakes == ()


def test_without_a_catalogue_any_name_will_do() -> None:
    raw = {
        "about": "x",
        "all": [{"event": "e", "where": {"p": {"at_least": "9.10"}}}, {"attribute": "a", "after": "2026-01-01"}],
    }
    assert sentences(parse(raw), "UTC") == (
        "did e where p is at least 9.10 ever",
        "a is after 2026-01-01 (clock of UTC) (a unknown: not in)",
    )


def test_dates_may_be_what_yaml_makes_of_them() -> None:
    text = "{about: x, all: [{attribute: joined, between: [2026-01-01, 2026-02-01 10:00]}, {attribute: born, is: 1990-05-05}]}"
    quoted = "{about: x, all: [{attribute: joined, between: ['2026-01-01', '2026-02-01 10:00']}, {attribute: born, is: '1990-05-05'}]}"
    assert parse(YAML(typ="safe").load(text), CATALOGUE) == parse(YAML(typ="safe").load(quoted), CATALOGUE)


def test_a_round_trip_reader_of_yaml_gives_the_same_segment() -> None:
    text = "about: x\nall:\n  - {attribute: age, over: 9.50}\n  - {event: purchase, where: {currency: [EUR, CHF]}}\n"
    assert parse(YAML().load(text), CATALOGUE) == parse(YAML(typ="safe").load(text), CATALOGUE)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["purchase", "country", "last 3 days", "1 of 2", "converted", "winback"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from([*EVERY_WORD, "attribute", "event", "all", "any", "not", "then", "where", "sum", "when", "bucket", "list", "segment", "about", "message", "campaign", "rfm", "recency", "sample", "of", "top", "percentile", "latest", "without", "reachable", "address", "regex"]) | st.text(max_size=5),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(raw=json_like, condition=json_like)
def test_whatever_stands_in_a_file_is_read_or_refused_with_mistakes(raw: Any, condition: Any) -> None:
    for whole in (raw, {"about": "x", "all": [condition, raw]}):
        found = read_or_refused(whole)
        if isinstance(found, SegmentError):
            assert found.mistakes
            assert all(one.text for one in found.mistakes)
        else:
            assert isinstance(whole, Mapping)
            assert sentences(found, "UTC")


def read_or_refused(raw: Any) -> Segment | SegmentError:
    try:
        return parse(raw, CATALOGUE)
    except SegmentError as error:
        return error
