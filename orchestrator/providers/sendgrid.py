"""E-mail through SendGrid's API, v3 mail/send: one message a request.

SendGrid takes no idempotency key, answers 202 with an empty body and names the message in a header. Several messages of
different contents do not go into one request: its personalizations share one content, and one bad member fails them all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.core.callbacks import tag
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.frozen import value
from orchestrator.core.nouns import Channel, Message
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Outcome, Pause, PauseScope
from orchestrator.core.times import SECOND, Instant
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
)
from orchestrator.providers.accounts import endpoint, key
from orchestrator.providers.addresses import Mailbox
from orchestrator.providers.answers import BREATH, Help, by_status, members, parsed, words
from orchestrator.providers.letters import ID, Letter, Posted, letter
from orchestrator.providers.reports import pieces
from orchestrator.providers.reports import sendgrid as told

HOSTS: Mapping[str, str] = {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}
"""Where an account lives; a key of one is not known at the other."""

LARGEST = 30_000_000
"""Bytes of one message SendGrid takes."""

HOUR = 3600.0

WIDTH = 1000
"""Characters of one custom argument; all of them together may have ten thousand."""

_WHERE = "make an API key with Mail Send in SendGrid (Settings, API Keys)"
_ENCODE = msgspec.json.Encoder().encode

_NOTHING_ADDED: Mapping[str, Any] = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
}
"""Whatever the account says: no rewritten links, no picture, no second link for unsubscribing."""


@value(frozen=True, slots=True)
class Handed(Posted):
    """A request that knows when it was made, in seconds since 1970: SendGrid names moments, not spans."""

    at: int


class Sendgrid:
    """The adapter. SendGrid's own tracking is off for each message: clicks and opens are counted as the campaign says."""

    declaration = Declaration(
        name="sendgrid",
        channels=frozenset({Channel.EMAIL}),
        transport=Transport.HTTP,
        settings=(
            Setting("api_key", "an API key that may send mail; it begins with SG.", secret=True),
            Setting("region", "where the account lives: global or eu", required=False, default="global"),
            Setting(
                "verification_key", "the public key that reports are signed with, as SendGrid shows it", required=False
            ),
            Setting("endpoint", "another host than SendGrid's", required=False),
        ),
        answers_twice=True,
        reports="Settings, Mail Settings, Event Webhooks: Delivered, Bounced, Dropped, Spam Reports; Signed Event Webhook gives `verification_key`",
        timeout=30.0,
    )

    def declare(self, credentials: Credentials) -> Declaration:
        """The same for every account; OrchestratorError for settings that cannot be."""
        key("sendgrid", "api_key", credentials, _WHERE)
        region = credentials.get("region") or "global"
        if region not in HOSTS:
            raise OrchestratorError(f"sendgrid: region: {region!r} is not one of {', '.join(HOSTS)}")
        endpoint("sendgrid", credentials, _usual(credentials))
        try:
            if shown := credentials.get("verification_key"):
                told.verifying_key(shown)
        except OrchestratorError as problem:
            raise OrchestratorError(f"sendgrid: verification_key: {problem}") from problem
        return self.declaration

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> Handed:
        """One message to one person; CannotBuildError if it cannot be written."""
        (message,) = messages
        one = letter("sendgrid", message)
        try:
            body = _ENCODE(_fields(one, message))
        except (TypeError, ValueError) as problem:  # half a surrogate pair
            raise CannotBuildError(
                f"sendgrid: this message cannot be written as JSON: {type(problem).__name__}"
            ) from problem
        if len(body) > LARGEST:
            raise CannotBuildError(f"sendgrid: {len(body):,} bytes; SendGrid takes {LARGEST:,}")
        url = f"{endpoint('sendgrid', credentials, _usual(credentials))}/v3/mail/send"
        headers = {"Content-Type": "application/json", **_asking(credentials)}
        return Handed("POST", url, headers, body, (one.recipient,), now // SECOND)

    def knock(self, credentials: Credentials, now: Instant) -> HttpRequest:  # noqa: ARG002 - nothing hangs on the moment
        """Ask what the key may do."""
        url = f"{endpoint('sendgrid', credentials, _usual(credentials))}/v3/scopes"
        return HttpRequest("GET", url, _asking(credentials), b"")

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:
        """What SendGrid's answer means for the message."""
        if not isinstance(request, Handed) or not isinstance(response, HttpResponse):
            raise TypeError("sendgrid reads answers to its own requests only")
        if not 200 <= response.status < 300:
            return [_refusal(request, response)]
        name = response.headers.get("x-message-id", "").strip()
        return [Accepted(name) if name else Ambiguous(f"{response.status}: a 2xx without a message's id")]

    def hear(self, request: CallbackRequest, credentials: Credentials, now: Instant) -> Heard:
        """What SendGrid reports of messages by its event webhook."""
        return told.read(request, credentials.get("verification_key", ""), now)


def _asking(credentials: Credentials) -> dict[str, str]:
    return {"Accept": "application/json", "Authorization": f"Bearer {credentials['api_key']}"}


def _usual(credentials: Credentials) -> str:
    return HOSTS.get(credentials.get("region") or "global", HOSTS["global"])


def _fields(one: Letter, message: Message) -> dict[str, Any]:
    """The message under SendGrid's names; the text stands before the HTML, as it wants it."""
    forms = [("text/plain", one.text), ("text/html", one.html)]
    found: dict[str, Any] = {
        "personalizations": [
            {"to": [{"email": one.recipient}], "custom_args": {ID: message.id, **pieces(tag(message.key), WIDTH)}}
        ],
        "from": _person(one.sender),
        "subject": one.subject,
        "content": [{"type": kind, "value": said} for kind, said in forms if said],
        "headers": dict(one.headers),
        "tracking_settings": _NOTHING_ADDED,
    }
    if one.reply_to:
        found["reply_to"] = _person(one.reply_to)
    return found


def _person(box: Mailbox) -> dict[str, str]:
    return {"email": box.address, **({"name": box.name} if box.name else {})}


# Answers.

_TO = re.compile(r"personalizations\.\d+\.to\b.*")
_SENDER = re.compile(r"(?:from|reply_to)\b.*")
_HELP = Help(
    f"{_WHERE}, and write it into the settings as `api_key`; an account of the EU needs `region: eu`",
    "this is not SendGrid's API; mend `region` or `endpoint` in the settings",
)


def _refusal(request: Handed, response: HttpResponse) -> Outcome:
    errors = list(_errors(response.body))
    said = "; ".join(str(one.get("message") or "") for one in errors)
    fields = [str(one.get("field") or "") for one in errors]
    detail = words(response.status, " ".join(filter(None, fields)), said, request.addresses[0])
    if response.status == 429:
        return Pause(PauseScope.CREDENTIAL, detail, response.retry_after or _until_reset(request, response))
    if response.status == 401 and "credits" in said.lower():
        return Pause(PauseScope.CREDENTIAL, f"{detail}; the plan's mails are used up: raise it, or wait", HOUR)
    if response.status in (400, 403) and fields and all(map(_SENDER.fullmatch, fields)):
        return Pause(
            PauseScope.CAMPAIGN, f"{detail}; verify the sender or its domain at SendGrid, or write another `from`"
        )
    if response.status == 400 and fields and all(map(_TO.fullmatch, fields)):
        return AddressGone(detail)
    return by_status(response, detail, _HELP)


def _errors(body: bytes) -> Iterator[Mapping[str, Any]]:
    found = members(parsed(body)).get("errors")
    for one in found if isinstance(found, list) else ():
        yield members(one)


def _until_reset(request: Handed, response: HttpResponse) -> float:
    """Seconds until the moment that SendGrid names, within a second and an hour."""
    reset = response.headers.get("x-ratelimit-reset", "")
    if not (reset.isascii() and reset.isdecimal()) or len(reset) > 12:
        return BREATH
    return min(max(float(int(reset) - request.at), 1.0), HOUR)
