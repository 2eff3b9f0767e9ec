"""One suite that every adapter must pass: a table of answers and what each becomes, and the promises of the seam.

Subclass `Conformance` in `test_<adapter>.py`, and give it a `suite`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from orchestrator.core.errors import OrchestratorError
from orchestrator.core.nouns import Message
from orchestrator.core.outcomes import Accepted, AddressGone, Ambiguous, Outcome, Pause, Permanent, Retry
from orchestrator.core.times import HOUR, Instant, later
from orchestrator.dispatch import Lane
from orchestrator.providers import (
    Adapter,
    Credentials,
    Declaration,
    HttpRequest,
    HttpResponse,
    LocalRequest,
    MailRequest,
    Request,
    Response,
    Transport,
    declaration_for,
    registry,
)
from orchestrator.wire.http import HttpxEngine, answer

NOW = Instant(1_772_442_000_000_000)  # 2026-03-02T09:00:00Z

OVER_HTTP = (Transport.HTTP, Transport.HTTP2)

SENSELESS = (
    b"",
    b"<html><body>It works!</body></html>",
    b"{}",
    b"null",
    b"[]",
    b"7",
    b'"id"',
    b'{"id":',
    b'{"id":null}',
    b'{"id":""}',
    b'{"name":17}',
    b"\xff\xfe\x00garbage",
)
"""Twelve bodies that name no message."""

STATUSES = (
    200,
    201,
    202,
    204,
    301,
    302,
    304,
    400,
    401,
    403,
    404,
    408,
    409,
    410,
    413,
    418,
    429,
    500,
    502,
    503,
    504,
    599,
)


class StoppedClock:
    """It is always the same moment."""

    def now(self) -> Instant:
        return NOW


def told(status: int, body: bytes = b"", **headers: str) -> HttpResponse:
    """An answer as the wire hands it over, with its wish to wait already read."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(status, named, body, StoppedClock())


@dataclass(frozen=True)
class Suite:
    """What the suite must know of an adapter.

    `make`: so many different messages. `accepts`: the answer that takes all of a request. `table`: answers to one message
    and their outcomes; details are not compared. `at`: the credentials that lead to this URL, for adapters of HTTP. `to`: a
    message whose address leads there, where it does and not the credentials. `bare`: the service's protocol says that a 2xx alone is acceptance.
    """

    adapter: Callable[[], Adapter]
    credentials: Credentials
    make: Callable[[int], Sequence[Message]]
    accepts: Callable[[Request], Response]
    table: Sequence[tuple[Response, Outcome]]
    at: Callable[[str], Credentials] | None = None
    to: Callable[[str], Message] | None = None
    bare: bool = False
    broken: Mapping[str, Credentials] = field(default_factory=dict)
    """Credentials that cannot be, by what is wrong with them."""


def without_words(outcome: Outcome) -> Outcome:
    """The outcome, whatever it says about itself."""
    return outcome if isinstance(outcome, Accepted) else replace(outcome, detail="")


def bytes_of(request: Request) -> Any:
    """What must stay the same over attempts: the body of a request, the bytes of a mail, the messages themselves."""
    if isinstance(request, HttpRequest):
        return request.method, request.body
    return request.data if isinstance(request, MailRequest) else request.messages


