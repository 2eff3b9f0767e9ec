"""A shop that serves for real: its files, people and consent, a provider in a process of its own, and the daemon."""

import os
import select
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psutil
import pytest

from orchestrator import app
from orchestrator.ledger import Ledger, NewRun, Run, RunState, runs
from tests.proof.evidence import now
from tests.proof.product import ORCHESTRATOR, ROOT
from tests.proof.project import CAMPAIGN, LIVE, SECRET, bring_people, door, write_files
from tests.proof.remote import RemoteSink, running_sink

PATIENCE = 120.0
"""Seconds for one thing to happen; whoever waits longer waits for nothing."""


class Daemon:
    """A running `orchestrator serve` and what it says."""

    def __init__(self, root: Path, words: Sequence[str] = (), before: Sequence[str] = (), **more: str) -> None:
        command = [
            *before,
            *ORCHESTRATOR,
            "-C",
            str(root),
            "-e",
            LIVE,
            "serve",
            "--workers",
            "1",
            "--port",
            "0",
            *words,
        ]
        self.process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), **more},
            start_new_session=True,
        )
        self.said: list[str] = []
        self._rest = b""

    def until(self, *words: str) -> str:
        """Read what it says until each word was said once, in any order; the line with the last of them."""
        missing, until = set(words), time.monotonic() + PATIENCE
        while True:
            line = self._line(until)
            assert line is not None, f"it ended without {missing}:\n" + "\n".join(self.said)
            missing = {word for word in missing if word not in line}
            if not missing:
                return line

    def _line(self, until: float) -> str | None:
        assert self.process.stderr is not None
        while b"\n" not in self._rest:
            ready = select.poll()  # a process of many tests has files past the thousand that `select` can look at
            ready.register(self.process.stderr)
            readable = ready.poll(max(0.0, until - time.monotonic()) * 1000)
            assert readable, "it says nothing any more:\n" + "\n".join(self.said)
            told = os.read(self.process.stderr.fileno(), 65536)
            if not told:
                return None
            self._rest += told
        line, _, self._rest = self._rest.partition(b"\n")
        self.said.append(line.decode())
        return self.said[-1]

    def stop(self) -> int:
        """End it in good order; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self) -> int:
        """Wait until it has ended, by itself or told to; its exit code."""
        while self._line(time.monotonic() + PATIENCE) is not None:
            pass
        return self.process.wait(PATIENCE)

    def below(self, kind: str, ledger: Ledger) -> list[psutil.Process]:
        """Its living processes of a kind, by what the ledger knows of them."""
        pids = {
            row[0] for row in ledger.store.rows("SELECT pid FROM boot WHERE kind = ? AND ended_at IS NULL", (kind,))
        }
        return [child for child in psutil.Process(self.process.pid).children(recursive=True) if child.pid in pids]

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()


class Shop:
    """One project with its people, its ledger and its provider."""

    def __init__(self, root: Path, sink: RemoteSink, opened: app.Opened, ledger: Ledger) -> None:
        self.root, self.sink, self.opened, self.ledger = root, sink, opened, ledger
        self.version = runs.keep_bundle(ledger.store, opened.files, now())
        self.daemons: list[Daemon] = []

    def again(self) -> Self:
        """Read the files again: what is fired from now on is what they say now."""
        self.opened = app.open_project(self.root, LIVE, sending=True)
        self.version = runs.keep_bundle(self.ledger.store, self.opened.files, now())
        return self

    def fire(self, occurrence: str = "first") -> int:
        """A run that is due now; its number."""
        policy = self.opened.project.campaigns[CAMPAIGN].policy
        run, _ = self.ledger.fire(NewRun(CAMPAIGN, occurrence, self.version, now(), policy.on_ambiguous), now())
        return run.id

    def run(self, number: int) -> Run:
        """A run as the ledger has it now."""
        found = runs.find(self.ledger.store, number)
        assert found is not None
        return found

    def done(self, daemon: Daemon, run: int) -> None:
        """Wait until a run has come to its end."""
        while self.run(run).state is not RunState.DONE:
            daemon.until("shard.put_back")

    def states(self, run: int) -> Counter[tuple[str, str]]:
        """(state, reason) → rows."""
        return Counter(
            dict[tuple[str, str], int](
                ((state, reason), rows)
                for state, reason, rows in self.ledger.store.rows(
                    "SELECT state, reason, COUNT(*) FROM delivery WHERE run = ? GROUP BY state, reason", (run,)
                )
            )
        )

    def received(self) -> Counter[str]:
        """How often each message arrived and counted."""
        return Counter(arrival.key for arrival in self.sink.log() if arrival.delivered)

    def serve(self, *words: str, before: Sequence[str] = (), **more: str) -> Daemon:
        """Start the daemon; it is ended with the shop."""
        self.daemons.append(Daemon(self.root, words, before, **more))
        return self.daemons[-1]


@contextmanager
def a_shop(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    people: int = 300,
    policy: str = "keys",
    way: str = "webhook",
    ledger_url: str = "",
    weather: Mapping[str, str] | None = None,
) -> Iterator[Shop]:
    """A shop below `root`, with so many people; `weather` are options of its provider."""
    options = [word for name, value in (weather or {}).items() for word in (f"--{name}", value)]
    with running_sink(*options, *(["--no-keys"] if policy != "keys" else [])) as sink:
        out = door(way, policy, sink.smtp if way == "mail" else sink.http)
        monkeypatch.setenv("PROOF_LEDGER", ledger_url or f"sqlite:{root / 'data' / 'ledger.db'}")
        monkeypatch.setenv("PROOF_SECRET", SECRET)
        write_files(root, out, policy)
        opened = app.open_project(root, LIVE, sending=True)
        ledger = opened.ledger()
        shop = Shop(root, sink, opened, ledger)
        try:
            if people:
                bring_people(opened, ledger, out, people, now())
            yield shop
        finally:
            for daemon in shop.daemons:
                daemon.close()
            ledger.close()
