"""Campaigns through the APIs of mail services: planned, rendered, sent by a worker over real sockets, and settled by what they answer."""

import json
from base64 import b64decode
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy

import jsonschema
import pytest

from orchestrator import planner
from orchestrator.core.nouns import Channel
from orchestrator.core.times import NEVER, SECOND, instant
from orchestrator.ledger import consent, suppressions
from orchestrator.providers.aws_signature import AwsKeys, Scope, sign
from tests.doors.shop import FILES, Shop
from tests.post_office import Reply, a_post_office
from tests.providers.published import POSTMARK, SENDGRID, SES

SETTINGS = "config/orchestrator.yaml"
EVERYONE = "environments:\n  live: {deliver: everyone}\n"
ID, KEY = "AKIAONLYFORTHISTEST", "only-for-this-test"


class AsPostmark:
    """Postmark as this machine plays it."""

    settings = '{adapter: postmark, token: "${env:SERVICE_KEY}", stream: offers, endpoint: "URL"}'

    def read(self, parcel):
        """(address, delivery, headers) of what came, which must be what the service publishes."""
        assert (parcel.path, parcel.headers["x-postmark-server-token"]) == ("/email", KEY)
        told = json.loads(parcel.body)
        jsonschema.validate(told, POSTMARK)
        return told["To"], told["Metadata"]["orchestrator_id"], {one["Name"]: one["Value"] for one in told["Headers"]}

    def taken(self, number):
        return Reply(200, json.dumps({"ErrorCode": 0, "Message": "OK", "MessageID": f"taken-{number}"}).encode())

    def dead(self):
        return Reply(422, b'{"ErrorCode":406,"Message":"Found inactive addresses"}')

    def refused(self):
        return Reply(422, b'{"ErrorCode":300,"Message":"Metadata is too long"}')

    def stranger(self):
        return Reply(401, b'{"ErrorCode":10,"Message":"Bad or missing API token"}')

    def too_fast(self):
        return Reply(429, b"", {"retry-after": "90"})


