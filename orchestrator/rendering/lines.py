"""The line between a worker and its render child: whole frames, each a kind and its bytes, over a pair of sockets."""

import contextlib
import select
import socket
import struct
from dataclasses import dataclass, field

BUNDLE, WRITE, BATCH, STOP = b"L", b"W", b"B", b"S"
"""What a worker says: compile this bundle, write for it, render this batch, stop writing."""
ANSWERS, DIED, READY, UNKNOWN = b"A", b"D", b"R", b"U"
"""What it is told: a batch's answers, how the writer ended and at which message, done, no such bundle."""

_FRAME = struct.Struct("=cI")


@dataclass(slots=True)
class Line:
    """One end of the line."""

    socket: socket.socket
    out: bytearray = field(default_factory=bytearray)

    def queue(self, kind: bytes, data: bytes = b"") -> None:
        """Put a frame into the queue; it goes out as the other end takes it, at the latest while an answer is awaited."""
        self.out += _FRAME.pack(kind, len(data)) + data
        with contextlib.suppress(BlockingIOError):
            del self.out[: self.socket.send(self.out, socket.MSG_DONTWAIT)]

    def send(self, kind: bytes, data: bytes = b"") -> None:
        """Send a frame, waiting until the other end has room for it."""
        self.socket.sendall(_FRAME.pack(kind, len(data)) + data)

    def receive(self) -> tuple[bytes, bytes]:
        """The next frame; EOFError when the other end is gone."""
        kind, length = _FRAME.unpack(self._exactly(_FRAME.size))
        return kind, self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            if self.out and not self._readable():
                continue
            found = self.socket.recv(min(count - len(parts), 1 << 20))
            if not found:
                raise EOFError
            parts += found
        return bytes(parts)

    def _readable(self) -> bool:
        """Wait until something can be read or written; write what can be written."""
        both = select.poll()  # unlike `select`, it minds no number of open files
        both.register(self.socket, select.POLLIN | select.POLLOUT)
        ((_, found),) = both.poll()
        if found & select.POLLOUT:
            with contextlib.suppress(BlockingIOError):
                del self.out[: self.socket.send(self.out, socket.MSG_DONTWAIT)]
        return bool(found & ~select.POLLOUT)


def pair() -> tuple[Line, Line]:
    """Both ends of a new line."""
    ends = socket.socketpair()
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    return Line(ends[0]), Line(ends[1])
