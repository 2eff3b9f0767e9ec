"""The sink's HTTP door: a webhook receiver that knows idempotency keys, and Google's push service with its tokens."""

import asyncio
import json
import re
import socket
import struct
from urllib.parse import parse_qs

from tests.proof.book import Book, Ticket
from tests.proof.control import Control
from tests.proof.faults import Mode

PUSH_ID = re.compile(rb'"orchestrator_id"\s*:\s*"([^"]*)"')
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
WEBHOOK_OK = b'{"ok":true}'
GARBAGE = b"<html><body>It works!</body></html>"
TOKEN = b'{"access_token":"sink-token","expires_in":3599,"token_type":"Bearer"}'

WEBHOOK_REFUSALS = {
    Mode.ACCEPT_THEN_503: (503, b'{"error":"unavailable"}'),
    Mode.TOO_MANY: (429, b'{"error":"too many"}'),
    Mode.ERROR: (500, b'{"error":"internal"}'),
    Mode.GONE: (410, b'{"error":"gone"}'),
}


def push_error(code: int, status: str, detail: str) -> bytes:
    """The error body of FCM HTTP v1, whose meaning stands in `details`."""
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": kind, "errorCode": detail}]
    return json.dumps({"error": {"code": code, "status": status, "message": detail, "details": details}}).encode()


PUSH_REFUSALS = {
    Mode.ACCEPT_THEN_503: (503, push_error(503, "UNAVAILABLE", "UNAVAILABLE")),
    Mode.TOO_MANY: (429, push_error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")),
    Mode.ERROR: (500, push_error(500, "INTERNAL", "INTERNAL")),
    Mode.GONE: (404, push_error(404, "NOT_FOUND", "UNREGISTERED")),
}
REASONS = {200: "OK", 404: "Not Found", 409: "Conflict", 410: "Gone", 411: "Length Required", 429: "Too Many Requests"}


def response(status: int, body: bytes, extra: str = "") -> bytes:
    """One HTTP/1.1 response that keeps the connection."""
    reason = REASONS.get(status, "Error")
    head = f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\n{extra}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


ACCEPTED = response(200, WEBHOOK_OK)


def header(head: bytes, lower: bytes, name: bytes) -> bytes:
    """A header's value as it was sent, empty without it."""
    at = lower.find(b"\r\n" + name + b":")
    if at < 0:
        return b""
    start = at + len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].strip()


def forced_mode(target: bytes) -> Mode | None:
    """The mode a path asks for itself: `/hook?mode=accept-then-drop`."""
    _, _, query = target.partition(b"?")
    if b"mode=" not in query:
        return None
    return Mode(parse_qs(query.decode())["mode"][0])


class HttpDoor(asyncio.Protocol):
    """One connection. A request is answered before the next one on it is read, as HTTP/1.1 wants."""

    def __init__(self, book: Book, control: Control) -> None:
        self.book, self.control = book, control
        self.buffer = b""
        self.busy = self.lost = False
        self.pending = False
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment] # a stream server hands out Transports
        self.control.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.control.connections -= 1
        self.lost = True
        if self.timer:
            self.timer.cancel()
        if self.pending:
            self.pending = False
            self.book.cut()

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        self.drain()

    def drain(self) -> None:
        """Work through the requests that are complete, one after the other."""
        while not self.busy and not self.lost:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buffer[:end]
            lower = head.lower()
            length = header(head, lower, b"content-length")
            if not length and b"\r\ntransfer-encoding:" in lower:
                self.transport.write(response(411, b""))
                self.transport.close()
                return
            stop = end + 4 + int(length or 0)
            if len(self.buffer) < stop:
                return
            body, self.buffer = self.buffer[end + 4 : stop], self.buffer[stop:]
            self.request(head, lower, body)

    def request(self, head: bytes, lower: bytes, body: bytes) -> None:
        """Send one request to whom it concerns."""
        _, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
        path = target.partition(b"?")[0]
        if path.startswith(b"/_sink/"):
            self.busy = True
            self.control.answer(target.decode(), body, self.reply)
        elif path.endswith(b"/token"):
            self.transport.write(response(200, TOKEN))
        elif path.endswith(b"/messages:send"):
            found = PUSH_ID.search(body)
            key = found[1].decode() if found else ""
            self.meet(self.book.arrive("push", key, body, forced_mode(target)), path.decode())
        else:
            key = header(head, lower, b"webhook-id").decode("latin-1")
            self.meet(self.book.arrive("webhook", key, body, forced_mode(target)))

    def reply(self, data: bytes) -> None:
        """The control's answer; it may come later."""
        if not self.lost:
            self.transport.write(data)
            self.busy = False
            self.drain()

    def meet(self, ticket: Ticket, push: str = "") -> None:
        """Let one message meet its fate, now or after its delay."""
        self.control.arrived()
        self.pending = True
        if ticket.fate.delay:
            self.busy = True
            self.timer = asyncio.get_running_loop().call_later(ticket.fate.delay, self.settle, ticket, push)
        else:
            self.settle(ticket, push)

    def settle(self, ticket: Ticket, push: str) -> None:
        """Answer, or do not."""
        mode, self.timer = ticket.fate.mode, None
        if mode is Mode.ACCEPT_THEN_HANG:
            self.busy = True
            return
        self.pending = False
        self.book.leave()
        if mode is Mode.RESET:
            self.reset()
        elif mode in (Mode.ACCEPT_THEN_DROP, Mode.DROP_BEFORE_ACCEPT):
            self.lost = True
            self.transport.close()
        else:
            self.transport.write(self.words(ticket, push))
            if self.busy:
                self.busy = False
                self.drain()

    def words(self, ticket: Ticket, push: str) -> bytes:
        """The response's bytes."""
        mode = ticket.fate.mode
        if ticket.result == "conflict":
            return response(409, b'{"error":"this key was used with another body"}')
        if mode is Mode.ACCEPT_THEN_GARBAGE:
            return response(200, GARBAGE)
        if refusal := (PUSH_REFUSALS if push else WEBHOOK_REFUSALS).get(mode):
            extra = f"retry-after: {ticket.header}\r\n" if ticket.header is not None else ""
            return response(*refusal, extra)
        if push:
            project = push.split("/")[3]
            return response(200, f'{{"name":"projects/{project}/messages/{ticket.seq}"}}'.encode())
        return ACCEPTED

    def reset(self) -> None:
        """Tear the connection down with RST instead of FIN."""
        self.lost = True
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.transport.abort()
