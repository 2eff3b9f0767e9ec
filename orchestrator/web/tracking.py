"""Where the links and pictures of e-mails lead: on to the page that was meant, and the ledger hears of it afterwards.

A link holds its own destination, sealed: nobody but us can make one, and it leads on while the ledger stands still.
"""

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import replace

from prometheus_client.core import CounterMetricFamily
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.core.engagement import Touch, asked_by_itself
from orchestrator.core.times import Clock
from orchestrator.ledger import Seal, engagement
from orchestrator.logs import Log
from orchestrator.pipeline import LedgerThread
from orchestrator.pipeline.hearing import LOST, REHEARSED, Hearing
from orchestrator.pipeline.tracking import Untracked
from orchestrator.web.page import HEADERS, no_such_link

_PICTURE = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent GIF of one pixel."""

_OUTCOMES = (
    engagement.PERSON, engagement.MACHINE, engagement.STRANGE, engagement.SURPLUS, REHEARSED, LOST,
)  # fmt: skip

log = Log("web")


class Tracking:
    """`GET /c/{token}` and `GET /o/{token}.gif`."""

    def __init__(self, ledger: LedgerThread, clicks: Seal, opens: Seal, clock: Clock) -> None:
        self._untracked = Untracked(clicks, opens)
        self._hearing = Hearing(ledger, _say)
        self._clock = clock

    async def click(self, request: Request) -> Response:
        """Lead on to where the link was meant to."""
        found = self._untracked.click(request.path_params["token"], self._clock.now())
        if found is None:
            return no_such_link()
        url, touch = found
        self._hear(request, touch)
        return Response(status_code=302, headers={**HEADERS, "Location": url})

    async def open(self, request: Request) -> Response:
        """Show the picture that nobody sees."""
        touch = self._untracked.open(request.path_params["token"], self._clock.now())
        if touch is None:
            return Response(status_code=404, headers=HEADERS)
        self._hear(request, touch)
        return Response(_PICTURE, media_type="image/gif", headers=HEADERS)

    async def settle(self) -> None:
        """Write what was heard, before the end."""
        await self._hearing.settle()

    def collect(self) -> Iterable[CounterMetricFamily]:
        """What was heard since this process began, for `/metrics`."""
        told = CounterMetricFamily(
            "orchestrator_engagement_total", "Clicks and opens of e-mails, by what became of them.", labels=("outcome",)
        )
        for outcome in _OUTCOMES:
            told.add_metric((outcome,), self._hearing.counted[outcome])
        yield told

    def _hear(self, request: Request, touch: Touch) -> None:
        """A HEAD is nobody's click, and nothing is made of it."""
        if request.method == "GET":
            self._hearing.hear(replace(touch, machine=asked_by_itself(request.headers)))


def _say(what: str, number: int, why: str) -> None:
    if what == "waits":
        log.warning("engagement.waits", waiting=number, why=why)
    else:
        log.trouble("engagement.lost", lost=number, why=why)
