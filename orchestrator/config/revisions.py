"""The project's files as they are in another revision of git, read without touching the folder."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orchestrator.config.tree import FOLDERS, LARGEST, LARGEST_TREE, MOST_FILES, Tree
from orchestrator.core.errors import Mistake, OrchestratorError

_SHORT = 10
_LINK, _MODULE = "120000", "160000"
_MOST_LINKS = 8


class RevisionError(OrchestratorError):
    """A revision that cannot be read: there is no git, no repository, no such revision, or no project in it."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit as it was asked for, and its full name; the tree of the project's folder in it."""

    name: str
    commit: str
    tree: Tree

    @property
    def short(self) -> str:
        """As people write it: the name, and the commit where that says more."""
        own = self.commit[:_SHORT]
        return own if self.commit.startswith(self.name) else f"{self.name} ({own})"


def revision(root: Path, name: str) -> Revision:
    """The project's files as they are in another revision; RevisionError if that cannot be read.

    Files that git ignores are no revision's: they are taken as they are in the folder.
    """
    try:
        prefix = _git(root, "rev-parse", "--show-prefix").decode().strip()
    except RevisionError as problem:
        raise RevisionError(f"nothing to compare with: {problem}") from problem
    try:
        found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except RevisionError as problem:
        raise RevisionError(_unknown(root, name)) from problem
    commit = found.decode().strip()
    tree = _read(root, commit, prefix)
    if not any(path.startswith("config/") for path in tree.files):
        raise RevisionError(f"there is no project in it (no {prefix}config/), so nothing to compare with")
    return Revision(name, commit, tree)


def _unknown(root: Path, name: str) -> str:
    """What to say of a revision that is not there."""
    try:
        known = _git(root, "for-each-ref", "--count=8", "--sort=-committerdate", "--format=%(refname:short)").decode()
        shallow = _git(root, "rev-parse", "--is-shallow-repository").decode().strip() == "true"
    except RevisionError:
        known, shallow = "", False
    there = ", ".join(known.split()) or "no commit yet"
    more = "; this clone is shallow: fetch the rest (git fetch --unshallow, or fetch-depth: 0)" if shallow else ""
    return f"no revision {name}; there are: {there}{more}"


def _read(root: Path, commit: str, prefix: str) -> Tree:
    """Every file of the project's three folders in a commit, under the rules for files on the disk."""
    mistakes: list[Mistake] = []
    listed = {path: (mode, blob) for mode, blob, path in _listed(root, commit, prefix)}
    shown = {path: it for path, it in listed.items() if not _hidden(path)}
    wanted: dict[str, str] = {}
    for path, (mode, blob) in sorted(shown.items()):
        if mode == _MODULE:
            mistakes.append(Mistake(path, 0, 0, "is a submodule", "Put the files themselves here."))
            continue
        target = blob if mode != _LINK else _followed(root, listed, path)
        if target is None:
            mistakes.append(
                Mistake(path, 0, 0, "is a link to a folder or out of the project", "Put the file itself here.")
            )
        else:
            wanted[path] = target
    if len(wanted) > MOST_FILES:
        raise RevisionError(f"{commit[:_SHORT]}: more than {MOST_FILES} files in one project")
    files, total = dict[str, bytes](), 0
    for path, content in _contents(root, wanted):
        if len(content) > LARGEST[path.partition("/")[0]]:
            mistakes.append(Mistake(path, 0, 0, f"is larger than {LARGEST[path.partition('/')[0]] >> 10} KiB"))
            continue
        total += len(content)
        if total > LARGEST_TREE:
            raise RevisionError(f"{commit[:_SHORT]}: more than {LARGEST_TREE >> 20} MiB in one project")
        files[path] = content
    for path in _ignored(root):
        if path not in files and (root / path).is_file():
            files[path] = (root / path).read_bytes()
    return Tree(dict(sorted(files.items())), tuple(mistakes))


def _listed(root: Path, commit: str, prefix: str) -> Iterator[tuple[str, str, str]]:
    """(mode, blob, path below the project) of every file in the three folders."""
    folders = [f"{prefix}{folder}" for folder in FOLDERS]
    said = _git(root, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *folders)
    for line in filter(None, said.split(b"\0")):
        head, _, path = line.partition(b"\t")
        mode, _, blob = head.decode().split()
        yield mode, blob, path.decode("utf-8", "surrogateescape").removeprefix(prefix)


def _hidden(path: str) -> bool:
    return path.endswith("~") or any(part.startswith(".") for part in path.split("/"))


def _followed(root: Path, listed: dict[str, tuple[str, str]], path: str) -> str | None:
    """The blob a link leads to; None if it leads to a folder or out of the project's folders."""
    for _ in range(_MOST_LINKS):
        mode, blob = listed[path]
        if mode != _LINK:
            return blob
        to = PurePosixPath(path).parent / _git(root, "cat-file", "blob", blob).decode("utf-8", "surrogateescape")
        parts: list[str] = []
        for part in to.parts:
            if part == ".." and parts:
                parts.pop()
            elif part != ".":
                parts.append(part)
        path = "/".join(parts)
        if path not in listed:
            return None
    return None


def _contents(root: Path, wanted: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """The content of each blob, asked of one process."""
    if not wanted:
        return
    said = _git(root, "cat-file", "--batch", given="".join(f"{blob}\n" for blob in wanted.values()).encode())
    at = 0
    for path in wanted:
        end = said.index(b"\n", at)
        head = said[at:end].decode().split()
        if len(head) != 3:
            raise RevisionError(f"{path}: git has lost its content ({' '.join(head)}); fetch it anew")
        size = int(head[2])
        yield path, said[end + 1 : end + 1 + size]
        at = end + size + 2


def _ignored(root: Path) -> list[str]:
    """The files of the three folders that git is told not to keep: long lists, most often."""
    said = _git(root, "ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", *FOLDERS)
    paths = [path.decode("utf-8", "surrogateescape") for path in said.split(b"\0") if path]
    return [path for path in paths if not _hidden(path)]


def _git(root: Path, *words: str, given: bytes = b"") -> bytes:
    """What git answers; RevisionError with its own words if it refuses. No hook and no program of the repository is run."""
    command = [
        "git",
        "--no-optional-locks",
        "-C",
        str(root),
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.quotePath=false",
        *words,
    ]
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False)  # noqa: S603 - git, and words that are ours
    except FileNotFoundError:
        raise RevisionError("git is not installed on this machine") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise RevisionError(re.sub(r"^(fatal|error): ", "", said.splitlines()[0]) if said else f"git {words[0]} failed")
    return done.stdout
