"""Errors a person can act on: where, what, and what to do."""

from dataclasses import dataclass


class OrchestratorError(Exception):
    """The root of every error this product raises on purpose; its text names the place and the remedy."""


class ConfigError(OrchestratorError):
    """One or more mistakes in the files; nothing of them took effect."""

    def __init__(self, mistakes: "tuple[Mistake, ...]") -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class StoreError(OrchestratorError):
    """A store cannot be opened, read or written."""


class PassingError(StoreError):
    """A store takes nothing just now: a full disk, a lock. Nothing of what was asked happened; asking again later is safe."""


class HeldError(PassingError):
    """Somebody else holds a store right now; the same command later may well go through."""


class LostBootError(StoreError):
    """This process no longer holds its lock: it must stop intending and leave, others take over its work."""


class ServingError(OrchestratorError):
    """The daemon cannot listen where it was asked to."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in one file. `line` and `column` count from 1; 0 means the file as a whole."""

    file: str
    line: int
    column: int
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}  {self.text}" + (f"\n    {self.remedy}" if self.remedy else "")
