"""What an engine elsewhere has to offer so that segments, plans and explanations can be asked of it: words, tables, visits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from sqlglot import exp

from orchestrator.audience.engines.shown import Shown
from orchestrator.audience.sql_columns import OurColumns
from orchestrator.core.errors import StoreError


@dataclass(frozen=True, slots=True)
class Parts:
    """How to ask an engine about a part of the users, where what it holds is held by this process.

    `test` says whether a user is in a part, of so many, each of about as many users: `(user, 3, 40)`. `settings` stand behind the question.
    """

    test: Callable[[exp.Expr, int, int], exp.Expr]
    settings: str = ""


class Visit(Protocol):
    """An engine while somebody asks it: it is connected, and only reads."""

    def table(self, name: str, columns: Mapping[str, Sequence[str]]) -> exp.Select:
        """The query of a table of these texts, which this visit alone sees."""
        ...

    def batches(self, sql: str) -> Iterator[Any]:
        """The rows of a query as `pyarrow.RecordBatch`, some thousand at a time; the engine keeps the rest."""
        ...

    def fields(self, table: str) -> list[str]:
        """The names of a table's columns; StoreError if there is no such table."""
        ...

    def unfit(self) -> str:
        """Why this server cannot answer segments, however its tables are; empty if it can."""
        ...


class Engine(Protocol):
    """An engine by its URL; nothing is opened before a visit, and nothing stays open after it."""

    @property
    def name(self) -> str:
        """As messages call it."""
        ...

    @property
    def columns(self) -> OurColumns:
        """Its words, and where it keeps what."""
        ...

    @property
    def shown(self) -> Shown:
        """How it shows tables that are not shaped like ours."""
        ...

    @property
    def parts(self) -> Parts | None:
        """How it is asked about a part of the users; None where it has memory of its own, and is asked about all of them at once."""
        ...

    def visit(self) -> AbstractContextManager[Visit]:
        """Open it; StoreError if it is not there, or its extra is not installed."""
        ...


def needed(module: str, extra: str) -> ModuleType:
    """A library of an extra; StoreError says how it is installed."""
    try:
        return import_module(module)
    except ImportError as problem:
        raise StoreError(
            f"{module} is not installed: pip install 'messaging-orchestrator[{extra}]' ({problem})"
        ) from problem
