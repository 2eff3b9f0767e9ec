"""The page of previews on this machine alone: its pieces, each message in a sandbox of its own, and word of every new edition.

It shows somebody's data: only who knows the path can ask, and only under the machine's own name, so that no web page
elsewhere can have a browser ask for it.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from orchestrator.rendering import Preview
from orchestrator.rendering.page import (
    AS_IT_IS,
    AS_THE_SYSTEM,
    IN_THE_DARK,
    PLAIN,
    SCRIPT,
    STYLE,
    WITH_PICTURES,
    Serving,
    asset,
    message,
    page,
)

HOSTS = ("127.0.0.1", "localhost", "[::1]")
_ALWAYS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https: http:; connect-src 'self';"
    " frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Pictures of messages are the only thing from elsewhere, and the page asks for them only once somebody has."""
_MESSAGE = "sandbox; {policy}; base-uri 'self'; form-action 'none'; frame-ancestors 'self'"


class Editions:
    """The newest preview, by number; whoever waits hears of the next one. `close` ends their waiting."""

    def __init__(self, first: Preview) -> None:
        self.preview = first
        self.number = 1
        self.closed = False
        self._news = asyncio.Event()

    def publish(self, preview: Preview) -> None:
        """Show another one, if it is another one."""
        if preview != self.preview:
            self.preview = preview
            self.number += 1
            self._tell()

    def close(self) -> None:
        """There will be no more."""
        self.closed = True
        self._tell()

    async def after(self, number: int) -> int:
        """The number of an edition that is newer than this one, as soon as there is one; the same number at the end."""
        while self.number == number and not self.closed:
            await self._news.wait()
        return self.number

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


def preview_site(editions: Editions) -> tuple[Starlette, str]:
    """The ASGI application, and the path of its page; no other path says anything."""
    secret, shown = secrets.token_urlsafe(9), _Page(editions)
    routes = [
        Route("/", shown.whole, methods=["GET"]),
        Route("/events", shown.events, methods=["GET"]),
        Route("/messages/{name}", shown.message, methods=["GET"]),
        *(Route(f"/{name}", _piece(name, kind), methods=["GET"]) for name, kind in _PIECES.items()),
    ]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False)
    return Starlette(routes=[Mount(f"/{secret}", routes=routes)], middleware=[hosts]), f"/{secret}/"


_PIECES: Mapping[str, str] = {STYLE: "text/css", SCRIPT: "text/javascript"}


def _piece(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    """The page's style or script."""

    async def piece(_: Request) -> Response:
        return Response(asset(name), media_type=kind, headers=_ALWAYS)

    return piece


class _Page:
    def __init__(self, editions: Editions) -> None:
        self._editions = editions

    async def whole(self, _: Request) -> Response:
        made = page(self._editions.preview, Serving(str(self._editions.number)))
        return HTMLResponse(made, headers={**_ALWAYS, "Content-Security-Policy": _PAGE})

    async def message(self, request: Request) -> Response:
        """One e-mail, for a frame: sandboxed by its own headers too, so that it is also harmless on its own."""
        tile = self._editions.preview.tile(request.path_params["name"])
        if tile is None:
            return PlainTextResponse("no such message in this edition; reload the page", 404, headers=_ALWAYS)
        asked = request.query_params
        dark = (IN_THE_DARK if "dark" in asked else AS_IT_IS) if asked else AS_THE_SYSTEM
        policy = _MESSAGE.format(policy=WITH_PICTURES if "pictures" in asked else PLAIN)
        shown = message(tile, pictures="pictures" in asked, dark=dark)
        return HTMLResponse(shown, headers={**_ALWAYS, "Content-Security-Policy": policy})

    async def events(self, _: Request) -> Response:
        return StreamingResponse(self._told(), media_type="text/event-stream", headers=_ALWAYS)

    async def _told(self) -> AsyncIterator[str]:
        number = 0
        while not self._editions.closed:
            number = await self._editions.after(number)
            yield f"event: edition\ndata: {number}\n\n"
