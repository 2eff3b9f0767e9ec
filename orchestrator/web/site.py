"""The routes of the web face, put together."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestrator.core.times import Clock
from orchestrator.ledger import Seal, write_key
from orchestrator.pipeline import LedgerThread
from orchestrator.web.callbacks import PATH, Callbacks
from orchestrator.web.inbox import Inbox
from orchestrator.web.ingest import KINDS, Ingest
from orchestrator.web.tracking import Tracking
from orchestrator.web.unsubscribe import Unsubscribe


@dataclass(frozen=True, slots=True)
class Health:
    """What `/healthz` says: well or not, the version in use, which commit that is (empty without git), every trouble in words."""

    well: bool
    version: str = ""
    source: str = ""
    troubles: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Seals:
    """The seals and keys the site opens tokens with."""

    unsubscribe: Seal
    inbox: Seal
    write: Seal | None = None


def site(  # noqa: PLR0913 - each part of the face has its own
    ledger: LedgerThread,
    seals: Seals,
    labels: dict[str, str],
    clock: Clock,
    health: Callable[[], Awaitable[Health]],
    metrics: Callable[[], Awaitable[bytes]],
    elsewhere: Callable[[], str] = lambda: "",
    *,
    tracking: Tracking | None = None,
    callbacks: Callbacks | None = None,
) -> Starlette:
    """The ASGI application. `labels` are topics as people know them; `elsewhere` the engine of an audience that is not ours.

    Without `tracking` links of e-mails lead nowhere; without `callbacks` no provider is listened to.
    """
    unsubscribe = Unsubscribe(ledger, seals.unsubscribe, labels, clock)
    inbox = Inbox(ledger, {key.id: key.secret for key in seals.inbox.keys}, clock)

    keys = [write_key(key) for key in seals.write.keys] if seals.write is not None else []
    ingest = Ingest(ledger, keys, clock, elsewhere)

    async def healthz(_: Request) -> Response:
        said = await health()
        body = json.dumps(asdict(said), ensure_ascii=False)
        return Response(
            body, 200 if said.well else 503, media_type="application/json", headers={"Cache-Control": "no-store"}
        )

    async def scrape(_: Request) -> Response:
        parts = (ingest, tracking, callbacks)
        counted = await metrics() + b"".join(generate_latest(part) for part in parts if part is not None)
        return Response(counted, media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/u/{token}", unsubscribe.answer, methods=["GET", "POST"]),
            *([] if tracking is None else _of_mails(tracking)),
            *([] if callbacks is None else [Route(PATH + "{token}", callbacks.post, methods=["POST"])]),
            Route("/v1/inbox", inbox.fetch, methods=["GET"]),
            Route("/v1/inbox/{id}/seen", inbox.seen, methods=["POST"]),
            *(Route(f"/v1/{word}", partial(ingest.post, kind=kind), methods=["POST"]) for word, kind in KINDS.items()),
            *(Route(f"/v1/{word}", ingest.asked, methods=["OPTIONS"]) for word in KINDS),
            Route("/healthz", healthz, methods=["GET"]),
            Route("/metrics", scrape, methods=["GET"]),
        ]
    )


def _of_mails(tracking: Tracking) -> list[Route]:
    return [
        Route("/c/{token}", tracking.click, methods=["GET"]),
        Route("/o/{token}.gif", tracking.open, methods=["GET"]),
    ]
