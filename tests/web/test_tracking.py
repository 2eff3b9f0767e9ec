"""Links of e-mails at the web face: they lead on whatever the ledger does, and what nobody made leads nowhere."""

import sqlite3

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from orchestrator.core.errors import PassingError, StoreError
from orchestrator.core.nouns import State
from orchestrator.core.times import HOUR, SECOND, Instant
from orchestrator.ledger import Purpose, deeds
from orchestrator.pipeline import LedgerThread
from orchestrator.pipeline.hearing import MOST, Hearing
from orchestrator.pipeline.tracking import Untracked
from orchestrator.web import Health, Seals, Tracking, site
from tests.ledger.builders import NOW, a_person, a_run, an_answer, intend, ready, settle
from tests.web.test_site import Standing

SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
SHOP = "https://shop.example/coats?token=s3cret#top"
LATER = Instant(NOW + HOUR)


class Web:
    """The web face over a ledger in which Ada's mail was taken; `settle` has all that was heard written."""

    def __init__(self, ledger):
        ada = a_person("ada")
        self.ledger, self.run = ledger, a_run(ledger, ada)
        intend(ledger, self.run, ready(self.run, ada))
        settle(ledger, self.run, an_answer(ready(self.run, ada), State.ACCEPTED), now=Instant(NOW + SECOND))
        self.seals = {purpose: ledger.seal(purpose, NOW) for purpose in Purpose}
        self.tracking = Tracking(
            LedgerThread(ledger), self.seals[Purpose.CLICK], self.seals[Purpose.OPEN], Standing(LATER)
        )
        seals = Seals(self.seals[Purpose.UNSUBSCRIBE], self.seals[Purpose.INBOX])

        async def health():
            return Health(well=True)

        async def nothing_else():
            return b""

        made = site(LedgerThread(ledger), seals, {}, Standing(LATER), health, nothing_else, tracking=self.tracking)
        self.client = TestClient(made, follow_redirects=False, headers={"user-agent": SAFARI})

    def link(self, url=SHOP, run=None, user="ada", links=2):
        parts = (str(self.run.id if run is None else run), "0", "0", user, str(links), url)
        return "/c/" + self.seals[Purpose.CLICK].seal(*parts)

    def picture(self, run=None):
        return "/o/" + self.seals[Purpose.OPEN].seal(str(self.run.id if run is None else run), "0", "0", "ada") + ".gif"

    def settle(self):
        self.client.portal.call(self.tracking.settle)

    def deeds(self):
        return [(one.deed, one.link, one.machine) for one in deeds.of_run(self.ledger.store, self.run.id, "ada")]

    def figures(self):
        families = text_string_to_metric_families(self.client.get("/metrics").text)
        samples = [one for family in families for one in family.samples if one.name == "orchestrator_engagement_total"]
        return {one.labels["outcome"]: one.value for one in samples if one.value}


@pytest.fixture
def web(ledger):
    made = Web(ledger)
    with made.client:
        yield made


def test_a_click_leads_on_and_the_ledger_hears_of_it(web):
    answer = web.client.get(web.link())
    assert (answer.status_code, answer.headers["location"]) == (302, SHOP)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    web.settle()
    assert web.deeds() == [("clicked", "https://shop.example/coats", False)]
    assert web.figures() == {"person": 1}


def test_the_picture_is_a_picture_and_the_ledger_hears_of_it(web):
    answer = web.client.get(web.picture())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a")
    assert answer.headers["cache-control"] == "no-store"
    web.settle()
    assert web.deeds() == [("opened", "", False)]


def test_a_head_leads_on_and_tells_nothing(web):
    assert web.client.head(web.link()).headers["location"] == SHOP
    assert web.client.head(web.picture()).status_code == 200
    web.settle()
    assert web.deeds() == []


def test_machines_are_led_on_too_and_marked(web):
    assert web.client.get(web.link(), headers={"user-agent": "curl/8.5.0"}).headers["location"] == SHOP
    web.client.get(web.picture(), headers={"user-agent": "Mozilla/5.0"})
    web.settle()
    assert sorted(web.deeds()) == [("clicked", "https://shop.example/coats", True), ("opened", "", True)]
    assert web.figures() == {"machine": 2}


def test_who_follows_all_links_of_a_message_at_once_is_a_machine_whatever_it_calls_itself(web):
    for name in "ab":
        web.client.get(web.link(f"https://shop.example/{name}"))
    web.settle()
    assert {machine for *_, machine in web.deeds()} == {True}


def test_test_messages_lead_on_and_nobody_hears_of_it(web):
    assert web.client.get(web.link(run=0)).headers["location"] == SHOP
    assert web.client.get(web.picture(run=0)).status_code == 200
    web.settle()
    assert web.deeds() == []
    assert web.figures() == {"rehearsal": 2}


def test_a_link_of_a_run_that_the_ledger_does_not_have_leads_on_and_is_counted(web):
    assert web.client.get(web.link(run=999)).headers["location"] == SHOP
    web.settle()
    assert web.figures() == {"strange": 1}


