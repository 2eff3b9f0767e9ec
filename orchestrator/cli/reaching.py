"""Knocking at providers: is somebody there, and do they take our credentials? No message is sent."""

import asyncio
from collections.abc import Sequence
from typing import cast

import uvloop

from orchestrator import app
from orchestrator.cli.checkup import Finding
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.outcomes import Outcome, Pause
from orchestrator.providers import Adapter, Credentials, HttpRequest, KnockingAdapter, TokenAdapter, Transport, registry
from orchestrator.providers.answers import complaint
from orchestrator.providers.smtp import mail_server
from orchestrator.wire import WireError
from orchestrator.wire.clock import WallClock
from orchestrator.wire.http import HttpxEngine
from orchestrator.wire.smtp import SmtpEngine
from orchestrator.wire.smtp_replies import Unwelcome
from orchestrator.wire.tokens import Tokens

PATIENCE = 10.0
"""Seconds a provider has to answer."""


def reach_all(opened: app.Opened, names: Sequence[str]) -> list[Finding]:
    """One finding for each of these providers, all asked at once."""
    return uvloop.run(_all(opened, names))


async def _all(opened: app.Opened, names: Sequence[str]) -> list[Finding]:
    return list(await asyncio.gather(*(_one(opened, name) for name in names)))


async def _one(opened: app.Opened, name: str) -> Finding:
    what = f"provider {name} online"
    provider = opened.project.settings.providers[name]
    try:
        async with asyncio.timeout(PATIENCE):
            return Finding(what, *await _knock(provider.adapter, provider.credentials(opened.secrets)))
    except TimeoutError:
        return Finding(what, False, f"no answer within {PATIENCE:.0f} seconds")
    except Unwelcome as problem:
        return Finding(what, False, f"refused: {problem}")
    except (WireError, OrchestratorError) as problem:
        return Finding(what, False, str(problem))


async def _knock(adapter_name: str, credentials: Credentials) -> tuple[bool, str]:
    adapter = registry.provider(adapter_name)
    if adapter.declaration.transport is Transport.SMTP:
        server = mail_server(credentials)
        post = SmtpEngine(server, connections=1)
        try:
            await post.knock()
        finally:
            await post.close()
        return True, f"{server.host}:{server.port} " + ("takes the log-in" if server.user else "is there")
    if adapter.declaration.transport not in (Transport.HTTP, Transport.HTTP2):
        return True, "is here, on this machine"
    if adapter.declaration.foreign:
        return True, "is asked where each address says, so there is nobody to knock at"
    return await _knock_by_http(adapter, credentials)


async def _knock_by_http(adapter: Adapter, credentials: Credentials) -> tuple[bool, str]:
    engine = HttpxEngine(WallClock(), http2=adapter.declaration.transport is Transport.HTTP2)
    try:
        if hasattr(adapter, "grant"):
            answer = await Tokens(cast("TokenAdapter", adapter), engine, credentials, WallClock()).current()
            return (True, "takes the credentials") if isinstance(answer, str) else (False, _words(answer))
        if hasattr(adapter, "knock"):
            question = cast("KnockingAdapter", adapter).knock(credentials, WallClock().now())
            told = await engine.exchange(question, asyncio.get_running_loop().time() + PATIENCE)
            return (True, "takes the credentials") if 200 <= told.status < 300 else (False, complaint(told))
        known = {**{one.name: one.default for one in adapter.declaration.settings}, **credentials}
        url = next((value for value in known.values() if value.startswith(("https://", "http://"))), "")
        if not url:
            return True, "names no address that could be knocked at"
        deadline = asyncio.get_running_loop().time() + PATIENCE
        response = await engine.exchange(HttpRequest("HEAD", url, {}, b""), deadline)
        return response.status < 500, f"answers {response.status}"
    finally:
        await engine.close()


def _words(outcome: Outcome) -> str:
    return (
        outcome.detail if isinstance(outcome, Pause) else f"{type(outcome).__name__}: {getattr(outcome, 'detail', '')}"
    )
