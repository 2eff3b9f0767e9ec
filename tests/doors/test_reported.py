"""Providers' reports from door to screen: a daemon hears them, the loader takes them in, and every verb says what they say."""

import asyncio
import json

import httpx
from typer.testing import CliRunner

from orchestrator import planner
from orchestrator.cli.main import app as command_line
from orchestrator.cli.main import hoisted
from orchestrator.core.callbacks import tag
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.daemon.loading import Loading
from orchestrator.daemon.supervisor import Serving, Supervisor
from orchestrator.providers.reports import pieces
from orchestrator.web.face import listen
from tests.doors.shop import Shop
from tests.doors.test_mail_services import SERVICES, a_shop_with
from tests.mail import a_free_port
from tests.post_office import Reply

PUBLIC = "https://go.shop.example"


def said(shop, *words, as_json=True):
    """What the command line says: to a program, or to people."""
    front = ["-C", str(shop.root), "--env", "live", *(["--json"] if as_json else [])]
    done = CliRunner().invoke(command_line, hoisted([*front, *words]))
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if as_json else done.stdout


async def posted(shop, path, *bodies):
    """What a daemon's own face answers; it serves just so long."""
    port = a_free_port()
    daemon = Supervisor(
        Serving(shop.root, "live", 0, "127.0.0.1", port), shop.opened, shop.clock, None, listen("127.0.0.1", port)
    )
    running = asyncio.create_task(daemon.run())
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        codes = [(await client.post(path, json=body)).status_code for body in bodies]
    daemon._stop()
    assert await running == 0
    return codes


def test_a_doubt_a_bounce_and_a_delivery_as_postmark_reports_them(tmp_path, monkeypatch):
    postmark = SERVICES["postmark"]

    def answer(who, number):
        return Reply(0) if who == "lost" else postmark.taken(number)

    people = dict.fromkeys(("ada", "bo", "lost", "quiet"), "Zoë")
    with a_shop_with(postmark, answer, tmp_path, monkeypatch, **people) as (shop, _):
        run = shop.ledger.store.rows("SELECT DISTINCT run FROM delivery")[0][0]

        def report(user, kind, **more):
            key = DeliveryKey(run, user, Channel.EMAIL)
            about = {"RecordType": kind, "Recipient": f"{user}@mail.example", "Email": f"{user}@mail.example"}
            return {**about, "Metadata": pieces(tag(key), 80), **more}

        [one] = said(shop, "callbacks")["providers"]
        assert one["url"].startswith(f"{PUBLIC}/v1/callbacks/")
        codes = asyncio.run(
            posted(
                shop,
                one["url"].removeprefix(PUBLIC),
                report("ada", "Delivery"),
                report("bo", "Bounce", Type="HardBounce", Details="550 no such user"),
                report("lost", "Delivery"),
                {"RecordType": "Fax"},
            )
        )
        assert codes == [200, 200, 200, 400]
        Loading(lambda: shop.opened, shop.clock).once(shop.ledger)  # what the daemon's own had no time for
        assert said(shop, "callbacks")["waiting"] == 0
        states = dict(shop.ledger.store.rows("SELECT user_id, state FROM delivery"))
        assert states == {"ada": "delivered", "bo": "bounced", "lost": "delivered", "quiet": "accepted"}

        numbers = said(shop, "report", "spring")[0]["people"]
        assert (numbers["reached"], numbers["failed"], numbers["in_doubt"]) == (3, 1, 0)
        whole = said(shop, "why", "spring", "bo", as_json=False)
        assert "got nothing, for it came back: HardBounce 550 no such user" in whole
        assert "delivered" in said(shop, "why", "spring", "ada", as_json=False)
        assert [row["state"] for row in said(shop, "deliveries", "--user", "bo")] == ["bounced"]

        again = shop.fire(occurrence="another")
        planner.plan_run(shop.opened, shop.ledger, again, shop.clock)
        shop.drain()
        rows = dict(shop.ledger.store.rows("SELECT user_id, reason FROM delivery WHERE run = ?", (again.id,)))
        assert rows["bo"] == "suppressed"


def test_whoever_has_no_such_provider_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_LEDGER", f"sqlite:{tmp_path}/data/ledger.db")
    Shop(tmp_path).ledger.close()
    done = CliRunner().invoke(command_line, ["-C", str(tmp_path), "callbacks"])
    assert (done.exit_code, "none of the providers" in done.stdout) == (0, True)
