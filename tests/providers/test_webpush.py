"""Push to browsers: the vectors of RFC 8291, a browser that opens what we sealed, the conformance table, real exchanges."""

import asyncio
import contextlib
import json
from dataclasses import replace

import jwt
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import app
from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message, PushContent
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Pause, PauseScope, Permanent, Retry
from orchestrator.core.times import DAY, HOUR, MINUTE, SECOND, later
from orchestrator.dispatch import Lane
from orchestrator.providers import CannotBuildError, HttpResponse
from orchestrator.providers.es256 import based, private_key, public_bytes, unbased
from orchestrator.providers.sealing import LARGEST, OVERHEAD, ROOM, Lock, lock_for, seal
from orchestrator.providers.subscriptions import Subscription, subscription
from orchestrator.providers.vapid import pair
from orchestrator.providers.webpush import KEPT, WebPush
from orchestrator.wire.clock import WallClock
from tests.providers.conformance import NOW, Conformance, Suite, told, without_words

CREDENTIAL = PauseScope.CREDENTIAL
PRIVATE, PUBLIC = pair()


class Browser:
    """One that subscribed: it alone has the key, and opens messages as RFC 8291 and RFC 8188 say, with none of our code."""

    def __init__(self, number=0, endpoint="https://fcm.googleapis.com/fcm/send/abc{}"):
        self.key = ec.derive_private_key(number + 1, ec.SECP256R1())
        self.secret = number.to_bytes(16)
        self.endpoint = endpoint.format(number)

    @property
    def subscribed(self):
        keys = {"p256dh": based(public_bytes(self.key)), "auth": based(self.secret)}
        return json.dumps({"endpoint": self.endpoint, "expirationTime": None, "keys": keys})

    def open(self, body):
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        both = b"WebPush: info\0" + public_bytes(self.key) + sender
        mixed = HKDF(SHA256(), 32, self.secret, both).derive(self.key.exchange(ec.ECDH(), theirs))
        content = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(mixed)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(mixed)
        plain = AESGCM(content).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert plain.endswith(b"\x02"), "the mark of the last record"
        return plain[:-1]


SETTINGS = {"private_key": PRIVATE, "subject": "mailto:push@shop.example"}


def a_message(number=0, browser=None, **over):
    content = over.pop("content", None) or PushContent("Hello", "Your cart waits", link="/cart", data={"a": "b"})
    address = Address((browser or Browser(number)).subscribed, platform="web")
    key = DeliveryKey(1, f"u{number}", Channel.PUSH)
    return Message(key, f"{number:032x}", address, content, judged_at=NOW, **over)


OWN = {**SETTINGS, "services": "127.0.0.1", "network": "127.0.0.0/8"}
"""With a push service of our own, on this machine."""


class TestWebPush(Conformance):
    suite = Suite(
        adapter=WebPush,
        credentials=SETTINGS,
        make=lambda count: [a_message(number) for number in range(count)],
        accepts=lambda _: told(201, location="https://fcm.googleapis.com/0:17%1"),
        bare=True,
        table=[
            (told(201, location="https://push.example/m/7"), Accepted("7")),
            (told(201), Accepted(f"{0:032x}")),
            (told(202), Accepted(f"{0:032x}")),
            (told(404, b'{"code":404,"errno":102,"message":"Invalid token"}'), AddressGone("")),
            (told(410, b"push subscription has unsubscribed or expired.\n"), AddressGone("")),
            (
                told(
                    403,
                    b"the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.\n",
                ),
                Permanent(""),
            ),
            (told(401, b'{"code":401,"errno":109,"message":"VAPID public key mismatch"}'), Permanent("")),
            (told(400, b'{"reason":"VapidPkHashMismatch"}'), Permanent("")),
            (told(403, b'{"reason":"BadJwtToken"}'), Pause(CREDENTIAL, "")),
            (told(403, b"invalid JWT provided\n"), Pause(CREDENTIAL, "")),
            (told(401, b'{"code":401,"errno":109,"message":"Invalid VAPID token"}'), Pause(CREDENTIAL, "")),
            (told(403), Retry("")),
            (told(401, b'{"error":{"status":"UNAUTHENTICATED"}}'), Retry("")),
            (told(400, b"bad Urgency"), Permanent("")),
            (told(413), Permanent("")),
            (told(301, location="https://elsewhere.example/"), Permanent("")),
            (told(429, retry_after="7"), Retry("", 7.0)),
            (told(429), Retry("")),
            (told(406), Retry("")),
            (told(500), Ambiguous("")),
            (told(503, retry_after="120"), Ambiguous("")),
        ],
        broken={
            "private_key": {"private_key": "se-cret", "subject": "mailto:a@b.example"},
            "subject": {"private_key": PRIVATE, "subject": "mailto: <a@b.example>"},
            "or a URL at https://": {"private_key": PRIVATE, "subject": "a@b.example"},
        },
        at=lambda _: OWN,
        to=lambda url: a_message(browser=Browser(endpoint=url)),
    )


