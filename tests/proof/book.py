"""The sink's book: every arrival, whether it counted, and what is still waiting for an answer."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from tests.proof.faults import TAKES, Fate, Mode, Plan, retry_after

COLUMNS = "seq\tat\tmono\tdoor\tkey\tbody\tmode\tresult\twait"


class Arrival(NamedTuple):
    """One line of the accept log, written before the answer leaves.

    `at` is wall time and `mono` the machine's monotonic time, both in microseconds; `wait` is how long the sender was
    asked to stay away, in microseconds. `result`: accepted · replay (known key, same body: not delivered again) ·
    conflict (known key, other body) · refused.
    """

    seq: int
    at: int
    mono: int
    door: str
    key: str
    body: str
    mode: Mode
    result: str
    wait: int = 0

    @property
    def delivered(self) -> bool:
        """Whether a person received something with this arrival."""
        return self.result == "accepted"


def read_log(lines: Iterable[str]) -> list[Arrival]:
    """Arrivals of an accept log, in the order they came."""
    arrivals = []
    for line in lines:
        seq, at, mono, door, key, body, mode, result, wait = line.rstrip("\n").split("\t")
        arrivals.append(Arrival(int(seq), int(at), int(mono), door, key, body, Mode(mode), result, int(wait)))
    return arrivals


class Ticket(NamedTuple):
    """What a door has to do about one arrival."""

    fate: Fate
    result: str
    header: str | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """`keyed`: a known key is answered from memory. `seconds`: the wish of a Retry-After that wishes for something."""

    keyed: bool = True
    seconds: int = 1


class Book:
    """Everything the sink knows. It is appended to by the doors of one process and never forgets a line."""

    def __init__(self, path: Path, plan: Plan, rules: Rules = Rules()) -> None:
        self.path, self.plan, self.rules = path, plan, rules
        self.counts: Counter[str] = Counter()
        self.in_flight = self.seq = 0
        self._bodies: dict[str, str] = {}
        self._arrivals: Counter[str] = Counter()
        self._lines: list[str] = []
        self._file = path.open("a", encoding="utf-8")

    def arrive(self, door: str, key: str, body: bytes, forced: Mode | None = None) -> Ticket:
        """Note one message on the sink's doorstep and draw its fate; it is in flight until `leave` or `cut`."""
        key = key.replace("\t", " ").replace("\n", " ")
        digest = blake2b(body, digest_size=8).hexdigest()
        count = 0
        if not self.plan.simple:
            count = self._arrivals[key]
            self._arrivals[key] = count + 1
        fate = self.plan.fate(key, count, forced)
        result = self._result(key, digest, fate.mode)
        now, header, wait = time.time_ns() // 1000, None, 0.0
        if fate.mode is Mode.TOO_MANY:
            # The wish is meant from the moment of the answer.
            header, wait = retry_after(fate.form, self.rules.seconds, now / 1e6 + fate.delay)
            wait += fate.delay
        self.seq += 1
        self.in_flight += 1
        self.counts[fate.mode] += 1
        self.counts[result] += 1
        mono = time.monotonic_ns() // 1000
        self._lines.append(
            f"{self.seq}\t{now}\t{mono}\t{door}\t{key}\t{digest}\t{fate.mode}\t{result}\t{int(wait * 1e6)}\n"
        )
        if len(self._lines) >= 1000:
            self.flush()
        return Ticket(fate, result, header, self.seq)

    def _result(self, key: str, digest: str, mode: Mode) -> str:
        if not self.rules.keyed:
            return "accepted" if mode in TAKES else "refused"
        known = self._bodies.get(key)
        if known is None:
            if mode not in TAKES:
                return "refused"
            self._bodies[key] = digest
            return "accepted"
        if known != digest:
            return "conflict"
        return "replay" if mode in TAKES else "refused"

    def leave(self) -> None:
        """The answer to one arrival went out."""
        self.in_flight -= 1

    def cut(self) -> None:
        """The sender went away before its answer: a crash, or patience that ran out."""
        self.in_flight -= 1
        self.counts["cut"] += 1

    def flush(self) -> None:
        """Bring every line into the file."""
        self._file.write("".join(self._lines))
        self._file.flush()
        self._lines.clear()

    def stats(self) -> dict[str, int]:
        """The counts so far: arrivals, in_flight, cut, one for each result and each mode that occurred."""
        return {"arrivals": self.seq, "in_flight": self.in_flight, **self.counts}

    def close(self) -> None:
        """Write what is left."""
        self.flush()
        self._file.close()
