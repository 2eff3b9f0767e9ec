"""One-click unsubscribe (RFC 8058): POST acts at once, GET only shows a page with a button.

Mail scanners follow every link by GET, so a GET changes nothing; mailbox providers POST `List-Unsubscribe=One-Click`
without cookies and expect 200. The word is in the ledger before the answer leaves.
"""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from orchestrator.core.nouns import Channel
from orchestrator.core.times import Clock
from orchestrator.ledger import ConsentChange, Ledger, Seal
from orchestrator.pipeline import LedgerThread

REHEARSAL = "0"
"""The number of no run: what previews and test messages are rendered under, with somebody else's data."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 17px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto 0; padding: 0 1.25rem; color: #1c1c1c; background: #fff; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .5rem; }}
button {{ font: inherit; padding: .6rem 1.4rem; border: 0; border-radius: .4rem; background: #1c1c1c; color: #fff; cursor: pointer; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #161616; color: #eee; }} button {{ background: #eee; color: #161616; }} }}
</style></head><body><h1>{title}</h1><p>{text}</p>{form}</body></html>"""
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
            return _page(
                "This link does not work",
                "It may have been cut in two by a mail program. Open it from the mail again.",
                status=404,
            )
        run, channel, topic, user = opened
        label = escape(self._labels.get(topic, topic))
        if request.method != "POST":
            return _page("Unsubscribe?", f"You will get no more of this: {label}.", _BUTTON)
        if run == REHEARSAL:
            return _page(
                "Nothing was changed", "This link stands in a test message or a preview: it unsubscribes nobody."
            )
        word = ConsentChange(user, Channel(channel), topic, False, self._clock.now(), "unsubscribe link", f"run {run}")
        await self._ledger(lambda ledger: _withdraw(ledger, word))
        return _page("You are unsubscribed", f"We will send you no more of this: {label}.")


def _withdraw(ledger: Ledger, word: ConsentChange) -> None:
    ledger.change_consent([word])


def _page(title: str, text: str, form: str = "", status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=title, text=text, form=form), status, headers=_HEADERS)
