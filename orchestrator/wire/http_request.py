"""A request as HTTP/1.1 writes it: where it goes, and its bytes, which cannot be read as more than one."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from orchestrator.providers import HttpRequest
from orchestrator.wire import NotSent
from orchestrator.wire.guard import Allowance, split
from orchestrator.wire.http import AGENT

_METHOD = re.compile(r"[A-Z]{3,12}")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Origin(NamedTuple):
    """Where connections go."""

    scheme: str
    host: str
    port: int


@lru_cache(maxsize=1024)
def place(url: str, allow: Allowance) -> tuple[Origin, str, str]:
    """Where a URL leads: the origin, the path with its query, the host as the server wants to read it."""
    scheme, host, port, path = split(url, allow)
    shown = f"[{host}]" if ":" in host else host
    usual = port == {"https": 443, "http": 80}[scheme]
    return Origin(scheme, host, port), path, shown if usual else f"{shown}:{port}"


def written_out(request: HttpRequest, path: str, host: str) -> bytes:
    """The request as it goes over the wire; NotSent for a header that would be read as more than one."""
    headers = request.headers
    first, last, lines = _frame(request.method, path, host, tuple(headers))
    told = "\r\n".join([f"{name}: {value}" for name, value in headers.items()])
    if told.count("\n") != lines or told.count("\r") != lines or "\0" in told:
        raise NotSent("a header has a line break in it; the request cannot be built")
    size = f"content-length: {len(request.body)}\r\n" if request.body or request.method not in _BARE else ""
    try:
        return f"{first}{told}{last}{size}\r\n".encode("latin-1") + request.body
    except UnicodeEncodeError as problem:
        raise NotSent("a header has a letter that no header can carry; the request cannot be built") from problem


_BARE = frozenset({"GET", "HEAD", "DELETE"})
"""Methods whose requests need not say that they have no body."""
# An answer that is not packed cannot be a bomb.
_OURS: Mapping[str, str] = {"user-agent": AGENT, "accept": "*/*", "accept-encoding": "identity"}


@lru_cache(maxsize=1024)
def _frame(method: str, path: str, host: str, given: tuple[str, ...]) -> tuple[str, str, int]:
    """What stands before and after these headers, and how many line breaks they have between them.

    NotSent for a method or a name that is none, and for a header that is ours to write.
    """
    lower = {name.lower() for name in given}
    if not _METHOD.fullmatch(method):
        raise NotSent("its method is none; the request cannot be built")
    if not all(map(_NAME.fullmatch, given)) or lower & {"host", "content-length", "transfer-encoding", "connection"}:
        raise NotSent("one of its headers has a name that cannot be sent")
    ours = "".join(f"{name}: {value}\r\n" for name, value in _OURS.items() if name not in lower)
    return f"{method} {path} HTTP/1.1\r\nhost: {host}\r\n", ("\r\n" if given else "") + ours, max(0, len(given) - 1)
