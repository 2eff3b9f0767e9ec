"""Events and profiles over HTTP, in the shape of Segment's tracking API: acknowledged once they are in the event inbox.

`POST /v1/track`, `identify`, `alias`, `page`, `screen`, `group` and `batch`, under a write key. Any content type is read as JSON,
gzip too, because the SDKs of the field send all sorts. What one item has wrong concerns that item alone.
"""

import hmac
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from prometheus_client.core import CounterMetricFamily
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from orchestrator.core.errors import StoreError
from orchestrator.core.times import Clock, Instant
from orchestrator.ledger import arrivals
from orchestrator.ledger.arrivals import Incoming
from orchestrator.logs import Log
from orchestrator.pipeline import LedgerThread
from orchestrator.web.body import BodyError, read_body
from orchestrator.web.door import Door
from orchestrator.web.items import Envelope, ItemError, envelope, incoming

KINDS: Mapping[str, str] = {
    "track": "track", "t": "track", "identify": "identify", "i": "identify", "alias": "alias", "a": "alias",
    "page": "page", "p": "page", "screen": "screen", "s": "screen", "group": "group", "g": "group",
    "batch": "batch", "b": "batch", "import": "batch",
}  # fmt: skip
"""What a path's last word means; browsers say it in one letter."""

LARGEST = 512 * 1024
"""Bytes of one body, unpacked."""

_OPEN = {"Access-Control-Allow-Origin": "*"}
_ASKED = {
    **_OPEN,
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "authorization, content-type, x-retry-count",
    "Access-Control-Max-Age": "86400",
}

log = Log("web")


class Ingest:
    """`POST /v1/{word}` for each word of KINDS; `keys` are the write keys that hold."""

    def __init__(
        self, ledger: LedgerThread, keys: Iterable[str], clock: Clock, elsewhere: Callable[[], str] = lambda: ""
    ) -> None:
        """`elsewhere` says which engine has the audience where it is not ours: then nothing is taken, for nobody may write there."""
        self._elsewhere = elsewhere
        self._door = Door[Incoming](ledger, lambda ledger, rows, now: arrivals.put(ledger.store, rows, now))
        self._keys = [key.encode() for key in keys]
        self._clock = clock
        self._counted: Counter[str] = Counter()

    async def asked(self, _: Request) -> Response:
        """A browser asks whether it may."""
        return Response(status_code=204, headers=_ASKED)

    async def post(self, request: Request, kind: str) -> Response:
        """Take what was sent; 200 once it is safe, 400 for what no retry could make right."""
        try:
            sent = envelope(await read_body(request, LARGEST), kind)
        except (BodyError, ItemError) as problem:
            return _refused(str(problem))
        if not self._may(request, sent):
            text = "a write key is needed, as the user name of Basic authentication or as writeKey: `orchestrator ingest key` shows it"
            return JSONResponse({"success": False, "error": text}, 401, headers=_OPEN)
        if engine := self._elsewhere():
            text = f"the audience is in {engine} and only read here; send this to whoever fills it"
            return JSONResponse({"success": False, "error": text}, 403, headers=_OPEN)
        now = self._clock.now()
        rows, wrong = _read(sent, now)
        if wrong and request.query_params.get("strict") == "1":
            self._counted["rejected"] += len(wrong)
            each = [{"index": index, "error": text} for index, text in wrong]
            return JSONResponse({"success": False, "errors": each}, 400, headers=_OPEN)
        if wrong:
            log.warning("ingest.rejected", items=len(wrong), first=wrong[0][1])
        try:
            if rows:
                await self._door.put(rows, now)
        except StoreError as problem:
            log.trouble("ingest.not_kept", why=str(problem))
            told = {"success": False, "error": "not kept; send it again"}
            return JSONResponse(told, 503, headers={**_OPEN, "Retry-After": "5"})
        self._counted.update(taken=len(rows), rejected=len(wrong))
        return JSONResponse({"success": True}, headers=_OPEN)

    def collect(self) -> Iterable[CounterMetricFamily]:
        """What came in since this process began, for `/metrics`."""
        told = CounterMetricFamily(
            "orchestrator_ingest_events_total", "Items that came in over HTTP.", labels=("outcome",)
        )
        for outcome in ("taken", "rejected"):
            told.add_metric((outcome,), self._counted[outcome])
        yield told

    def _may(self, request: Request, sent: Envelope) -> bool:
        scheme, _, word = request.headers.get("authorization", "").partition(" ")
        given = sent.write_key.encode()
        if scheme.lower() == "basic":
            try:
                given = b64decode(word, validate=True).partition(b":")[0]
            except ValueError:
                return False
        return any(hmac.compare_digest(given, key) for key in self._keys)


def _read(sent: Envelope, now: Instant) -> tuple[list[Incoming], list[tuple[int, str]]]:
    """The rows to write, and what is wrong with the others, by their place."""
    rows: list[Incoming] = []
    wrong = []
    for index, item in enumerate(sent.items):
        try:
            rows += incoming(item, sent, now)
        except ItemError as problem:
            wrong.append((index, str(problem)))
    return rows, wrong


def _refused(text: str) -> Response:
    return JSONResponse({"success": False, "error": text}, 400, headers=_OPEN)