def sent(message, credentials=SETTINGS, now=NOW):
    return WebPush().build([message], credentials, now)


VECTOR = {
    "plain": b"When I grow up, I want to be a watermelon",
    "receiver": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
    "receiver_public": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "secret": "BTBZMqHH6r4Tts7J_aSIgg",
    "sender": "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
    "salt": "DGv6ra1nlYgDCS1FRnbzlw",
    "body": (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    ),
}
"""RFC 8291, section 5 and appendix A."""


def test_the_example_of_the_rfc_is_sealed_to_the_byte():
    whose = Subscription("https://push.example.net/p", unbased(VECTOR["receiver_public"]), unbased(VECTOR["secret"]))
    lock = Lock(private_key(VECTOR["sender"]), unbased(VECTOR["salt"]))
    assert based(seal(VECTOR["plain"], whose, lock)) == VECTOR["body"]


def test_a_browser_opens_the_example_of_the_rfc():
    browser = Browser()
    browser.key, browser.secret = private_key(VECTOR["receiver"]), unbased(VECTOR["secret"])
    assert browser.open(unbased(VECTOR["body"])) == VECTOR["plain"]


@given(st.binary(max_size=ROOM), st.integers(0, 50))
def test_whatever_is_sealed_its_browser_opens_and_no_other(plain, number):
    browser, other = Browser(number), Browser(number + 1)
    whose = subscription(browser.subscribed)
    body = seal(plain, whose, lock_for(plain, whose, "m", private_key(PRIVATE)))
    assert len(body) == len(plain) + OVERHEAD <= LARGEST
    assert browser.open(body) == plain
    with pytest.raises(InvalidTag):
        other.open(body)


def test_no_two_messages_share_a_lock():
    whose, other = (subscription(Browser(number).subscribed) for number in (1, 2))
    ours, theirs = private_key(PRIVATE), private_key(pair()[0])
    cases = [
        (b"a", whose, "m1", ours), (b"b", whose, "m1", ours), (b"a", other, "m1", ours),
        (b"a", whose, "m2", ours), (b"a", whose, "m1", theirs),
    ]  # fmt: skip
    locks = [lock_for(*case) for case in cases]
    assert len({lock.salt for lock in locks}) == len({public_bytes(lock.key) for lock in locks}) == len(cases)
    assert lock_for(*cases[0]).salt == locks[0].salt


def test_the_service_worker_gets_what_the_template_said():
    browser = Browser()
    content = PushContent("Hello", "Größe 42", "/cart", "https://x.example/a.png", "winback", 3600, {"a": "b"})
    request = sent(a_message(browser=browser, content=content))
    assert json.loads(browser.open(request.body)) == {
        "title": "Hello", "body": "Größe 42", "link": "/cart", "image": "https://x.example/a.png", "tag": "winback",
        "data": {"a": "b", "orchestrator_id": f"{0:032x}"},
    }  # fmt: skip
    assert request.url == browser.endpoint
    told_by = {name: request.headers[name] for name in ("TTL", "Topic", "Urgency", "Content-Encoding")}
    assert told_by == {"TTL": "3600", "Topic": "winback", "Urgency": "normal", "Content-Encoding": "aes128gcm"}


@pytest.mark.parametrize(
    ("ttl", "expires", "seconds"),
    [
        (None, None, KEPT),
        (60 * 24 * 3600, None, KEPT),
        (0, None, 0),
        (3600, None, 3600),
        (3600, MINUTE, 60),
        (None, DAY, 86_400),
        (60, DAY, 60),
        (3600, -DAY, 0),
    ],
)
def test_a_message_waits_no_longer_than_its_own_time(ttl, expires, seconds):
    until = None if expires is None else later(NOW, expires)
    assert sent(a_message(content=PushContent("a", "b", ttl=ttl), expires_at=until)).headers["TTL"] == str(seconds)


@pytest.mark.parametrize(("collapse", "topic"), [("a" * 32, "a" * 32), ("win-back_2", "win-back_2")])
def test_a_name_that_may_be_a_topic_is_one(collapse, topic):
    assert sent(a_message(content=PushContent("a", "b", collapse=collapse))).headers["Topic"] == topic


def test_any_other_name_has_a_topic_of_its_own():
    names = ["win back", "Größe", "a" * 33, "Größe 2"]
    topics = [sent(a_message(content=PushContent("a", "b", collapse=name))).headers["Topic"] for name in names]
    assert len(set(topics)) == len(names)
    assert all(len(topic) == 32 and topic.isascii() and " " not in topic for topic in topics)
    assert "Topic" not in sent(a_message()).headers


def test_the_sender_is_known_by_a_token_for_this_push_service_alone():
    request = sent(a_message(browser=Browser(endpoint="https://FCM.googleapis.com:443/fcm/send/{}")))
    scheme, _, rest = request.headers["Authorization"].partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    ours = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unbased(parts["k"]))
    claims = jwt.decode(
        parts["t"], ours, ["ES256"], audience="https://fcm.googleapis.com", options={"verify_exp": False}
    )
    assert (scheme, parts["k"], claims["sub"]) == ("vapid", PUBLIC, "mailto:push@shop.example")
    assert 11 * 3600 <= claims["exp"] - NOW // SECOND <= 12 * 3600


