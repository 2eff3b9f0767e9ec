"""Two servers in a route, as a worker meets them: the second takes what the first cannot or will not, and nobody gets it twice."""

from base64 import b64encode
from contextlib import ExitStack, contextmanager

import pytest

from orchestrator import planner
from orchestrator.core.times import HOUR, Instant
from orchestrator.ledger import consent, pace
from tests.doors.shop import FILES, NOON, Shop
from tests.mail import Mailbox, a_free_port, mail_server
from tests.post_office import Reply, a_post_office

SETTINGS = "config/orchestrator.yaml"
ONE_SERVER = "  mail: {adapter: smtp, host: 127.0.0.1, port: 1, security: none}\n"
SECRET = "whsec_" + b64encode(b"only-for-this-test-of-two-servers").decode()


def smtp(port):
    return f"{{adapter: smtp, host: 127.0.0.1, port: {port}, security: none}}"


def webhook(office):
    return f'{{adapter: webhook, url: "{office.url}/mail", secret: "${{env:HOOK_SECRET}}"}}'


@contextmanager
def a_shop(root, monkeypatch, first, second, people):
    """A live shop whose e-mail goes by `first`, else by `second`, and a campaign that stands planned for so many people."""
    monkeypatch.setenv("SHOP_LEDGER", f"sqlite:{root}/data/ledger.db")
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    settings = FILES[SETTINGS].replace(ONE_SERVER, f"  first: {first}\n  second: {second}\n")
    settings = settings.replace("email: [mail]", "email: [first, second]")
    settings += "environments:\n  live: {deliver: everyone}\n"
    shop = Shop(root, {**FILES, SETTINGS: settings}, environment="live")
    try:
        shop.people(**{f"u{n:03}": "Zoë" for n in range(people)})
        consent.tell_no_suppressions(shop.ledger.store, shop.clock.now())
        planner.plan_run(shop.opened, shop.ledger, shop.fire(), shop.clock)
        yield shop
    finally:
        shop.ledger.close()


def work(shop, until):
    """Work what is due, and what becomes due until then; each time by a worker that has just begun and remembers nothing."""
    for _ in range(20):
        shop.drain()
        [(due,)] = shop.ledger.store.rows("SELECT MIN(due_at) FROM shard")
        if due is None or due > until:
            return
        shop.clock.at = Instant(max(due, shop.clock.at))
    raise AssertionError("it goes round in circles")


def went(shop):
    """user → (state, provider)."""
    return {
        user: (state, by) for user, state, by in shop.ledger.store.rows("SELECT user_id, state, provider FROM delivery")
    }


def everybody(people):
    return [f"u{n:03}@mail.example" for n in range(people)]


def got(box):
    return sorted(to for mail in box.mails for to in mail.rcpt_tos)


def told(office):
    """webhook-ids of what came to an office, in their order."""
    return [parcel.headers["webhook-id"] for parcel in office.parcels]


@pytest.mark.parametrize("people", [1, 40])
def test_the_second_takes_what_cannot_reach_a_server_that_is_down(people, tmp_path, monkeypatch):
    """One alone as well: it never comes to the failures in a row that open a breaker."""
    box = Mailbox()
    with mail_server(box) as port, a_shop(tmp_path, monkeypatch, smtp(a_free_port()), smtp(port), people) as shop:
        work(shop, NOON + HOUR)
        assert set(went(shop).values()) == {("accepted", "second")}
        assert got(box) == everybody(people)


def test_the_second_takes_over_from_a_server_that_wants_a_rest(tmp_path, monkeypatch):
    tired, box = Mailbox("451 4.7.1 Too many messages, wait 30 min"), Mailbox()
    with ExitStack() as both:
        ports = [both.enter_context(mail_server(one)) for one in (tired, box)]
        shop = both.enter_context(a_shop(tmp_path, monkeypatch, *map(smtp, ports), 40))
        work(shop, NOON)
        assert set(went(shop).values()) == {("accepted", "second")}
        assert got(box) == everybody(40)
        assert {scope for scope, *_ in pace.pauses(shop.ledger.store, shop.clock.now())} == {"provider:first"}
        assert {attempt for (attempt,) in shop.ledger.store.rows("SELECT attempt FROM delivery")} == {1}


def test_what_the_first_may_have_taken_is_never_given_to_the_second(tmp_path, monkeypatch):
    """One is in doubt, and the first then refuses its key: it waits for the first, the others go by the second."""
    heard = []

    def torn_once(parcel):
        heard.append(parcel)
        return Reply(0 if len(heard) == 1 else 401)

    with ExitStack() as both:
        first = both.enter_context(a_post_office(torn_once))
        second = both.enter_context(a_post_office(lambda _: Reply(200)))
        shop = both.enter_context(a_shop(tmp_path, monkeypatch, webhook(first), webhook(second), 5))
        work(shop, NOON + HOUR)
        [lost] = [user for user, how in went(shop).items() if how == ("retry_wait", "first")]
        assert shop.rows()[lost] == ("retry_wait", "no_answer")
        assert (len(told(second)), told(first)[0] in told(second)) == (4, False)

        first.answer = lambda _: Reply(200)
        assert pace.resume(shop.ledger.store, "provider:first", shop.clock.now())
        work(shop, NOON + 2 * HOUR)
        assert sorted(went(shop).values()) == [("accepted", "first"), *[("accepted", "second")] * 4]
        assert told(first)[-1] == told(first)[0]
        assert len(told(second)) == 4
