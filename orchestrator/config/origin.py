"""Which commit of git a project's files are, told from their content: files that were edited since are a working copy."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.config import git
from orchestrator.config.tree import hidden

_PATIENCE = 10.0
"""Seconds: nobody waits longer to be told where files come from."""
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
    try:
        commit = git.ask(root, "rev-parse", "--verify", "HEAD", patience=_PATIENCE).decode().strip()
        there = _committed(root, commit)
    except git.RevisionError:
        return Origin()
    same = there.keys() == files.keys() and all(
        known is None or known == _blob(files[name], len(known)) for name, known in there.items()
    )
    return Origin(commit, not same)


def _committed(root: Path, commit: str) -> dict[str, str | None]:
    """The hash of each file of the commit that a project is read from; None for a link."""
    found = git.listed(root, commit, patience=_PATIENCE)
    return {path: None if mode == git.LINK else known for mode, known, path in found if not hidden(path)}


def _blob(content: bytes, digits: int) -> str:
    """The name git gives to a file's content; old repositories have 40 digits, new ones may have 64."""
    kind = hashlib.sha256 if digits == hashlib.sha256().digest_size * 2 else hashlib.sha1
    return kind(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
