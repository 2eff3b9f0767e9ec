"""One conversation with a mail server: letter after letter until somebody says good-bye.

With PIPELINING the next letter's envelope leaves together with the body before it (RFC 2920 3.1 allows both), so a
letter costs one round trip. A letter counts as left from the moment its final dot is handed to the socket: before that
the server cannot have accepted it, after that only its answer tells.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from orchestrator.providers import MailReply, MailRequest
from orchestrator.providers.mime import as_seven_bit
from orchestrator.wire.smtp_replies import Letter, Replies, text_of

CHUNK = 64 * 1024
"""A body up to this size leaves in one piece with its dot; a longer one in chunks, as the socket takes them."""

_RSET, _MAIL, _RCPT, _DATA, _DOT, _VOID = range(6)
_STAGES = ("mail", "mail", "rcpt", "data", "data", "data")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one connection serves: letters it carries at most, seconds it may idle."""

    letters: int = 1000
    idle: float = 20.0


class Desk(Protocol):
    """Where connections get their letters, and where unsent ones go back to."""

    def next_letter(self, connection: "Connection") -> Letter | None: ...

    def give_back(self, letter: Letter, why: str) -> None: ...

    def freed(self, connection: "Connection") -> None: ...

    def ended(self, connection: "Connection") -> None: ...


