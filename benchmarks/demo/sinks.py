"""A mail server and a push receiver on this machine: they take everything and keep it, so that it can be read."""

import json
import socket
import threading
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller


class MailSink:
    """An SMTP server on loopback; `mails` holds what came, as bytes."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        # The controller knocks at its own door when it starts, so it has to know the number.
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append(envelope.original_content)
        return "250 2.0.0 taken"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def write(self, path: Path, wanted: str) -> Path | None:
        """Write the HTML of the first mail whose subject contains this word."""
        for mail in self.mails:
            message = message_from_bytes(mail, policy=policy.default)
            if wanted in str(message["subject"]):
                body = message.get_body(("html",))
                path.write_text(body.get_content() if body else "", encoding="utf-8")
                return path
        return None


class PushSink:
    """An HTTP server on loopback that takes webhooks; `pushes` holds what came, as JSON."""

    def __init__(self) -> None:
        self.pushes: list[dict[str, Any]] = []
        sink = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                sink.pushes.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/push"
