"""Whether links of messages lead anywhere: each address is asked once, through the guard, and never for longer than it may take."""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import urljoin

from orchestrator.core.times import Clock
from orchestrator.providers import HttpRequest, HttpResponse
from orchestrator.wire import Lost, NotSent, TooLong
from orchestrator.wire.guard import Allowance, RefusedError, Resolver, system_resolver
from orchestrator.wire.http import HttpxEngine

PATIENCE = 5.0
"""Seconds for one address, with all it leads on to."""
AT_ONCE = 8
HOPS = 5
HEAVY = 500_000
"""Bytes of a picture that people on a phone wait for."""

_PUBLIC = Allowance(plain_http=True)
_ONWARDS = frozenset({301, 302, 303, 307, 308})
_WITHOUT_HEAD = frozenset({400, 403, 404, 405, 501})
"""What servers answer to a HEAD that they do not take, and not only to an address that is gone."""
_CLOSED = frozenset({401, 403, 429})
"""Answers that say nothing about what a person's browser would get."""


def check_links(
    urls: Sequence[str], clock: Clock, allow: Allowance = _PUBLIC, resolver: Resolver = system_resolver
) -> Mapping[str, str]:
    """What each address answered, in words: `200`, `dead: 404`, `dead: no address found`, `not asked: …`."""
    return asyncio.run(_all(urls, clock, allow, resolver))


async def _all(urls: Sequence[str], clock: Clock, allow: Allowance, resolver: Resolver) -> Mapping[str, str]:
    engine = HttpxEngine(clock, allow, connections=AT_ONCE, resolver=resolver)
    room = asyncio.Semaphore(AT_ONCE)

    async def one(url: str) -> str:
        async with room:
            return await _ask(engine, url, asyncio.get_running_loop().time() + PATIENCE)

    try:
        return dict(zip(urls, await asyncio.gather(*map(one, urls)), strict=True))
    finally:
        await engine.close()


async def _ask(engine: HttpxEngine, url: str, deadline: float) -> str:
    """What becomes of one address; a server that takes no HEAD is asked with GET."""
    try:
        answer = await _follow(engine, "HEAD", url, deadline)
        if answer.status in _WITHOUT_HEAD:
            answer = await _follow(engine, "GET", url, deadline)
    except RefusedError as problem:
        return f"not asked: {problem}"
    except TooLong as problem:
        return _words(problem.status)
    except (NotSent, Lost) as problem:
        return f"dead: {problem}"
    return _words(answer.status, _weight(answer))


async def _follow(engine: HttpxEngine, method: str, url: str, deadline: float) -> HttpResponse:
    """The answer at the end of a row of redirects, every step of which passes the guard."""
    for _ in range(HOPS):
        answer = await engine.exchange(HttpRequest(method, url, {}, b""), deadline)
        onwards = answer.headers.get("location", "")
        if answer.status not in _ONWARDS or not onwards:
            return answer
        url = urljoin(url, onwards)
    raise Lost(f"leads on more than {HOPS} times")


def _weight(answer: HttpResponse) -> int:
    """Bytes of a picture, 0 of anything else."""
    headers = answer.headers
    picture = headers.get("content-type", "").startswith("image/")
    return int(headers.get("content-length", "0") or 0) if picture else 0


def _words(status: int, weight: int = 0) -> str:
    if status in _CLOSED:
        return f"{status}: closed to programs, look yourself"
    if status >= 400:
        return f"dead: {status}"
    return f"{status}: {weight // 1024} KB, heavy for a picture" if weight > HEAVY else str(status)
