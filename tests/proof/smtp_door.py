"""The sink's mail door: an SMTP server with pipelining, whose key is the message's Message-ID."""

import asyncio
import re

from tests.proof.book import Book, Ticket
from tests.proof.control import Control
from tests.proof.door import Door
from tests.proof.faults import Mode

MESSAGE_ID = re.compile(rb"^message-id:\s*<([^>\r\n]*)>", re.IGNORECASE | re.MULTILINE)
FORCED = re.compile(rb"\+([a-z0-9-]+)@", re.IGNORECASE)
FEATURES = (b"PIPELINING", b"8BITMIME", b"ENHANCEDSTATUSCODES", b"AUTH PLAIN", b"SIZE 52428800")
GREETING = b"220 sink ESMTP\r\n"
HELLO = b"250-sink\r\n" + b"".join(b"250-%s\r\n" % name for name in FEATURES[:-1]) + b"250 %s\r\n" % FEATURES[-1]

SIMPLE = {
    b"EHLO": HELLO,
    b"HELO": b"250 sink\r\n",
    b"NOOP": b"250 2.0.0 OK\r\n",
    b"AUTH": b"235 2.7.0 welcome\r\n",
    b"MAIL": b"250 2.1.0 OK\r\n",
}
ANSWERS = {
    Mode.ACCEPT: b"250 2.0.0 OK queued\r\n",
    Mode.SLOW: b"250 2.0.0 OK queued\r\n",
    Mode.ACCEPT_THEN_503: b"451 4.3.0 try again\r\n",
    Mode.ACCEPT_THEN_GARBAGE: b"It works!\r\n",
    Mode.TOO_MANY: b"450 4.7.1 too many messages, slow down\r\n",
    Mode.ERROR: b"451 4.3.0 internal error\r\n",
    Mode.GONE: b"550 5.1.1 no such user\r\n",
}


class SmtpDoor(Door):
    """One connection. A recipient `anna+reset@shop.example` asks for its mode; `+gone` is refused at RCPT already."""

    def __init__(self, book: Book, control: Control) -> None:
        super().__init__(book, control)
        self.out = b""
        self.in_data = False
        self.forced: Mode | None = None
        self.recipients = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.write(GREETING)

    def drain(self) -> None:
        """Work through what has come; the answers of one burst leave in one write."""
        while not self.busy and not self.lost and (self.message() if self.in_data else self.command()):
            pass
        if self.out and not self.lost:
            self.transport.write(self.out)
        self.out = b""

    def command(self) -> bool:
        """Answer one command line; False if none is complete."""
        line, newline, rest = self.buffer.partition(b"\r\n")
        if not newline:
            return False
        self.buffer = rest
        verb = line[:4].upper()
        if verb in SIMPLE:
            self.out += SIMPLE[verb]
            if verb == b"MAIL":
                self.forced, self.recipients = None, 0
        elif verb == b"RCPT":
            self.out += self.recipient(line)
        elif verb == b"DATA":
            self.in_data = self.recipients > 0
            self.out += b"354 go ahead\r\n" if self.in_data else b"503 5.5.1 no valid recipients\r\n"
        elif verb == b"RSET":
            self.forced, self.recipients = None, 0
            self.out += b"250 2.0.0 OK\r\n"
        elif verb == b"QUIT":
            self.transport.write(self.out + b"221 2.0.0 bye\r\n")
            self.lost = True
            self.transport.close()
        else:
            self.out += b"502 5.5.2 unknown command\r\n"
        return True

    def recipient(self, line: bytes) -> bytes:
        """Answer RCPT, and remember which mode the address asks for."""
        found = FORCED.search(line)
        self.forced = Mode(found[1].decode().lower()) if found else None
        if self.forced is Mode.GONE:
            return b"550 5.1.1 no such user\r\n"
        self.recipients += 1
        return b"250 2.1.5 OK\r\n"

    def message(self) -> bool:
        """Take one message's content up to the lone dot; False if it is not complete."""
        end = self.buffer.find(b"\r\n.\r\n")
        if end < 0:
            return False
        content, self.buffer = self.buffer[: end + 2], self.buffer[end + 5 :]
        self.in_data = False
        found = MESSAGE_ID.search(content[: content.find(b"\r\n\r\n") + 2])
        key = found[1].decode("latin-1").partition("@")[0] if found else ""
        ticket = self.book.arrive("mail", key, content, self.forced)
        self.forced, self.recipients = None, 0
        self.meet(ticket)
        return True

    def answer(self, ticket: Ticket, *, late: bool) -> None:
        """The reply to the dot; one that comes late leaves by itself."""
        self.out += ANSWERS[ticket.fate.mode]
        if late:
            self.busy = False
            self.drain()
