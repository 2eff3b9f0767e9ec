"""A mail server that says what the test wants it to say, and writes down everything it hears."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = bytes | None | Callable[["Talk"], "Answer"]
"""A reply without its CRLF, None for silence, or what decides it."""

SPOKEN = ("EHLO", "MAIL", "RCPT", "DATA", "RSET", "STARTTLS", "AUTH", "QUIT")
GO_AHEAD = b"354 go ahead"
TAKEN = (b"250", b"TAKEN")
"""A message is the server's once it has said 250, or, saying TAKEN to this script, has nothing more to say."""


@dataclass
class Script:
    """What the server answers to each verb (DOT: to the message, GREETING: to the connection) and offers after EHLO."""

    features: tuple[bytes, ...] = (b"PIPELINING", b"8BITMIME", b"SIZE 10000000")
    answers: dict[str, Answer] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    torn: bool = False
    """Every reply leaves octet by octet."""


@dataclass
class Heard:
    """What came in: messages as (sender, recipient, data), every command, the verbs of each piece read, connections."""

    messages: list[tuple[str, str, bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    pieces: list[list[str]] = field(default_factory=list)
    connections: int = 0
    encrypted: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever something was heard."""


class Talk(asyncio.Protocol):
    """One connection to the server."""

    def __init__(self, script: Script, heard: Heard) -> None:
        self.script, self.heard = script, heard
        self.rest = b""
        self.body: list[bytes] | None = None
        self.sender = self.recipient = self.trying = ""
        self.open = False
        self.messages = 0
        self.login_steps = 0
        self.hung = False
        self.upgrading = False

    def connection_made(self, transport) -> None:
        fresh = not hasattr(self, "transport")
        self.transport = transport
        if fresh:
            self.heard.connections += 1
            self.say("GREETING", b"220 test ESMTP")

    def connection_lost(self, exc) -> None:
        self.heard.gone.set()

    def data_received(self, data: bytes) -> None:
        if self.upgrading:  # encrypted words may come before we know that the handshake is done
            self.rest += data
            return
        lines = (self.rest + data).split(b"\r\n")
        self.rest = lines.pop()
        self.heard.pieces.append([])
        for line in lines:
            if not self.hung:  # whoever is silent on one command does not answer the next
                self.line(line)
        self.heard.told.set()

    def line(self, line: bytes) -> None:
        if self.body is not None and line == b".":
            self.heard.pieces[-1].append("DOT")
            data, self.body = b"".join(part + b"\r\n" for part in self.body), None
            self.open = False
            mail = (self.sender, self.recipient, data)
            if self.say("DOT", b"250 2.0.0 Ok: queued as Q%d" % (len(self.heard.messages) + 1)).startswith(TAKEN):
                self.heard.messages.append(mail)
                self.messages += 1
            self.recipient = ""
        elif self.body is not None:
            self.body.append(line.removeprefix(b"."))
        elif self.login_steps:
            self.login_steps -= 1
            self.heard.commands.append(line.decode())
            self.say("LOGIN", b"334 UGFzc3dvcmQ6" if self.login_steps else b"235 2.7.0 welcome")
        else:
            self.command(line.decode())

    def command(self, line: str) -> None:
        verb = line.split(" ", maxsplit=1)[0].upper()
        self.heard.commands.append(line)
        self.heard.pieces[-1].append(verb)
        if verb in ("RCPT", "DATA") and not self.open:
            self.transport.write(b"503 5.5.1 MAIL first\r\n")
        elif verb in SPOKEN:
            getattr(self, verb.lower())(line)
        else:
            self.say(verb, b"250 Ok")

    def ehlo(self, line: str) -> None:
        offers = [b"test", *self.script.features]
        self.say("EHLO", b"\r\n".join(b"250%s%s" % (b" " if o is offers[-1] else b"-", o) for o in offers))

    def mail(self, line: str) -> None:
        if self.open:
            self.transport.write(b"503 5.5.1 nested MAIL\r\n")
            return
        self.trying = line[line.index("<") + 1 : line.index(">")]
        if self.say("MAIL", b"250 2.1.0 Ok").startswith(b"250"):
            self.sender, self.open = self.trying, True

    def rcpt(self, line: str) -> None:
        if self.say("RCPT", b"250 2.1.5 Ok").startswith(b"250"):
            self.recipient = line[line.index("<") + 1 : line.index(">")]

    def data(self, line: str) -> None:
        if self.say("DATA", GO_AHEAD if self.recipient else b"554 5.5.1 no valid recipients").startswith(b"354"):
            self.body = []

    def rset(self, line: str) -> None:
        self.open, self.recipient = False, ""
        self.say("RSET", b"250 Ok")

    def starttls(self, line: str) -> None:
        self.say("STARTTLS", b"220 2.0.0 go")
        self.upgrading = True
        self.upgrade = asyncio.get_running_loop().create_task(self.encrypt())

    def auth(self, line: str) -> None:
        self.login_steps = 2 if line == "AUTH LOGIN" else 0
        self.say("AUTH", b"334 VXNlcm5hbWU6" if self.login_steps else b"235 2.7.0 welcome")

    def quit(self, line: str) -> None:
        self.say("QUIT", b"221 bye")
        self.transport.close()

    async def encrypt(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self.transport = await loop.start_tls(self.transport, self, self.script.tls, server_side=True)
            self.heard.encrypted += 1
            self.upgrading = False
            self.data_received(b"")
        except OSError:  # the client did not like the certificate
            self.transport.abort()

    def say(self, verb: str, otherwise: bytes) -> bytes:
        answer = self.script.answers.get(verb, otherwise)
        while callable(answer):
            answer = answer(self)
        if answer is None or answer == b"TAKEN":
            self.hung = answer is None
            return answer or b""
        pieces = (
            [answer[at : at + 1] for at in range(len(answer))] + [b"\r\n"] if self.script.torn else [answer + b"\r\n"]
        )
        for piece in pieces:
            self.transport.write(piece)
        return answer

    def drop(self) -> None:
        """Close without a word."""
        self.transport.abort()


@asynccontextmanager
async def mail_server(script: Script) -> AsyncIterator[tuple[int, Heard]]:
    """Runs the script on loopback; gives its port and what it heard."""
    heard = Heard()
    loop = asyncio.get_running_loop()
    talks: list[Talk] = []

    def another() -> Talk:
        talks.append(Talk(script, heard))
        return talks[-1]

    server = await loop.create_server(another, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()
        for talk in talks:
            talk.transport.abort()
        await server.wait_closed()
