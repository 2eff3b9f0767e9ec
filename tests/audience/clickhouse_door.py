"""ClickHouse's HTTP interface over a folder, as far as it is asked here: `python -m tests.audience.clickhouse_door FOLDER [USER PASSWORD]`.

No server of ClickHouse can be had from a package registry, its engine can. So engine, settings, formats and errors are ClickHouse's
own; the frame around them (statuses, headers, what stands behind rows that break off) is written after its documentation.
"""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb

TAG = "dngjzjnxkvlwkeua"
CHUNK = 10_000
MUTE = "mute"
"""In a question: rows that break off do so without a word, as where the server is killed."""
STATUSES = {"60": 404, "81": 404, "497": 403, "516": 403}
"""Of exceptions by their code; any other is 500."""


class Door(BaseHTTPRequestHandler):
    """One question a request."""

    protocol_version = "HTTP/1.1"
    folder = ""
    known = ""

    def do_POST(self) -> None:
        said = dict(parse_qsl(urlsplit(self.path).query))
        sql = self.rfile.read(int(self.headers["content-length"])).decode()
        if self.known and self.headers.get("authorization") != f"Basic {self.known}":
            self._refuse("Code: 516. DB::Exception: me: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)\n\nIf you forgot it …")  # fmt: skip
            return
        with closing(chdb.connect(self.folder)) as engine:
            try:
                form = said.pop("default_format", "TabSeparated")
                engine.query(f"USE {said.pop('database', 'default')}")
                # What may be set is looked at before anything is: `readonly` is the last to count.
                for name, value in sorted(said.items(), key=lambda pair: pair[0] == "readonly"):
                    engine.query(f"SET {name} = {value}")
                body = engine.query(sql, form).bytes()
            except (chdb.ChdbError, RuntimeError) as problem:
                if not self._broken_off(engine, sql, str(problem)):
                    self._refuse(str(problem))
                return
        self._begin()
        for start in range(0, len(body), CHUNK):
            self._chunk(body[start : start + CHUNK])
        self._chunk(b"")

    def _broken_off(self, engine: Any, sql: str, problem: str) -> bool:
        """The rows before the one that failed, and the trouble behind them; False where there are none."""
        try:
            body = engine.query(f"SELECT * FROM ({sql}) LIMIT 1000", "ArrowStream").bytes()
        except (chdb.ChdbError, RuntimeError):
            return False
        self._begin()
        self._chunk(body[:-8])  # the end that Arrow writes is what is missing
        if MUTE not in sql:
            trouble = f"\r\n__exception__\r\n{TAG}\r\n{problem}\n{len(problem) + 1} {TAG}\r\n__exception__\r\n"
            self._chunk(trouble.encode())
        self.close_connection = True  # without the last chunk
        return True

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("X-ClickHouse-Exception-Tag", TAG)
        self.end_headers()

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))

    def _refuse(self, problem: str) -> None:
        code = problem.partition("Code: ")[2].partition(".")[0]
        body = problem.encode()
        self.send_response(STATUSES.get(code, 500))
        self.send_header("X-ClickHouse-Exception-Code", code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path, user: str = "", password: str = "") -> Iterator[str]:
    """A door to a folder in a process of its own; gives `host:port`."""
    told = [str(folder), *([user, password] if user else [])]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.audience.clickhouse_door", *told],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield f"127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


def main(folder: str, user: str = "", password: str = "") -> None:
    """Serve until killed."""
    Door.folder = folder
    Door.known = base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
    keep = chdb.connect(folder)  # the library lets go of a folder with its last connection
    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server, closing(keep):
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
