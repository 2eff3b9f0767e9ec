"""Events over HTTP: what the SDKs of the field send is taken, what is wrong is told, and 200 means it is safe."""

import gzip
import json
from base64 import b64encode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from orchestrator.core.errors import StoreError
from orchestrator.core.times import DAY, HOUR, iso
from orchestrator.ledger import Ledger, Purpose, arrivals, write_key
from orchestrator.pipeline import LedgerThread
from orchestrator.providers.es256 import based, private_key, public_bytes
from orchestrator.web import Health, Seals, site
from orchestrator.web.ingest import LARGEST
from orchestrator.web.items import MOST_ITEMS
from tests.ledger.builders import NOW


class Standing:
    def now(self):
        return NOW


@pytest.fixture
def web(ledger):
    seals = Seals(*(ledger.seal(purpose, NOW) for purpose in (Purpose.UNSUBSCRIBE, Purpose.INBOX, Purpose.WRITE)))

    async def health():
        return Health(well=True)

    async def nothing_else():
        return b""

    client = TestClient(site(LedgerThread(ledger), seals, {}, Standing(), health, nothing_else))
    client.key = write_key(seals.write.keys[0])
    return client


def sent(web, path, body, key=None, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    basic = b64encode(f"{web.key if key is None else key}:".encode()).decode()
    return web.post(f"/v1/{path}", content=content, headers={"Authorization": f"Basic {basic}", **headers})


def kept(ledger):
    """What waits in the inbox: kind, user, message id, name, time, body."""
    found = ledger.store.rows("SELECT kind, user_id, message_id, payload FROM event_inbox ORDER BY id")
    told = [(*row[:3], json.loads(row[3])) for row in found]
    return [(*row, told["name"], told["at"], told["body"]) for *row, told in told]


def a_track(**over):
    return {"userId": "ada", "event": "purchase", "messageId": "m1", "properties": {"amount": 20.5}, **over}


def test_a_track_call_waits_in_the_inbox_when_it_is_answered(web, ledger):
    answer = sent(web, "track", a_track(timestamp=iso(NOW - HOUR)))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert kept(ledger) == [("event", "ada", "m1", "purchase", NOW - HOUR, {"amount": 20.5})]


def test_an_identify_call_brings_traits_zone_locale_and_device(web, ledger):
    context = {"timezone": "Asia/Tokyo", "locale": "de-AT", "device": {"token": "t1", "type": "ios"}}
    sent(
        web,
        "identify",
        {"userId": "ada", "messageId": "m", "traits": {"email": "a@x.test", "vip": None}, "context": context},
    )
    body = {
        "email": "a@x.test",
        "vip": None,
        "zone": "Asia/Tokyo",
        "locale": "de-AT",
        "device": "t1",
        "platform": "ios",
    }
    assert kept(ledger) == [("profile", "ada", "m", "", NOW, body)]


def test_an_alias_and_an_identify_with_both_ids_join_them(web, ledger):
    sent(web, "alias", {"previousId": "old", "userId": "ada", "messageId": "m"})
    sent(web, "identify", {"anonymousId": "anon", "userId": "ada", "messageId": "n"})
    assert [row[:4] for row in kept(ledger)] == [
        ("alias", "ada", "m", "old"),
        ("profile", "ada", "n", ""),
        ("alias", "ada", "n", "anon"),
    ]


def test_a_batch_of_every_kind_in_every_packing(web, ledger):
    items = [
        {"type": "track", **a_track(messageId="1")},
        {"type": "page", "anonymousId": "anon", "name": "Home", "messageId": "2", "properties": {"url": "/"}},
        {"type": "screen", "userId": 7, "messageId": "3"},
        {"type": "group", "userId": "ada", "groupId": "g", "messageId": "4"},
    ]
    body = json.dumps({"batch": items, "sentAt": iso(NOW), "anonymousId": None}).encode()
    assert sent(web, "batch", body).status_code == 200
    assert (
        sent(web, "b", gzip.compress(body), **{"Content-Type": "application/x-www-form-urlencoded"}).status_code == 200
    )
    assert [row[1:4] for row in kept(ledger)] == [
        ("ada", "1", "purchase"),
        ("anon", "2", "page"),
        ("7", "3", "screen"),
    ] * 2
    assert kept(ledger)[1][5] == {"url": "/", "name": "Home"}


def test_a_browser_s_subscription_is_a_token_as_an_object_and_as_text(web, ledger):
    keys = {"p256dh": based(public_bytes(private_key("AQ".rjust(43, "A")))), "auth": "A" * 22}
    subscribed = {"endpoint": "https://push.example/1", "expirationTime": None, "keys": keys}
    for number, token in enumerate((subscribed, json.dumps(subscribed, indent=2))):
        context = {"device": {"token": token, "type": "web"}}
        sent(web, "identify", {"userId": "ada", "messageId": f"m{number}", "context": context})
    first, second = (row[-1] for row in kept(ledger))
    assert first == second
    assert first["device"] == json.dumps(
        {"endpoint": "https://push.example/1", "keys": dict(sorted(keys.items()))}, separators=(",", ":")
    )
    broken = {"device": {"token": {**subscribed, "keys": {}}, "type": "web"}}
    answer = sent(web, "identify?strict=1", {"userId": "ada", "messageId": "m3", "context": broken})
    assert "keys.p256dh" in answer.text
    assert len(kept(ledger)) == 2


def test_a_wrong_clock_on_the_device_is_set_right_by_when_it_sent(web, ledger):
    """It thinks it is yesterday; it sent an hour after the event."""
    sent(web, "track", a_track(originalTimestamp=iso(NOW - DAY - HOUR), sentAt=iso(NOW - DAY)))
    sent(web, "track", a_track(timestamp=iso(NOW + 400 * DAY)))
    sent(web, "track", a_track())
    assert [at for *_, at, _ in kept(ledger)] == [NOW - HOUR, NOW, NOW]


def test_an_item_without_a_message_id_gets_the_same_one_each_time_it_is_sent(web, ledger):
    item = a_track(timestamp=iso(NOW))
    del item["messageId"]
    for body in (item, item, {**item, "event": "other"}):
        sent(web, "batch", {"batch": [{"type": "track", **body}]})
    first, second, other = (message for _, _, message, *_ in kept(ledger))
    assert first == second != other


@pytest.mark.parametrize("key", ["", "wrong", "ü"])
def test_without_the_write_key_nothing_is_taken(web, ledger, key):
    answer = sent(web, "track", a_track(), key=key)
    assert answer.status_code == 401
    assert "orchestrator ingest key" in answer.json()["error"]
    assert web.post("/v1/track", json=a_track()).status_code == 401
    assert kept(ledger) == []


def test_the_key_may_stand_in_the_body_as_browsers_send_it(web, ledger):
    assert web.post("/v1/t", content=json.dumps({**a_track(), "writeKey": web.key})).status_code == 200
    assert (
        web.post(
            "/v1/b", content=json.dumps({"batch": [{"type": "track", **a_track()}], "writeKey": web.key})
        ).status_code
        == 200
    )
    assert len(kept(ledger)) == 2
    asked = web.options("/v1/t")
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "*")


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("batch", b"", "cannot be read"),
        ("batch", b"{", "cannot be read"),
        ("batch", b"[1]", "cannot be read"),
        ("batch", b'{"batch": {}}', "cannot be read"),
        ("track", b"\xff\xfe", "cannot be read"),
        ("batch", b"\x1f\x8b" + b"x" * 20, "cannot be unpacked"),
        ("batch", gzip.compress(b'{"batch": []}', mtime=0)[:-5], "cut off"),
        ("batch", b'{"batch": [' + b" " * LARGEST + b"]}", "larger than 512 KB"),
        ("batch", gzip.compress(b" " * 50_000_000, mtime=0), "larger than 512 KB"),
        ("batch", b'{"batch": [' + b"1," * MOST_ITEMS + b"1]}", "at most 2,500"),
    ],
)
def test_a_body_that_no_retry_makes_right_is_a_400_that_says_why(web, ledger, path, body, says):
    answer = sent(web, path, body)
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert kept(ledger) == []


