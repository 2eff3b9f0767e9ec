"""The project's files as they are in another revision of git, read without touching the folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from orchestrator.config import git
from orchestrator.config.git import RevisionError
from orchestrator.config.tree import FOLDERS, LARGEST, LARGEST_TREE, MOST_FILES, Tree, hidden
from orchestrator.core.errors import Mistake

_SHORT = 10
_MODULE = "160000"
_MOST_LINKS = 8


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
        prefix = git.ask(root, "rev-parse", "--show-prefix").decode().strip()
    except RevisionError as problem:
        raise RevisionError(f"nothing to compare with: {problem}") from problem
    try:
        found = git.ask(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except RevisionError as problem:
        raise RevisionError(_unknown(root, name)) from problem
    commit = found.decode().strip()
    tree = _read(root, commit)
    if not any(path.startswith("config/") for path in tree.files):
        raise RevisionError(f"there is no project in it (no {prefix}config/), so nothing to compare with")
    return Revision(name, commit, tree)


def _unknown(root: Path, name: str) -> str:
    """What to say of a revision that is not there."""
    try:
        known = git.ask(
            root, "for-each-ref", "--count=8", "--sort=-committerdate", "--format=%(refname:short)"
        ).decode()
        shallow = git.ask(root, "rev-parse", "--is-shallow-repository").decode().strip() == "true"
    except RevisionError:
        known, shallow = "", False
    there = ", ".join(known.split()) or "no commit yet"
    more = "; this clone is shallow: fetch the rest (git fetch --unshallow, or fetch-depth: 0)" if shallow else ""
    return f"no revision {name}; there are: {there}{more}"


def _read(root: Path, commit: str) -> Tree:
    """Every file of the project's three folders in a commit, under the rules for files on the disk."""
    mistakes: list[Mistake] = []
    listed = {path: (mode, blob) for mode, blob, path in git.listed(root, commit)}
    shown = {path: it for path, it in listed.items() if not hidden(path)}
    wanted: dict[str, str] = {}
    for path, (mode, blob) in sorted(shown.items()):
        if mode == _MODULE:
            mistakes.append(Mistake(path, 0, 0, "is a submodule", "Put the files themselves here."))
            continue
        target = blob if mode != git.LINK else _followed(root, listed, path)
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


def _followed(root: Path, listed: dict[str, tuple[str, str]], path: str) -> str | None:
    """The blob a link leads to; None if it leads to a folder or out of the project's folders."""
    for _ in range(_MOST_LINKS):
        mode, blob = listed[path]
        if mode != git.LINK:
            return blob
        to = PurePosixPath(path).parent / git.ask(root, "cat-file", "blob", blob).decode("utf-8", "surrogateescape")
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
    said = git.ask(root, "cat-file", "--batch", given="".join(f"{blob}\n" for blob in wanted.values()).encode())
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
    said = git.ask(root, "ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", *FOLDERS)
    paths = [path.decode("utf-8", "surrogateescape") for path in said.split(b"\0") if path]
    return [path for path in paths if not hidden(path)]
