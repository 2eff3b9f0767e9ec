"""Firebase Cloud Messaging: the conformance table, the token, the payload, and a real exchange with a server that plays FCM."""

import json

import jwt
import pytest
import uvloop
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Address, Channel, DeliveryKey, EmailContent, Message, PushContent
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Pause, PauseScope, Permanent
from orchestrator.core.times import HOUR, SECOND, later
from orchestrator.dispatch import Lane
from orchestrator.providers import CannotBuildError, Token
from orchestrator.providers.fcm import SCOPE, Fcm
from orchestrator.wire.clock import WallClock
from orchestrator.wire.http import HttpxEngine
from orchestrator.wire.http_bulk import BulkEngine
from orchestrator.wire.tokens import Tokens
from tests.proof.remote import running_sink
from tests.providers.conformance import NOW, Conformance, Suite, told

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
ACCOUNT = {"project_id": "shop", "client_email": "push@shop.example", "private_key": PEM, "private_key_id": "k1"}
SETTINGS = {"credentials": json.dumps(ACCOUNT), "access_token": "a-token"}
CREDENTIAL = PauseScope.CREDENTIAL


def a_message(number=0, **over):
    content = over.pop("content", None) or PushContent("Hello", "Your cart waits", link="shop://cart", data={"a": "b"})
    return Message(
        DeliveryKey(1, f"u{number}", Channel.PUSH),
        f"{number:032x}",
        Address(f"t{number}"),
        content,
        judged_at=NOW,
        **over,
    )


def refused(status, code="", message="", **headers):
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}] if code else []
    return told(
        status, json.dumps({"error": {"code": status, "message": message, "details": details}}).encode(), **headers
    )


class TestFcm(Conformance):
    suite = Suite(
        adapter=Fcm,
        credentials=SETTINGS,
        make=lambda count: [a_message(number) for number in range(count)],
        accepts=lambda _: told(200, b'{"name":"projects/shop/messages/1"}'),
        at=lambda url: {**SETTINGS, "endpoint": url},
        table=[
            (told(200, b'{"name":"projects/shop/messages/1"}'), Accepted("projects/shop/messages/1")),
            (told(200, b"{}"), Ambiguous("")),
            (told(200, b"<html>"), Ambiguous("")),
            (refused(404, "UNREGISTERED"), AddressGone("")),
            (refused(403, "SENDER_ID_MISMATCH"), AddressGone("")),
            (
                refused(400, "INVALID_ARGUMENT", "The registration token is not a valid FCM registration token"),
                AddressGone(""),
            ),
            (refused(400, "INVALID_ARGUMENT", "Invalid value at 'message.android.ttl'"), Permanent("")),
            (refused(400), Permanent("")),
            (refused(401, "THIRD_PARTY_AUTH_ERROR"), Pause(CREDENTIAL, "")),
            (refused(401), Pause(CREDENTIAL, "")),
            (refused(403), Pause(CREDENTIAL, "")),
            (refused(429, "QUOTA_EXCEEDED"), Pause(CREDENTIAL, "", 60.0)),
            (refused(429, "QUOTA_EXCEEDED", retry_after="7"), Pause(CREDENTIAL, "", 7.0)),
            (refused(500, "INTERNAL"), Ambiguous("")),
            (refused(503, "UNAVAILABLE"), Ambiguous("")),
            (told(502, b"<html>"), Ambiguous("")),
        ],
        broken={
            "project_id": {"credentials": "{}"},
            "private_key": {"credentials": '{"project_id": "shop", "client_email": "a"}'},
            "no RSA key in PEM": {"credentials": json.dumps({**ACCOUNT, "private_key": PEM[:200] + PEM[201:]})},
        },
    )


