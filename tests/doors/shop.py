"""A small shop: its files, the people in its audience, and a clock that stands where a test puts it."""

import asyncio
import json
from pathlib import Path

from orchestrator import app
from orchestrator.audience import Arrival, Arriving, load
from orchestrator.bundles import Bundles
from orchestrator.core.nouns import Channel, OnAmbiguous
from orchestrator.core.times import DAY, Instant
from orchestrator.ledger import ConsentChange, NewRun, runs
from orchestrator.pipeline import LedgerThread, Parts, work

NOON = Instant(1_772_449_200_000_000)
"""2 March 2026, 12:00 in Vienna."""

FILES = {
    "config/orchestrator.yaml": """\
project: shop
time_zone: Europe/Vienna
locales: [en]
public_url: https://go.shop.example
stores:
  ledger: "${env:SHOP_LEDGER}"
  audience: duckdb:data/audience.duckdb
providers:
  mail: {adapter: smtp, host: 127.0.0.1, port: 1, security: none}
route: {email: [mail]}
senders:
  offers: {from: Shop <hello@shop.example>, postal: "Ring 1, 1010 Wien"}
topics:
  offers: {label: Offers, consent: opt_in}
""",
    "config/data.yaml": """\
attributes: {email: email, firstName: text, country: text}
events:
  app_open: {}
  purchase: {amount: number, currency: text}
revenue: purchase.amount
""",
    "config/segments/austrians.yaml": "about: They live in Austria\nall:\n  - {attribute: country, is: AT}\n",
    "config/segments/swiss.yaml": "about: They live in Switzerland\nall:\n  - {attribute: country, is: CH}\n",
    "config/segments/staff.yaml": "about: Us\nall:\n  - {event: purchase, where: {currency: STAFF}}\n",
    "config/campaigns/spring.yaml": """\
about: Spring is here
state: live
kind: marketing
topic: offers
audience: [austrians, swiss]
exclude: [staff]
channels: {first_of: [email]}
schedule: {every: day at 12:00}
repeat: always
goal: {event: purchase, within: 7 days, where: {currency: EUR}}
expires: 48 hours
""",
    "templates/spring/_default/email.html": """\
---
from: offers
subject: "{{ userAttribute.firstName }}, spring is here"
---
<p>Since {{ lastOccurrenceOf['app_open'] | default('never') }}. <a href="{{ unsubscribe_url }}">No more</a></p>
""",
    "templates/spring/swiss/email.html": '---\nfrom: offers\nsubject: "Grüezi {{ userAttribute.firstName }}"\n---\n<p>Hello. <a href="{{ unsubscribe_url }}">No more</a></p>\n',
}


class Standing:
    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


class Shop:
    """The shop on this machine: nothing leaves it, what is sent lands in its sink."""

    def __init__(self, root: Path, files=FILES, at=NOON, environment="dev"):
        self.root, self.clock, self.batches = root, Standing(at), 0
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.opened = app.open_project(root, environment)
        self.ledger = self.opened.ledger()
        self.ledger.begin_boot("test", self.clock.now())

    @property
    def audience(self):
        return app.own_audience(self.opened)

    def load(self, *arrivals: Arrival):
        self.batches += 1
        catalogue = self.opened.project.catalogue.known
        return load(self.audience, self.batches, arrivals, catalogue, "Europe/Vienna")

    def people(self, country="AT", **names):
        """People who want mail: user=first name."""
        self.load(
            *(is_(user, email=f"{user}@mail.example", firstName=name, country=country) for user, name in names.items())
        )
        self.ledger.change_consent(
            [ConsentChange(user, Channel.EMAIL, "offers", True, Instant(NOON - DAY), "test") for user in names]
        )

    def fire(self, campaign="spring", occurrence="2026-03-02T12:00[Europe/Vienna]"):
        now = self.clock.now()
        version = runs.keep_bundle(self.ledger.store, self.opened.files, now)
        return self.ledger.fire(NewRun(campaign, occurrence, version, now, OnAmbiguous.HOLD), now)[0]

    def drain(self):
        """Be a worker until nothing is due; how many shards that were."""

        async def inside():
            bundles = Bundles(self.opened.project.environment, self.clock.now())
            held = LedgerThread(self.ledger)
            parts = Parts(held, app.dispatch(self.opened, self.clock, lambda: 0.5), bundles.prepare_shard)
            worked = 0
            while (shard := await held(lambda ledger: ledger.claim(self.clock.now()))) is not None:
                await work(shard, parts, self.clock)
                worked += 1
            await parts.dispatch.close()
            held._thread.shutdown()
            return worked

        return asyncio.run(inside())

    def subjects(self):
        sink = self.root / "data" / "sink" / "email.jsonl"
        lines = sink.read_text().splitlines() if sink.exists() else []
        return {line["user"]: line["content"]["subject"] for line in map(json.loads, lines)}

    def rows(self):
        found = self.ledger.store.rows("SELECT user_id, state, reason FROM delivery ORDER BY user_id")
        return {user: (state, reason) if reason else state for user, state, reason in found}


def is_(user, at=NOON, **attributes):
    return Arrival(Arriving.PROFILE, user, f"p-{user}-{at}", Instant(at), body=attributes)


def did(user, event, at, **properties):
    return Arrival(Arriving.EVENT, user, f"{event}-{user}-{at}", Instant(at), event, properties)
