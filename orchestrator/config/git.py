"""What git says of a project's folder: of the repository it lies in alone, and without running any program that one names."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from orchestrator.config.tree import FOLDERS
from orchestrator.core.errors import OrchestratorError

LINK = "120000"
"""The mode of a link: what git keeps of it is where it leads, not what is there."""
_LEADS_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")
"""Variables by which a hook of git would have us look at another repository."""
_SAFE = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")


class RevisionError(OrchestratorError):
    """A revision that cannot be read: there is no git, no repository, no such revision, or no project in it."""


def ask(root: Path, *words: str, given: bytes = b"", patience: float | None = None) -> bytes:
    """What git answers in a folder; RevisionError with its own words if it refuses, or takes over so many seconds."""
    ours = {name: value for name, value in os.environ.items() if name not in _LEADS_ELSEWHERE}
    command = ["git", "-C", str(root), *_SAFE, *words]
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False, env=ours, timeout=patience)  # noqa: S603 - git, and words that are ours
    except FileNotFoundError:
        raise RevisionError("git is not installed on this machine") from None
    except OSError as problem:
        raise RevisionError(f"git cannot be started: {problem.strerror}") from None
    except subprocess.TimeoutExpired:
        raise RevisionError(f"git {words[0]} took over {patience:g} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise RevisionError(re.sub(r"^(fatal|error): ", "", said.splitlines()[0]) if said else f"git {words[0]} failed")
    return done.stdout


def listed(root: Path, commit: str, *, patience: float | None = None) -> Iterator[tuple[str, str, str]]:
    """(mode, hash, path below the folder) of every file that a commit has in the three folders of the project there."""
    said = ask(root, "ls-tree", "-r", "-z", commit, "--", *FOLDERS, patience=patience)
    for line in filter(None, said.split(b"\0")):
        head, _, path = line.partition(b"\t")
        mode, _, known = head.decode().split()
        yield mode, known, path.decode("utf-8", "surrogateescape")