WRONG = [
    (a_track(userId=None), "neither userId nor anonymousId"),
    (a_track(userId="x" * 129), "userId: more than 128"),
    (a_track(userId="a\u0000b"), "control character"),
    (a_track(event=""), "needs event"),
    (a_track(event="message.opened"), "message.opened is a name of our own events"),
    (a_track(event="consent.anything"), "our own events"),
    (a_track(messageId="our:1:sent"), "begins with our: like those of our own events"),
    (a_track(event="x" * 201), "event: more than 200"),
    (a_track(properties=[1]), "properties: not an object"),
    (a_track(timestamp="yesterday"), "'yesterday' is no time"),
    (a_track(messageId="x" * 129), "messageId"),
    (a_track(properties={"long": "x" * 33_000}), "larger than 32 KB"),
    ({**a_track(), "type": "purchase"}, "type 'purchase'"),
    ({"type": "alias", "userId": "ada"}, "previousId"),
    (7, "cannot be read"),
]


def test_what_is_wrong_with_an_item_concerns_that_item_alone(web, ledger):
    items = [item if isinstance(item, int) else {"type": "track", **item} for item, _ in WRONG]
    good = {"type": "track", **a_track()}
    assert sent(web, "batch", {"batch": [*items, good]}).json() == {"success": True}
    assert [row[1] for row in kept(ledger)] == ["ada"]
    shown = web.get("/metrics").text.splitlines()
    assert f'orchestrator_ingest_events_total{{outcome="rejected"}} {len(WRONG)}.0' in shown
    assert 'orchestrator_ingest_events_total{outcome="taken"} 1.0' in shown


