"""Where providers say what became of messages: `POST /v1/callbacks/{token}`, answered once it is safe in the ledger.

The token names the provider and is sealed, so nobody else knows the URL; where a service signs what it posts and the settings
have what that takes, its adapter checks it. Providers send again what is not answered with 200, so only trouble of our own is.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from orchestrator.core.callbacks import Callback
from orchestrator.core.errors import StoreError
from orchestrator.core.times import Clock
from orchestrator.ledger import Seal, callbacks
from orchestrator.logs import Log
from orchestrator.pipeline import LedgerThread
from orchestrator.providers import (
    CallbackAdapter,
    CallbackFormError,
    CallbackRefusedError,
    CallbackRequest,
    Credentials,
    Heard,
)
from orchestrator.web.body import BodyError, read_body
from orchestrator.web.door import Door

LARGEST = 4 * 1024 * 1024
"""Bytes of one body, unpacked: services that gather reports post up to a megabyte of them."""

PATH = "/v1/callbacks/"

TAKEN, REFUSED, UNREAD = "taken", "refused", "unread"

log = Log("web")


@dataclass(frozen=True, slots=True)
class Listening:
    """A provider of the settings whose service tells us later: its adapter and its settings."""

    adapter: CallbackAdapter
    credentials: Credentials


class Callbacks:
    """The door. `listening` gives the providers of the settings in force; `confirm` asks a URL once and says why it could not."""

    def __init__(
        self,
        ledger: LedgerThread,
        seal: Seal,
        public_url: Callable[[], str],
        listening: Callable[[], Mapping[str, Listening]],
        confirm: Callable[[str], Awaitable[str]],
        clock: Clock,
    ) -> None:
        self._seal = seal
        self._public_url = public_url
        self._listening = listening
        self._confirm = confirm
        self._clock = clock
        self._doors: dict[str, Door[Callback]] = {}
        self._ledger = ledger
        self._counted = Counter[tuple[str, str]]()

    async def post(self, request: Request) -> Response:
        """Take what a provider says."""
        named = self._seal.open(request.path_params["token"])
        provider = named[0] if named is not None and len(named) == 1 else ""
        listening = self._listening().get(provider)
        if listening is None:
            return JSONResponse({"error": "no provider of the settings is told here"}, 404)
        heard = await self._hear(provider, listening, request)
        if isinstance(heard, Response):
            return heard
        try:
            if heard.reports:
                await self._door(provider).put(heard.reports, self._clock.now())
        except StoreError as problem:
            log.trouble("callbacks.not_kept", provider=provider, why=str(problem))
            return JSONResponse({"error": "not kept; send it again"}, 503, headers={"Retry-After": "5"})
        self._counted[provider, TAKEN] += len(heard.reports)
        return JSONResponse({"taken": len(heard.reports)})

    def collect(self) -> Iterable[CounterMetricFamily]:
        """What came in since this process began, for `/metrics`."""
        told = CounterMetricFamily(
            "orchestrator_callbacks_total",
            "Reports of providers, by what became of them.",
            labels=("provider", "outcome"),
        )
        for (provider, outcome), number in sorted(self._counted.items()):
            told.add_metric((provider, outcome), number)
        yield told

    async def _hear(self, provider: str, listening: Listening, request: Request) -> Heard | Response:
        """What it said, or the answer to what cannot be believed or read."""
        try:
            heard = self._read(listening, request, await read_body(request, LARGEST))
        except CallbackRefusedError as problem:
            return self._no(provider, REFUSED, str(problem), 403)
        except (BodyError, CallbackFormError) as problem:
            return self._no(provider, UNREAD, str(problem), 400)
        except Exception as problem:  # noqa: BLE001 - an adapter's own bug: the service may send it again after it is mended
            return self._no(provider, UNREAD, f"{type(problem).__name__}: {problem}", 500)
        if heard.confirm and (why := await self._confirm(heard.confirm)):
            return self._no(provider, UNREAD, f"it wants to be confirmed, and cannot be: {why}", 503)
        return heard

    def _read(self, listening: Listening, request: Request, body: bytes) -> Heard:
        query = f"?{request.url.query}" if request.url.query else ""
        asked = CallbackRequest(f"{self._public_url()}{request.url.path}{query}", dict(request.headers), body)
        return listening.adapter.hear(asked, listening.credentials, self._clock.now())

    def _door(self, provider: str) -> Door[Callback]:
        if provider not in self._doors:
            self._doors[provider] = Door[Callback](
                self._ledger, lambda ledger, told, now: callbacks.put(ledger.store, provider, told, now)
            )
        return self._doors[provider]

    def _no(self, provider: str, outcome: str, why: str, status: int) -> Response:
        self._counted[provider, outcome] += 1
        log.warning("callbacks.not_taken", provider=provider, outcome=outcome, why=why)
        return JSONResponse({"error": why}, status)
