"""The web face: a POST unsubscribes, a GET never does; an inbox opens only with a token that holds."""

import jwt
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from orchestrator.core.nouns import Channel
from orchestrator.core.times import HOUR, SECOND
from orchestrator.ledger import Purpose, consent, figures, pace
from orchestrator.ledger.figures import Deliveries
from orchestrator.pipeline import LedgerThread
from orchestrator.web import Health, Seals, site
from orchestrator.web.metrics import Daemon, exposition, snapshot
from tests.ledger.builders import NOW, a_person, a_run, intend, ready


class Standing:
    """A clock that stands where the test puts it."""

    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


@pytest.fixture
def web(ledger):
    seals = Seals(ledger.seal(Purpose.UNSUBSCRIBE, NOW), ledger.seal(Purpose.INBOX, NOW))

    async def health():
        return Health(well=False, version="v1", troubles=("config/campaigns/winback.yaml:3:1  unknown key 'audiense'",))

    async def scraped():
        return exposition(snapshot(ledger, Deliveries(), Daemon("v1", "live", mistakes=2), NOW))

    made = site(LedgerThread(ledger), seals, {"offers": "Offers & news"}, Standing(NOW), health, scraped)
    client = TestClient(made)
    client.seals = seals
    return client


def a_link(web, user="ada"):
    return "/u/" + web.seals.unsubscribe.seal("7", "email", "offers", user)


def word(ledger, user="ada"):
    return consent.words(ledger.store, [user], "offers").get(user, {}).get(Channel.EMAIL)


def test_opening_the_link_shows_a_page_and_changes_nothing(ledger, web):
    for method in ("GET", "HEAD"):
        answer = web.request(method, a_link(web))
        assert answer.status_code == 200
    assert "Offers &amp; news" in web.get(a_link(web)).text
    assert word(ledger) is None


