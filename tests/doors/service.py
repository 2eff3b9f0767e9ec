"""A web service on this machine that answers questions about people, and counts what it was asked."""

import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


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

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            status, body = made.answer(self.path, dict(self.headers))
            content = body if isinstance(body, bytes) else body.encode()
            self.send_response(status)
            for name, value in {"content-type": made.kind, "content-length": len(content), **made.headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
