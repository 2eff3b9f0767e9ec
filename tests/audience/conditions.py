"""Conditions of every sort, as a segment's file has them, for hypothesis to put together; the values fit population.py."""

from typing import Any

from hypothesis import strategies as st

from orchestrator.core.mirrors import OWN
from orchestrator.core.segments.reading_tests import CASELESS
from orchestrator.core.segments.tree import Kind
from tests.audience.population import CATALOGUE, LISTS, NUMBERS, TEXTS, VERSIONS

RANKED = {Kind.NUMBER, Kind.DATE, Kind.TIME}
EVENTS = tuple(CATALOGUE.events)
WINDOWS = (
    "last 6 hours", "last 24 hours", "last 2 days", "last 7 days", "last 30 days", "last 1000 days", "previous day", "previous week",
    "previous month", "previous quarter", "previous year", "this day", "this week", "this month", "since 2026-03-28",
    "since 2026-03-29 02:30", "before 2026-03-29", "between 2026-03-28 and 2026-03-29", "between 2025-10-26 02:30 and 2026-03-01",
)  # fmt: skip
POINTS = (
    "2026-03-29",
    "2026-03-29 02:30",
    "2025-10-26",
    "1 day ago",
    "6 hours ago",
    "in 2 days",
    "today",
    "now",
    "40 days ago",
    "2024-02-29",
)
ANNIVERSARIES = ("today", "in 1 day", "1 day ago", "next 7 days", "next 40 days", "3 days ago")
NEEDLES = tuple(text for text in TEXTS if text)
GLOBS = ("*", "?", "Z*", "z?rich", "a%b_c", "a?b?c", "*\\*", "*'*", "😀?", "", "line*", "*\u0308*")
REGEXES = (
    "Z.rich", "^[A-Za-z]{2}$", "^(DE|de)$", r"\d|\s", r"[^\w\s]", r"a.b.c", "^.$", "^.?$", r"\\|/", r"[\]\[^\-%_&]", "ü+", r"^\W", "line.break",
    "[À-ÿ]", r"(say|it's) ?\"?x?", r"\$\.x", "^[^a-z]*$", "(?:a[%X]){1,2}b", r"\n", "😀!$",
)  # fmt: skip
OWN_TEXTS = ("de", "en", "u3", "it's", "U1", "@shop.example", "de-AT", "Europe/Vienna", "UTC", "+431", "b", "E")
SIX = [number for number in NUMBERS if abs(number) < 1e14 and round(number, 4) == number]

texts = st.sampled_from(TEXTS)
numbers = st.sampled_from(SIX)
versions = st.sampled_from([one for one in VERSIONS if one[0].isdigit() and one not in {"1.2.", "1234567890"}])
booleans = st.booleans()
points = st.sampled_from(POINTS)