class Conformance:
    """Its tests are every adapter's."""

    suite: Suite

    def pytest_generate_tests(self, metafunc):
        if "row" in metafunc.fixturenames:
            rows = self.suite.table
            ids = [
                f"{number}-{getattr(row[0], 'status', getattr(row[0], 'code', 'reply'))}"
                for number, row in enumerate(rows)
            ]
            metafunc.parametrize("row", rows, ids=ids)

    @property
    def declared(self) -> Declaration:
        return declaration_for(self.suite.adapter(), self.suite.credentials)

    def built(self, count: int = 1, now: Instant = NOW) -> Request:
        return self.suite.adapter().build(self.suite.make(count), self.suite.credentials, now)

    def test_every_answer_becomes_its_outcome(self, row):
        response, expected = row
        (only,) = self.suite.adapter().read(self.built(), response)
        assert without_words(only) == without_words(expected)

    def test_every_outcome_that_is_not_acceptance_says_why(self):
        for response, expected in self.suite.table:
            (only,) = self.suite.adapter().read(self.built(), response)
            if not isinstance(expected, Accepted):
                assert only.detail

    def test_the_same_messages_give_the_same_request(self):
        assert self.built() == self.built()

    def test_a_later_attempt_says_the_same_to_the_byte(self):
        assert bytes_of(self.built()) == bytes_of(self.built(now=later(NOW, 7 * HOUR)))

    def test_different_messages_give_different_requests(self):
        one, other = self.suite.make(2)
        adapter, credentials = self.suite.adapter(), self.suite.credentials
        assert bytes_of(adapter.build([one], credentials, NOW)) != bytes_of(adapter.build([other], credentials, NOW))

    def test_a_full_batch_gets_one_acceptance_each(self):
        request = self.built(self.declared.batch)
        outcomes = self.suite.adapter().read(request, self.suite.accepts(request))
        assert [type(outcome) for outcome in outcomes] == [Accepted] * self.declared.batch
        assert len({outcome.provider_id for outcome in outcomes}) == self.declared.batch
        assert all(outcome.provider_id for outcome in outcomes)

    def test_more_than_a_batch_is_refused_before_it_is_built(self):
        with pytest.raises(ValueError):  # noqa: PT011 - each adapter has its own words
            self.built(self.declared.batch + 1)

    def test_an_answer_from_another_wire_is_a_bug_and_not_an_outcome(self):
        with pytest.raises(TypeError):
            self.suite.adapter().read(self.built(), object())

    def test_no_answer_makes_reading_fail(self):
        if self.declared.transport not in OVER_HTTP:
            assert not isinstance(self.built(), HttpRequest)
            return
        for status in STATUSES:
            for body in SENSELESS:
                (only,) = self.suite.adapter().read(self.built(), told(status, body))
                assert isinstance(only, Accepted | AddressGone | Ambiguous | Pause | Permanent | Retry)

    def test_nothing_is_accepted_without_a_name(self):
        if self.declared.transport not in OVER_HTTP:
            assert not isinstance(self.built(), HttpRequest)
            return
        for status in STATUSES:
            for body in SENSELESS:
                (only,) = self.suite.adapter().read(self.built(), told(status, body))
                if isinstance(only, Accepted):
                    assert 200 <= status < 300
                    assert self.suite.bare

    def test_no_secret_shows(self):
        secret = {setting.name for setting in self.declared.settings if setting.secret}
        values = {value for name, value in self.suite.credentials.items() if name in secret and value}
        adapter, request = self.suite.adapter(), self.built()
        shown = [repr(adapter), repr(request), repr(adapter.declaration)]
        shown += [repr(adapter.read(request, response)) for response, _ in self.suite.table]
        assert not [value for value in values for text in shown if value in text]

    def test_a_setting_that_cannot_be_is_named_and_not_repeated(self):
        for what, credentials in self.suite.broken.items():
            with pytest.raises(OrchestratorError) as problem:
                declaration_for(self.suite.adapter(), credentials)
            assert what in str(problem.value)
            secret = {setting.name for setting in self.suite.adapter().declaration.settings if setting.secret}
            values = [value for name, value in credentials.items() if name in secret and value]
            assert not [value for value in values if value in str(problem.value)]

    def test_it_declares_itself_under_the_name_it_is_found_by(self):
        declaration = self.suite.adapter().declaration
        assert type(registry.provider(declaration.name)) is self.suite.adapter
        # A short-lived token is no setting: the wire fetches it for adapters that have `grant`.
        handed = {"access_token"} if hasattr(self.suite.adapter, "grant") else set()
        assert set(self.suite.credentials) - handed <= {setting.name for setting in declaration.settings}
        assert declaration.channels
        assert declaration.batch >= 1
        assert declaration.timeout > 0

    @pytest.mark.parametrize("fault", ["refuses", "drops"])
    async def test_one_attempt_is_one_request_on_the_wire(self, fault):
        if self.suite.at is None:
            assert self.declared.transport not in OVER_HTTP
            return
        asked, ended = [], asyncio.Event()

        async def misbehave(reader, writer):
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    asked.append(await reader.readuntil(b"\r\n\r\n"))
                    length = next(
                        line for line in asked[-1].lower().split(b"\r\n") if line.startswith(b"content-length")
                    )
                    await reader.readexactly(int(length.split(b":")[1]))
                    if fault == "drops":
                        break
                    writer.write(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            ended.set()

        server = await asyncio.start_server(misbehave, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        lane = Lane(self.suite.adapter(), HttpxEngine(StoppedClock()), self.suite.at(url), StoppedClock())
        async with server:
            (only,) = await lane.deliver([self.suite.to(url)] if self.suite.to else self.suite.make(1))
            await lane.close()
            await ended.wait()
        assert len(asked) == 1
        assert not isinstance(only, Accepted)


def kept_under_their_ids(request: Request) -> Sequence[str]:
    """The ids of a local request's messages, as its engine would tell them."""
    assert isinstance(request, LocalRequest)
    return [message.id for message in request.messages]
