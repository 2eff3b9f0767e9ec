"""Text messages through Twilio's API, and WhatsApp to people who have just written: one message a request.

Twilio takes no idempotency key, and says itself that a repeat after a 500 may reach somebody twice. It reads errors from `code`;
codes are split over the years (twilio.com/docs/api/errors), so one that is not known here fails its own message only.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from orchestrator.core.callbacks import tag
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.frozen import value
from orchestrator.core.nouns import Channel, Message, TextContent
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Outcome, Pause, PauseScope, Permanent
from orchestrator.core.reasons import Reason
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
)
from orchestrator.providers.accounts import endpoint, key
from orchestrator.providers.addresses import phone
from orchestrator.providers.answers import BREATH, Help, by_status, members, parsed, words
from orchestrator.providers.letters import Posted
from orchestrator.providers.reports import twilio as told

ENDPOINT = "https://api.twilio.com"
LONGEST = 1600
"""Characters of a text Twilio takes."""

WHATSAPP = "whatsapp:"

_WHERE = "copy it from the Twilio Console (Account, API keys & tokens)"
_ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
_API_KEY = re.compile(r"SK[0-9a-fA-F]{32}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_LONG_NUMBER = re.compile(r"(?:whatsapp:)?\+[1-9][0-9]{6,14}")
_SENDER = re.compile(rf"{_LONG_NUMBER.pattern}|[0-9]{{3,6}}|(?=.*[A-Za-z])[A-Za-z0-9 ]{{1,11}}")


@value(frozen=True, slots=True)
class Text(Posted):
    """A request that remembers who sends, for some refusals mean one thing of a short code and another of a number."""

    sender: str


class Twilio:
    """The adapter. From a `whatsapp:` sender everything goes by WhatsApp, to the same phone numbers."""

    declaration = Declaration(
        name="twilio",
        channels=frozenset({Channel.SMS}),
        transport=Transport.HTTP,
        settings=(
            Setting("account_sid", "the account's SID; it begins with AC"),
            Setting("auth_token", "the account's auth token, if no API key is used", required=False, secret=True),
            Setting("api_key", "the SID of an API key; it begins with SK", required=False),
            Setting("api_secret", "the secret of that API key", required=False, secret=True),
            Setting("from", "the number, short code or name that sends; whatsapp:+… for WhatsApp", required=False),
            Setting(
                "messaging_service", "the messaging service that picks the sender; it begins with MG", required=False
            ),
            Setting(
                "callback",
                "the URL that `orchestrator callbacks` shows, to hear what arrived",
                required=False,
                secret=True,
            ),
            Setting("endpoint", "another host than Twilio's: that of a region", required=False, default=ENDPOINT),
        ),
        answers_twice=True,
        reports="nowhere: write the URL into the settings as `callback`, as ${env:…}; each message brings it along",
        timeout=30.0,
    )

    def declare(self, credentials: Credentials) -> Declaration:
        """The same for every account; OrchestratorError for settings that cannot be."""
        _check(credentials, "account_sid", _ACCOUNT, "AC and 32 hexadecimal digits")
        _check_keys(credentials)
        if not credentials.get("from") and not credentials.get("messaging_service"):
            raise OrchestratorError(
                "twilio: from: write who sends: `from`, or a `messaging_service` that picks the sender"
            )
        if credentials.get("from"):
            _check(
                credentials, "from", _SENDER, "+ and digits, a short code, or a name of at most 11 letters and digits"
            )
        if credentials.get("messaging_service"):
            _check(credentials, "messaging_service", _SERVICE, "MG and 32 hexadecimal digits")
        if (callback := credentials.get("callback")) and not callback.startswith("https://"):
            raise OrchestratorError(
                "twilio: callback: it is the URL that `orchestrator callbacks` shows; it begins with https://"
            )
        endpoint("twilio", credentials, ENDPOINT)
        return self.declaration

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> Text:  # noqa: ARG002 - nothing hangs on the moment
        """One text to one number; CannotBuildError if either cannot be."""
        (message,) = messages
        if not isinstance(message.content, TextContent):
            raise CannotBuildError(f"twilio carries text messages only, this is {message.key.channel}")
        text, sender = message.content.text, credentials.get("from", "")
        if not text.strip():
            raise CannotBuildError("twilio: this text message is empty")
        if len(text) > LONGEST:
            raise CannotBuildError(f"twilio: a text of {len(text):,} characters; Twilio takes {LONGEST:,}")
        number = phone(message.address.value)
        fields = {"To": f"{WHATSAPP if sender.startswith(WHATSAPP) else ''}{number}", "Body": text}
        if sender:
            fields["From"] = sender
        if service := credentials.get("messaging_service"):
            fields["MessagingServiceSid"] = service
        if callback := credentials.get("callback"):
            fields["StatusCallback"] = told.told_at(callback, tag(message.key))
        try:
            body = urlencode(fields).encode("ascii")
        except UnicodeEncodeError as problem:
            raise CannotBuildError("twilio: half a surrogate pair in the text; the data holds broken text") from problem
        headers = {"Content-Type": "application/x-www-form-urlencoded", **_asking(credentials)}
        return Text("POST", _messages(credentials), headers, body, (number,), sender)

    def knock(self, credentials: Credentials, now: Instant) -> HttpRequest:  # noqa: ARG002 - nothing hangs on the moment
        """Ask for the newest message; an API key may not ask for the account itself."""
        return HttpRequest("GET", f"{_messages(credentials)}?PageSize=1", _asking(credentials), b"")

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:
        """What Twilio's answer means for the message; one that it took and gave up at once says so in its status."""
        if not isinstance(request, Text) or not isinstance(response, HttpResponse):
            raise TypeError("twilio reads answers to its own requests only")
        answer = members(parsed(response.body))
        if not 200 <= response.status < 300:
            return [_refusal(request, response, answer)]
        name = answer.get("sid")
        if not isinstance(name, str) or not name:
            return [Ambiguous(f"{response.status}: a 2xx without a message's SID")]
        if answer.get("status") in ("failed", "undelivered", "canceled"):
            said = _said(request, response, answer.get("error_code"), answer.get("error_message") or answer["status"])
            return [_by_code(request, response, answer.get("error_code"), said) or Permanent(said)]
        return [Accepted(name)]

    def hear(self, request: CallbackRequest, credentials: Credentials, now: Instant) -> Heard:
        """What Twilio reports of one message; signed, where the settings have the account's token."""
        return told.read(request, credentials.get("auth_token", ""), now)


