"""The web face of a daemon, put together: links of e-mails, the in-app inbox, events and providers' reports, health and metrics."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from orchestrator import app
from orchestrator.core.times import Clock
from orchestrator.ledger import Purpose
from orchestrator.pipeline import LedgerThread
from orchestrator.providers import HttpRequest, hears, registry
from orchestrator.web import Callbacks, Health, Listening, Seals, Tracking, site
from orchestrator.web.face import Face
from orchestrator.wire import Lost, NotSent
from orchestrator.wire.http import HttpxEngine

PATIENCE = 10.0
"""Seconds that a service has to answer when it wants to be asked whether we are there."""


class Facing(NamedTuple):
    """The face, and what it heard and the ledger may not know yet."""

    face: Face
    tracking: Tracking


async def open_face(
    ledger: LedgerThread,
    opened: Callable[[], app.Opened],
    clock: Clock,
    health: Callable[[], Awaitable[Health]],
    metrics: Callable[[], Awaitable[bytes]],
    doors: Sequence[socket.socket],
    fell: Callable[[str], None],
) -> Facing:
    """Serve on these sockets. `opened` is the project in force; `fell` is told when the face ends."""
    now = clock.now()
    made = await ledger(lambda ours: {purpose: ours.seal(purpose, now) for purpose in Purpose})
    seals = Seals(made[Purpose.UNSUBSCRIBE], made[Purpose.INBOX], made[Purpose.WRITE])
    tracking = Tracking(ledger, made[Purpose.CLICK], made[Purpose.OPEN], clock)
    callbacks = Callbacks(
        ledger,
        made[Purpose.CALLBACK],
        lambda: opened().project.settings.public_url,
        lambda: listening(opened()),
        lambda url: confirm(url, clock),
        clock,
    )
    labels = {name: topic.label for name, topic in opened().project.settings.topics.items()}
    asked = (health, metrics, lambda: app.elsewhere(opened()))
    made_site = site(ledger, seals, labels, clock, *asked, tracking=tracking, callbacks=callbacks)
    return Facing(Face(made_site, doors, fell), tracking)


def listening(opened: app.Opened) -> Mapping[str, Listening]:
    """The providers of the settings whose services tell us later what became of messages, by their names there.

    Those of an environment that sends to a sink too: a report may be late. One whose secrets are missing is not listened to.
    """
    found = {}
    for name, provider in opened.project.settings.providers.items():
        adapter = registry.provider(provider.adapter)
        missing = any(setting.missing(opened.secrets) for setting in provider.settings.values())
        if hears(adapter) and not missing:
            found[name] = Listening(adapter, provider.credentials(opened.secrets))
    return found


async def confirm(url: str, clock: Clock) -> str:
    """Ask a URL that a service gave; why that did not work, empty if it did. Inner networks are not asked."""
    engine = HttpxEngine(clock)
    try:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        answer = await engine.exchange(HttpRequest("GET", url, {}, b""), deadline)
    except (NotSent, Lost) as problem:
        return str(problem)
    finally:
        await engine.close()
    return "" if 200 <= answer.status < 300 else f"it answered {answer.status}"
