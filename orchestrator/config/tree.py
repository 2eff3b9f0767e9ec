"""A project's folder as a set of files: which belong to it, how large they may be, and what each is called."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.config.reading import Loaded, load
from orchestrator.config.settings import DEV
from orchestrator.core.errors import ConfigError, Mistake

if TYPE_CHECKING:
    from orchestrator.config.personas import Personas

FOLDERS = ("config", "templates", "lists")
PERSONAS = "personas"
"""The folder of tests. It is no part of what a run is fired with: an edit of a test changes no version."""
LARGEST = {"config": 256 * 1024, "templates": 1024 * 1024, "lists": 64 * 1024 * 1024, PERSONAS: 256 * 1024}
"""Bytes of one file, by the folder it lies in."""
LARGEST_TREE = 256 * 1024 * 1024
MOST_FILES = 10_000


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a folder by their paths below it, and what was refused. `whole` is False where that is too much to judge the rest by."""

    files: dict[str, bytes]
    refused: tuple[Mistake, ...] = ()
    whole: bool = True


def read_tree(root: Path) -> dict[str, bytes]:
    """Every file of config/, templates/ and lists/ by its path below the root, in order; hidden files are left out.

    The only look at the disk: what is loaded from the result, here or by a worker, is the same. ConfigError names every
    file that is too large, leads out of the folder, or cannot be read.
    """
    found = survey(root)
    if found.refused:
        raise ConfigError(found.refused)
    return found.files


def load_folder(root: Path, environment: str = DEV) -> Loaded:
    """What came of a folder's files; a file that is refused is one mistake and hides no other."""
    found = survey(root)
    if not found.whole:
        return Loaded(found.files, None, found.refused)
    return load(found.files, environment, refused=found.refused)


def load_personas(root: Path, loaded: Loaded) -> "Personas":
    """The personas of a folder, held against the project as it was loaded from there."""
    from orchestrator.config.personas import Personas, read_personas  # noqa: PLC0415 - `check` and `test` alone want them

    found = survey(root, (PERSONAS,))
    told = read_personas(found.files, loaded)
    mistakes = tuple(sorted((*told.mistakes, *found.refused), key=lambda it: (it.file, it.line, it.column)))
    return Personas(told.found, mistakes, len(found.files))


def survey(root: Path, among: Sequence[str] = FOLDERS) -> Tree:
    """The same files, and a mistake for each that is refused."""
    mistakes: list[Mistake] = []
    whole = not any((root / folder).is_symlink() for folder in among)
    files: dict[str, bytes] = {}
    total = 0
    for name in sorted(_names(root, mistakes, among)):
        if len(files) >= MOST_FILES or total > LARGEST_TREE:
            limit = f"more than {MOST_FILES} files or {LARGEST_TREE >> 20} MiB"
            mistakes.append(Mistake(name, 0, 0, f"{limit} in one project", "Move long lists to the audience store."))
            whole = False
            break
        content = _content(root, name, mistakes)
        if content is not None:
            files[name] = content
            total += len(content)
    return Tree(files, tuple(mistakes), whole)


def hidden(path: str) -> bool:
    """Whether a file is left out: what begins with a dot, or lies in such a folder, and copies that editors leave behind."""
    return path.endswith("~") or any(part.startswith(".") for part in path.split("/"))


def _names(root: Path, mistakes: list[Mistake], among: Sequence[str]) -> Iterator[str]:
    """The paths of all files. A link to a file inside the project counts as that file; mounted settings come so."""
    for folder in among:
        if (root / folder).is_symlink():
            mistakes.append(Mistake(folder, 0, 0, "is a link", "Put the folder itself here."))
            continue
        for where, folders, names in os.walk(root / folder):
            here = Path(where)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            shown = [name for name in names if not hidden(name)]
            for name in [*folders, *shown]:
                path = (here / name).relative_to(root).as_posix()
                if (here / name).is_symlink() and (
                    name in folders or not (here / name).resolve().is_relative_to(root.resolve())
                ):
                    mistakes.append(
                        Mistake(path, 0, 0, "is a link to a folder or out of the project", "Put the file itself here.")
                    )
                elif name in shown:
                    yield path
                elif name.endswith(_OF_FILES):
                    mistakes.append(
                        Mistake(
                            path,
                            0,
                            0,
                            "is a folder with the name of a file",
                            "Put the file here, or rename the folder.",
                        )
                    )


_OF_FILES = (".yaml", ".yml", ".mjml", ".html", ".txt", ".csv")
"""How files of a project end."""


def _content(root: Path, name: str, mistakes: list[Mistake]) -> bytes | None:
    limit = LARGEST[name.split("/", 1)[0]]
    try:
        if not (root / name).is_file():
            mistakes.append(Mistake(name, 0, 0, "is not an ordinary file", "Remove it."))
            return None
        with (root / name).open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError as error:
        mistakes.append(Mistake(name, 0, 0, f"cannot be read: {error.strerror}", "Look at its rights."))
        return None
    if len(content) > limit:
        mistakes.append(Mistake(name, 0, 0, f"is larger than {limit >> 10} KiB", "Split it up."))
        return None
    return content