class Connection(Replies):
    """One connection. `load` letters are on it: at most one waiting for its answer and one envelope behind it."""

    def __init__(self, desk: Desk, host: str, limits: Limits) -> None:
        super().__init__(host)
        self.load = 0
        self.carried = 0
        self._loop = asyncio.get_running_loop()
        self._desk = desk
        self._limits = limits
        self._expected: deque[tuple[int, Letter | None]] = deque()
        self._pipelining = False
        self._must_reset = False
        self._streaming: tuple[Letter, bytes, int] | None = None
        self._paused = False
        self._alarm: asyncio.TimerHandle | None = None
        self._rings_at = 0.0
        self._idle_since = 0.0

    def open(self) -> None:
        """The server knows us: letters may come."""
        super().open()
        self._pipelining = "PIPELINING" in self.features
        self._rest_a_while()

    # What the desk asks

    @property
    def room(self) -> bool:
        """Whether one more letter may come: none is here, or the one here is whole on its way."""
        if not self.is_open or self.carried + self.load >= self._limits.letters:
            return False
        if self.load == 0:
            return True
        return self.load == 1 and self._pipelining and self._streaming is None and self._expected[-1][0] == _DOT

    def prepare(self, letter: Letter) -> MailReply | None:
        """Fit the letter to what this server can carry; the reply is ours if it cannot carry it at all."""
        data = letter.request.data
        if "8BITMIME" not in self.features and not data.isascii():
            data = as_seven_bit(data)
            if not data.isascii():
                return MailReply(
                    554,
                    "5.6.3 the server takes 7-bit mail only (no 8BITMIME) and this message cannot become it",
                    "client",
                )
            letter.request = MailRequest(letter.request.sender, letter.request.recipient, data)
        most = self.features.get("SIZE", "")
        if most.isdecimal() and 0 < int(most) < len(data):
            return MailReply(552, f"5.3.4 the message has {len(data)} octets, the server takes {most}", "client")
        return None

    def take(self, letter: Letter) -> None:
        """Carry this letter, prepared and with room for it: its envelope leaves now."""
        self.write(self._envelope(letter))

    # Sending

    def _envelope(self, letter: Letter) -> bytes:
        """The commands to send now for this letter; their replies are expected from here on."""
        self.load += 1
        self._watch(letter.send_by)
        request, expected = letter.request, self._expected
        size = f" SIZE={len(request.data)}" if "SIZE" in self.features else ""
        body = "" if request.data.isascii() else " BODY=8BITMIME"
        mail = f"MAIL FROM:<{request.sender}>{size}{body}\r\n"
        if self._must_reset:
            self._must_reset = False
            expected.append((_RSET, letter))
            if not self._pipelining:
                return b"RSET\r\n"
            mail = f"RSET\r\n{mail}"
        expected.append((_MAIL, letter))
        if not self._pipelining:
            return mail.encode("ascii")
        expected.append((_RCPT, letter))
        expected.append((_DATA, letter))
        return f"{mail}RCPT TO:<{request.recipient}>\r\nDATA\r\n".encode("ascii")

    def _body(self, letter: Letter) -> None:
        """The server wants it: the body, its dot, and the next envelope behind it."""
        data = letter.request.data
        if letter.dotted:
            data = data.replace(b"\n.", b"\n..")
            data = b"." + data if data.startswith(b".") else data
        self._expected.append((_DOT, letter))
        end = b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n"
        if len(data) > CHUNK:
            self._streaming = (letter, data + end, 0)
            self._stream()
            return
        letter.left = True
        self._watch(letter.deadline)
        following = self._desk.next_letter(self) if self.room else None
        self.write(b"".join((data, end, self._envelope(following) if following else b"")))

    def _stream(self) -> None:
        """Hand a long body to the socket as it takes it; the last piece, with the dot, only when all before it is out."""
        while self._streaming is not None and not self._paused and not self.over:
            letter, data, at = self._streaming
            if at + CHUNK < len(data):
                self._streaming = (letter, data, at + CHUNK)
                self.write(data[at : at + CHUNK])
                continue
            self._streaming = None
            letter.left = True
            self._watch(letter.deadline)
            self.write(data[at:])
            self.refill()

    def refill(self) -> bool:
        """Take the next letter if there is one and room for it; say whether there was."""
        following = self._desk.next_letter(self) if self.room else None
        if following is not None:
            self.take(following)
        return following is not None

    # Hearing

    def answered(self, code: int, lines: list[bytes]) -> None:
        """Put the reply where it belongs: replies come in the order of what was asked."""
        if not self._expected:
            self.end(f"{self.host} said {code} {text_of(lines)} unasked")
            return
        stage, letter = self._expected.popleft()
        if letter is None or stage == _VOID:
            return
        if code == 421:
            self._closing(stage, letter, lines)
        elif stage == _DOT:
            self._accepted_or_not(letter, code, lines)
        elif stage == _DATA:
            self._go_ahead_or_not(letter, code, lines)
        else:
            self._step(stage, letter, code, lines)

    def _step(self, stage: int, letter: Letter, code: int, lines: list[bytes]) -> None:
        """RSET, MAIL or RCPT answered; without PIPELINING the next command leaves now."""
        refused = stage != _RSET and not 200 <= code < 300
        if refused and letter.refusal is None:
            letter.refusal = MailReply(code, text_of(lines), _STAGES[stage])
        if self._pipelining:
            return
        if refused or letter.answer.done():
            self._abandon(letter)
        elif stage == _RSET:
            self.load -= 1
            self.take(letter)
        else:
            self._expected.append((_RCPT if stage == _MAIL else _DATA, letter))
            self.write(f"RCPT TO:<{letter.request.recipient}>\r\n".encode("ascii") if stage == _MAIL else b"DATA\r\n")

    def _go_ahead_or_not(self, letter: Letter, code: int, lines: list[bytes]) -> None:
        """DATA answered. A go-ahead without a recipient (RFC 2920 3.1) is ended with a lone dot that nobody receives."""
        if code == 354 and letter.refusal is None and not letter.answer.done():
            self._body(letter)
            return
        if code == 354 and letter.refusal is None:
            self.load -= 1
            self.end("nobody waits for this letter any more, and a message begun can only be broken off")
            return
        if code == 354:
            self._expected.append((_VOID, None))
            self.write(b".\r\n")
        elif letter.refusal is None:
            letter.refusal = MailReply(code, text_of(lines), "data")
        self._abandon(letter)

    def _abandon(self, letter: Letter) -> None:
        """The letter is refused: say so, and clear the half-open transaction before the next."""
        if letter.refusal is not None:
            letter.settle(letter.refusal)
        self._must_reset = True
        self._finish(letter)

    def _accepted_or_not(self, letter: Letter, code: int, lines: list[bytes]) -> None:
        """The answer after the dot: the one that counts."""
        if letter.left and (200 <= code < 300 or 400 <= code < 600):
            letter.settle(MailReply(code, text_of(lines), "data"))
            self._finish(letter)
            return
        if not letter.left and 400 <= code < 600:  # refused in the middle of a long body, which can only be broken off
            letter.settle(MailReply(code, text_of(lines), "data"))
        letter.fail(f"the server answered the message with {code} {text_of(lines)}, which means nothing there")
        self.load -= 1
        self.end("an answer out of place")

    def _closing(self, stage: int, letter: Letter, lines: list[bytes]) -> None:
        """421: the server closes. Its answer to a body or to a fresh connection counts; else another connection may do."""
        self.load -= 1
        self._expected = deque(entry for entry in self._expected if entry[1] is not letter)
        reply = letter.refusal or MailReply(421, text_of(lines), _STAGES[stage])
        if stage == _DOT or letter.refusal or letter.returned or self.carried == 0:
            letter.settle(reply)
        else:
            self._desk.give_back(letter, f"the server closed the connection: 421 {reply.text}")
        self.end(f"421 {reply.text}")

    def _finish(self, letter: Letter) -> None:
        """One letter is done; another may come, or the connection rests, or it has carried enough."""
        self.load -= 1
        self.carried += letter.left
        if self.over or self.load or self.refill():
            return
        if self.carried >= self._limits.letters:
            self.quit()
        else:
            self._rest_a_while()

    def _rest_a_while(self) -> None:
        self._idle_since = self._loop.time()
        self._watch(self._idle_since + self._limits.idle)
        self._desk.freed(self)

    # Time

    def _watch(self, at: float) -> None:
        """Look again at `at` at the latest: one timer per connection, moved only when something is due earlier."""
        if self._alarm is not None:
            # Not asked of the alarm: uvloop's handle of a moment already past cannot tell it.
            if self._rings_at <= at:
                return
            self._alarm.cancel()
        self._rings_at = at
        self._alarm = self._loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self.over:
            return
        now = self._loop.time()
        letters = self._on_board()
        if not letters:
            if now >= self._idle_since + self._limits.idle:
                self.quit()
            else:
                self._watch(self._idle_since + self._limits.idle)
            return
        late = [letter for letter in letters if now >= (letter.deadline if letter.left else letter.send_by)]
        for letter in late:
            letter.fail(f"no answer from {self.host} in time")
        # An envelope may wait behind a body whose answer is still in time: that answer is worth more than the envelope.
        if late and (late[0].left or late[0] is letters[0]):
            self.end(f"no answer from {self.host} in time")
            return
        self._watch(min(letter.deadline if letter.left else letter.send_by for letter in letters if letter not in late))

    def _on_board(self) -> list[Letter]:
        """The letters in flight, the first one to be answered first."""
        return list(dict.fromkeys(letter for _, letter in self._expected if letter is not None))

    # The socket

    def pause_writing(self) -> None:
        """asyncio: the socket is full."""
        self._paused = True

    def resume_writing(self) -> None:
        """asyncio: the socket has room again."""
        self._paused = False
        self._stream()

    def quit(self) -> None:
        """Say good-bye and close; like most mail servers we do not wait for the answer."""
        self.write(b"QUIT\r\n")
        self._close("", abort=False)

    def end(self, why: str) -> None:
        """Break off: what has not left may go by another connection, what has left is lost."""
        self._close(why, abort=True)

    def _close(self, why: str, *, abort: bool) -> None:
        if self.over:
            return
        self.over = True
        letters = self._on_board()
        self._expected.clear()
        self._streaming = None
        if self._alarm is not None:
            self._alarm.cancel()
        self.stop_hearing(why)
        if self.transport is not None:
            (self.transport.abort if abort else self.transport.close)()
        for letter in letters:
            if letter.left or self.carried == 0 or letter.returned:
                letter.fail(why)
            else:
                self._desk.give_back(letter, why)
        self._desk.ended(self)
