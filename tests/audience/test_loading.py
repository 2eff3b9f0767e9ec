"""The loader's batches: once each, in any order, whoever dies in between."""

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.audience import loading, plain
from orchestrator.audience.loading import load
from orchestrator.audience.visiting import Arrival, Arriving
from orchestrator.core.segments.tree import Catalogue, Declared, Kind
from orchestrator.core.times import DAY, Instant
from tests.audience.builders import SHOP, an_audience, events, people

AT = Instant(1_767_225_600_000_000)


def an_event(user="a", message_id="m", at=AT, name="purchase", **properties):
    return Arrival(Arriving.EVENT, user, message_id, at, name, properties)


def a_change(user="a", at=AT, **attributes):
    return Arrival(Arriving.PROFILE, user, "", at, "", attributes)


def loaded(audience, batch, *arrivals):
    return load(audience, batch, arrivals, SHOP, "Europe/Vienna")


def test_a_batch_that_was_loaded_is_not_loaded_again(tmp_path):
    audience = an_audience(tmp_path)
    first = loaded(audience, 1, an_event(amount=5), a_change(score=1))
    again = loaded(audience, 1, an_event(message_id="other"), a_change(score=2))
    assert (first.known, first.events, again.known, again.events) == (False, 1, True, 0)
    assert people(audience, "a.score") == {"a": 1}


def test_a_message_id_is_loaded_once_within_a_batch_and_over_batches(tmp_path):
    audience = an_audience(tmp_path)
    first = loaded(audience, 1, an_event(), an_event(), an_event(message_id="n"))
    second = loaded(audience, 2, an_event(at=Instant(AT + DAY)), an_event(message_id="o"))
    assert (first.events, first.duplicates, second.events, second.duplicates) == (2, 1, 1, 1)
    assert [message for *_, message, _ in events(audience)] == ["m", "n", "o"]


def test_a_late_event_lands_and_is_found_in_its_own_time(tmp_path):
    audience = an_audience(tmp_path)
    loaded(audience, 1, an_event())
    assert loaded(audience, 2, an_event(message_id="late", at=Instant(AT - 900 * DAY))).events == 1
    assert [message for *_, message, _ in events(audience)] == ["late", "m"]


def test_changes_of_one_person_apply_in_the_order_they_came(tmp_path):
    audience = an_audience(tmp_path)
    done = loaded(
        audience, 1, a_change(score=1, country="AT", shoe=38, id="x"), a_change(score=2.5, country=None, device="t", platform="iOS"),
        a_change(tags=["n"], email="a@x.test", createdAt="2026-01-05T10:00"), a_change("b", timezone="Asia/Tokyo"),
    )  # fmt: skip
    assert (done.new, done.changed, done.left_out) == (2, 0, 0)
    assert people(audience, "a.score", "a.country", "a.tags", "email", "a.createdAt", "zone") == {
        "a": (Decimal("2.5"), None, ["n"], "a@x.test", 1767603600000000, None), "b": (None, None, None, None, None, "Asia/Tokyo"),
    }  # fmt: skip
    rest, devices = audience.rows("SELECT rest, devices FROM profile WHERE \"user\" = 'a'")[0]
    assert json.loads(rest) == {"shoe": 38, "id": "x"}
    assert json.loads(devices) == [{"token": "t", "app": "", "platform": "ios", "seen_at": AT}]


def test_what_cannot_be_read_is_left_out_alone_and_told(tmp_path):
    audience = an_audience(tmp_path)
    done = loaded(
        audience, 1, an_event("", "x"), an_event(amount="12,50", currency="EUR"), a_change(score="many", vip=True)
    )
    assert (done.events, done.left_out) == (1, 1)
    assert {one.column for one in done.conflicts} == {"properties.amount", "score"}
    assert json.loads(events(audience)[0][4]) == {"currency": "EUR"}
    assert people(audience, "a.vip") == {"a": True}


def test_a_zone_there_is_not_and_a_value_that_is_not_declared_are_told_and_not_kept(tmp_path):
    listed = Catalogue({"country": Declared(Kind.TEXT, ("AT", "CH"))})
    audience = an_audience(tmp_path, listed)
    arrivals = [a_change(timezone="+02:00", country="AT"), a_change("b", timezone="Asia/Tokyo", country="XX")]
    done = load(audience, 1, arrivals, listed)
    assert (done.new, done.left_out) == (2, 0)
    assert people(audience, "zone", "a.country") == {"a": (None, "AT"), "b": ("Asia/Tokyo", None)}
    assert {one.reason for one in done.conflicts} == {
        "no time zone '+02:00'; write a name like Europe/Vienna",
        "'XX' is none of the values in config/data.yaml; allowed: AT, CH",
    }


