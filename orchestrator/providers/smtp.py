"""E-mail over SMTP: to your own mail server, a relay, or any service that gives you a host and a password."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Channel, EmailContent, Message
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Outcome, Pause, PauseScope, Permanent, Retry
from orchestrator.core.times import Instant
from orchestrator.providers import (
    CannotBuildError,
    Credentials,
    Declaration,
    MailReply,
    MailRequest,
    Request,
    Response,
    Setting,
    Transport,
    mime,
)
from orchestrator.providers.accounts import is_this_machine
from orchestrator.providers.addresses import address

if TYPE_CHECKING:
    from orchestrator.providers.dkim import Signer

AFTER_DOT = 600.0
"""Seconds to wait for the answer to a whole message (RFC 5321 4.5.3.2.6); giving up earlier makes duplicates."""

BEFORE_DOT = 300.0
"""Seconds a message may wait for a free connection and its server's go-ahead."""


class Security(StrEnum):
    """How the connection is protected: upgraded before anything is said, from the first byte, or not at all."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where to connect and as whom. An empty user means no log-in."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)
    helo: str = ""


def mail_server(credentials: Credentials) -> MailServer:
    """The server these settings name; OrchestratorError says which of them cannot be."""
    host = credentials["host"]
    local = is_this_machine(host)
    written = credentials.get("security") or (Security.NONE if local else Security.STARTTLS)
    if written not in tuple(Security):
        raise OrchestratorError(f"smtp: security: {written!r} is not one of {', '.join(Security)}")
    security = Security(written)
    port = credentials.get("port") or str(PORTS[security])
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise OrchestratorError(f"smtp: port: {port!r} is not a number from 1 to 65535")
    user = credentials.get("user", "")
    if user and security is Security.NONE and not local:
        raise OrchestratorError(
            f"smtp: the password for {host} would cross the network in the clear; write security: starttls or security: tls"
        )
    return MailServer(host, int(port), security, user, credentials.get("password", ""), credentials.get("helo", ""))


class Smtp:
    """The adapter. A 250 after the message is SMTP's acceptance: the server took it over, with or without naming it."""

    declaration = Declaration(
        name="smtp",
        channels=frozenset({Channel.EMAIL}),
        transport=Transport.SMTP,
        settings=(
            Setting("host", "the mail server"),
            Setting("port", "its port; 587 for starttls, 465 for tls, 25 for none", required=False),
            Setting("security", "starttls, tls or none; none unasked only on this machine", required=False),
            Setting("user", "log in as", required=False),
            Setting("password", "the password of that user", required=False, secret=True),
            Setting(
                "helo", "the name this machine gives itself; its IP address in brackets when empty", required=False
            ),
            Setting(
                "return_path", "where bounces go, {id} is the delivery's id; the sender when empty", required=False
            ),
            Setting(
                "dkim_key",
                "signs every mail: a private key in PEM, RSA or Ed25519; ${file:…}",
                required=False,
                secret=True,
            ),
            Setting("dkim_domain", "the domain the key stands at", required=False),
            Setting("dkim_selector", "and under which name: SELECTOR._domainkey.DOMAIN", required=False),
        ),
        answers_twice=False,  # a 4yz or 5yz after the dot says it was not taken over
        timeout=BEFORE_DOT + AFTER_DOT,
    )

    def declare(self, credentials: Credentials) -> Declaration:
        """The same for every server; OrchestratorError for settings that cannot be."""
        mail_server(credentials)
        try:
            _signer(credentials)
        except OrchestratorError as problem:
            raise OrchestratorError(f"smtp: {problem}") from problem
        return self.declaration

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> MailRequest:  # noqa: ARG002 - nothing in a message hangs on the attempt
        """One message, one envelope, one recipient; CannotBuildError if a header or the address cannot be."""
        (message,) = messages
        if not isinstance(message.content, EmailContent):
            raise CannotBuildError(f"smtp carries e-mail only, this is {message.key.channel}")
        path = credentials.get("return_path", "")
        mail = mime.compose(message, message.content, path and address(path.replace("{id}", message.id)))
        signer = _signer(credentials)
        if signer is None:
            return mail
        # A server that recodes a mail for the next one would break its signature: what is signed is 7 bit.
        return MailRequest(mail.sender, mail.recipient, signer.sign(mime.as_seven_bit(mail.data)))

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:
        """What the server's deciding reply means for the message."""
        if not isinstance(request, MailRequest) or not isinstance(response, MailReply):
            raise TypeError("smtp reads mail replies only")
        return [_outcome(request, response)]


def _signer(credentials: Credentials) -> "Signer | None":
    """What signs mails, if anything does; OrchestratorError for settings that cannot be."""
    domain, selector, pem = (credentials.get(name, "") for name in ("dkim_domain", "dkim_selector", "dkim_key"))
    if not pem and (domain or selector):
        raise OrchestratorError(
            "dkim_key: missing; without a key nothing is signed: write one, or take the other two out"
        )
    if not pem:
        return None
    from orchestrator.providers.dkim import signer  # noqa: PLC0415 - brings cryptography, which most mail servers need not

    return signer(domain, selector, pem)


# Replies: the enhanced status code (RFC 3463) first, then the words without it, then the plain code.

