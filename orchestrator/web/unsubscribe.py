"""One-click unsubscribe (RFC 8058): POST acts at once, GET only shows a page with a button.

Mail scanners follow every link by GET, so a GET changes nothing; mailbox providers POST `List-Unsubscribe=One-Click`
without cookies and expect 200. The word is in the ledger before the answer leaves.
"""

from html import escape

from starlette.requests import Request
from starlette.responses import Response

from orchestrator.core.nouns import Channel
from orchestrator.core.times import Clock
from orchestrator.ledger import ConsentChange, Ledger, Seal
from orchestrator.pipeline import LedgerThread
from orchestrator.web.page import no_such_link, page

REHEARSAL = "0"
"""The number of no run: what previews and test messages are rendered under, with somebody else's data."""

_BUTTON = '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button>Unsubscribe</button></form>'


class Unsubscribe:
    """The page behind every unsubscribe link; `labels` names topics as people know them."""

    def __init__(self, ledger: LedgerThread, seal: Seal, labels: dict[str, str], clock: Clock) -> None:
        self._ledger = ledger
        self._seal = seal
        self._labels = labels
        self._clock = clock

    async def answer(self, request: Request) -> Response:
        """Answer GET and HEAD with the page, POST with the act."""
        opened = self._seal.open(request.path_params["token"])
        if opened is None or len(opened) != 4:
            return no_such_link()
        run, channel, topic, user = opened
        label = escape(self._labels.get(topic, topic))
        if request.method != "POST":
            return page("Unsubscribe?", f"You will get no more of this: {label}.", _BUTTON)
        if run == REHEARSAL:
            return page(
                "Nothing was changed", "This link stands in a test message or a preview: it unsubscribes nobody."
            )
        word = ConsentChange(user, Channel(channel), topic, False, self._clock.now(), "unsubscribe link", f"run {run}")
        await self._ledger(lambda ledger: _withdraw(ledger, word))
        return page("You are unsubscribed", f"We will send you no more of this: {label}.")


def _withdraw(ledger: Ledger, word: ConsentChange) -> None:
    ledger.change_consent([word])
