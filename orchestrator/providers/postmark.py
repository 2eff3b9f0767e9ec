"""E-mail through Postmark's API: one message to /email, several to /email/batch, each with an answer of its own.

Postmark takes no idempotency key. It reads errors from `ErrorCode` in the body, whose numbers mean something else than the same
numbers of HTTP; a batch is answered 200 whatever became of its messages (postmarkapp.com/developer, 2026-08).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.core.callbacks import tag
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Channel, Message
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Outcome, Pause, PauseScope, Permanent
from orchestrator.core.times import Instant
from orchestrator.providers import (
    CallbackRequest,
    CannotBuildError,
    Credentials,
    Declaration,
    Heard,
    HttpRequest,
    HttpResponse,
    Request,
    Response,
    Setting,
    Transport,
    mime,
)
from orchestrator.providers.accounts import endpoint, key
from orchestrator.providers.answers import BREATH, Help, by_status, members, parsed, words
from orchestrator.providers.letters import ID, Letter, Posted, letter
from orchestrator.providers.reports import pieces
from orchestrator.providers.reports import postmark as told

ENDPOINT = "https://api.postmarkapp.com"
LARGEST = 10_000_000
"""Bytes of one message Postmark takes."""

LARGEST_BATCH = 50_000_000
STREAM = "outbound"

_WHERE = "copy the server's API token from Postmark (Servers, your server, API Tokens)"
_STREAM = re.compile(r"[a-z][a-z0-9_-]{0,29}")
_ENCODE = msgspec.json.Encoder().encode


class Postmark:
    """The adapter. Postmark's own tracking is off for each message: clicks and opens are counted as the campaign says."""

    declaration = Declaration(
        name="postmark",
        channels=frozenset({Channel.EMAIL}),
        transport=Transport.HTTP,
        settings=(
            Setting("token", "the API token of the Postmark server that sends", secret=True),
            Setting("stream", "the message stream; a broadcast stream for marketing", required=False, default=STREAM),
            Setting("endpoint", "another host than Postmark's", required=False, default=ENDPOINT),
        ),
        batch=500,
        reports="your server, the message stream, Webhooks: Delivery, Bounce, Spam Complaint, Subscription Change",
        answers_twice=True,
        timeout=30.0,
    )

    def declare(self, credentials: Credentials) -> Declaration:
        """The same for every account; OrchestratorError for settings that cannot be."""
        key("postmark", "token", credentials, _WHERE)
        endpoint("postmark", credentials, ENDPOINT)
        if _STREAM.fullmatch(_stream(credentials)) is None:
            raise OrchestratorError(
                f"postmark: stream: {_stream(credentials)!r} is no stream's id; Postmark shows it below the stream's name:"
                " small letters, digits, - and _, at most 30"
            )
        return self.declaration

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> Posted:  # noqa: ARG002 - nothing hangs on the moment
        """One message, or a batch of them; CannotBuildError for one that cannot be written."""
        if not 1 <= len(messages) <= self.declaration.batch:
            raise ValueError(f"postmark takes 1 to {self.declaration.batch} messages at once, not {len(messages)}")
        stream = _stream(credentials)
        letters = [letter("postmark", message) for message in messages]
        fields = [_fields(one, message, stream) for one, message in zip(letters, messages, strict=True)]
        alone = len(messages) == 1
        try:
            body = _ENCODE(fields[0] if alone else fields)
        except (TypeError, ValueError) as problem:  # half a surrogate pair
            raise CannotBuildError(
                f"postmark: this message cannot be written as JSON: {type(problem).__name__}"
            ) from problem
        largest = LARGEST if alone else LARGEST_BATCH
        if len(body) > largest:
            raise CannotBuildError(f"postmark: {len(body):,} bytes; Postmark takes {largest:,}")
        url = f"{endpoint('postmark', credentials, ENDPOINT)}/email{'' if alone else '/batch'}"
        headers = {"Content-Type": "application/json", **_asking(credentials)}
        return Posted("POST", url, headers, body, tuple(one.recipient for one in letters))

    def knock(self, credentials: Credentials, now: Instant) -> HttpRequest:  # noqa: ARG002 - nothing hangs on the moment
        """Ask for the server's own settings."""
        return HttpRequest("GET", f"{endpoint('postmark', credentials, ENDPOINT)}/server", _asking(credentials), b"")

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:
        """What became of each message; of all of them alike if the request was refused as one."""
        if not isinstance(request, Posted) or not isinstance(response, HttpResponse):
            raise TypeError("postmark reads answers to its own requests only")
        answer, addresses = parsed(response.body), request.addresses
        if not 200 <= response.status < 300:
            return [_refusal(response, members(answer), address, len(addresses) > 1) for address in addresses]
        items = [answer] if len(addresses) == 1 else answer
        if not isinstance(items, list) or len(items) != len(addresses):
            return [Ambiguous(f"{response.status}: not an answer for each of {len(addresses)} messages")] * len(
                addresses
            )
        return [_result(response, members(item), address) for item, address in zip(items, addresses, strict=True)]

    def hear(self, request: CallbackRequest, credentials: Credentials, now: Instant) -> Heard:  # noqa: ARG002 - Postmark signs nothing
        """What Postmark reports of messages by its webhooks."""
        return told.read(request, now)