def test_the_one_click_post_unsubscribes_and_again_is_fine(ledger, web):
    for _ in range(2):
        assert web.post(a_link(web), data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert word(ledger) is False
    assert word(ledger, "bo") is None


def test_the_word_is_kept_with_its_proof(ledger, web):
    web.post(a_link(web))
    assert ledger.store.rows("SELECT user_id, channel, topic, granted, source, proof FROM consent") == [
        ("ada", "email", "offers", 0, "unsubscribe link", "run 7")
    ]


def test_a_page_leaks_nothing_to_others(web):
    headers = web.get(a_link(web)).headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "set-cookie" not in headers


def test_a_link_shows_nobodys_id_and_is_short(web):
    token = web.seals.unsubscribe.seal("7", "email", "offers", "ada@shop.example")
    assert "ada" not in token
    assert len(token) < 100


def test_a_forged_torn_or_misused_link_does_nothing(ledger, web):
    good = a_link(web)
    for bad in (
        good[:-1],
        good[:-4] + "AAAA",
        good + "A",
        "/u/x",
        "/u/zz" + good[5:],
        "/u/" + web.seals.inbox.seal("7", "email", "offers", "ada"),
    ):
        assert web.post(bad).status_code == 404, bad
    for place in range(3, len(good)):
        flipped = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
        answer = web.post(flipped)
        # The last character of base64 may carry unused bits; whatever opens must be the same link.
        assert answer.status_code == 404 or place == len(good) - 1
    assert word(ledger) in (None, False)


def a_token(web, user="ada", **over):
    key = web.seals.inbox.keys[0]
    claims = {"sub": user, "aud": "orchestrator-inbox", "exp": (NOW + HOUR) // SECOND, **over}
    return {"Authorization": "Bearer " + jwt.encode(claims, key.secret, algorithm="HS256", headers={"kid": key.id})}


@pytest.fixture
def a_message(ledger):
    run = a_run(ledger, ada := a_person("ada", addresses={Channel.IN_APP: (a_person().addresses[Channel.EMAIL][0],)}))
    message = ready(run, ada, Channel.IN_APP, id="d1", inbox={"title": "Hello"}, inbox_until=NOW + HOUR)
    intend(ledger, run, message)
    return message


@pytest.mark.usefixtures("a_message")
def test_an_inbox_holds_the_users_messages_until_they_are_seen(web):
    [found] = web.get("/v1/inbox", headers=a_token(web)).json()["messages"]
    assert (found["id"], found["message"]) == ("d1", {"title": "Hello"})
    for _ in range(2):
        assert web.post("/v1/inbox/d1/seen", headers=a_token(web)).json() == {"seen": True}
    assert web.get("/v1/inbox", headers=a_token(web)).json() == {"messages": []}


@pytest.mark.usefixtures("a_message")
def test_nobody_sees_or_acknowledges_anothers_messages(web):
    assert web.get("/v1/inbox", headers=a_token(web, "bo")).json() == {"messages": []}
    assert web.post("/v1/inbox/d1/seen", headers=a_token(web, "bo")).status_code == 404
    assert len(web.get("/v1/inbox", headers=a_token(web)).json()["messages"]) == 1


@pytest.mark.parametrize(
    "over",
    [
        {"exp": NOW // SECOND - 1},
        {"exp": (NOW + 25 * HOUR) // SECOND},
        {"aud": "other"},
        {"exp": "soon"},
        {"exp": 10**30},
    ],
    ids=["expired", "too long", "other audience", "no number", "far future"],
)
@pytest.mark.usefixtures("a_message")
def test_a_token_that_does_not_hold_opens_nothing(web, over):
    assert web.get("/v1/inbox", headers=a_token(web, **over)).status_code == 401


@pytest.mark.usefixtures("a_message")
def test_unsigned_or_foreign_tokens_open_nothing(web):
    key = web.seals.inbox.keys[0]
    claims = {"sub": "ada", "aud": "orchestrator-inbox", "exp": (NOW + HOUR) // SECOND}
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": key.id})
    foreign = jwt.encode(claims, b"x" * 32, algorithm="HS256", headers={"kid": key.id})
    unknown = jwt.encode(claims, key.secret, algorithm="HS256", headers={"kid": "zz"})
    for token in (unsigned, foreign, unknown, "", "a.b.c"):
        assert web.get("/v1/inbox", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert web.get("/v1/inbox").status_code == 401


def test_health_says_which_mistake_keeps_an_edit_from_taking_effect(web):
    answer = web.get("/healthz")
    assert answer.status_code == 503
    assert "winback.yaml:3:1" in answer.json()["troubles"][0]


@pytest.mark.usefixtures("a_message")
def test_an_expired_message_is_not_shown(ledger, web):
    ledger.store.change("UPDATE inbox SET expires_at = ?", (NOW,))
    assert web.get("/v1/inbox", headers=a_token(web)).json() == {"messages": []}


def test_the_figures_are_shown_as_prometheus_reads_them(ledger, web):
    run = a_run(ledger)
    figures.keep(
        ledger.store,
        ledger.boot,
        {
            "messages\twinback\temail\tmail\taccepted": 3,
            "turns\twinback": 2,
            "unwritten\twinback\temail\tmissing_data": 1,
            "seconds\tmail\t0.1": 2,
            "seconds\tmail\tinf": 1,
            "seconds_sum\tmail": 70.5,
        },
    )
    with ledger.store.transaction():
        pace.pause(ledger.store, "campaign:winback", None, "by hand", NOW)
    answer = web.get("/metrics")
    told = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert answer.headers["content-type"].startswith("text/plain")
    assert told["orchestrator_config_mistakes", ()] == 2
    assert told["orchestrator_queue_shards", (("state", "due"),)] == 1
    assert told["orchestrator_runs", (("state", "working"),)] == 1
    planned = (("campaign", "winback"), ("channel", "email"), ("state", "planned"))
    assert told["orchestrator_deliveries", planned] == run.audience
    mail = (("campaign", "winback"), ("channel", "email"), ("provider", "mail"), ("state", "accepted"))
    assert told["orchestrator_messages_total", mail] == 3
    refused = (("campaign", "winback"), ("channel", "email"), ("reason", "missing_data"))
    assert told["orchestrator_render_failures_total", refused] == 1
    assert told["orchestrator_send_seconds_bucket", (("le", "0.1"), ("provider", "mail"))] == 2
    assert told["orchestrator_send_seconds_bucket", (("le", "+Inf"), ("provider", "mail"))] == 3
    assert told["orchestrator_send_seconds_sum", (("provider", "mail"),)] == 70.5
    assert told["orchestrator_paused_seconds", (("scope", "campaign:winback"),)] == float("inf")


def test_the_link_of_a_rehearsal_unsubscribes_nobody(ledger, web):
    link = "/u/" + web.seals.unsubscribe.seal("0", "email", "offers", "ada")
    assert "Nothing was changed" in web.post(link).text
    assert word(ledger) is None
