"""Serving the page of previews on this machine while somebody works on the files: every save is a new edition, ctrl-c ends it."""

import asyncio
import os
import signal
import sys
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import typer

from orchestrator.cli.stopping import stop_when_told
from orchestrator.config import fingerprint
from orchestrator.core.errors import ServingError
from orchestrator.logs import below_ctrl_c
from orchestrator.rendering import Preview
from orchestrator.web.face import Face, listen_here
from orchestrator.web.preview import Editions, preview_site

LOOK_EVERY = 0.3
"""Seconds between two looks at whether a file was saved."""

Files = frozenset[tuple[str, int, int]]


class Page:
    """The page of one campaign; `again` looks at the files again. Its port is taken at once."""

    def __init__(self, root: Path, first: Preview, again: Callable[[], Preview], port: int = 0) -> None:
        self._root = root
        self._again = again
        self._editions = Editions(first)
        self._site, path = preview_site(self._editions)
        self._doors = listen_here(port)
        self.url = f"http://127.0.0.1:{self._doors[0].getsockname()[1]}{path}"

    def serve(self, seen: Files, *, opens: bool) -> None:
        """Serve until somebody stops it; `seen` is what the files looked like when the first edition was made."""
        why = asyncio.run(self._serve(seen, opens=opens))
        if why:
            raise ServingError(f"the page cannot be served any more: {why}")

    async def _serve(self, seen: Files, *, opens: bool) -> str:
        """Why it ended by itself; empty if it was stopped."""
        stopping, fallen = asyncio.Event(), list[str]()

        def fell(why: str) -> None:
            if not stopping.is_set():
                fallen.append(why)
            stopping.set()

        signals = stop_when_told(stopping)
        face = Face(self._site, self._doors, fell)
        typer.echo(f"\n page {self.url}\n      follows every save; ctrl-c ends it")
        sys.stdout.flush()
        opening = opens and _has_a_screen() and asyncio.create_task(asyncio.to_thread(webbrowser.open, self.url))
        while not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), LOOK_EVERY)
                break
            now = await asyncio.to_thread(fingerprint, self._root)
            if now != seen:
                seen = now
                self._editions.publish(await asyncio.to_thread(self._again))
        if signal.SIGINT in signals:
            below_ctrl_c(sys.stdout)
        self._editions.close()
        await face.stop()
        if opening:
            await opening
        return "".join(fallen)


def _has_a_screen() -> bool:
    """Whether a browser has a window to open in; in a bare terminal one would take the terminal."""
    return sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
