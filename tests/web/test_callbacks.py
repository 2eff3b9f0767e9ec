"""Where providers report: known by a sealed URL, believed if the adapter believes it, and answered once it is in the ledger."""

import gzip
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from orchestrator.core.callbacks import Stop, tag
from orchestrator.core.errors import PassingError
from orchestrator.core.nouns import Channel, DeliveryKey, State
from orchestrator.core.times import HOUR, Instant
from orchestrator.ledger import Purpose, callbacks
from orchestrator.pipeline import LedgerThread
from orchestrator.providers import CallbackRefusedError, Heard
from orchestrator.providers.postmark import Postmark
from orchestrator.providers.reports import pieces, ses
from orchestrator.web import Callbacks, Health, Listening, Seals, site
from orchestrator.web.callbacks import LARGEST
from tests.ledger.builders import NOW, a_person, a_run, an_answer, intend, ready, settle
from tests.web.test_site import Standing

LATER = Instant(NOW + HOUR)
PUBLIC = "https://go.shop.example"


class Signed:
    """An adapter that believes one header, and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def hear(self, request, credentials, now):
        self.asked.append((request.url, request.headers.get("x-mine"), bytes(request.body), credentials, now))
        if request.headers.get("x-mine") != "yes":
            raise CallbackRefusedError("signed by somebody else")
        return Heard()


class Broken:
    """An adapter with a mistake in it."""

    def hear(self, request, credentials, now):
        raise KeyError("oops")


class Topic:
    """What SES is told by."""

    def hear(self, request, credentials, now):
        return ses.read(request, now)


class Web:
    """The web face over a ledger in which Ada's mail was taken."""

    def __init__(self, ledger):
        ada = a_person("ada")
        self.ledger, self.run = ledger, a_run(ledger, ada)
        shard = ledger.claim(NOW)
        intend(ledger, self.run, ready(self.run, ada))
        settle(ledger, self.run, an_answer(ready(self.run, ada), State.ACCEPTED))
        ledger.put_back(shard, [], NOW)
        self.seal = ledger.seal(Purpose.CALLBACK, NOW)
        self.signed, self.confirmed, self.why = Signed(), [], ""
        listening = {
            "post": Listening(Postmark(), {}),
            "signed": Listening(self.signed, {"key": "k"}),
            "broken": Listening(Broken(), {}),
            "ses": Listening(Topic(), {}),
        }

        async def confirm(url):
            self.confirmed.append(url)
            return self.why

        async def health():
            return Health(well=True)

        async def nothing_else():
            return b""

        made = Callbacks(LedgerThread(ledger), self.seal, lambda: PUBLIC, lambda: listening, confirm, Standing(LATER))
        others = [ledger.seal(purpose, NOW) for purpose in (Purpose.UNSUBSCRIBE, Purpose.INBOX)]
        face = site(LedgerThread(ledger), Seals(*others), {}, Standing(LATER), health, nothing_else, callbacks=made)
        self.client = TestClient(face)

    def post(self, provider, body, seal=None, **more):
        token = (seal or self.seal).seal(provider)
        return self.client.post(f"/v1/callbacks/{token}{more.pop('query', '')}", content=body, **more)

    def state(self):
        return self.ledger.store.rows("SELECT state FROM delivery WHERE user_id = 'ada' AND channel = 'email'")[0][0]

    def settle(self):
        return callbacks.settle(self.ledger.store, self.ledger.hashing, LATER)

    def report(self, **over):
        key = DeliveryKey(self.run.id, "ada", Channel.EMAIL)
        told = {"RecordType": "Bounce", "Type": "HardBounce", "Email": "ada@shop.example", "BouncedAt": "2026-03-02T09:30:00Z"}  # fmt: skip
        return json.dumps({**told, "Metadata": pieces(tag(key), 80), **over}).encode()

    def figures(self):
        families = text_string_to_metric_families(self.client.get("/metrics").text)
        samples = [one for family in families for one in family.samples if one.name == "orchestrator_callbacks_total"]
        return {(one.labels["provider"], one.labels["outcome"]): one.value for one in samples}


@pytest.fixture
def web(ledger):
    made = Web(ledger)
    with made.client:
        yield made


def test_a_report_is_safe_once_it_is_answered_and_taken_when_the_loader_looks(web):
    answer = web.post("post", web.report())
    assert (answer.status_code, answer.json()) == (200, {"taken": 1})
    assert (callbacks.waiting(web.ledger.store), web.state()) == (1, "accepted")
    settled = web.settle()
    assert (settled["taken"], settled["stopped"], web.state()) == (1, 1, "bounced")
    hashed = web.ledger.hashing.of(Channel.EMAIL, "ada@shop.example")
    rows = web.ledger.store.rows("SELECT reason, source FROM suppression WHERE address_hash = ?", (hashed,))
    assert rows == [(Stop.BOUNCED, "post")]
    assert web.figures() == {("post", "taken"): 1}


def test_a_packed_body_is_unpacked(web):
    assert web.post("post", gzip.compress(web.report())).json() == {"taken": 1}


def test_nobody_reports_by_a_url_that_was_not_made_here(web):
    for path in (
        "/v1/callbacks/x",
        f"/v1/callbacks/{web.seal.seal('nobody')}",
        f"/v1/callbacks/{web.seal.seal('post', 'more')}",
    ):
        assert web.client.post(path, content=web.report()).status_code == 404
    other = web.ledger.seal(Purpose.CLICK, NOW)
    assert web.post("post", web.report(), other).status_code == 404
    assert web.client.get(f"/v1/callbacks/{web.seal.seal('post')}").status_code == 405
    assert callbacks.waiting(web.ledger.store) == 0


def test_an_adapter_sees_the_public_url_the_headers_and_the_bytes(web):
    answer = web.post("signed", b"a=1", query="?d=x%20y", headers={"X-Mine": "yes"})
    assert (answer.status_code, answer.json()) == (200, {"taken": 0})
    url = f"{PUBLIC}/v1/callbacks/{web.seal.seal('signed')}?d=x%20y"
    assert web.signed.asked == [(url, "yes", b"a=1", {"key": "k"}, LATER)]


def test_what_is_signed_by_somebody_else_is_refused_and_counted(web):
    assert web.post("signed", b"").status_code == 403
    assert web.figures() == {("signed", "refused"): 1}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"no JSON", "the body is no JSON"),
        (b"x" * (LARGEST + 1), "the body is larger than 4096 KB"),
        (b"\x1f\x8bnothing", "cannot be unpacked"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(web, body, said):
    answer = web.post("post", body)
    assert (answer.status_code, said in answer.json()["error"]) == (400, True)
    assert web.figures() == {("post", "unread"): 1}


def test_an_adapters_own_mistake_loses_nothing(web):
    assert web.post("broken", b"{}").status_code == 500


def test_a_report_that_cannot_be_kept_is_asked_for_again(web, monkeypatch):
    def full(*_):
        raise PassingError("ledger: the disk is full")

    monkeypatch.setattr(callbacks, "put", full)
    answer = web.post("post", web.report())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert web.figures() == {}


def test_a_topic_is_told_that_we_are_there(web):
    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"
    body = json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).encode()
    assert web.post("ses", body).status_code == 200
    web.why = "it answered 500"
    answer = web.post("ses", body)
    assert (answer.status_code, "it answered 500" in answer.json()["error"]) == (503, True)
    assert web.confirmed == [url, url]
