"""Apple's push service: the conformance table with every documented reason, the signed token, and real exchanges over HTTP/2."""

import asyncio
import json
from itertools import pairwise
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from orchestrator import app
from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message, PushContent
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Pause, PauseScope, Permanent, Retry
from orchestrator.core.times import DAY, HOUR, MINUTE, SECOND, later
from orchestrator.dispatch import Lane
from orchestrator.providers import CannotBuildError, Transport
from orchestrator.providers.apns import LARGEST, Apns
from orchestrator.wire import Lost, NotSent
from orchestrator.wire.clock import WallClock
from orchestrator.wire.http import STREAMS, HttpxEngine
from tests.providers.conformance import NOW, Conformance, Suite, told, without_words
from tests.providers.http2 import Reply, running

CREDENTIAL = PauseScope.CREDENTIAL
KEY = ec.generate_private_key(ec.SECP256R1())
P8 = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
SETTINGS = {"key": P8, "key_id": "ABC123DEFG", "team_id": "DEF123GHIJ", "topic": "com.example.shop"}
SEEN = later(NOW, -DAY)


def a_message(number=0, **over):
    content = over.pop("content", None) or PushContent("Hello", "Your cart waits", link="shop://cart", data={"a": "b"})
    address = Address(over.pop("token", f"{number:064x}"), SEEN, "ios")
    return Message(
        DeliveryKey(1, f"u{number}", Channel.PUSH), f"{number:032x}", address, content, judged_at=NOW, **over
    )


def refused(status, reason, **more):
    headers = {name: more.pop(name) for name in ("retry_after",) if name in more}
    return told(status, json.dumps({"reason": reason, **more}).encode(), **headers)


def millis(moment):
    return moment // 1000


class TestApns(Conformance):
    suite = Suite(
        adapter=Apns,
        credentials=SETTINGS,
        make=lambda count: [a_message(number) for number in range(count)],
        accepts=lambda _: told(200, apns_id="EC1BF194-B3B2-424A-89C1-000000000001"),
        at=lambda url: {**SETTINGS, "endpoint": url},
        table=[
            (told(200, apns_id="EC1BF194"), Accepted("EC1BF194")),
            (told(200), Ambiguous("")),
            (refused(400, "BadDeviceToken"), AddressGone("")),
            (refused(410, "Unregistered", timestamp=millis(NOW)), AddressGone("")),
            (refused(410, "ExpiredToken"), AddressGone("")),
            (refused(410, "Unregistered", timestamp=millis(SEEN) + 1), AddressGone("")),
            (refused(410, "Unregistered", timestamp=millis(SEEN) - 1), Permanent("")),
            (refused(410, "Unregistered", timestamp="yesterday"), AddressGone("")),
            (refused(400, "DeviceTokenNotForTopic"), Permanent("")),
            *[
                (refused(status, reason), Permanent(""))
                for status, reason in (
                    (400, "BadCollapseId"), (400, "BadExpirationDate"), (400, "BadMessageId"), (400, "BadPriority"),
                    (400, "DuplicateHeaders"), (400, "InvalidPushType"), (400, "MissingDeviceToken"),
                    (400, "PayloadEmpty"), (404, "BadPath"), (405, "MethodNotAllowed"), (413, "PayloadTooLarge"),
                )
            ],
            *[
                (refused(status, reason), Pause(CREDENTIAL, ""))
                for status, reason in (
                    (400, "BadTopic"), (400, "MissingTopic"), (400, "TopicDisallowed"), (403, "InvalidProviderToken"),
                    (403, "MissingProviderToken"), (403, "Forbidden"), (403, "BadCertificate"),
                    (403, "BadCertificateEnvironment"), (403, "UnrelatedKeyIdInToken"),
                    (403, "BadEnvironmentKeyIdInToken"), (403, "ANewOne"),
                )
            ],
            (refused(403, "ExpiredProviderToken"), Pause(CREDENTIAL, "", 60.0)),
            (refused(429, "TooManyProviderTokenUpdates"), Pause(CREDENTIAL, "", 1200.0)),
            (refused(429, "TooManyRequests"), Retry("")),
            (refused(429, "TooManyRequests", retry_after="9"), Retry("", 9.0)),
            (told(429, b"<html>"), Pause(CREDENTIAL, "", 60.0)),
            (refused(400, "IdleTimeout"), Retry("")),
            (refused(503, "ServiceUnavailable", retry_after="5"), Retry("", 5.0)),
            (refused(503, "Shutdown"), Retry("")),
            (refused(500, "InternalServerError"), Ambiguous("")),
            (told(502, b"<html>"), Ambiguous("")),
        ],
        broken={
            "key": {**SETTINGS, "key": "se-cret"},
            "key_id": {**SETTINGS, "key_id": "AuthKey_ABC123DEFG.p8"},
            "team_id": {**SETTINGS, "team_id": ""},
            "topic": {**SETTINGS, "topic": "shop"},
        },
    )  # fmt: skip


