"""Which commit of git a project's files are, told from their content: files that were edited since are a working copy."""

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.config.tree import FOLDERS

_LINK = "120000"
"""The mode of a link: what git keeps of it is where it leads, not what is there."""
_LEADS_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")
"""Variables by which a hook of git would have us look at another repository."""
_PATIENCE = 10.0
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Origin:
    """The last commit (empty without git), and whether the files are others than it has."""

    commit: str = ""
    edited: bool = False

    def __str__(self) -> str:
        """In words for people: `commit 1a2b3c4d5e6f`; empty without git."""
        if not self.commit:
            return ""
        short = self.commit[:SHOWN]
        return f"working copy after {short}, not committed" if self.edited else f"commit {short}"


def origin_of(root: Path, files: Mapping[str, bytes]) -> Origin:
    """What git says of these files of a project's folder. Without git, or before the first commit, nothing.

    The files as they were read are held against the commit, never the disk as it is now: a pull meanwhile changes nothing.
    """
    commit = _git(root, "rev-parse", "--verify", "HEAD").decode().strip()
    if not commit:
        return Origin()
    there = _committed(_git(root, "ls-tree", "-r", "-z", commit, *(f"{folder}/" for folder in FOLDERS)))
    same = there.keys() == files.keys() and all(
        known is None or known == _blob(files[name], len(known)) for name, known in there.items()
    )
    return Origin(commit, not same)


def _committed(listed: bytes) -> dict[str, str | None]:
    """The hash of each file of the commit that a project is read from; None for a link."""
    found: dict[str, str | None] = {}
    for line in filter(None, listed.split(b"\0")):
        told, _, path = line.partition(b"\t")
        mode, _, known = told.decode().split(" ")
        name = path.decode("utf-8", "surrogateescape")
        if not name.endswith("~") and not any(part.startswith(".") for part in name.split("/")):
            found[name] = None if mode == _LINK else known
    return found


def _blob(content: bytes, digits: int) -> str:
    """The name git gives to a file's content; old repositories have 40 digits, new ones may have 64."""
    kind = hashlib.sha256 if digits == hashlib.sha256().digest_size * 2 else hashlib.sha1
    return kind(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _git(root: Path, *words: str) -> bytes:
    """What git answers; nothing where it is not there, or knows of no repository here."""
    ours = {name: value for name, value in os.environ.items() if name not in _LEADS_ELSEWHERE}
    command = ["git", "-C", str(root), *words]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE, env=ours)  # noqa: S603 - words of ours
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""
