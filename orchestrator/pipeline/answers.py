"""What a service said of each person: asked once for each address in a run, cut down to what templates read."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from orchestrator.config import Secret, SecretMissingError, SecretSource, Source
from orchestrator.core.blanks import Blanks
from orchestrator.core.errors import StoreError
from orchestrator.core.times import SECOND
from orchestrator.providers import HttpResponse
from orchestrator.wire.lookup import Lookup, Manners, Unanswered

IN_A_ROW = 20
"""So many questions without an answer, and the service counts as down."""

ROOM = 16 * 1024
"""Bytes of one answer that travel with a person, counted after what no template reads was left out."""

KEPT = 64 * 1024 * 1024
"""Bytes of answers kept for the next person with the same question."""

_UNKNOWN = frozenset({204, 404, 410})
"""Answers that say: I know nothing of this one."""
_OURS = frozenset({401, 403, 407})
"""Answers that are about us and not about a person."""


@dataclass(frozen=True, slots=True)
class Questions:
    """How asking a source goes: questions so far, and how many of them had no answer."""

    source: str
    asked: int
    unanswered: int


class Answers:
    """A service of the project's settings, asked about people. Columns: what templates read of an answer, None for all."""

    def __init__(self, source: Source, columns: frozenset[str] | None, secrets: SecretSource) -> None:
        """StoreError if a secret is missing, or a blank would choose the host."""
        self.source = source
        self.questions = self.unanswered = 0
        self._columns = columns
        self._known: dict[str, Any] = {}
        self._size = self._in_a_row = 0
        self._alive = self._down = False
        self._why = ""
        self._lookup: Lookup | None = None
        try:
            self._blanks = Blanks(source.url).resolved(lambda piece: Secret(piece).resolve(secrets))
            self._headers = {name: value.resolve(secrets) for name, value in source.headers.items()}
        except SecretMissingError as problem:
            raise StoreError(f"source {source.name}: {problem}") from problem
        if self._blanks.choose_the_host():
            raise StoreError(f"source {source.name}: a blank stands where the host is named; write the host before it")
        if any(not value.isprintable() or not value.isascii() for value in self._headers.values()):
            raise StoreError(f"source {source.name}: a header's secret is more than one line of plain letters")

    @property
    def host(self) -> str:
        """Whom we ask, without what."""
        return urlsplit(self._blanks.fill([""] * len(self._blanks.names))).hostname or "its host"

    @property
    def names(self) -> tuple[str, ...]:
        """What stands in the blanks."""
        return self._blanks.names

    def url(self, values: Iterable[str]) -> str:
        """The question about somebody."""
        return self._blanks.fill(list(values))

    def fetch(self, urls: Iterable[str], told: Callable[[Questions], None]) -> None:
        """Ask what is not known yet. StoreError if the service is down and the run is to wait for it."""
        if self._size > KEPT:
            self._known.clear()
            self._size = 0
        wanted = [url for url in dict.fromkeys(urls) if url not in self._known]
        if not wanted or self._down:
            return
        self._open().ask(wanted, self._heard)
        told(Questions(self.source.name, self.questions, self.unanswered))
        if not (self._answers or self.source.skips):
            raise StoreError(
                f"source {self.source.name}: {self.host} does not answer ({self._why}); the run waits until it does,"
                " or write `on_error: skip`"
            )

    def of(self, url: str) -> Any:
        """The answer, cut down; None if the service knows nothing, `Unanswered` where there is no answer."""
        if url in self._known:
            return self._known[url]
        return Unanswered(f"not asked, because {self.host} does not answer ({self._why})")

    def whole(self, told: Callable[[Questions], None]) -> HttpResponse:
        """The answer to the one question of a source without blanks; StoreError if there is none."""
        found: list[HttpResponse | Unanswered] = []

        def heard(_: str, answer: HttpResponse | Unanswered) -> bool:
            found.append(answer)
            return False

        self._open().ask([self.url([])], heard)
        answer = found[0]
        told(Questions(self.source.name, 1, int(isinstance(answer, Unanswered))))
        if isinstance(answer, Unanswered):
            raise StoreError(answer.why)
        if answer.status != 200:
            raise StoreError(_status(answer.status))
        return answer

    def read(self, body: bytes) -> Any:
        """An answer's JSON as templates see it; `Unanswered` if it is none."""
        try:
            told = msgspec.json.decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return Unanswered("its answer is no JSON")
        if not isinstance(told, dict | list):
            return Unanswered("its answer is neither an object nor a list")
        if isinstance(told, dict) and self._columns is not None:
            told = {name: value for name, value in told.items() if name in self._columns}
        size = len(json.dumps(told))
        if size > ROOM:
            return Unanswered(f"its answer is too long: {size:,} bytes of what templates read, {ROOM:,} at most")
        self._size += size
        return told

    def close(self) -> None:
        """Let go of the connections."""
        if self._lookup is not None:
            self._lookup.close()
            self._lookup = None

    @property
    def _answers(self) -> bool:
        """Whether the service has answered anything, and not just stopped to."""
        return self._alive and not self._down

    def _open(self) -> Lookup:
        if self._lookup is None:
            source = self.source
            manners = Manners(source.timeout / SECOND, source.per_second, source.network)
            self._lookup = Lookup(self._headers, manners)
        return self._lookup

    def _heard(self, url: str, answer: HttpResponse | Unanswered) -> bool:
        """Note an answer; whether the service still seems to be there."""
        self.questions += 1
        found, is_there = self._meaning(answer)
        self._known[url] = found
        self._size += len(url)
        if isinstance(found, Unanswered):
            self.unanswered += 1
        if is_there:
            self._alive, self._in_a_row = True, 0
            return True
        self._in_a_row += 1
        self._why = found.why
        self._down = self._in_a_row >= IN_A_ROW
        return not self._down

    def _meaning(self, answer: HttpResponse | Unanswered) -> tuple[Any, bool]:
        """What an answer says, and whether the service is there: it may well object to this one question."""
        if isinstance(answer, Unanswered):
            return answer, False
        if answer.status in _UNKNOWN:
            return None, True
        if answer.status == 200:
            found = self.read(answer.body)
            return found, not isinstance(found, Unanswered)
        return Unanswered(_status(answer.status)), 400 <= answer.status < 500 and answer.status not in _OURS


def _status(status: int) -> str:
    if 300 <= status < 400:
        return f"answered {status}, which leads elsewhere; write the address it leads to"
    return f"answered {status}" + ("; look at its credentials" if status in _OURS else "")
