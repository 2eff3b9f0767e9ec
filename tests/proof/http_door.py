"""The sink's HTTP door: a webhook receiver that knows idempotency keys, and Google's push service with its tokens."""

import json
import re
from urllib.parse import parse_qs

from tests.proof.book import Book, Ticket
from tests.proof.control import Control
from tests.proof.door import Door
from tests.proof.faults import Mode

PUSH_ID = re.compile(rb'"orchestrator_id"\s*:\s*"([^"]*)"')
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


class HttpDoor(Door):
    """One connection. A request is answered before the next one on it is read, as HTTP/1.1 wants."""

    def __init__(self, book: Book, control: Control) -> None:
        super().__init__(book, control)
        self.push = ""
        """The path of the push message that waits for its answer; empty for a webhook."""

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
            self.push = path.decode()
            self.meet(self.book.arrive("push", key, body, forced_mode(target)))
        else:
            key, self.push = header(head, lower, b"webhook-id").decode("latin-1"), ""
            self.meet(self.book.arrive("webhook", key, body, forced_mode(target)))

    def reply(self, data: bytes) -> None:
        """The control's answer; it may come later."""
        if not self.lost:
            self.transport.write(data)
            self.busy = False
            self.drain()

    def answer(self, ticket: Ticket, *, late: bool) -> None:
        """The response; then whatever was sent after the request."""
        self.transport.write(self.words(ticket, self.push))
        if late:
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