def sent(message, now=NOW, **settings):
    return Apns().build([message], {**SETTINGS, **settings}, now)


def test_the_payload_says_what_the_template_said():
    content = PushContent(
        "Hello", "Größe 42", "shop://cart", "https://x.example/a.png", "winback", 3600, {"a": "b", "aps": "x"}
    )
    request = sent(a_message(7, content=content))
    assert json.loads(request.body) == {
        "aps": {"alert": {"title": "Hello", "body": "Größe 42"}, "sound": "default", "mutable-content": 1},
        "a": "b", "link": "shop://cart", "image": "https://x.example/a.png", "orchestrator_id": f"{7:032x}",
    }  # fmt: skip
    assert request.url == f"https://api.push.apple.com/3/device/{7:064x}"
    headers = {name: text for name, text in request.headers.items() if name != "authorization"}
    assert headers == {
        "apns-topic": "com.example.shop", "apns-push-type": "alert", "apns-priority": "10",
        "apns-id": str(UUID(int=7)), "content-type": "application/json",
        "apns-collapse-id": "winback", "apns-expiration": str(NOW // SECOND + 3600),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ttl", "expires", "until"),
    [
        (None, None, None),
        (0, None, 0),
        (0, DAY, 0),
        (60, None, 60),
        (60, DAY, 60),
        (7200, HOUR, 3600),
        (None, HOUR, 3600),
    ],
)
def test_a_message_waits_no_longer_than_its_own_time(ttl, expires, until):
    ends = None if expires is None else later(NOW, expires)
    headers = sent(a_message(content=PushContent("a", "b", ttl=ttl), expires_at=ends)).headers
    told = {None: None, 0: "0"}.get(until, str(NOW // SECOND + (until or 0)))
    assert headers.get("apns-expiration") == told


def test_a_name_no_header_can_carry_is_replaced_by_one_of_its_own():
    names = ["Größe", "a" * 65, "a\nb", "Größe 2"]
    ids = [sent(a_message(content=PushContent("a", "b", collapse=name))).headers["apns-collapse-id"] for name in names]
    assert len(set(ids)) == len(names)
    assert all(len(one) <= 64 and one.isascii() and one.isprintable() for one in ids)


def test_what_cannot_be_sent_is_refused_before_anything_leaves():
    with pytest.raises(CannotBuildError, match="4,096"):
        sent(a_message(content=PushContent("Hello", "x" * LARGEST)))
    with pytest.raises(CannotBuildError, match="push only"):
        sent(a_message(content=EmailContent("a@b.example", "s", "h", "t")))
    with pytest.raises(CannotBuildError, match="JSON"):
        sent(a_message(content=PushContent("\ud800", "b")))
    for token in ("fcm:token", "../../3/device/aa", "", '{"endpoint":"https://x"}'):
        with pytest.raises(CannotBuildError, match="another service"):
            sent(a_message(token=token))


def bearer(now):
    return sent(a_message(), now).headers["authorization"].removeprefix("bearer ")


def test_the_token_is_signed_by_the_key_and_names_the_team():
    claims = jwt.decode(bearer(NOW), KEY.public_key(), ["ES256"], options={"verify_iat": False})
    assert claims["iss"] == "DEF123GHIJ"
    assert jwt.get_unverified_header(bearer(NOW))["kid"] == "ABC123DEFG"


def test_a_token_is_renewed_as_seldom_and_as_often_as_apple_wants():
    begun, changed, last = {}, [], ""
    for minute in range(600):
        now = later(NOW, minute * MINUTE)
        token = bearer(now)
        begun[token] = jwt.decode(token, options={"verify_signature": False})["iat"]
        assert 5 * 60 <= now // SECOND - begun[token] < 60 * 60
        if token != last:
            changed.append(minute)
            last = token
    assert all(after - before >= 20 for before, after in pairwise(changed[1:]))
    assert len(begun) == len(changed) > 10


def test_every_process_shows_the_same_token():
    from orchestrator.providers import apns

    first = bearer(NOW)
    apns._signed.cache_clear()
    assert bearer(NOW) == first


def test_every_attempt_says_the_same():
    first, second = (sent(a_message(content=PushContent("a", "b", ttl=60)), now) for now in (NOW, later(NOW, 7 * HOUR)))
    assert (first.body, first.headers["apns-id"]) == (second.body, second.headers["apns-id"])
    assert first.headers["apns-expiration"] == second.headers["apns-expiration"]


# Over the wire.


def accept(asked):
    return Reply(200, [("apns-id", asked.headers["apns-id"])])


def a_lane(server):
    settings = {**SETTINGS, "endpoint": server.url}
    return Lane(Apns(), HttpxEngine(WallClock(), verify=server.trust(), http2=True), settings, WallClock())


async def delivered(lane, *messages):
    """All at once, as a campaign sends them."""
    loop = asyncio.get_running_loop()
    answered = [loop.create_future() for _ in messages]
    for message, done in zip(messages, answered, strict=True):
        lane.send(message, done.set_result)
    try:
        return await asyncio.gather(*answered)
    finally:
        await lane.close()


def test_the_product_s_own_engine_for_it_speaks_http_2():
    assert Apns.declaration.transport is Transport.HTTP2
    engine = app.engine(Apns(), SETTINGS, WallClock())
    assert isinstance(engine, HttpxEngine)
    assert engine.places == STREAMS


async def test_many_messages_share_one_connection_and_are_under_way_at_once(tmp_path):
    with running(tmp_path, accept, together=100) as server:
        outcomes = await delivered(a_lane(server), *(a_message(number) for number in range(100)))
    assert outcomes == [Accepted(str(UUID(int=number))) for number in range(100)]
    assert (server.connections, len(server.asked)) == (1, 100)
    assert server.most == 100
    (first,) = [asked for asked in server.asked if asked.headers["apns-id"] == str(UUID(int=0))]
    assert (first.headers[":method"], first.headers[":path"]) == ("POST", f"/3/device/{0:064x}")
    assert json.loads(first.body)["aps"]["alert"]["title"] == "Hello"


async def test_a_server_that_wants_one_at_a_time_gets_one_at_a_time(tmp_path):
    with running(tmp_path, accept, streams=1) as server:
        outcomes = await delivered(a_lane(server), *(a_message(number) for number in range(8)))
    assert [type(one) for one in outcomes] == [Accepted] * 8
    assert server.most == 1


async def test_answers_of_apple_are_understood_each_for_its_own_message(tmp_path):
    replies = {
        0: Reply(200, [("apns-id", "A")]),
        1: Reply(410, body=b'{"reason":"Unregistered","timestamp":99999999999999}'),
        2: Reply(429, [("retry-after", "4")], b'{"reason":"TooManyRequests"}'),
        3: Reply(403, body=b'{"reason":"InvalidProviderToken"}'),
        4: Reply(500, body=b'{"reason":"InternalServerError"}'),
    }
    with running(tmp_path, lambda asked: replies[UUID(asked.headers["apns-id"]).int]) as server:
        outcomes = await delivered(a_lane(server), *(a_message(number) for number in range(5)))
    expected = [Accepted("A"), AddressGone(""), Retry("", 4.0), Pause(CREDENTIAL, ""), Ambiguous("")]
    assert [without_words(one) for one in outcomes] == expected
    assert len(server.asked) == 5


@pytest.mark.parametrize(("turn", "problem"), [("refuse", NotSent), ("leave", NotSent), ("drop", Lost), ("keep", Lost)])
async def test_what_became_of_a_request_without_an_answer_is_told_honestly(tmp_path, turn, problem):
    with running(tmp_path, lambda _: Reply(turn=turn)) as server:
        engine = HttpxEngine(WallClock(), verify=server.trust(), http2=True)
        deadline = asyncio.get_running_loop().time() + (0.3 if turn == "keep" else 10)
        with pytest.raises(problem):
            await engine.exchange(sent(a_message(), endpoint=server.url), deadline)
        await engine.close()
    assert len(server.asked) == 1


async def test_after_a_server_has_left_the_next_message_finds_another_connection(tmp_path):
    turns = iter(["leave", ""])
    with running(tmp_path, lambda asked: Reply(200, accept(asked).headers, turn=next(turns))) as server:
        lane = a_lane(server)
        (first,) = await lane.deliver([a_message(1)])
        (second,) = await lane.deliver([a_message(2)])
        await lane.close()
    assert (type(first), type(second), server.connections) == (Retry, Accepted, 2)


async def test_a_server_nobody_vouches_for_is_told_nothing(tmp_path):
    with running(tmp_path, accept) as server:
        lane = Lane(Apns(), HttpxEngine(WallClock(), http2=True), {**SETTINGS, "endpoint": server.url}, WallClock())
        (only,) = await lane.deliver([a_message()])
        await lane.close()
    assert isinstance(only, Retry)
    assert server.asked == []
