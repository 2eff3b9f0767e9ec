"""The seam every outside service stands behind: a declaration and two pure functions, `build` and `read`.

An adapter opens no socket, keeps no state and has nothing to retry with. One file per adapter in this folder; others come
in by the entry-point group `orchestrator.providers`, each entry a class with the shape of `Adapter`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeGuard

from orchestrator.core.callbacks import Callback
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.frozen import value
from orchestrator.core.nouns import Channel, Message
from orchestrator.core.outcomes import Outcome
from orchestrator.core.times import Instant

Credentials = Mapping[str, str]
"""The provider's settings as resolved from the config: endpoint, key, secret. Values are secret: never log them."""


class Transport(StrEnum):
    """What carries the request: a socket of wire/, our own inbox table, or the process's own memory."""

    HTTP = "http"
    HTTP2 = "http2"
    SMTP = "smtp"
    INBOX = "inbox"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key an adapter reads from `providers:` in the settings; `secret` ones only as ${env:…} or ${file:…}."""

    name: str
    about: str
    required: bool = True
    secret: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What an adapter promises about its service.

    `key_life`: seconds for which the service remembers our idempotency key, 0 if it takes none. `answers_twice`: a 5xx
    may come for a message that was accepted, so it is ambiguous and not a retry. `rate`: messages a second, None if the
    service names none. `timeout`: seconds for the whole exchange. `platforms`: the only devices whose tokens it knows, empty
    for all. `foreign`: its URLs are part of people's addresses, so nothing but the public internet may be called. `reports`: where in the service one says which URL is told
    what became of messages, and which of its reports to tick; empty if it tells nothing.
    """

    name: str
    channels: frozenset[Channel]
    transport: Transport
    settings: tuple[Setting, ...] = ()
    batch: int = 1
    key_life: int = 0
    rate: float | None = None
    answers_twice: bool = True
    timeout: float = 15.0
    platforms: frozenset[str] = frozenset()
    foreign: bool = False
    reports: str = ""

    @property
    def window(self) -> int:
        """How many messages one worker may have in flight: few where a crash could double them."""
        return 1024 if self.key_life or self.transport in (Transport.INBOX, Transport.MEMORY) else 128


@value(frozen=True, slots=True)
class HttpRequest:
    """One HTTP exchange to make. Header names are written as the service documents them.

    It shows nothing but its method: keys stand in headers, and with some services in the URL.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@value(frozen=True, slots=True)
class HttpResponse:
    """What came back; header names in lower case.

    `retry_after`: seconds a refusal asks us to wait, within [1 s, 6 h]; the wire read them out of the header, in both of
    its forms, because a date needs a clock and adapters have none.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    retry_after: float | None = None


@value(frozen=True, slots=True)
class MailRequest:
    """One SMTP transaction: envelope sender, the one envelope recipient, and the message's bytes (CRLF lines)."""

    sender: str
    recipient: str
    data: bytes


@value(frozen=True, slots=True)
class MailReply:
    """The server's deciding reply, and the stage it came at.

    `connect`, `tls` or `auth`: it would not have us at all; `mail` or `rcpt`: refused there; `data`: its last word;
    `client`: our own side refused before anything was sent, because this server could not carry the message.
    """

    code: int
    text: str
    stage: str


@value(frozen=True, slots=True)
class LocalRequest:
    """No exchange at all: the messages go into our inbox table or this process's memory."""

    messages: Sequence[Message]


@value(frozen=True, slots=True)
class LocalReply:
    """What the table or the memory says: stored under these ids, in order."""

    ids: Sequence[str]


Request = HttpRequest | MailRequest | LocalRequest
Response = HttpResponse | MailReply | LocalReply


class CannotBuildError(OrchestratorError):
    """This message cannot be put into a request, whoever carries it: Permanent for it, no concern of the others."""


class Adapter(Protocol):
    """One outside service. Both functions are pure: the same arguments give the same bytes, on every attempt.

    It is made without arguments: `check` and the reference read its declaration before anybody has credentials.
    """

    declaration: Declaration

    def build(self, messages: Sequence[Message], credentials: Credentials, now: Instant) -> Request:
        """Return the request that delivers these messages (at most `declaration.batch`); CannotBuildError if it cannot be."""
        ...

    def read(self, request: Request, response: Response) -> Sequence[Outcome]:
        """Return one outcome per message, in the order they were built."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and how many seconds it lives."""

    value: str = field(repr=False)
    lifetime: float


class TokenAdapter(Adapter, Protocol):
    """An adapter whose service wants a short-lived token first; it reads it as `credentials["access_token"]`."""

    def grant(self, credentials: Credentials, now: Instant) -> HttpRequest:
        """Return the request that fetches a token."""
        ...

    def read_grant(self, response: HttpResponse) -> Token | Outcome:
        """Return the token, or the pause that a refusal means."""
        ...


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """What a provider posted to us. `url` is the public one it was told to call; header names in lower case.

    It shows nothing: a key stands in the URL, people's addresses in the body.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """What it said: reports of messages, and a URL of its own to be asked once, by which it wants to know that we are there."""

    reports: Sequence[Callback] = ()
    confirm: str = ""


class CallbackRefusedError(OrchestratorError):
    """It is signed by somebody else, or not at all where it must be; nothing in it was looked at."""


class CallbackFormError(OrchestratorError):
    """It is nothing this adapter knows, so sending it again helps nobody."""


class CallbackAdapter(Adapter, Protocol):
    """An adapter whose service tells later what became of its messages."""

    def hear(self, request: CallbackRequest, credentials: Credentials, now: Instant) -> Heard:
        """Read what the service posted; CallbackRefusedError or CallbackFormError if it cannot be believed, or read.

        Whoever asks has checked that the URL was ours; a signature is checked here where the settings have what that takes.
        """
        ...


def hears(adapter: Adapter) -> TypeGuard[CallbackAdapter]:
    """Whether an adapter's service tells us later what became of its messages."""
    return callable(getattr(adapter, "hear", None))


class KnockingAdapter(Adapter, Protocol):
    """An adapter whose service can be asked whether it takes the credentials, without sending anything."""

    def knock(self, credentials: Credentials, now: Instant) -> HttpRequest:
        """Return a question that changes nothing; any 2xx says that they are taken."""
        ...


class TunableAdapter(Adapter, Protocol):
    """An adapter whose promises hang on its settings: a receiver that remembers keys, or one that does not."""

    def declare(self, credentials: Credentials) -> Declaration:
        """Return the declaration as these settings make it; OrchestratorError says which of them cannot be."""
        ...


def declaration_for(adapter: Adapter, credentials: Credentials) -> Declaration:
    """The declaration that holds under these settings: the adapter's own, unless it has `declare`."""
    declare: Callable[[Credentials], Declaration] | None = getattr(adapter, "declare", None)
    return adapter.declaration if declare is None else declare(credentials)
