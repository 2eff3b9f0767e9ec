"""A web service on this machine that takes what is posted to it, keeps it, and answers as it is told to."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from tests.listening import Quiet, listening


class Parcel(NamedTuple):
    """One request as it came. Names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """What is answered. A status of 0 tears the connection off without a word."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class PostOffice:
    """`answer` makes the reply to each parcel; `parcels` are all that came, in their order."""

    def __init__(self, answer: Callable[[Parcel], Reply]) -> None:
        self.answer, self.parcels, self.url = answer, list[Parcel](), ""
        self._lock = threading.Lock()

    def take(self, parcel: Parcel) -> Reply:
        """Keep it and answer it."""
        with self._lock:
            self.parcels.append(parcel)
            return self.answer(parcel)


@contextmanager
def a_post_office(answer: Callable[[Parcel], Reply]) -> Iterator[PostOffice]:
    """A post office that stands at `url`."""
    made = PostOffice(answer)

    class Handler(Quiet):
        def do_POST(self) -> None:  # noqa: N802 - the name http.server calls
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            reply = made.take(Parcel(self.command, self.path, headers, body))
            if not reply.status:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {**reply.headers, "content-length": str(len(reply.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST  # noqa: N815 - the name http.server calls

    with listening(Handler) as made.url:
        yield made
