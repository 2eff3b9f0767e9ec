"""Pictures of e-mails before and after a change, made by a Chromium without a window, where this machine has one."""

import html as markup
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from orchestrator.cli.messages import MessageChange
from orchestrator.core.nouns import EmailContent

NO_BROWSER = "no Chromium was found on this machine (ORCHESTRATOR_CHROMIUM names one)"
CHROMIUM = "ORCHESTRATOR_CHROMIUM"
"""The environment variable that names the browser."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "chrome-headless-shell")
_OF_PLAYWRIGHT = ("chromium_headless_shell-*/*/*headless_shell*", "chromium_headless_shell-*/*/headless_shell", "chromium-*/*/chrome", "chromium-*/*/Chromium.app/Contents/MacOS/Chromium")  # fmt: skip
_WIDE, _HIGHEST, _SHORTEST = 640, 6000, 200
"""Pixels."""
MOST = 20
"""Messages that have pictures in one report; the others are shown as text."""
_PATIENCE = 30
"""Seconds for one picture."""


def find_browser() -> str | None:
    """The Chromium to draw with: the one that was named, one on the path, or one that playwright has brought."""
    named = os.environ.get(CHROMIUM)
    if named:
        return shutil.which(named)
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    return found or next(_of_playwright(), None)


def _of_playwright() -> Iterator[str]:
    homes = (
        os.environ.get("PLAYWRIGHT_BROWSERS_PATH", ""),
        "~/.cache/ms-playwright",
        "~/Library/Caches/ms-playwright",
    )
    for home in filter(None, homes):
        for pattern in _OF_PLAYWRIGHT:
            for path in sorted(Path(home).expanduser().glob(pattern), reverse=True):
                if os.access(path, os.X_OK) and path.is_file():
                    yield str(path)


class Pictures:
    """A folder of pictures, made when the first is; without a browser there are none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.browser = find_browser()
        self.made: list[str] = []
        self._messages = 0
        self._work: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        self._work = tempfile.TemporaryDirectory(prefix="orchestrator-")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._work is not None:
            self._work.cleanup()

    def of(self, campaign: str, message: MessageChange) -> dict[str, str]:
        """Pictures of one message by what they show, as links from beside the folder; none for what is no page."""
        sides = {"before": message.before, "after": message.after}
        pages = {name: it.html for name, it in sides.items() if isinstance(it, EmailContent) and it.html}
        if self.browser is None or self._work is None or not pages or self._messages >= MOST:
            return {}
        self._messages += 1
        stem = "-".join(
            filter(None, (campaign, message.segment, message.channel, message.variant, message.locale, message.user))
        )
        stem = re.sub(r"[^A-Za-z0-9._-]", "_", stem)
        shown: dict[str, str] = {}
        sizes: list[int] = []
        for name, page in pages.items():
            high = self._height(page)
            if high and self._draw(page, f"{stem}-{name}.png", high):
                shown[name] = f"{stem}-{name}.png"
                sizes.append(high)
        if len(shown) == 2 and self._draw(self._over(*shown.values()), f"{stem}-difference.png", max(sizes)):
            shown["difference"] = f"{stem}-difference.png"
        self.made += [str(self.folder / place) for place in shown.values()]
        return {name: f"{quote(self.folder.name)}/{quote(place)}" for name, place in shown.items()}

    def _over(self, before: str, after: str) -> str:
        """A page with both pictures on each other: what is the same is black."""
        places = [(self.folder / name).resolve().as_uri() for name in (before, after)]
        first, second = (markup.escape(place) for place in places)
        style = "position:absolute;top:0;left:0"
        return (
            f'<body style="margin:0;background:#000"><img src="{first}" style="{style}">'
            f'<img src="{second}" style="{style};mix-blend-mode:difference"></body>'
        )

    def _height(self, page: str) -> int:
        """How many pixels high a page is; 0 if it cannot be shown."""
        frame = (
            f'<body style="margin:0"><iframe id="f" style="border:0;width:{_WIDE}px;height:10px"'
            f' srcdoc="{markup.escape(page)}"></iframe><script>const f=document.getElementById("f");'
            "f.onload=()=>{document.body.dataset.high=f.contentDocument.documentElement.scrollHeight}</script></body>"
        )
        said = self._run(self._file(frame), "--dump-dom")
        found = re.search(r'data-high="(\d+)"', said or "")
        return max(_SHORTEST, min(_HIGHEST, int(found[1]))) if found else 0

    def _draw(self, page: str, name: str, high: int) -> bool:
        self.folder.mkdir(parents=True, exist_ok=True)
        target = (self.folder / name).resolve()
        target.unlink(missing_ok=True)
        self._run(self._file(page), f"--screenshot={target}", f"--window-size={_WIDE},{high}")
        return target.exists()

    def _file(self, page: str) -> str:
        folder = Path(self._work.name) if self._work is not None else self.folder
        path = folder / "page.html"
        path.write_text(page, encoding="utf-8")
        return path.as_uri()

    def _run(self, url: str, *options: str) -> str | None:
        """What the browser prints; None if it fails or takes too long."""
        folder = self._work.name if self._work is not None else str(self.folder)
        command = [
            self.browser or "", "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--mute-audio",
            "--force-device-scale-factor=1", "--virtual-time-budget=5000", f"--user-data-dir={folder}/profile", *options, url,
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # root has none; the pages are the project's own
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)  # noqa: S603 - a browser somebody named or installed
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None