def _messages(credentials: Credentials) -> str:
    return f"{endpoint('twilio', credentials, ENDPOINT)}/2010-04-01/Accounts/{credentials['account_sid']}/Messages.json"


def _asking(credentials: Credentials) -> dict[str, str]:
    """Who we are: a key, or the account itself."""
    key_sid = credentials.get("api_key", "")
    known = (
        f"{key_sid}:{credentials['api_secret']}"
        if key_sid
        else f"{credentials['account_sid']}:{credentials['auth_token']}"
    )
    return {"Accept": "application/json", "Authorization": f"Basic {b64encode(known.encode()).decode('ascii')}"}


def _check(credentials: Credentials, name: str, pattern: re.Pattern[str], how: str) -> None:
    if pattern.fullmatch(credentials.get(name, "")) is None:
        raise OrchestratorError(f"twilio: {name}: {credentials.get(name, '')!r} cannot be; it is {how}")


def _check_keys(credentials: Credentials) -> None:
    """The account's own token, or a key with its secret."""
    if credentials.get("api_key"):
        _check(credentials, "api_key", _API_KEY, "SK and 32 hexadecimal digits")
        key("twilio", "api_secret", credentials, _WHERE)
    elif credentials.get("api_secret"):
        raise OrchestratorError("twilio: api_key: the SID of the API key that `api_secret` belongs to is missing")
    else:
        key("twilio", "auth_token", credentials, _WHERE)


# Answers: Twilio's code first, then the status.

_GONE = frozenset({21211, 21614, 21635, 30005, 30006, 63003})
"""No number, no mobile, a landline, a handset nobody knows, nobody at WhatsApp."""

_SAID_STOP = frozenset({21610, 63014})
_TOO_FAST = frozenset({14107, 20429, 21611, 21730, 30001, 63018})
_NOT_OURS = "`from` is no number of this account that sends texts; mend it in the settings"
_ALL_MEET_IT: Mapping[int, str] = {
    10001: "the account is not active; look into the Twilio Console",
    20003: f"`account_sid` and its token or key do not belong together; {_WHERE}",
    20005: "the account is not active; look into the Twilio Console",
    20404: "there is no such account here; mend `account_sid`, or `endpoint` for the region it lives in",
    21212: "mend `from` in the settings",
    21601: _NOT_OURS,
    21603: "write `from` or `messaging_service` into the settings",
    21608: "a trial account writes to verified numbers only; upgrade it",
    21660: "`from` belongs to another account; mend it or `account_sid` in the settings",
    21701: "there is no such messaging service in this account; mend `messaging_service`",
    21705: "there is no such messaging service in this account; mend `messaging_service`",
    30002: "the account is suspended; look into the Twilio Console",
    30127: "there is no such messaging service in this account; mend `messaging_service`",
    63007: "this account has no such sender on WhatsApp; mend `from` in the settings",
}
_THIS_ONE: Mapping[int, str] = {
    21408: "allow texts to this country in the Twilio Console (Messaging, Settings, Geo permissions)",
    21606: "this sender cannot write there; a messaging service picks one that can",
    21612: "this sender cannot write there; a messaging service picks one that can",
    21659: "this sender cannot write there; a messaging service picks one that can",
    63016: "WhatsApp takes free words only within 24 hours after the person wrote",
}
_HELP = Help(_ALL_MEET_IT[20003], _ALL_MEET_IT[20404])


def _refusal(request: Text, response: HttpResponse, answer: Mapping[str, Any]) -> Outcome:
    detail = _said(request, response, answer.get("code"), answer.get("message"))
    if response.status >= 500:  # a code in an error of the server's own decides nothing
        return Ambiguous(detail)
    return _by_code(request, response, answer.get("code"), detail) or by_status(response, detail, _HELP)


def _by_code(request: Text, response: HttpResponse, code: object, detail: str) -> Outcome | None:
    """What Twilio's own code says; None for one that is not known here."""
    if not isinstance(code, int):
        return None
    if code in _GONE or code in _SAID_STOP:
        return AddressGone(detail, Reason.NO_CONSENT if code in _SAID_STOP else Reason.ADDRESS_GONE)
    if code in _TOO_FAST:
        return Pause(PauseScope.CREDENTIAL, detail, response.retry_after or BREATH)
    # A short code may well be ours, and in another country than the person.
    help_ = _NOT_OURS if code == 21659 and _LONG_NUMBER.fullmatch(request.sender) else _ALL_MEET_IT.get(code)
    if help_:
        return Pause(PauseScope.CREDENTIAL, f"{detail}; {help_}")
    return Permanent(f"{detail}; {_THIS_ONE[code]}") if code in _THIS_ONE else None


def _said(request: Text, response: HttpResponse, code: object, message: object) -> str:
    """Twilio's words without the number, with or without its plus sign."""
    digits = request.addresses[0].removeprefix("+")
    return words(response.status, code, str(message or "").replace(f"+{digits}", digits), digits)
