"""The project under proof: real files, people and consent, one marketing campaign, and one provider at the sink."""

import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from orchestrator import app
from orchestrator.audience.importing import Order, import_file
from orchestrator.audience.mapping import What
from orchestrator.core.nouns import Channel
from orchestrator.core.times import Instant
from orchestrator.ledger import ConsentChange, Ledger, consent
from orchestrator.providers import Declaration, declaration_for, registry

CAMPAIGN, TOPIC, LIVE = "proof", "offers", "live"
SECRET = "whsec_" + b64encode(b"a secret of the proof, no one else's").decode()

_FILES = {
    "config/orchestrator.yaml": """\
project: proof
time_zone: UTC
locales: [en]
public_url: https://go.shop.example
stores: {{ledger: "${{env:PROOF_LEDGER}}", audience: "duckdb:data/audience.duckdb"}}
environments:
  live: {{deliver: everyone}}
providers:
  sink: {provider}
route:
  {channel}: [sink]
senders:
  offers: {{from: Shop <hello@news.shop.example>, postal: "Shop GmbH, Ring 1, 1010 Wien"}}
topics:
  offers: {{label: Offers and news, consent: opt_in}}
""",
    "config/data.yaml": """\
attributes: {{email: email, firstName: text, points: number}}
events:
  purchase: {{amount: number}}
""",
    "config/segments/everyone.yaml": """\
about: Everybody with points
all: [{{attribute: points, at_least: 0}}]
""",
    "config/campaigns/proof.yaml": """\
about: A message to everybody, again and again
owner: crm@shop.example
state: live
kind: marketing
topic: offers
audience: [everyone]
channels: {{first_of: [{channel}]}}
repeat: always
on_ambiguous: {on_ambiguous}
""",
    "templates/proof/_default/push.yaml": """\
title: "Dear {{{{ userAttribute.firstName }}}}, it is {{{{ now | date('yyyy-MM-dd HH:mm:ss') }}}}"
body: "You have {{{{ userAttribute.points }}}} points."
""",
    "templates/proof/_default/email.html": """\
---
from: offers
subject: "Dear {{{{ userAttribute.firstName }}}}, it is {{{{ now | date('yyyy-MM-dd HH:mm:ss') }}}}"
---
<p>You have {{{{ userAttribute.points }}}} points.</p>
<p>{{{{ sender.postal }}}} · <a href="{{{{ unsubscribe_url }}}}">Unsubscribe</a></p>
""",
}


@dataclass(frozen=True, slots=True)
class Door:
    """A way out: the channel, the adapter and its settings, as the project's files name them."""

    channel: Channel
    adapter: str
    settings: dict[str, str]

    @property
    def declaration(self) -> Declaration:
        """What the provider promises under these settings."""
        return declaration_for(registry.provider(self.adapter), self.settings)


def door(name: str, policy: str, port: int) -> Door:
    """`mail` or `webhook` at this port; only a webhook under `keys` knows a message again."""
    if name == "mail":
        return Door(Channel.EMAIL, "smtp", {"host": "127.0.0.1", "port": str(port), "security": "none"})
    life = "24 hours" if policy == "keys" else "none"
    settings = {"url": f"http://127.0.0.1:{port}/hook", "secret": SECRET, "key_life": life}
    return Door(Channel.PUSH, "webhook", settings)


def users(people: int) -> list[str]:
    """The ids of so many people."""
    return [f"u{number:07d}" for number in range(people)]


def write_files(root: Path, way: Door, policy: str) -> None:
    """The files of the project; the secret stands in the environment, as it must."""
    provider = {"adapter": way.adapter, **way.settings}
    if "secret" in provider:
        provider["secret"] = "${env:PROOF_SECRET}"
    filled = {
        "provider": json.dumps(provider),
        "channel": way.channel.value,
        "on_ambiguous": "resend" if policy == "resend" else "hold",
    }
    unused = "push.yaml" if way.channel is Channel.EMAIL else "email.html"
    for name, content in _FILES.items():
        if not name.endswith(unused):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content.format(**filled), encoding="utf-8")


def bring_people(opened: app.Opened, ledger: Ledger, way: Door, people: int, now: Instant) -> None:
    """Everybody with an address and their consent, through the product's own import."""
    known = opened.project.catalogue.known
    rows = {
        What.PROFILES: [
            {"user_id": user, "email": f"{user}@sink.example", "firstName": f"N{user}", "points": number}
            for number, user in enumerate(users(people))
        ],
        What.DEVICES: [{"user_id": user, "token": f"{user}@sink.example", "platform": "ios"} for user in users(people)],
    }
    for what, lines in rows.items():
        file = opened.root / f"{what}.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        came = import_file(app.own_audience(opened), Order(what, file, now, known))
        if came.rejected:
            raise RuntimeError(f"{came.rejected} rows of {file} were not taken; the reasons are in {came.rejects}")
    ledger.change_consent(ConsentChange(user, way.channel, TOPIC, True, now, "proof") for user in users(people))
    consent.tell_no_suppressions(ledger.store, now)
