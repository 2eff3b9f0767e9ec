"""The post office for e-mail: a few long-lived connections to one mail server, and a queue before them."""

import asyncio
import re
import ssl
from collections import deque

from orchestrator.providers import MailReply, MailRequest
from orchestrator.providers.smtp import MailServer, Security
from orchestrator.wire import NotSent
from orchestrator.wire.smtp_hello import hello
from orchestrator.wire.smtp_protocol import Connection, Limits
from orchestrator.wire.smtp_replies import Letter, Unwelcome

CONNECT = 30.0
"""Seconds for a new connection from its first packet to its log-in."""

BREATH = 1.0
"""Seconds before another connection is tried after a server that still serves some has refused one."""

# An envelope holds one address and nothing that ends a command early.
_ENVELOPE = re.compile(r"[^\x00-\x20\x7f-\U0010ffff<>]*")


# A dot after a line break, even a bare one. Written dot first it is four times as fast as a search for either pair.
_DOT_FIRST = re.compile(rb"\.(?<=[\r\n]\.)")


class SmtpEngine:
    """Carries letters to one server. It belongs to the event loop it is first used on."""

    def __init__(
        self,
        server: MailServer,
        *,
        connections: int = 10,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._most = connections
        self.places = 4 * connections
        """One letter is on its way on a connection, the next is written behind it, and others wait their turn here."""
        self._limits = limits or Limits()
        # Made once: reading the machine's certificates takes some 20 ms.
        self._tls = tls or (None if server.security is Security.NONE else ssl.create_default_context())
        self._connections: set[Connection] = set()
        self._idle: dict[Connection, None] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._queue: deque[Letter] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._rings_at = 0.0
        self._breathe_until = 0.0
        self._closed = False

    async def exchange(self, request: MailRequest, deadline: float) -> MailReply:
        """Send one message and return the server's deciding reply.

        `deadline` is a moment on the event loop's clock (`loop.time()`, seconds): a third of the time until then is for
        reaching the server's go-ahead, the rest for its answer. Raises NotSent if the final dot has not left, Lost if it
        has and no answer came.
        """
        if self._closed:
            raise NotSent("the post office is closed")
        dotted = request.data.startswith(b".") or _DOT_FIRST.search(request.data) is not None
        refusal = _unsendable(request, dotted)
        if refusal is not None:
            return refusal
        loop = asyncio.get_running_loop()
        now = loop.time()
        letter = Letter(request, now + (deadline - now) / 3, deadline, loop.create_future(), dotted=dotted)
        self._post(letter)
        return await letter.answer

    async def knock(self) -> None:
        """Open a connection and log in, as for a letter; NotSent, or Unwelcome with the server's words, if that fails."""
        await self._open()

    async def close(self) -> None:
        """Say good-bye to every server; what is still under way ends as NotSent or Lost."""
        self._closed = True
        for task in tuple(self._opening):
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for connection in tuple(self._connections):
            if connection.load:
                connection.end("the post office is closing")
            else:
                connection.quit()
        self._fail_queue("the post office is closing")
        if self._alarm is not None:
            self._alarm.cancel()

    # Who carries what

    def _post(self, letter: Letter) -> None:
        """An idle connection takes it; else a new one is opened for it; else it rides behind another; else it waits."""
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.room:
                if self._fits(connection, letter):
                    connection.take(letter)
                else:
                    self._idle[connection] = None
                return
        # While letters wait, every connection is full: each takes one as soon as it has room.
        if not self._queue and not self._may_grow():
            for connection in self._connections:
                if connection.room:
                    if self._fits(connection, letter):
                        connection.take(letter)
                    return
        self._queue.append(letter)
        self._watch(letter.send_by)
        self._grow()

    def _fits(self, connection: Connection, letter: Letter) -> bool:
        """Whether this server can carry it; if not, the letter has its answer now."""
        refusal = connection.prepare(letter)
        if refusal is not None:
            letter.settle(refusal)
        return refusal is None

    def next_letter(self, connection: Connection) -> Letter | None:
        """For a connection with room: the first letter waiting that it can carry."""
        while self._queue:
            letter = self._queue.popleft()
            if not letter.answer.done() and self._fits(connection, letter):
                return letter
        return None

    def give_back(self, letter: Letter, why: str) -> None:
        """An unsent letter comes back from a connection that ended: once more, before all others."""
        letter.returned = True
        if self._closed:
            letter.fail(why)
            return
        self._queue.appendleft(letter)
        self._watch(letter.send_by)

    def freed(self, connection: Connection) -> None:
        """A connection has nothing to do."""
        self._idle[connection] = None

    def ended(self, connection: Connection) -> None:
        """A connection is over."""
        self._idle.pop(connection, None)
        if connection not in self._connections:  # it never got as far as letters: `_opened` decides what that means
            return
        self._connections.discard(connection)
        if self._queue and not self._closed:
            self._grow()

    # Opening connections

    def _may_grow(self) -> bool:
        if len(self._connections) + len(self._opening) >= self._most:
            return False
        return not self._connections or asyncio.get_running_loop().time() >= self._breathe_until

    def _grow(self) -> None:
        """Open connections while more letters wait than connections are coming."""
        while len(self._opening) < len(self._queue) and self._may_grow():
            task = asyncio.get_running_loop().create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        problem = None if task.cancelled() else task.exception()
        if problem is None or self._closed:
            return
        if self._connections or self._opening:  # others work, or may yet: let them
            self._breathe_until = asyncio.get_running_loop().time() + BREATH
            return
        if isinstance(problem, Unwelcome):
            while self._queue:
                self._queue.popleft().settle(problem.reply)
        else:
            self._fail_queue(str(problem))

    async def _open(self) -> None:
        """One connection, from the first packet to the first letter."""
        server, loop = self._server, asyncio.get_running_loop()
        place = f"{server.host}:{server.port}"
        connection: Connection | None = None
        try:
            async with asyncio.timeout(CONNECT):
                _, connection = await loop.create_connection(
                    lambda: Connection(self, server.host, self._limits),
                    server.host,
                    server.port,
                    ssl=self._tls if server.security is Security.TLS else None,
                )
                await hello(connection, server, self._tls)
        except ssl.SSLCertVerificationError as problem:
            text = f"5.7.0 the certificate of {place} is not trusted: {problem.verify_message}"
            raise Unwelcome(MailReply(554, text, "tls")) from problem
        except TimeoutError as problem:
            raise NotSent(f"{place} did not answer within {CONNECT:.0f} seconds") from problem
        except OSError as problem:
            raise NotSent(f"cannot connect to {place}: {problem}") from problem
        finally:
            if connection is not None and not connection.is_open:
                connection.end("the connection did not get as far as letters")
        self._connections.add(connection)
        connection.refill()

    # Time

    def _watch(self, at: float) -> None:
        """Look at the queue at `at` at the latest."""
        if self._alarm is not None:
            # Not asked of the alarm: uvloop's handle of a moment already past cannot tell it.
            if self._rings_at <= at:
                return
            self._alarm.cancel()
        self._rings_at = at
        self._alarm = asyncio.get_running_loop().call_at(at, self._ring)

    def _ring(self) -> None:
        """Letters that waited too long for a connection were not sent."""
        self._alarm = None
        now = asyncio.get_running_loop().time()
        for letter in self._queue:
            if now >= letter.send_by:
                letter.fail(f"no connection to {self._server.host} became free in time")
        self._queue = deque(letter for letter in self._queue if not letter.answer.done())
        if self._queue:
            self._watch(min(letter.send_by for letter in self._queue))

    def _fail_queue(self, why: str) -> None:
        while self._queue:
            self._queue.popleft().fail(why)


def _unsendable(request: MailRequest, dotted: bool) -> MailReply | None:
    """Our own refusal of a request that could make a server read more than one message or one recipient."""
    for name, address in (("sender", request.sender), ("recipient", request.recipient)):
        if _ENVELOPE.fullmatch(address) is None or (name == "recipient" and not address):
            return MailReply(553, f"5.1.3 the {name}'s address cannot stand in an envelope", "client")
    if dotted and b"\r." in request.data:
        return MailReply(554, "5.6.0 a dot after a bare CR could end the message early at some servers", "client")
    return None
