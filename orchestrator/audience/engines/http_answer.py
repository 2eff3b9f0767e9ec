"""An answer of ClickHouse's HTTP interface: Arrow until it ends, or until something goes wrong in the middle of it.

By then the server has said 200. What went wrong stands behind the rows, after `__exception__` in newer releases, and the newest break
the connection off as well. So an answer is whole only with Arrow's own end at its end.
"""

import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from orchestrator.core.errors import StoreError
from orchestrator.wire import WireError

_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_KEPT = 32_768
"""Bytes of the end of an answer, where the trouble is told."""
_LONGEST = 400
"""Characters of what the server says; behind its first lines are hints for whoever runs it."""
_MAY_NOT_SET = re.compile(r"Code: 164\b.*\bsetting\b")
"""What it says to a user with readonly = 1, who may not set anything; the words differ from release to release."""
_SAID = re.compile(rb"Code: \d+[.,] [^\r\n]*DB::Exception: [^\r\n]*")


class Answer:
    """A file for Arrow to read from, of the pieces of a response."""

    closed = False

    def __init__(self, pieces: Iterator[bytes], asked: str) -> None:
        self._pieces = pieces
        self._asked = asked
        self._ahead = bytearray()
        self._last = b""

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        while size < 0 or len(self._ahead) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._ahead += piece
            self._last = (self._last + piece[-_KEPT:])[-_KEPT:]
        size = len(self._ahead) if size < 0 else size
        found = bytes(self._ahead[:size])
        del self._ahead[:size]
        return found

    def batches(self) -> Iterator[Any]:
        """The rows as `pyarrow.RecordBatch`; StoreError with what the server says where they break off."""
        try:
            with pa.ipc.open_stream(self) as reader:
                yield from reader
            self._drain()
        except pa.ArrowInvalid as problem:
            self._drain()
            remedy = "is it the HTTP port of a ClickHouse?"
            raise StoreError(
                f"clickhouse: {said(self._last) or f'{self._asked} answered no Arrow; {remedy}'}"
            ) from problem
        except WireError as problem:
            if found := said(self._last):
                raise StoreError(f"clickhouse: {found}") from problem
            raise
        if not self._last.endswith(_END):
            raise StoreError(f"clickhouse: {said(self._last) or f'the answer of {self._asked} broke off'}")

    def _drain(self) -> None:
        while self.read(_KEPT):
            pass


def said(content: bytes) -> str:
    """The first line of an exception of the server, empty if there is none."""
    found = _SAID.search(content)
    text = found[0].decode(errors="replace")[:_LONGEST] if found else ""
    return (
        f"{text} Give its user readonly = 2: a question brings settings of its own."
        if _MAY_NOT_SET.search(text)
        else text
    )


def told(content: bytes) -> str:
    """The same, or the first line of whatever else was answered."""
    lines = content.decode(errors="replace").strip().splitlines()
    return said(content) or (lines[0][:_LONGEST] if lines else "")