def test_who_asks_strictly_is_told_what_is_wrong_with_each_and_nothing_is_taken(web, ledger):
    items = [item if isinstance(item, int) else {"type": "track", **item} for item, _ in WRONG]
    answer = sent(web, "batch?strict=1", {"batch": [{"type": "track", **a_track()}, *items]})
    assert answer.status_code == 400
    told = answer.json()["errors"]
    assert [one["index"] for one in told] == list(range(1, len(WRONG) + 1))
    for one, (_, says) in zip(told, WRONG, strict=True):
        assert says in one["error"]
    assert kept(ledger) == []


@given(st.binary(max_size=300), st.sampled_from(["track", "batch", "identify"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_whatever_end_in_a_500(web, noise, path):
    for body in (noise, b'{"batch":[' + noise + b"]}", gzip.compress(noise)):
        assert sent(web, path, body).status_code in {200, 400}


def test_a_ledger_that_cannot_write_is_a_passing_fault_never_a_200(web, ledger):
    ledger.store.close()
    answer = sent(web, "track", a_track())
    assert (answer.status_code, answer.json()["success"], answer.headers["retry-after"]) == (503, False, "5")


def users_of(ledger, *batches):
    return [user for batch in batches for _, user, *_ in arrivals.rows_of(ledger.store, batch)]


def test_the_inbox_gives_batches_in_order_and_forgets_what_is_loaded(ledger):
    rows = [arrivals.Incoming("event", f"u{number}", f"m{number}", "{}") for number in range(5)]
    assert arrivals.put(ledger.store, rows, NOW) == 5
    [first] = arrivals.next_batches(ledger.store, 3, 1, NOW)
    assert users_of(ledger, first) == ["u0", "u1", "u2"]
    assert arrivals.next_batches(ledger.store, 3, 1, NOW) == [first], "until it is finished"
    again, second = arrivals.next_batches(ledger.store, 3, 4, NOW)
    assert again == first
    assert (users_of(ledger, second), second.number > first.number) == (["u3", "u4"], True)
    arrivals.finish(ledger.store, [first.number, second.number])
    assert arrivals.next_batches(ledger.store, 3, 4, NOW) == []
    assert arrivals.forget(ledger.store, "u4") == arrivals.waiting(ledger.store) == 0


def test_who_is_forgotten_leaves_a_place_that_no_new_row_takes(ledger):
    """An engine that has the batch already would skip what came to stand in it."""
    rows = [arrivals.Incoming("event", user, user, "{}") for user in ("ada", "bo")]
    arrivals.put(ledger.store, rows, NOW)
    [begun] = arrivals.next_batches(ledger.store, 9, 1, NOW)
    arrivals.put(ledger.store, rows, NOW)
    assert arrivals.forget(ledger.store, "bo") == 2
    arrivals.put(ledger.store, rows[:1], NOW)
    [same, later] = arrivals.next_batches(ledger.store, 9, 2, NOW)
    assert (same.number, users_of(ledger, same)) == (begun.number, ["ada"])
    assert users_of(ledger, later) == ["ada", "ada"]
    arrivals.finish(ledger.store, [same.number, later.number])
    assert ledger.store.rows("SELECT COUNT(*) FROM event_inbox") == [(0,)]


def test_on_postgresql_a_batch_waits_for_who_is_just_writing(fresh_postgresql, tmp_path):
    """There the row with the lower id may come in last; it would stand in a batch that was read without it."""
    url = fresh_postgresql()
    ledger, slow = Ledger.open(url, tmp_path), Ledger.open(url, tmp_path)
    with slow.store.transaction():
        slow.store.change(
            "INSERT INTO event_inbox (kind, user_id, message_id, payload, received_at) VALUES ('event', 'slow', 's', '{}', 0)"
        )
        arrivals.put(ledger.store, [arrivals.Incoming("event", "quick", "q", "{}")], NOW)
        ledger.store.rows("SET lock_timeout = '50ms'")
        with pytest.raises(StoreError, match="lock timeout"):
            arrivals.next_batches(ledger.store, 9, 1, NOW)
    assert users_of(ledger, *arrivals.next_batches(ledger.store, 9, 1, NOW)) == ["slow", "quick"]
    for one in (ledger, slow):
        one.close()
