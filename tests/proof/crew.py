"""The crew under proof: a supervisor that keeps worker processes alive, each the product's own worker, ledger and wire.

Only the words of the messages are made here, in place of templates: what is proved is the way of a message from the claim
of its shard to its settlement, and every part on that way is the product's.

    python -m tests.proof.crew --ledger sqlite:/somewhere/ledger.db --door mail --port 2525 --policy hold --workers 2
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvloop

from orchestrator.core.campaigns import Campaign, CampaignState, Consent, Kind, Policy
from orchestrator.core.nouns import Channel, Content, EmailContent, WebhookContent
from orchestrator.core.times import Clock, Instant
from orchestrator.dispatch import Dispatch, Lane
from orchestrator.ledger import Ledger, Shard
from orchestrator.pipeline import LedgerThread, Letter, Parts, Prepared, Unwritten
from orchestrator.providers import Declaration, declaration_for
from orchestrator.providers.smtp import Smtp, mail_server
from orchestrator.providers.webhook import Webhook
from orchestrator.wire.http_rust import RustEngine
from orchestrator.wire.smtp import SmtpEngine
from orchestrator.worker import Worker

CAMPAIGN = "proof"
CONNECTIONS = 64
WEBHOOK_SECRET = "whsec_" + b64encode(b"a secret of the proof, no one else's").decode()


class KeyedSmtp(Smtp):
    """A mail service that knows a Message-ID again for a day, as services with an idempotency key do."""

    declaration = replace(Smtp.declaration, key_life=86_400)


class WallClock:
    """The machine's clock."""

    def now(self) -> Instant:
        """The present moment."""
        return Instant(time.time_ns() // 1000)


class PlainLetters:
    """A short message for everybody, the same bytes whenever it is written."""

    def render(self, letters: Iterable[Letter]) -> Iterator[Content | Unwritten]:
        """One content for each letter, made when it is asked for."""
        for letter in letters:
            text = f"Dear {letter.person.user}, this is {letter.id}."
            if letter.key.channel is Channel.WEBHOOK:
                yield WebhookContent("proof.sent", {"text": text})
            else:
                yield EmailContent("Proof <proof@shop.example>", "A proof", f"<p>{text}</p>", text)


@dataclass(frozen=True, slots=True)
class Door:
    """A way out under proof: the channel, the provider's adapter and its settings at the sink."""

    channel: Channel
    adapter: Smtp | Webhook
    credentials: Mapping[str, str]

    @property
    def declaration(self) -> Declaration:
        """What the provider promises under these settings."""
        return declaration_for(self.adapter, self.credentials)

    def lane(self, clock: Clock) -> Lane:
        """A lane of this process, with the engine the product uses for it."""
        if isinstance(self.adapter, Webhook):
            engine: Any = RustEngine(clock)
        else:
            engine = SmtpEngine(mail_server(self.credentials), connections=CONNECTIONS)
        return Lane(self.adapter, engine, self.credentials, clock)


def door(name: str, policy: str, port: int) -> Door:
    """`mail` or `webhook` at this port; under `keys` the provider knows a message again, else it does not."""
    keyed = policy == "keys"
    if name == "mail":
        return Door(Channel.EMAIL, KeyedSmtp() if keyed else Smtp(), {"host": "127.0.0.1", "port": str(port)})
    life = "24 hours" if keyed else "none"
    return Door(
        Channel.WEBHOOK,
        Webhook(),
        {"url": f"http://127.0.0.1:{port}/hook", "secret": WEBHOOK_SECRET, "key_life": life},
    )


def prepare(_ledger: Ledger, shard: Shard) -> Prepared:
    """The campaign under proof, on the channel its people have an address on."""
    channel = next(iter(shard.people[0].addresses))
    policy = Policy(time_zone="UTC", consent=Consent.NONE, expires=None, on_ambiguous=shard.on_ambiguous)
    campaign = Campaign(
        name=CAMPAIGN,
        channels=(channel,),
        policy=policy,
        kind=Kind.TRANSACTIONAL,
        state=CampaignState.LIVE,
        audience=("everyone",),
        routes={channel: ("smtp" if channel is Channel.EMAIL else "webhook",)},
    )
    return Prepared(campaign, PlainLetters())


async def work(options: argparse.Namespace) -> None:
    """Be a worker until told to stop."""
    stopping, clock = asyncio.Event(), WallClock()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    ledger = Ledger.open(options.ledger, Path.cwd())
    ledger.begin_boot("worker", clock.now())
    lane = door(options.door, options.policy, options.port).lane(clock)
    parts = Parts(LedgerThread(ledger), Dispatch([lane], clock, random.Random(options.seed).random), prepare)
    await Worker(parts, clock).run(stopping)
    await parts.dispatch.close()
    await parts.ledger(lambda held: held.end_boot(clock.now()))
    parts.ledger.close()


def supervise(options: argparse.Namespace) -> int:
    """Keep the workers alive; on SIGTERM let them finish and answer with the worst of their exit codes."""
    command = [sys.executable, "-m", "tests.proof.crew", *sys.argv[1:], "--worker"]
    told = False

    def tell(*_: object) -> None:
        nonlocal told
        told = True
        for process in workers:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)

    workers: list[subprocess.Popen[bytes]] = []
    signal.signal(signal.SIGTERM, tell)
    parent = os.getppid()
    workers.extend(subprocess.Popen(command) for _ in range(options.workers))
    while not told and os.getppid() == parent:
        for place, process in enumerate(workers):
            if process.poll() is not None and not told:
                workers[place] = subprocess.Popen(command)
        time.sleep(0.02)
    tell()
    # A worker told to end before it had begun dies of the signal itself: it held nothing, so that is in good order.
    return max((abs(code) for code in [process.wait() for process in workers] if code != -signal.SIGTERM), default=0)


def main() -> int:
    """Be the supervisor, or one worker of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.crew", description=__doc__)
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--door", choices=["mail", "webhook"], default="mail")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--policy", choices=["keys", "hold", "resend"], required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--worker", action="store_true", help="be a worker, not the supervisor")
    options = parser.parse_args()
    if not options.worker:
        return supervise(options)
    uvloop.run(work(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
