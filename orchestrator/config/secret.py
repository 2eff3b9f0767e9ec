"""Secrets: settings that stand elsewhere, `${env:NAME}` or `${file:path}`, read only when somebody connects, never shown."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from orchestrator.core.errors import OrchestratorError

LARGEST = 64 * 1024
"""Bytes of one secret."""

_REFERENCE = re.compile(r"\$\{(?:(?P<kind>env|file):(?P<name>[^{}]+))\}")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
HOW = "Write ${env:NAME} or ${file:path}"


class SecretMissingError(OrchestratorError):
    """A secret that a setting refers to is not there; the text names the reference, never a value."""


class SecretSource(Protocol):
    """Where secrets are found. Asked only when one is about to be used."""

    def env(self, name: str) -> str | None:
        """The environment variable's value, None if it is not set."""
        ...

    def file(self, path: str) -> str | None:
        """The file's text without its last line break, None if it cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class MachineSecrets:
    """The secrets of this machine: its environment, and files by absolute path or below the project's folder."""

    root: Path

    def env(self, name: str) -> str | None:
        """The environment variable's value; one that is set but empty counts as not set."""
        return os.environ.get(name) or None

    def file(self, path: str) -> str | None:
        """The file's text; None if it is missing, larger than 64 KiB, or no text."""
        try:
            with (self.root / path).open("rb") as stream:
                content = stream.read(LARGEST + 1)
            return content.decode().removesuffix("\n").removesuffix("\r") if len(content) <= LARGEST else None
        except (OSError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Secret:
    """A setting that may stand elsewhere. It shows its references, and nothing else that is written beside them.

    `written` is the text of the file with its `${…}`; only `resolve` turns it into the value.
    """

    written: str = field(repr=False)

    def __repr__(self) -> str:
        return f"Secret({self})"

    def __str__(self) -> str:
        return " ".join(self.references) or "…"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    @property
    def references(self) -> tuple[str, ...]:
        """What it refers to: `${env:SES_KEY}`."""
        return tuple(found[0] for found in _REFERENCE.finditer(self.written))

    @property
    def whole(self) -> bool:
        """Whether it is one reference and nothing beside it."""
        return _REFERENCE.fullmatch(self.written) is not None

    def resolve(self, source: SecretSource) -> str:
        """The value. SecretMissingError names every reference of it that leads nowhere."""
        missing = self.missing(source)
        if missing:
            raise SecretMissingError(
                f"{', '.join(missing)} is not set; set it on this machine, or start in another environment"
            )
        return _REFERENCE.sub(lambda found: _look_up(found, source) or "", self.written)

    def missing(self, source: SecretSource) -> tuple[str, ...]:
        """The references that lead nowhere."""
        return tuple(found[0] for found in _REFERENCE.finditer(self.written) if _look_up(found, source) is None)


def bad_reference(text: str) -> str:
    """What is wrong with the `${…}` in a text, empty if nothing is. Never quotes anything outside the braces."""
    if text.count("${") != len(_REFERENCE.findall(text)):
        return "a ${…} that cannot be read"
    for found in _REFERENCE.finditer(text):
        if found["kind"] == "env" and not _ENV_NAME.fullmatch(found["name"]):
            return f"{found[0]} is not the name of an environment variable"
        if found["kind"] == "file" and climbs(found["name"]):
            return f"{found[0]} leads out of the project's folder"
    return ""


def climbs(path: str) -> bool:
    """Whether a relative path leaves the folder it starts from; an absolute one says openly where it leads."""
    depth = 0
    for part in path.replace("\\", "/").split("/"):
        depth += -1 if part == ".." else part not in {"", "."}
        if depth < 0:
            return True
    return False


def _look_up(found: re.Match[str], source: SecretSource) -> str | None:
    ask: Callable[[str], str | None] = source.env if found["kind"] == "env" else source.file
    return ask(found["name"])
