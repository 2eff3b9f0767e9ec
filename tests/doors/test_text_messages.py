"""A campaign of text messages: from sms.txt and a profile's phone to a service that answers as Twilio does."""

import json
from contextlib import contextmanager
from urllib.parse import parse_qsl

import jsonschema
import pytest

from orchestrator import planner
from orchestrator.core.nouns import Channel
from orchestrator.core.times import DAY, NEVER, Instant
from orchestrator.ledger import ConsentChange, consent, suppressions
from tests.doors.shop import FILES, NOON, Shop, is_
from tests.post_office import Reply, a_post_office
from tests.providers.published import TWILIO

SETTINGS, SPRING = "config/orchestrator.yaml", "config/campaigns/spring.yaml"
ACCOUNT = "AC" + "0a" * 16
TWILIO_SAYS = {
    "+431000": (400, {"code": 21211, "message": "Invalid 'To' Phone Number"}),
    "+432000": (400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient"}),
    "+433000": (400, {"code": 21408, "message": "Permission to send has not been enabled"}),
    "+434000": (201, {"sid": "SM4", "status": "failed", "error_code": 30006}),
    "+435000": (500, {"code": 20500, "message": "An internal server error has occurred"}),
}
"""What it says to numbers that begin so; every other text is taken."""

FILES_OF_TEXTS = {
    **{name: text for name, text in FILES.items() if not name.startswith("templates/")},
    SETTINGS: FILES[SETTINGS]
    .replace(
        "  mail: {adapter: smtp, host: 127.0.0.1, port: 1, security: none}\n",
        f'  texts: {{adapter: twilio, account_sid: {ACCOUNT}, auth_token: "${{env:SERVICE_KEY}}", from: "+15005550006", endpoint: "URL"}}\n',
    )
    .replace("route: {email: [mail]}", "route: {sms: [texts]}")
    + "environments:\n  live: {deliver: everyone}\n",
    SPRING: FILES[SPRING].replace("first_of: [email]", "first_of: [sms]"),
    "templates/spring/_default/sms.txt": "{{ userAttribute.firstName }}, der Frühling ist da: nur heute 20 %. STOP beendet.",
}


@contextmanager
def a_shop_of_texts(root, monkeypatch, answer, **phones):
    """A shop whose people have these phones and want texts; what the service was sent, and the shop once it was worked."""
    monkeypatch.setenv("SHOP_LEDGER", f"sqlite:{root}/data/ledger.db")
    monkeypatch.setenv("SERVICE_KEY", "only-for-this-test")
    with a_post_office(answer) as office:
        files = {name: text.replace("URL", office.url) for name, text in FILES_OF_TEXTS.items()}
        shop = Shop(root, files, environment="live")
        try:
            shop.load(*(is_(who, phone=phone, firstName="Zoë", country="AT") for who, phone in phones.items()))
            shop.ledger.change_consent(
                [ConsentChange(who, Channel.SMS, "offers", True, Instant(NOON - DAY), "test") for who in phones]
            )
            consent.tell_no_suppressions(shop.ledger.store, shop.clock.now())
            planner.plan_run(shop.opened, shop.ledger, shop.fire(), shop.clock)
            shop.drain()
            yield shop, office.parcels
        finally:
            shop.ledger.close()


def as_twilio(parcel):
    form = dict(parse_qsl(parcel.body.decode(), strict_parsing=True))
    jsonschema.validate(form, TWILIO)
    status, told = TWILIO_SAYS.get(form["To"][:7], (201, {"sid": f"SM{form['To']}", "status": "queued"}))
    return Reply(status, json.dumps(told).encode(), {"content-type": "application/json"})


def test_every_answer_settles_its_own_text(tmp_path, monkeypatch):
    people = {
        "ada": "+43 660 1234567",
        "nobody": "+431000 555",
        "stop": "+432000 555",
        "abroad": "+433000 555",
        "landline": "+434000 555",
        "broken": "+435000 555",
        "local": "0660 7654321",
    }
    with a_shop_of_texts(tmp_path, monkeypatch, as_twilio, **people) as (shop, parcels):
        assert {parcel.path for parcel in parcels} == {f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"}
        assert len(parcels) == len(people) - 1  # nobody is asked about a number without its country
        [ada] = [dict(parse_qsl(p.body.decode())) for p in parcels if b"6601234567" in p.body]
        assert ada["Body"] == "Zoë, der Frühling ist da: nur heute 20 %. STOP beendet."
        assert shop.rows() == {
            "ada": "accepted",
            "nobody": ("failed", "address_gone"),
            "stop": ("failed", "no_consent"),
            "abroad": ("failed", "refused"),
            "landline": ("failed", "address_gone"),
            "broken": ("unknown", "no_answer"),
            "local": ("failed", "refused"),
        }
        [(sid,)] = shop.ledger.store.rows("SELECT provider_id FROM delivery WHERE user_id = 'ada'")
        assert sid == "SM+436601234567"
        hashing = consent.Hashing(shop.ledger.store)
        stops = {
            who: suppressions.stop_of(shop.ledger.store, hashing.of(Channel.SMS, phone), Channel.SMS)
            for who, phone in people.items()
        }
        assert {who: stop.reason for who, stop in stops.items() if stop} == {
            "nobody": "address_gone",
            "stop": "no_consent",
            "landline": "address_gone",
        }


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (400, 21608)])
def test_a_refusal_of_all_stops_the_provider_and_costs_nobody(status, code, tmp_path, monkeypatch):
    def answer(_parcel):
        return Reply(status, json.dumps({"code": code, "message": "no"}).encode())

    with a_shop_of_texts(tmp_path, monkeypatch, answer, ada="+436601234567", bo="+436601234568") as (shop, _):
        assert set(shop.rows().values()) == {"planned"}
        [(until, reason)] = shop.ledger.store.rows(
            "SELECT paused_until, reason FROM pace WHERE scope = 'provider:texts'"
        )
        assert until == NEVER
        assert str(code) in reason
