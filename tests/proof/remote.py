"""The sink as a test sees it from its own process: start it, ask it, stop it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.proof.book import Arrival, read_log

ROOT = Path(__file__).resolve().parents[2]


class RemoteSink:
    """A running sink. Every question opens a connection of its own, so one may wait while another asks."""

    def __init__(self, http: int, smtp: int, log: Path) -> None:
        self.http, self.smtp, self.log_path = http, smtp, log

    @property
    def url(self) -> str:
        """Where its HTTP door is, without a slash at the end."""
        return f"http://127.0.0.1:{self.http}"

    def ask(self, what: str, seconds: float = 30.0, **query: Any) -> bytes:
        """One question at the back door; TimeoutError after so many seconds."""
        connection = HTTPConnection("127.0.0.1", self.http, timeout=seconds)
        try:
            connection.request("GET", f"/_sink/{what}?{urlencode(query)}")
            return connection.getresponse().read()
        finally:
            connection.close()

    def stats(self) -> dict[str, int]:
        """The counts so far."""
        found: dict[str, int] = json.loads(self.ask("stats"))
        return found

    def wait(self, since: int, seconds: float = 30.0) -> dict[str, int]:
        """Return the counts at the first message in flight after arrival number `since`."""
        found: dict[str, int] = json.loads(self.ask("wait", seconds, since=since))
        return found

    def plan(self, **change: Any) -> None:
        """Change the weather: weights, latency, faults_per_key."""
        self.ask("plan", **change)

    def log(self, start: int = 0) -> list[Arrival]:
        """Every arrival so far, but for the first `start`."""
        return read_log(self.ask("log", **{"from": start}).decode().splitlines())


@contextmanager
def running_sink(*options: str) -> Iterator[RemoteSink]:
    """A sink in its own process and session, so that no kill of the product's group reaches it."""
    command = [sys.executable, "-m", "tests.proof.sink", "--parent", str(os.getpid()), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the sink did not start (exit code {process.wait()}); its error stands above")
            ports = json.loads(line)
            yield RemoteSink(ports["http"], ports["smtp"], Path(ports["log"]))
        finally:
            process.terminate()
