"""A click on its way: sent over a real mail server, read from the mail, followed at the web face, found by a segment."""

import asyncio
import email
import email.policy
import http.client
import json
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from orchestrator import planner
from orchestrator.bundles import Topics
from orchestrator.cli.main import app as command_line
from orchestrator.core.times import DAY, HOUR
from orchestrator.daemon.supervisor import Serving, Supervisor
from orchestrator.ledger import Purpose
from orchestrator.pipeline import LedgerThread, Mirrors
from orchestrator.web import Health, Seals, Tracking, site
from orchestrator.web.face import listen
from tests.doors.shop import FILES, Shop
from tests.mail import Mailbox, a_free_port, mail_server
from tests.web.test_tracking import SAFARI

SETTINGS, SPRING, MAIL = (
    "config/orchestrator.yaml",
    "config/campaigns/spring.yaml",
    "templates/spring/_default/email.html",
)
OURS = "https://go.shop.example"
BODY = """\
---
from: offers
subject: "{{ userAttribute.firstName }}, spring is here"
---
<html><body><p>Hi. <a href="https://shop.example/coats?who={{ user_id }}&amp;from=mail">Coats</a>
{% for size in ["s", "m"] %}<a href="https://shop.example/{{ size }}">{{ size }}</a>{% endfor %}
<a href="mailto:help@shop.example">Help</a> <a href="{{ unsubscribe_url }}">No more</a></p></body></html>
"""
CLICKERS = "about: They followed a link\nall:\n  - {message: clicked, campaign: spring}\n"
OPENERS = "about: They opened it\nall:\n  - {message: opened, campaign: spring}\n"


def files(port, deliver="everyone", tracking="{clicks: true, opens: true}"):
    settings = FILES[SETTINGS].replace("port: 1,", f"port: {port},")
    own = f"environments:\n  live: {{deliver: {deliver}}}\nseeds: lists/seeds.csv\ntracking: {tracking}\n"
    return {
        **FILES,
        SETTINGS: settings + own,
        SPRING: FILES[SPRING].replace("every: day at 12:00", "once: 2099-01-01 12:00"),
        MAIL: BODY,
        "config/segments/clickers.yaml": CLICKERS,
        "config/segments/openers.yaml": OPENERS,
        "lists/seeds.csv": "user_id\nada\n",
    }


