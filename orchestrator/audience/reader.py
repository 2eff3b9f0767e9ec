"""An audience as whoever asks sees it: our own store, or an engine elsewhere. Nothing in it can be changed through this."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from sqlglot import exp

from orchestrator.audience.casting import Question
from orchestrator.audience.spool import Spool
from orchestrator.audience.sql_columns import Columns
from orchestrator.core.errors import Mistake
from orchestrator.core.times import Instant


class Reader(Protocol):
    """Whom segments, plans and explanations ask. Every question opens what it needs and lets go of it again."""

    @property
    def root(self) -> Path:
        """The project's folder, where lists and tables of linked data are."""
        ...

    @property
    def spools(self) -> Path:
        """Where answers are kept on disk."""
        ...

    @property
    def columns(self) -> Columns:
        """Where it keeps what, and its words."""
        ...

    def ask(self, query: exp.Select, lists: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """A small answer, in memory, with these lists (paths as segments write them) at hand."""
        ...

    def cast(self, question: Question, order: Sequence[str] = ("user",), among: Sequence[str] | None = None) -> Spool:
        """The people of a run with what is asked of them, in this order, on disk; with `among`, only those of these users.

        Columns of the answer are called as in our own store, of whatever engine it is.
        """
        ...

    def newest(self, events: Iterable[str], now: Instant) -> dict[str, Instant]:
        """The time of the latest event of each of these names until now; names without one are left out."""
        ...

    def mistakes(self) -> list[Mistake]:
        """What a mapping says of tables and columns that are not there, and a server that is too old.

        StoreError if the audience cannot be asked.
        """
        ...

    def doubled(self) -> list[Mistake]:
        """Tables with two rows of one person, which would keep every run from being planned. Goes through all their rows."""
        ...