def test_forged_torn_and_misused_links_get_a_page_that_repeats_nothing(web):
    good = web.link()
    misused = [
        f"/c/{web.seals[one].seal('1', '0', '0', 'ada', '2', SHOP)}" for one in Purpose if one is not Purpose.CLICK
    ]
    for bad in (good[:-1], good[:40], good + "A", "/c/x", "/c/zz" + good[5:], "/c/https://evil.example", *misused):
        answer = web.client.get(bad)
        assert answer.status_code == 404, bad
        assert "location" not in answer.headers
    canary = web.client.get("/c/%3Cscript%3Ecanary?url=https://evil.example")
    assert canary.status_code == 404
    assert "canary" not in canary.text
    assert "evil" not in canary.text
    assert "does not work" in canary.text
    assert web.client.get(web.link() + "?url=https://evil.example").headers["location"] == SHOP
    assert web.client.get("/o/x.gif").status_code == 404
    assert web.client.post(good).status_code == 405
    web.settle()


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
async def test_a_locked_ledger_is_asked_again_until_it_is_free(ledger, tmp_path):
    web, told = Web(ledger), []
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None, check_same_thread=False)
    ledger.store.rows("PRAGMA busy_timeout = 1")

    def hindered(*what):
        told.append(what[:2])
        other.execute("ROLLBACK")

    hearing = Hearing(LedgerThread(ledger), hindered, 0)
    other.execute("BEGIN IMMEDIATE")
    hearing.hear(heard(web))
    await hearing._task
    other.close()
    assert told == [("waits", 1)]
    assert web.deeds() == [("clicked", "https://shop.example/coats", False)]


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_link_leads_on_while_the_ledger_is_locked(web, tmp_path):
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    web.ledger.store.rows("PRAGMA busy_timeout = 1")
    other.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        assert web.client.get(web.link()).headers["location"] == SHOP
        web.settle()
    other.close()
    assert web.client.get(web.link()).headers["location"] == SHOP
    web.settle()
    assert web.figures() == {"lost": 3, "person": 1}


class Refusing:
    """A ledger's thread that refuses as often as it is told, then is the real one."""

    def __init__(self, ledger, *problems):
        self.ledger, self.problems = LedgerThread(ledger), list(problems)

    async def __call__(self, ask):
        if self.problems:
            raise self.problems.pop(0)
        return await self.ledger(ask)


def heard(web, url=SHOP, **over):
    untracked = Untracked(web.seals[Purpose.CLICK], web.seals[Purpose.OPEN])
    return untracked.click(web.link(url, **over).removeprefix("/c/"), LATER)[1]


async def test_what_the_ledger_does_not_take_is_tried_again_and_said_once(ledger):
    web, told = Web(ledger), []
    hearing = Hearing(Refusing(ledger, PassingError("full"), PassingError("full")), lambda *it: told.append(it), 0)
    hearing.hear(heard(web))
    await hearing._task
    assert web.deeds() == [("clicked", "https://shop.example/coats", False)]
    assert told == [("waits", 1, "full")]
    assert hearing.counted == {"person": 1}


async def test_what_can_never_be_written_is_counted_and_said(ledger):
    web, told = Web(ledger), []
    hearing = Hearing(Refusing(ledger, StoreError("broken")), lambda *it: told.append(it), 0)
    hearing.hear(heard(web))
    await hearing._task
    hearing.hear(heard(web))
    await hearing.settle()
    assert told == [("lost", 1, "broken")]
    assert hearing.counted == {"lost": 1, "person": 1}


async def test_at_the_end_what_still_cannot_be_written_is_counted_and_said(ledger):
    web, told = Web(ledger), []
    hearing = Hearing(Refusing(ledger, *[PassingError("full")] * 9), lambda *it: told.append(it), 60)
    for _ in range(3):
        hearing.hear(heard(web))
    await hearing.settle()
    assert told == [("waits", 3, "full"), ("lost", 3, "full")]
    assert hearing.counted == {"lost": 3}


async def test_what_waits_in_memory_has_an_end(ledger):
    web, told = Web(ledger), []
    hearing = Hearing(Refusing(ledger, *[PassingError("full")] * 9), lambda *it: told.append(it), 60)
    touch = heard(web)
    for _ in range(MOST + 5):
        hearing.hear(touch)
    await hearing.settle()
    assert hearing.counted == {"lost": MOST + 5}
    assert told == [("waits", MOST, "full"), ("lost", MOST + 5, "full")]


async def test_more_than_fit_one_transaction_are_all_written(ledger):
    web = Web(ledger)
    hearing = Hearing(LedgerThread(ledger), lambda *_: None, 60)
    for number in range(2_500):
        hearing.hear(heard(web, user=f"nobody{number}"))
    hearing.hear(heard(web))
    await hearing.settle()
    assert hearing.counted == {"strange": 2_500, "person": 1}