def test_an_alias_gives_everything_of_the_old_id_to_the_new_one(tmp_path):
    audience = an_audience(tmp_path)
    loaded(
        audience,
        1,
        a_change("old", score=1, country="AT", device="d1", shoe=1),
        an_event("old"),
        a_change("new", score=2),
    )
    loaded(audience, 2, a_change("new", device="d2"), Arrival(Arriving.ALIAS, "new", "", AT, "old"))
    assert people(audience, "a.score", "a.country", "rest") == {"new": (2, "AT", '{"shoe":1}')}
    assert {one["token"] for one in json.loads(people(audience, "devices")["new"])} == {"d1", "d2"}
    assert [user for user, *_ in events(audience)] == ["new"]


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 3), st.integers(-30, 30), st.text(max_size=4)),
        min_size=1,
        max_size=30,
    ),
    st.data(),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_arrivals_are_cut_into_batches_and_repeated_the_same_events_stand(tmp_path_factory, sent, data):
    audience = an_audience(tmp_path_factory.mktemp("audience"))
    arrivals = [
        an_event(f"u{user}", f"m{number}", Instant(AT + number * DAY), note=text) for number, user, _, text in sent
    ]
    at, batch = 0, 0
    while at < len(arrivals):
        size = data.draw(st.integers(1, len(arrivals) - at))
        batch += 1
        for _ in range(data.draw(st.integers(1, 2))):
            loaded(audience, batch, *arrivals[at : at + size])
        at += size
    assert {message for *_, message, _ in events(audience)} == {one.message_id for one in arrivals}
    assert len(events(audience)) == len({one.message_id for one in arrivals})
    assert set(people(audience, "rest")) == {user for user, *_ in events(audience)}


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**15), 10**15), st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(["", "12,50", " 7", "2026-03-02", "2026-13-02", "v1.2", "A\u030a", "\u00e5", "x\u0000", "true", "gold", " gold", "free"]),
    st.lists(st.sampled_from(["gold", "free", "x"]), max_size=3), st.text(max_size=3), st.lists(st.sampled_from(["a", 1, None]), max_size=2), st.fixed_dictionaries({"deep": st.integers()}),
)  # fmt: skip
_EVENTS = st.tuples(
    st.sampled_from(["ada", "bo", " bo", "", "A\u030a", "x" * 129, "a\nb", "a b"]),
    st.sampled_from(["purchase", "visit", "", "message.sent", "A\u030a"]),
    st.sampled_from([AT, AT + DAY, 10**15 - 1, -1, 10**16, 7_258_118_400_000_000]),
    st.sampled_from(["1", "2", "3", "our:1", "A\u030a", "\u00e5", "", "x\u0000"]),
    st.dictionaries(
        st.sampled_from(["amount", "currency", "gift", "on", "names", "at", "a b", "plan", "likes"]),
        _VALUES,
        max_size=4,
    ),
    st.booleans(),
)
_DECLARED = {
    "purchase": {
        "amount": Declared(Kind.NUMBER), "currency": Declared(Kind.TEXT), "gift": Declared(Kind.BOOLEAN),
        "on": Declared(Kind.DATE), "names": Declared(Kind.LIST), "at": Declared(Kind.TIME),
        "plan": Declared(Kind.TEXT, ("free", "gold")), "likes": Declared(Kind.LIST, ("free", "gold")),
    },
    "visit": {"plan": Declared(Kind.TEXT, ("gold",))},
}  # fmt: skip


@given(st.lists(_EVENTS, min_size=1, max_size=40))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_plain_comes_out_as_if_the_workbench_had_read_it(tmp_path_factory, sent):
    rows = [
        ("event", user, message, json.dumps({"at": at, "name": name, "body": body}, ensure_ascii=escaped))
        for user, name, at, message, body, escaped in sent
    ]
    catalogue = Catalogue({}, _DECLARED)
    outcomes = []
    for few, where in ((plain.apart, "plain"), (lambda events, *_: (events.some(slice(0, 0)), events), "bench")):
        audience = an_audience(tmp_path_factory.mktemp(where), catalogue)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(loading, "apart", few)
            prepared = loading.prepare(audience, rows, catalogue, "UTC")
        done = loading.land(audience, [(1, prepared)])
        stands = [(*row[:4], json.loads(row[4])) for row in events(audience)]
        told = {(one.column, one.count) for one in done.conflicts}
        outcomes.append((stands, done.events, done.duplicates, done.left_out, told))
    assert outcomes[0] == outcomes[1]


def test_plain_events_never_see_the_workbench(tmp_path, monkeypatch):
    """Most do not: it would cost ten times as much."""
    monkeypatch.setattr(loading, "Bench", None)
    body = {"amount": 1.5, "currency": "EUR", "where": "Österreich"}
    done = loaded(an_audience(tmp_path), 1, *(an_event(message_id=f"m{n}", **body) for n in range(100)))
    assert done.events == 100


def test_one_strange_event_sends_only_itself_to_the_workbench(tmp_path):
    arrivals = [loading.written(an_event(message_id=f"m{n}", amount="12,5" if n in {7, 70} else 1)) for n in range(200)]
    good, others = plain.apart(plain.events_in(arrivals), SHOP.events["purchase"])
    assert (len(good.line), list(others.message_id)) == (198, ["m7", "m70"])
