"""What a file says that belongs into the ledger: people's words and stopped addresses, kept on disk until they are written there."""

from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

from orchestrator.audience.spool import Spool
from orchestrator.core.times import Instant

_Row = TypeVar("_Row")


class Word(NamedTuple):
    """What somebody said on one topic and channel; `at` is the present moment if the file names none."""

    user: str
    channel: str
    topic: str
    granted: bool
    at: Instant
    source: str
    proof: str


class Stop(NamedTuple):
    """An address nothing may go to."""

    channel: str
    address: str
    reason: str
    at: Instant


class Rows(Generic[_Row]):
    """Rows for somebody else's store, kept on disk: iterate as often as you like, then close."""

    def __init__(self, spool: Spool, make: Callable[..., _Row]) -> None:
        self._spool = spool
        self._make = make

    def __len__(self) -> int:
        return self._spool.rows

    def __iter__(self) -> Iterator[_Row]:
        for batch in self._spool:
            columns = [batch.column(place).to_pylist() for place in range(batch.num_columns)]
            yield from map(self._make, *columns)

    def close(self) -> None:
        """Remove what was kept."""
        self._spool.close()