class AsSes:
    """Amazon SES as this machine plays it: it works the signature out anew from what arrived."""

    settings = '{adapter: ses, region: eu-central-1, access_key: "${env:SERVICE_ID}", secret_key: "${env:SERVICE_KEY}", endpoint: "URL"}'

    def read(self, parcel):
        """(address, delivery, headers) of what came, which must be signed, and be what the service publishes."""
        at = datetime.strptime(parcel.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        url, sent = f"http://{parcel.headers['host']}{parcel.path}", {"Content-Type": parcel.headers["content-type"]}
        again = sign("POST", url, sent, parcel.body, AwsKeys(ID, KEY), Scope("eu-central-1", "ses"), instant(at))
        assert parcel.headers["authorization"] == again["Authorization"]
        assert parcel.path == "/v2/email/outbound-emails"
        told = json.loads(parcel.body)
        jsonschema.validate(told, SES)
        mail = message_from_bytes(b64decode(told["Content"]["Raw"]["Data"]), policy=policy.default)
        return told["Destination"]["ToAddresses"][0], told["EmailTags"][0]["Value"], dict(mail.items())

    def taken(self, number):
        return Reply(200, json.dumps({"MessageId": f"taken-{number}"}).encode())

    dead = None
    """SES takes dead addresses, too, and tells of them later."""

    def refused(self):
        return Reply(400, b'{"message":"contains a virus"}', {"x-amzn-errortype": "MessageRejected"})

    def stranger(self):
        return Reply(403, b'{"message":"no such key"}', {"x-amzn-errortype": "UnrecognizedClientException"})

    def too_fast(self):
        return Reply(429, b"", {"x-amzn-errortype": "TooManyRequestsException", "retry-after": "90"})


class AsSendgrid:
    """SendGrid as this machine plays it."""

    settings = '{adapter: sendgrid, api_key: "${env:SERVICE_KEY}", region: eu, endpoint: "URL"}'

    def read(self, parcel):
        """(address, delivery, headers) of what came, which must be what the service publishes."""
        assert (parcel.path, parcel.headers["authorization"]) == ("/v3/mail/send", f"Bearer {KEY}")
        told = json.loads(parcel.body)
        jsonschema.validate(told, SENDGRID)
        [envelope] = told["personalizations"]
        return envelope["to"][0]["email"], envelope["custom_args"]["orchestrator_id"], told["headers"]

    def taken(self, number):
        return Reply(202, b"", {"X-Message-Id": f"taken-{number}"})

    def dead(self):
        return Reply(400, b'{"errors":[{"field":"personalizations.0.to.0.email","message":"no valid address"}]}')

    def refused(self):
        return Reply(400, b'{"errors":[{"field":"content.0.value","message":"too short"}]}')

    def stranger(self):
        return Reply(401, b'{"errors":[{"field":null,"message":"authorization required"}]}')

    def too_fast(self):
        return Reply(429, b"", {"retry-after": "90"})


SERVICES = {"postmark": AsPostmark(), "sendgrid": AsSendgrid(), "ses": AsSes()}


@pytest.fixture(params=sorted(SERVICES))
def service(request):
    return SERVICES[request.param]


@contextmanager
def a_shop_with(service, answer, root, monkeypatch, **people):
    """A shop whose mail goes to this service; `answer` says by address what it does with it."""
    monkeypatch.setenv("SHOP_LEDGER", f"sqlite:{root}/data/ledger.db")
    monkeypatch.setenv("SERVICE_KEY", KEY)
    monkeypatch.setenv("SERVICE_ID", ID)

    def by_address(parcel):
        who, delivery, headers = service.read(parcel)
        heard.append((who, delivery, headers))
        return answer(who.partition("@")[0], len(heard))

    heard = []
    with a_post_office(by_address) as office:
        mail = f"  mail: {service.settings.replace('URL', office.url)}\n"
        lines = FILES[SETTINGS].splitlines(keepends=True)
        settings = "".join(mail if line.startswith("  mail:") else line for line in lines)
        shop = Shop(root, {**FILES, SETTINGS: settings + EVERYONE}, environment="live")
        try:
            shop.people(**people)
            consent.tell_no_suppressions(shop.ledger.store, shop.clock.now())
            planner.plan_run(shop.opened, shop.ledger, shop.fire(), shop.clock)
            shop.drain()
            yield shop, heard
        finally:
            shop.ledger.close()


def rows(shop):
    """user → (state, reason, the provider's id)."""
    told = shop.ledger.store.rows("SELECT user_id, state, reason, provider_id FROM delivery")
    return {user: tuple(rest) for user, *rest in told}


def test_every_answer_settles_its_own_message(service, tmp_path, monkeypatch):
    def answer(who, number):
        return {
            "dead": service.dead or service.refused,
            "no": service.refused,
            "lost": lambda: Reply(0),
            "garbage": lambda: Reply(200, b"<html>It works!</html>"),
            "broken": lambda: Reply(502, b"<html>Bad gateway</html>"),
        }.get(who, lambda: service.taken(number))()

    everybody = dict.fromkeys(("ada", "bo", "dead", "no", "lost", "garbage", "broken"), "Zoë")
    with a_shop_with(service, answer, tmp_path, monkeypatch, **everybody) as (shop, heard):
        found = rows(shop)
        assert sorted(who for who, _, _ in heard) == sorted(f"{user}@mail.example" for user in everybody)
        for user in ("ada", "bo"):
            state, reason, provider_id = found[user]
            assert (state, reason, provider_id.startswith("taken-")) == ("accepted", "", True)
        assert found["dead"][:2] == ("failed", "address_gone" if service.dead else "refused")
        assert found["no"][:2] == ("failed", "refused")
        assert {found[user][:2] for user in ("lost", "garbage", "broken")} == {("unknown", "no_answer")}
        hashing = consent.Hashing(shop.ledger.store)
        stop = suppressions.stop_of(shop.ledger.store, hashing.of(Channel.EMAIL, "dead@mail.example"), Channel.EMAIL)
        assert (stop and (stop.reason, stop.source)) == (("address_gone", "mail") if service.dead else None)


def test_every_mail_can_be_left_with_one_click_and_names_itself(service, tmp_path, monkeypatch):
    with a_shop_with(service, lambda _, n: service.taken(n), tmp_path, monkeypatch, ada="Ada") as (_, heard):
        [(_, delivery, headers)] = heard
        assert headers["List-Unsubscribe"].startswith("<https://go.shop.example/u/")
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert headers["Message-ID"] == f"<{delivery}@shop.example>"


@pytest.mark.parametrize("how", ["stranger", "too_fast"])
def test_a_refusal_of_all_stops_the_provider_and_costs_nobody(how, service, tmp_path, monkeypatch):
    def answer(_who, _number):
        return getattr(service, how)()

    with a_shop_with(service, answer, tmp_path, monkeypatch, ada="Ada", bo="Bo") as (shop, _):
        assert {state for state, *_ in rows(shop).values()} == {"planned"}
        [(until, reason)] = shop.ledger.store.rows(
            "SELECT paused_until, reason FROM pace WHERE scope = 'provider:mail'"
        )
        assert until == (NEVER if how == "stranger" else shop.clock.now() + 90 * SECOND)
        assert how == "too_fast" or "settings" in reason
