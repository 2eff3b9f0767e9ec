"""A web face as it is served: its port is taken before anything else starts, and its end never passes unseen."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import uvicorn
from starlette.types import ASGIApp

from orchestrator.core.errors import ServingError

_BACKLOG = 2048
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""What a machine without IPv6 says of the second address of `localhost`."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of the host; nowhere if the port is 0."""
    if not port:
        return []
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as problem:
        message = f"{host} is no address of this machine; choose another with --host ({problem})"
        raise ServingError(message) from problem
    taken: list[socket.socket] = []
    absent: OSError | None = None
    with ExitStack() as unless_all:
        for family, *_, address in dict.fromkeys(found):
            try:
                taken.append(_listening(family, address))
            except OSError as problem:
                if problem.errno not in _NOT_HERE:
                    raise ServingError(_refusal(port, problem)) from problem
                absent = problem
            else:
                unless_all.callback(taken[-1].close)
        if not taken:
            message = f"{host} is no address of this machine; choose another with --host"
            raise ServingError(message) from absent
        unless_all.pop_all()
    return taken


def listen_here(port: int = 0) -> list[socket.socket]:
    """Listen for this machine alone; on any free port if it is 0."""
    if port:
        return listen("127.0.0.1", port)
    try:
        return [_listening(socket.AF_INET, ("127.0.0.1", 0))]
    except OSError as problem:
        raise ServingError(_refusal(port, problem)) from problem


def _listening(family: int, address: tuple[object, ...]) -> socket.socket:
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        door.bind(address)
        # Two programs may bind one port; only one may listen.
        door.listen(_BACKLOG)
    except OSError:
        door.close()
        raise
    return door


def _refusal(port: int, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"port {port} is taken by another program; choose another with --port"
    said = os.strerror(problem.errno) if problem.errno else str(problem)
    return f"port {port} cannot be opened ({said}); choose another with --port"


class Face:
    """The web face while it serves. When it ends, by itself or not, `fell` is told why."""

    def __init__(self, site: ASGIApp, doors: Sequence[socket.socket], fell: Callable[[str], None]) -> None:
        self.server = uvicorn.Server(uvicorn.Config(site, log_config=None, lifespan="off", backlog=_BACKLOG))
        self._fell = fell
        self._task = asyncio.create_task(self._serve(list(doors)))

    async def stop(self) -> None:
        """Answer who is being answered, and close."""
        self.server.should_exit = True
        await self._task

    async def _serve(self, doors: list[socket.socket]) -> None:
        why = "it ended"
        try:
            await self.server._serve(doors)  # noqa: SLF001 - `serve` would take the signals away from us
        except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever it was, nobody can unsubscribe any more
            why = f"{type(problem).__name__}: {problem}"
        finally:
            for door in doors:
                door.close()
        self._fell(why)