def several(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One value or up to three."""
    return st.one_of(one, st.lists(one, min_size=1, max_size=3))


def between(one: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A pair; the wrong way round is for the parser's own tests."""
    return st.lists(one, min_size=2, max_size=2)


def words_for(kind: Kind) -> dict[str, st.SearchStrategy[Any]]:
    """Every word a value of this kind can be tested with, and what may stand beside it."""
    flag = {"is_set": booleans}
    dated = {
        **dict.fromkeys(("is", "after", "not_after", "before", "not_before"), points),
        "between": between(points), "when": st.sampled_from((*WINDOWS, "next 2 days")),
        "anniversary": st.sampled_from(ANNIVERSARIES), **flag,
    }  # fmt: skip
    compared = dict.fromkeys(("over", "under", "at_least", "at_most"), numbers)
    needles = several(st.sampled_from(NEEDLES))
    return {
        Kind.TEXT: {
            **dict.fromkeys(("is", "is_not"), several(texts)),
            **dict.fromkeys(("contains", "does_not_contain", "starts_with", "ends_with"), needles),
            **dict.fromkeys(("matches", "does_not_match"), several(st.sampled_from(GLOBS))),
            **dict.fromkeys(("regex", "not_regex"), several(st.sampled_from(REGEXES))),
            "is_empty": booleans, **flag,
        },
        Kind.NUMBER: {**dict.fromkeys(("is", "is_not"), several(numbers)), **compared, "between": between(numbers), **flag},
        Kind.BOOLEAN: {"is": booleans, "is_not": booleans, **flag},
        Kind.DATE: dated,
        Kind.TIME: dated,
        Kind.VERSION: {
            **dict.fromkeys(("is", "is_not"), several(versions)),
            **dict.fromkeys(compared, versions), "between": between(versions), **flag,
        },
        Kind.LIST: {
            **dict.fromkeys(("contains_any", "contains_all", "contains_none"), several(st.sampled_from(("a", "é", "it's", "")))),
            "is_empty": booleans, **flag,
        },
    }[kind]  # fmt: skip


@st.composite
def tests(draw: st.DrawFn, kind: Kind) -> dict[str, Any]:
    """A word and its value."""
    words = words_for(kind)
    word = draw(st.sampled_from(sorted(words)))
    found: dict[str, Any] = {word: draw(words[word])}
    if kind is Kind.TEXT and word in CASELESS and draw(booleans):
        found["ignore_case"] = True
    return found


@st.composite
def attributes(draw: st.DrawFn) -> dict[str, Any]:
    """A condition on an attribute."""
    names = sorted(CATALOGUE.attributes)
    name = draw(st.sampled_from([*names, *OWN, *["its_text", "any/text~"] * 6]))  # text has most words
    if name in OWN:
        words = ("is", "is_not", "contains", "starts_with", "ends_with", "is_set")
        word = draw(st.sampled_from(words))
        return {"attribute": name, word: draw(booleans if word == "is_set" else several(st.sampled_from(OWN_TEXTS)))}
    if draw(st.integers(0, 9)) == 0:
        number = draw(st.sampled_from([one for one in names if CATALOGUE.attributes[one].kind in RANKED]))
        return {"attribute": number, **draw(bands())}
    return {"attribute": name, **draw(tests(CATALOGUE.attributes[name].kind))}


@st.composite
def bands(draw: st.DrawFn) -> dict[str, Any]:
    """A place among everybody."""
    word = draw(st.sampled_from(("top", "bottom", "percentile")))
    if word == "percentile":
        return {
            word: sorted(
                draw(st.lists(st.sampled_from((0, 12.5, 25, 50, 90, 100)), min_size=2, max_size=2, unique=True))
            )
        }
    return {word: draw(st.sampled_from(("10%", "25%", "50 %", "33.3333%", "100%")))}


@st.composite
def wheres(draw: st.DrawFn) -> dict[str, Any]:
    """Conditions on an event's properties, often none."""
    if draw(st.integers(0, 2)):
        return {}
    kind = draw(st.sampled_from(list(Kind)))
    if kind in {Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN} and draw(booleans):
        short = {Kind.TEXT: several(texts), Kind.NUMBER: several(numbers), Kind.BOOLEAN: booleans}[kind]
        return {"where": {f"p_{kind}": draw(short)}}
    return {"where": {f"p_{kind}": draw(tests(kind))}}


@st.composite
def subjects(draw: st.DrawFn) -> dict[str, Any]:
    """An event, or now and then one of our own messages."""
    if draw(st.integers(0, 5)):
        return {"event": draw(st.sampled_from(EVENTS))}
    narrowed = {
        "campaign": several(st.sampled_from(("winback", "welcome"))), "variant": st.sampled_from(("a", "b")),
        "channel": st.sampled_from(("push", "email")), "topic": st.just("offers"), "step": st.sampled_from((0, 1, [1, 2])),
    }  # fmt: skip
    keys = draw(st.lists(st.sampled_from(sorted(narrowed)), max_size=2, unique=True))
    word = draw(st.sampled_from(("opened", "opened", "sent")))
    return {"message": word, **{key: draw(narrowed[key]) for key in keys}}


@st.composite
def conversions(draw: st.DrawFn) -> dict[str, Any]:
    """Who converted; counted where the goal is one."""
    campaign = draw(st.sampled_from(("winback", "winback", "welcome", ["winback", "welcome"], None)))
    found: dict[str, Any] = {"message": "converted", **({"campaign": campaign} if campaign else {})}
    if draw(booleans):
        found["channel"] = draw(several(st.sampled_from(("push", "email"))))
    if draw(booleans):
        found["when"] = draw(st.sampled_from(WINDOWS))
    if isinstance(campaign, str):
        found |= draw(st.sampled_from(({}, {"at_least": 2}, {"exactly": 0}, {"exactly": 1}, {"top": "50%"})))
    return {**found, **draw(hung())}


@st.composite
def narrowed(draw: st.DrawFn) -> dict[str, Any]:
    """One of them; an event may have conditions on its properties."""
    subject = draw(subjects())
    return {**subject, **draw(wheres())} if "event" in subject else subject


@st.composite
def steps(draw: st.DrawFn, depth: int = 2, *, unwanted: bool = False) -> dict[str, Any]:
    """What hangs on an event."""
    found = draw(narrowed())
    if not unwanted and draw(st.integers(0, 2)) == 0:
        between = draw(narrowed())
        found["without"] = draw(st.sampled_from((between, [between], [between, {"event": "cart"}])))
    if draw(st.integers(0, 3)):
        found["within"] = draw(
            st.sampled_from(("6 hours", "12 hours", "1 day", "48 hours", "1 microsecond", "3 weeks"))
        )
    return {**found, **({} if unwanted else draw(hung(depth - 1)))}


@st.composite
def hung(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    """`then` and `then_not`, or neither."""
    if depth == 0 or draw(st.integers(0, 1)):
        return {}
    found = {}
    shape = draw(st.sampled_from(("then", "then_not", "both")))
    if shape != "then_not":
        found["then"] = draw(steps(depth))
    if shape != "then":
        found["then_not"] = draw(steps(depth, unwanted=True))
    return found


@st.composite
def measures(draw: st.DrawFn) -> dict[str, Any]:
    """A measure with its comparison, and a window where one is allowed."""
    measure = draw(st.sampled_from(("", "", "sum", "average", "min", "max", "first", "last", "distinct")))
    if measure != "average" and draw(st.integers(0, 9)) == 0:
        of = {"": {}, "distinct": {"distinct": "days"}, "first": {"first": "time"}, "last": {"last": "time"}}
        window = draw(st.sampled_from(({}, {"when": "last 1000 days"}, {"when": "last 7 days"})))
        return {**of.get(measure, {measure: "p_number"}), **draw(bands()), **window}
    if measure in {"first", "last"}:
        word = draw(st.sampled_from(("after", "not_after", "before", "not_before", "between", "when")))
        value = between(points) if word == "between" else st.sampled_from(WINDOWS) if word == "when" else points
        return {measure: "time", word: draw(value)}
    window = {"when": draw(st.sampled_from(WINDOWS))} if draw(st.integers(0, 3)) else {}
    if not measure and draw(booleans):
        return window
    counts = st.sampled_from((1, 2, 3, 5))
    values = counts if measure in {"", "distinct"} else numbers
    word = draw(st.sampled_from(("over", "under", "at_least", "at_most", "exactly", "between")))
    if word in {"over", "at_most", "exactly"} and measure in {"", "distinct"}:
        values = st.sampled_from((0, 1, 2))
    of = {"": {}, "distinct": {"distinct": "days"}}.get(measure, {measure: "p_number"})
    return {**of, word: draw(between(values) if word == "between" else values), **window}


@st.composite
def happenings(draw: st.DrawFn) -> dict[str, Any]:
    """A condition on events."""
    if draw(st.integers(0, 7)) == 0:
        return draw(conversions())
    subject = draw(subjects())
    if "event" not in subject:
        return {
            **subject,
            **draw(
                st.sampled_from(
                    ({}, {"when": "last 1000 days"}, {"at_least": 2}, {"last": "time", "after": "40 days ago"})
                )
            ),
            **draw(hung()),
        }
    if draw(st.integers(0, 9)) == 0:
        edge = draw(st.sampled_from(("latest", "earliest")))
        window = draw(st.sampled_from(({}, {"when": "last 1000 days"}, {"when": "last 7 days"})))
        kind = draw(st.sampled_from(list(Kind)))
        return {**subject, edge: {f"p_{kind}": draw(tests(kind))}, **draw(wheres()), **window}
    return {**subject, **draw(measures()), **draw(wheres()), **draw(hung())}


@st.composite
def scores(draw: st.DrawFn) -> dict[str, Any]:
    """RFM."""
    asked = draw(st.lists(st.sampled_from(("recency", "frequency", "monetary")), min_size=1, max_size=3, unique=True))
    wanted = st.one_of(st.integers(1, 5), st.lists(st.integers(1, 5), min_size=1, max_size=3))
    found: dict[str, Any] = {"rfm": draw(st.sampled_from(EVENTS)), **{word: draw(wanted) for word in asked}}
    if "monetary" in asked:
        found["sum"] = "p_number"
    return {**found, **draw(wheres()), **draw(st.sampled_from(({}, {"when": "last 1000 days"})))}


@st.composite
def channels(draw: st.DrawFn) -> dict[str, Any]:
    """An address, or a word on consent."""
    noun = draw(st.sampled_from(("address", "reachable", "subscribed", "unsubscribed")))
    topic = {"topic": draw(st.sampled_from(("offers", "news")))} if noun != "address" and draw(booleans) else {}
    return {noun: draw(st.sampled_from(("push", "email", "sms"))), **topic}


def samples(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """So many of those for whom something holds."""
    return st.builds(
        lambda number, of, salt: {"sample": number, "of": of, **salt},
        st.sampled_from((1, 5, 12, 1000)), st.one_of(st.just("everybody"), inner), st.sampled_from(({}, {"salt": "s'"})),
    )  # fmt: skip


@st.composite
def others(draw: st.DrawFn) -> dict[str, Any]:
    """A list, a span of buckets or another segment."""
    noun = draw(st.sampled_from(("list", "bucket", "segment", "segment", "channel", "rfm")))
    if noun in {"channel", "rfm"}:
        return draw(channels() if noun == "channel" else scores())
    if noun == "list":
        return {"list": draw(st.sampled_from((*LISTS, "lists/nobody.csv")))}
    if noun == "segment":
        return {"segment": draw(st.sampled_from(("known", "odd")))}
    of = draw(st.sampled_from((1, 2, 3, 7, 1000)))
    ends = sorted(draw(st.lists(st.integers(0, of - 1), min_size=2, max_size=2)))
    salt = draw(st.sampled_from(({}, {"salt": "höldback's"})))
    return {"bucket": f"{ends[0]} to {ends[1]} of {of}", **salt}


conditions = st.one_of(attributes(), attributes(), attributes(), happenings(), happenings(), others())


def own_tests(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """A condition on what a profile knows by itself."""
    return st.builds(lambda value: {"attribute": name, "is": value}, several(st.sampled_from(OWN_TEXTS)))


def one_test(name: str, word: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A condition on an attribute with this word."""
    return st.builds(lambda value: {"attribute": name, word: value}, values)


IN_TURN = (
    *(one_test(name, word, values) for kind in Kind for name in (f"its_{kind}", f"any/{kind}~") for word, values in words_for(kind).items()),
    *(own_tests(name) for name in OWN), channels(), channels(), channels(), channels(), scores(), scores(), happenings(), happenings(),
    conversions(), conversions(), conversions(),
)  # fmt: skip
"""Conditions of every sort and word; a test that takes one after the other has them all."""
trees = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
        st.builds(lambda part: {"not": part}, others()),
        samples(inner),
    ),
    max_leaves=5,
)