_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_QUEUE_IDS = (
    re.compile(r"queued as ([^\s<>;]+)", re.IGNORECASE),  # Postfix and most relays
    re.compile(r"\bid=([^\s<>;]+)"),  # Exim
    re.compile(r"InternalId=(\d+)"),  # Exchange
    re.compile(r"^(?:2\.\d+\.\d+ +)?([^\s<>]+) Message accepted"),  # Sendmail
    re.compile(r"^(?:2\.\d+\.\d+ +)?ok:? +([^\s<>]*\d[^\s<>]*)$", re.IGNORECASE),  # Amazon SES
    re.compile(r"^(?:2\.\d+\.\d+ +)?ok +\d+ ([^\s<>]+) - gsmtp", re.IGNORECASE),  # Gmail
)
_TOO_FAST = re.compile(
    r"throttl|too (?:many|fast)|(?:sending|message|rate) (?:rate|limit)|rate.?limit|(?:daily|hourly|sending|message) (?:\w+ )*quota"
    r"|(?:quota|limit) (?:has been )?(?:exceeded|reached)",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"daily|per day|hourly|per hour|quota", re.IGNORECASE)
_NOBODY = re.compile(
    r"(?:no such|unknown|invalid|nonexistent|not a known) (?:user|recipient|mailbox|address|account)|(?:user|recipient|mailbox|address|account)"
    r" (?:is )?(?:unknown|not found|not exist|does not exist|doesn't exist|disabled)",
    re.IGNORECASE,
)
_WAIT = re.compile(r"\b(?:in|after|wait|for) (\d{1,5}) ?(s|m|h)(?:ec|in|our|\b)", re.IGNORECASE)

# X.7.20 to X.7.32: SPF, DKIM, DMARC, PTR, TLS and alignment (RFC 7372 and Gmail), Outlook's 5.7.515, Exchange's 5.7.60
# ("may not send as this sender"). They are about the sender's domain and would meet every recipient alike.
_DOMAIN_TROUBLE = frozenset({*range(20, 28), *range(29, 33), 60, 515})
_GONE = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})
_SENDER_TROUBLE = frozenset({"1.7", "1.8"})
_LOG_IN = frozenset({530, 534, 535, 538})


def _outcome(request: MailRequest, reply: MailReply) -> Outcome:
    # Servers repeat the address; what stays in the ledger must not, for a person's address must be erasable.
    words = (
        re.sub(re.escape(request.recipient), "the address", reply.text, flags=re.IGNORECASE)
        if "@" in reply.text
        else reply.text
    )
    detail = f"{reply.code} {words}".strip()
    if reply.stage == "client":
        return Permanent(detail)
    if reply.stage in ("connect", "tls", "auth") or reply.code in _LOG_IN:
        return _unwelcome(reply, detail)
    if reply.stage == "data" and 200 <= reply.code < 300:
        return Accepted(_queue_id(reply.text) or mime.message_id(request.data))
    if not 400 <= reply.code < 600:
        return Ambiguous(detail)
    match = _ENHANCED.match(reply.text)
    code = f"{int(match[2])}.{int(match[3])}" if match else ""
    return _later(reply, detail, code) if reply.code < 500 else _never(reply, detail, code)


def _is_about_the_domain(code: str) -> bool:
    return code.startswith("7.") and int(code[2:]) in _DOMAIN_TROUBLE


def _unwelcome(reply: MailReply, detail: str) -> Outcome:
    """The server would not have us at all: wrong password (a person must act), or not now."""
    if reply.code < 500:
        return Pause(PauseScope.CREDENTIAL, detail, after=_wish(reply.text) or 60.0)
    needs_a_person = reply.stage == "auth" or reply.code in _LOG_IN
    return Pause(PauseScope.CREDENTIAL, detail, after=None if needs_a_person else 900.0)


def _later(reply: MailReply, detail: str, code: str) -> Outcome:
    """4yz: this message later, or everybody slower. X.1 and X.2 speak of one mailbox, whatever their words."""
    after = _wish(reply.text)
    if _is_about_the_domain(code):
        return Pause(PauseScope.CAMPAIGN, detail)
    of_the_mailbox = code.startswith(("1.", "2."))
    if reply.code == 421 or code == "7.28" or (not of_the_mailbox and _TOO_FAST.search(reply.text)):
        return Pause(PauseScope.CREDENTIAL, detail, after=after or (600.0 if _QUOTA.search(reply.text) else 60.0))
    return Retry(detail, after)


def _never(reply: MailReply, detail: str, code: str) -> Outcome:
    """5yz: never for this message, this address, this sender, or not before tomorrow's quota."""
    if code in ("4.5", "7.28") or (not code.startswith("2.") and _TOO_FAST.search(reply.text)):
        return Pause(PauseScope.CREDENTIAL, detail, after=_wish(reply.text) or 3600.0)
    at_mail = (
        reply.stage == "mail" and code != "3.4" and reply.code != 552
    )  # only the sender is known yet, and the size
    if at_mail or _is_about_the_domain(code) or code in _SENDER_TROUBLE or "not verified" in reply.text:  # SES says so
        return Pause(PauseScope.CAMPAIGN, detail)
    if code in _GONE or (code == "1.0" and reply.stage == "rcpt") or reply.code == 556:
        return AddressGone(detail)
    if not code and reply.code in (550, 551, 553) and _NOBODY.search(reply.text):
        return AddressGone(detail)
    return Permanent(detail)


def _wish(text: str) -> float | None:
    """The server's wish in seconds, if its words name one (`try again in 5 minutes`)."""
    match = _WAIT.search(text)
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2].lower()] if match else None


def _queue_id(text: str) -> str:
    for pattern in _QUEUE_IDS:
        match = pattern.search(text)
        if match:
            return match[1]
    return ""