def test_the_token_is_the_same_for_an_hour_and_never_older_than_it_may_be():
    tokens = [
        sent(a_message(), now=later(NOW, minutes * MINUTE)).headers["Authorization"] for minutes in range(0, 180, 5)
    ]
    assert len(set(tokens)) == 3
    assert tokens[0] == tokens[11]


def test_every_attempt_says_the_same():
    assert sent(a_message()) == sent(a_message(), now=later(NOW, 59 * MINUTE))
    assert sent(a_message()).body == sent(a_message(), now=later(NOW, 30 * HOUR)).body


def test_what_cannot_be_sealed_is_refused_before_anything_leaves():
    largest = ROOM - len(
        json.dumps({"title": "", "body": "", "data": {"orchestrator_id": f"{0:032x}"}}, separators=(",", ":"))
    )
    assert len(sent(a_message(content=PushContent("", "x" * largest))).body) == LARGEST
    with pytest.raises(CannotBuildError, match="3,993"):
        sent(a_message(content=PushContent("", "x" * (largest + 1))))
    with pytest.raises(CannotBuildError, match="push only"):
        sent(a_message(content=EmailContent("a@b.example", "s", "h", "t")))
    with pytest.raises(CannotBuildError, match="JSON"):
        sent(a_message(content=PushContent("\ud800", "b")))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/x", "https://fcm.googleapis.com.evil.example/x", "https://evilfcm.googleapis.com/x",
        "https://127.0.0.1/x", "http://169.254.169.254/latest/meta-data", "https://fcm.googleapis.com./x",
    ],
)  # fmt: skip
def test_only_push_services_that_are_known_are_called(endpoint):
    message = a_message(browser=Browser(endpoint=endpoint))
    with pytest.raises(CannotBuildError, match="no push service"):
        sent(message)


def test_a_push_service_of_ones_own_is_named_in_the_settings():
    message = a_message(browser=Browser(endpoint="https://push.shop.example/{}"))
    assert sent(message, {**SETTINGS, "services": "other.example, Shop.Example"}).url == "https://push.shop.example/0"


def test_a_token_of_another_service_is_not_taken_for_a_subscription():
    with pytest.raises(CannotBuildError, match="another service"):
        sent(replace(a_message(), address=Address("fcm-token", platform="web")))


def test_a_long_refusal_is_cut():
    (only,) = WebPush().read(sent(a_message()), HttpResponse(400, {}, b"x" * 100_000))
    assert len(only.detail) < 400


class PushService:
    """A push service on this machine: it keeps what it is given, and answers each with the next of its answers."""

    def __init__(self, *answers):
        self.answers, self.asked, self.serving = list(answers), [], []

    async def serve(self, reader, writer):
        self.serving.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = dict(line.split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
                body = await reader.readexactly(int(lines["content-length"]))
                self.asked.append((head.split()[1], {name.lower(): text for name, text in lines.items()}, body))
                status, more = self.answers.pop(0)
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n{more}\r\n".encode())
        writer.close()
        await writer.wait_closed()


async def exchanged(service, credentials, *messages):
    """These messages over a lane as the product makes it, one after the other, to the service."""
    async with await asyncio.start_server(service.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        engine = app.engine(WebPush(), credentials, WallClock())
        lane = Lane(WebPush(), engine, credentials, WallClock())
        outcomes = []
        for message in messages:
            answered = asyncio.get_running_loop().create_future()
            lane.send(message(f"http://127.0.0.1:{port}/push"), answered.set_result)
            outcomes.append(await answered)
        await lane.close()
        await asyncio.gather(*service.serving)
    return outcomes


async def test_messages_arrive_sealed_and_are_understood():
    service = PushService((201, "location: /m/9\r\n"), (410, ""), (429, "retry-after: 30\r\n"))
    browser = Browser(3)

    def to(url):
        browser.endpoint = url
        return a_message(3, browser)

    outcomes = await exchanged(service, OWN, to, to, to)
    assert [without_words(one) for one in outcomes] == [Accepted("9"), AddressGone(""), Retry("", 30.0)]
    path, headers, body = service.asked[0]
    assert json.loads(browser.open(body))["title"] == "Hello"
    assert (path, headers["content-encoding"], headers["ttl"]) == ("/push", "aes128gcm", str(KEPT))


async def test_an_endpoint_inside_our_own_network_costs_its_own_message_and_pauses_nobody():
    service = PushService()
    named = {**SETTINGS, "services": "127.0.0.1"}
    (only,) = await exchanged(service, named, lambda url: a_message(browser=Browser(endpoint=url)))
    assert isinstance(only, Permanent)
    (only,) = await exchanged(
        service, named, lambda url: a_message(browser=Browser(endpoint=url.replace("http:", "https:")))
    )
    assert isinstance(only, Permanent)
    assert "not a public address" in only.detail
    assert service.asked == []
