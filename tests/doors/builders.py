"""Folders with a whole project in them, for tests that go through the doors."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]


def the_example_in(folder: Path) -> Path:
    """The example project, copied into a folder of its own."""
    for name in ("config", "templates", "lists"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def rewrite(path: Path, old: str, new: str) -> None:
    """The first `old` of a file replaced; an error if it does not say `old`."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path} does not say {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