def _asking(credentials: Credentials) -> dict[str, str]:
    return {"Accept": "application/json", "X-Postmark-Server-Token": credentials["token"]}


def _stream(credentials: Credentials) -> str:
    return credentials.get("stream") or STREAM


def _fields(one: Letter, message: Message, stream: str) -> dict[str, Any]:
    """The message under Postmark's names. X-PM-KeepID: without it Postmark writes a Message-ID of its own."""
    headers = {**one.headers, "X-PM-KeepID": "true"}
    found: dict[str, Any] = {
        "From": mime.quoted(one.sender),
        "To": one.recipient,
        "Subject": one.subject,
        "MessageStream": stream,
        "TrackOpens": False,
        "TrackLinks": "None",
        "Headers": [{"Name": name, "Value": said} for name, said in headers.items()],
        "Metadata": {ID: message.id, **pieces(tag(message.key), told.WIDTH)},
    }
    if one.reply_to:
        found["ReplyTo"] = mime.quoted(one.reply_to)
    if one.text:
        found["TextBody"] = one.text
    if one.html:
        found["HtmlBody"] = one.html
    return found


# Answers: the code in the body first, then the status.

_NOBODY = re.compile(r"(?:Invalid|Error parsing) '(?:To|Cc|Bcc)'")
_SENDER = re.compile(r"(?:Invalid|Error parsing) '(?:From|ReplyTo|Reply-To)'")
_ACCOUNT: Mapping[int, str] = {
    10: f"{_WHERE}, and write it into the settings as `token`",
    405: "Postmark lets this account send no more; buy credits or raise its limit there",
    412: "Postmark has not approved this account yet; ask for it there",
    413: "Postmark has not approved this account for sending; ask its support",
    1226: "write a stream of this server into the settings as `stream`",
    1235: "write a stream of this server into the settings as `stream`",
    1236: "nothing can be sent through this stream; write another into the settings as `stream`",
}
"""Codes that meet every message alike, and what to do."""

_SIGNATURES = frozenset({400, 401})
_HELP = Help(_ACCOUNT[10], "this is not Postmark's API; mend `endpoint` in the settings, or take it out")


def _result(response: HttpResponse, item: Mapping[str, Any], address: str) -> Outcome:
    """One message's own answer."""
    name, code = item.get("MessageID"), item.get("ErrorCode")
    if code == 0 and isinstance(name, str) and name:
        return Accepted(name)
    found = _by_code(response, item, address)
    return found or Ambiguous(
        words(response.status, code, item.get("Message") or "a 2xx without a message's id", address)
    )


def _refusal(response: HttpResponse, answer: Mapping[str, Any], address: str, several: bool) -> Outcome:
    """A request that was refused as one; a batch may be split if it is the contents that were refused."""
    detail = words(response.status, answer.get("ErrorCode"), answer.get("Message"), address)
    found = by_status(response, detail, _HELP)
    if response.status == 422 or (response.status == 503 and answer.get("ErrorCode") == 100):
        found = _by_code(response, answer, address) or found
    if several and isinstance(found, Permanent | AddressGone):  # whose fault it was is not said
        return Permanent(detail, whole=True)
    return found


def _by_code(response: HttpResponse, item: Mapping[str, Any], address: str) -> Outcome | None:
    """What Postmark's own code says; None if there is none that refuses."""
    code, said = item.get("ErrorCode"), str(item.get("Message") or "")
    if not isinstance(code, int) or isinstance(code, bool) or code == 0:
        return None
    detail = words(response.status, f"code {code}", said, address)
    if code in _ACCOUNT:
        return Pause(PauseScope.CREDENTIAL, f"{detail}; {_ACCOUNT[code]}")
    if code in (100, 429):  # the rate, if a batch says so of one message
        return Pause(PauseScope.CREDENTIAL, detail, response.retry_after or BREATH)
    if code in _SIGNATURES or (code == 300 and _SENDER.search(said)):
        return Pause(
            PauseScope.CAMPAIGN, f"{detail}; confirm the sender or its domain at Postmark, or write another `from`"
        )
    # An address with quotation marks may live; it is Postmark that knows no such addresses.
    if code == 406 or (code == 300 and _NOBODY.search(said) and '"' not in address):
        return AddressGone(detail)
    return Permanent(detail)
