"""Errors a person can act on: where, what, and what to do."""

from dataclasses import dataclass


class OrchestratorError(Exception):
    """The root of every error this product raises on purpose; its text names the place and the remedy."""


class ConfigError(OrchestratorError):
    """One or more mistakes in the files; nothing of them took effect."""

    def __init__(self, mistakes: "tuple[Mistake, ...]") -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes

    @property
    def unknown_environment(self) -> bool:
        """Whether an environment was asked for that the files do not have."""
        return any(isinstance(mistake, UnknownEnvironment) for mistake in self.mistakes)


class StoreError(OrchestratorError):
    """A store cannot be opened, read or written."""


class PassingError(StoreError):
    """A store takes nothing just now: a full disk, a lock. Nothing of what was asked happened; asking again later is safe."""


class HeldError(PassingError):
    """Somebody else holds a store right now; the same command later may well go through."""


class OtherEnvironmentError(StoreError):
    """A store belongs to another environment: what happened there must not count here, nor the other way round."""

    def __init__(self, store: str, owner: str, asked: str, ledger: str = "") -> None:
        """`store` as a person knows it, whose it is, which environment `asked` for it; `ledger`: an address it could have."""
        stores = (
            f'stores: {{ledger: "{ledger or f"sqlite:data/{asked}/ledger.db"}",'
            f' audience: "duckdb:data/{asked}/audience.duckdb"}}'
        )
        super().__init__(
            f"{store}: belongs to the environment {owner}, and {asked} needs stores of its own, else what one sends counts"
            f" for the other; nothing was done. In config/orchestrator.yaml, under `environments:` and `{asked}:`,"
            f" write `{stores}`, then bring people, consent and suppressions there:"
            f" orchestrator --env {asked} import profiles FILE, import consent FILE, import suppressions FILE"
        )


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


@dataclass(frozen=True, slots=True)
class UnknownEnvironment(Mistake):
    """The command line asked for an environment that the settings do not have; the files may be right."""
