"""A web service on this machine that answers questions about people, and counts what it was asked."""

import threading
from collections import Counter
from contextlib import contextmanager

from tests.listening import Quiet, listening


class Service:
    """`answers`: by path (with its query) what is answered, a status and a body; `default` for every other path."""

    def __init__(self):
        self.answers, self.default = {}, (404, "")
        self.kind, self.headers = "application/json", {}
        self.asked, self.heard = Counter(), []
        self._lock = threading.Lock()

    def answer(self, path, headers):
        with self._lock:
            self.asked[path] += 1
            self.heard.append(headers)
            found = self.answers.get(path, self.default)
            return found.pop(0) if isinstance(found, list) else found

    @property
    def questions(self):
        return sum(self.asked.values())


@contextmanager
def a_service():
    made = Service()

    class Handler(Quiet):
        def do_GET(self):  # noqa: N802 - the name http.server calls
            status, body = made.answer(self.path, dict(self.headers))
            content = body if isinstance(body, bytes) else body.encode()
            self.send_response(status)
            for name, value in {"content-type": made.kind, "content-length": len(content), **made.headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(content)

    with listening(Handler) as made.url:
        yield made