@pytest.mark.parametrize(
    "key",
    [
        PEM.replace("\n", "\\n"),
        PEM[:-40],
        "",
        "\ud800",
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode(),
        KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        ).decode(),
        KEY.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    ],
    ids=["escaped twice", "torn", "empty", "no text", "another kind", "behind a password", "public"],
)
def test_a_key_nothing_can_be_signed_with_is_refused_before_there_is_a_run(key):
    with pytest.raises(OrchestratorError, match="private_key is no RSA key in PEM") as problem:
        Fcm().declare({"credentials": json.dumps({**ACCOUNT, "private_key": key})})
    assert "PRIVATE" not in str(problem.value)


def payload(message):
    return json.loads(Fcm().build([message], SETTINGS, NOW).body)["message"]


def test_the_payload_says_what_the_template_said():
    found = payload(
        a_message(
            content=PushContent("Hello", "Größe 42", image="https://x.example/a.png", collapse="winback", ttl=3600)
        )
    )
    assert found["token"] == "t0"
    assert found["notification"] == {"title": "Hello", "body": "Größe 42", "image": "https://x.example/a.png"}
    assert found["android"] == {"collapse_key": "winback", "notification": {"tag": "winback"}, "ttl": "3600s"}
    assert found["apns"]["headers"] == {"apns-collapse-id": "winback", "apns-expiration": str(NOW // SECOND + 3600)}
    assert found["data"]["orchestrator_id"] == f"{0:032x}"


def test_every_attempt_says_the_same():
    message = a_message(content=PushContent("Hello", "You", ttl=60))
    first, second = (Fcm().build([message], SETTINGS, moment) for moment in (NOW, later(NOW, HOUR)))
    assert first == second


def test_a_payload_too_large_and_other_content_cannot_be_built():
    with pytest.raises(CannotBuildError, match="4,096"):
        payload(a_message(content=PushContent("Hello", "x" * 4096)))
    with pytest.raises(CannotBuildError, match="push only"):
        payload(a_message(content=EmailContent("a@b.example", "s", "h", "t")))


def test_the_claim_is_signed_by_the_account_and_names_what_it_is_for():
    request = Fcm().grant(SETTINGS, NOW)
    assertion = request.body.decode().partition("assertion=")[2]
    claims = jwt.decode(
        assertion, KEY.public_key(), ["RS256"], audience=request.url, options={"verify_exp": False, "verify_iat": False}
    )
    assert (claims["iss"], claims["scope"], claims["exp"] - claims["iat"]) == ("push@shop.example", SCOPE, 3600)
    assert jwt.get_unverified_header(assertion)["kid"] == "k1"


def test_a_token_is_read_and_a_refusal_waits_for_a_person():
    assert Fcm().read_grant(told(200, b'{"access_token":"t","expires_in":3599}')) == Token("t", 3599.0)
    refusal = Fcm().read_grant(told(400, b'{"error":"invalid_grant","error_description":"account not found"}'))
    assert isinstance(refusal, Pause)
    assert (refusal.after, "account not found" in refusal.detail) == (None, True)
    assert Fcm().read_grant(told(503)).after == 60.0


def test_an_unreadable_account_is_named_without_being_shown():
    with pytest.raises(OrchestratorError, match="lacks client_email, private_key") as problem:
        Fcm().declare({"credentials": '{"project_id": "sec-ret"}'})
    assert "sec-ret" not in str(problem.value)


def test_a_push_and_its_token_go_over_real_sockets():
    async def send(port):
        host = f"http://127.0.0.1:{port}"
        credentials = {"credentials": json.dumps({**ACCOUNT, "token_uri": f"{host}/token"}), "endpoint": host}
        clock, rare, many = WallClock(), HttpxEngine(WallClock()), BulkEngine(WallClock())
        lane = Lane(Fcm(), many, credentials, clock, Tokens(Fcm(), rare, credentials, clock))
        try:
            return [(await lane.deliver([a_message(number)]))[0] for number in range(5)]
        finally:
            await lane.close()
            await rare.close()

    with running_sink() as sink:
        outcomes = uvloop.run(send(sink.http))
        arrivals = sink.log()
    assert [type(outcome) for outcome in outcomes] == [Accepted] * 5
    assert sorted(arrival.key for arrival in arrivals) == [f"{number:032x}" for number in range(5)]