class Live:
    """The shop in an environment with a real mail server, and its web face."""

    def __init__(self, root, port, box, **over):
        self.shop, self.box = Shop(root, files(port, **over), environment="live"), box
        self.shop.people(ada="Ada", bo="Bo")
        self.call("import", "suppressions", "--none")
        ledger, now = self.shop.ledger, self.shop.clock.now()
        made = {purpose: ledger.seal(purpose, now) for purpose in Purpose}
        thread = LedgerThread(ledger)
        self.tracking = Tracking(thread, made[Purpose.CLICK], made[Purpose.OPEN], self.shop.clock)

        async def health():
            return Health(well=True)

        async def nothing_else():
            return b""

        seals = Seals(made[Purpose.UNSUBSCRIBE], made[Purpose.INBOX])
        face = site(thread, seals, {}, self.shop.clock, health, nothing_else, tracking=self.tracking)
        self.web = TestClient(face, follow_redirects=False, headers={"user-agent": SAFARI})

    def send(self):
        run = self.shop.fire(occurrence=str(self.shop.clock.now()))
        planner.plan_run(self.shop.opened, self.shop.ledger, run, self.shop.clock)
        self.shop.drain()
        self.shop.clock.at = self.shop.clock.now() + HOUR
        return run

    def mail(self, user):
        """The parts of the mail somebody got: HTML and text."""
        [envelope] = [one for one in self.box.mails if one.rcpt_tos == [f"{user}@mail.example"]]
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        return [message.get_body([kind]).get_content() for kind in ("html", "plain")]

    def call(self, *words):
        done = CliRunner().invoke(command_line, ["-C", str(self.shop.root), "-e", "live", *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    def settle(self):
        """Everything that was heard reaches the segments."""
        self.web.portal.call(self.tracking.settle)
        mirrors = Mirrors(Topics("live"))
        while (step := mirrors.once(self.shop.ledger, lambda: self.shop.audience)) is not None and step.more:
            pass

    def found(self, segment):
        return json.loads(self.call("--json", "segment", "sample", segment, "-n", "10"))["users"]


@pytest.fixture
def live(tmp_path, ledger_url, monkeypatch):
    """Opens the shop, with a mail server that lives as long as the test."""
    monkeypatch.setenv("SHOP_LEDGER", ledger_url)
    box, opened = Mailbox(), []
    with mail_server(box) as port:

        def open_it(**over):
            opened.append(Live(tmp_path, port, box, **over))
            opened[-1].web.__enter__()
            return opened[-1]

        yield open_it
        for one in opened:
            one.web.__exit__(None, None, None)
            one.shop.ledger.close()


def links(html, way="c"):
    return re.findall(rf'"{OURS}(/{way}/[^"]+)"', html)


def test_a_click_in_a_mail_leads_to_the_page_and_into_the_segment(live):
    shop = live()
    shop.send()
    html, text = shop.mail("ada")
    coats, *_ = links(html)
    assert len(links(html)) == 3
    assert "https://shop.example/coats?who=ada&from=mail" in text
    assert OURS + "/c/" not in text
    answer = shop.web.get(coats)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/coats?who=ada&from=mail")
    shop.settle()
    assert shop.found("clickers") == ["ada"]
    assert shop.found("openers") == []


def test_an_opened_mail_finds_its_reader_and_a_machine_finds_nobody(live):
    shop = live()
    shop.send()
    [picture] = links(shop.mail("ada")[0], "o")
    [ahead] = links(shop.mail("bo")[0], "o")
    assert shop.web.get(picture).headers["content-type"] == "image/gif"
    assert shop.web.get(ahead, headers={"user-agent": "Mozilla/5.0"}).status_code == 200
    for link in links(shop.mail("bo")[0]):
        shop.web.get(link)
    shop.settle()
    assert shop.found("openers") == ["ada"]
    assert shop.found("clickers") == []


def test_why_tells_which_link_it_was_and_what_a_machine_did(live):
    shop = live()
    shop.send()
    coats, *_ = links(shop.mail("ada")[0])
    shop.web.get(coats)
    shop.settle()
    shop.shop.clock.at += DAY
    shop.web.get(coats, headers={"user-agent": "curl/8.5.0"})
    shop.settle()
    [row] = json.loads(shop.call("--json", "why", "spring", "ada"))["rows"]
    assert [(one["deed"], one["link"], one["machine"]) for one in row["deeds"]] == [
        ("clicked", "https://shop.example/coats", False),
        ("clicked", "https://shop.example/coats", True),
    ]
    said = shop.call("why", "spring", "ada")
    assert "clicked: https://shop.example/coats\n" in said
    assert "clicked by a machine: https://shop.example/coats\n" in said


def test_who_looks_at_somebodys_mail_clicks_and_opens_nothing_for_them(live):
    shop = live()
    run = shop.send()
    seen = json.loads(shop.call("--json", "show", f"{run.id}/ada/email"))
    assert seen["how"] == "same"
    assert "is no click of theirs" in seen["why"]
    for page in (seen["content"]["html"], Path(seen["page"]).read_text()):
        assert 'href="https://shop.example/coats?who=ada&amp;from=mail"' in page
        assert links(page) == links(page, "o") == []


def test_a_test_message_leads_on_and_nobody_hears_of_it(live):
    shop = live()
    shop.send()
    shop.box.mails.clear()
    shop.call("send", "spring", "--test", "ada@mail.example", "--as", "ada")
    html, _ = shop.mail("ada")
    for link in (*links(html), *links(html, "o")):
        assert shop.web.get(link).status_code in (302, 200)
    shop.settle()
    assert len(links(html)) == 3
    assert shop.shop.ledger.store.rows("SELECT * FROM deed") == []


@pytest.mark.parametrize(
    "over", [{"deliver": "seeds"}, {"tracking": "{clicks: false}"}], ids=["seeds", "not asked for"]
)
def test_elsewhere_links_are_as_they_were_written(live, over):
    shop = live(**over)
    shop.send()
    html, _ = shop.mail("ada")
    assert links(html) == links(html, "o") == []
    assert 'href="https://shop.example/coats?who=ada&amp;from=mail"' in html


def test_a_mail_that_is_seen_before_it_leaves_has_the_links_of_its_template(live):
    shop = live()
    shop.call("preview", "spring", "--as", "ada", "--html", str(shop.shop.root / "page.html"))
    page = (shop.shop.root / "page.html").read_text()
    assert "shop.example/coats" in page
    assert f"{OURS}/c/" not in page


def followed(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"User-Agent": SAFARI})
    answer = connection.getresponse()
    connection.close()
    return answer.status, answer.headers["Location"]


async def test_the_daemon_leads_on_and_writes_what_it_heard_before_it_ends(live):
    opened = await asyncio.to_thread(live)
    run = await asyncio.to_thread(opened.send)
    coats, *_ = links(opened.mail("ada")[0])
    shop, port = opened.shop, a_free_port()
    doors = listen("127.0.0.1", port)
    daemon = Supervisor(Serving(shop.root, "live", 0, "127.0.0.1", port), shop.opened, shop.clock, None, doors)
    running = asyncio.create_task(daemon.run())
    answer = await asyncio.to_thread(followed, port, coats)
    assert answer == (302, "https://shop.example/coats?who=ada&from=mail")
    daemon._stop()
    assert await running == 0
    assert shop.ledger.store.rows("SELECT run, user_id, deed, machine FROM deed") == [(run.id, "ada", "clicked", 0)]
