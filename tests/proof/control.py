"""The sink's back door: how a test asks what happened, waits for a message in flight, changes the weather, and stops it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from tests.proof.book import Book
from tests.proof.faults import Latency, weights

Reply = Callable[[bytes], None]


def answer(status: int, body: bytes) -> bytes:
    """One HTTP response of the back door."""
    return (
        f"HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    )


class Control:
    """`/_sink/stats`, `/_sink/wait?since=SEQ`, `/_sink/log?from=SEQ`, `/_sink/plan?weights=…&latency=…`, `/_sink/stop`."""

    def __init__(self, book: Book, stopped: asyncio.Event) -> None:
        self.book, self.stopped = book, stopped
        self.connections = 0
        self.seen = 0
        self.waiting: list[tuple[int, Reply]] = []

    def arrived(self) -> None:
        """A message is in flight: tell whoever waits for it."""
        if self.waiting:
            ready = [reply for since, reply in self.waiting if since < self.book.seq]
            self.waiting = [(since, reply) for since, reply in self.waiting if since >= self.book.seq]
            for reply in ready:
                self.in_flight(reply)

    def in_flight(self, reply: Reply) -> None:
        """Answer a wait: the mark from which the next one counts stands in `arrivals`."""
        self.seen = self.book.seq
        reply(answer(200, json.dumps(self.stats()).encode()))

    def stats(self) -> dict[str, int]:
        """The book's counts and the open connections."""
        return {**self.book.stats(), "connections": self.connections}

    def answer(self, target: str, _body: bytes, reply: Reply) -> None:
        """Do what the address says."""
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        match url.path.removeprefix("/_sink/"):
            case "stats":
                reply(answer(200, json.dumps(self.stats()).encode()))
            case "wait":
                since = int(query.get("since", self.seen))
                if self.book.seq > since:
                    self.in_flight(reply)
                else:
                    self.waiting.append((since, reply))
            case "log":
                self.book.flush()
                lines = self.book.path.read_bytes().splitlines(keepends=True)
                reply(answer(200, b"".join(lines[int(query.get("from", 0)) :])))
            case "plan":
                self.change(query)
                reply(answer(200, b"{}"))
            case "stop":
                reply(answer(200, b"{}"))
                self.stopped.set()
            case _:
                reply(answer(404, b"{}"))

    def change(self, query: dict[str, str]) -> None:
        """New weather from here on."""
        plan = self.book.plan
        if "weights" in query:
            plan = replace(plan, weights=weights(query["weights"]))
        if "latency" in query:
            plan = replace(plan, latency=Latency.parse(query["latency"]))
        if "faults_per_key" in query:
            plan = replace(plan, faults_per_key=int(query["faults_per_key"]))
        self.book.plan = plan
