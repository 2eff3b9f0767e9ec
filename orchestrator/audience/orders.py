"""What an import is told to do, and what it tells afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.audience.catalogue import Seen
from orchestrator.audience.mapping import What
from orchestrator.audience.rejects import Conflict
from orchestrator.audience.replacing import Loss
from orchestrator.audience.texts import FileError
from orchestrator.audience.words import Rows, Stop, Word
from orchestrator.core.segments.tree import Catalogue
from orchestrator.core.times import Instant


@dataclass(frozen=True, slots=True)
class Order:
    """What to import, and how. `mapping` is the content of the mapping file, `zone` the project's.

    Words and devices without a time count from when the file was written, but never from after `now`: the same file again
    says nothing new, and an old one does not undo what people said since.
    """

    what: What
    path: Path
    now: Instant
    catalogue: Catalogue = field(default_factory=Catalogue)
    zone: str = "UTC"
    mapping: Mapping[str, Any] | None = None
    replace: bool = False
    """The file is the whole truth: what is not in it is deleted, in one transaction that readers wait for."""
    approve: Callable[[Loss], None] = Loss.refuse_doubtful
    """Told what a replacement would take away before anything is written; whatever it raises, nothing was."""
    topics: frozenset[str] | None = None
    """What people can agree to; words on other topics are not taken. None takes any."""
    first: Callable[[Rows[Word] | None, Rows[Stop] | None], None] | None = None
    """Told what people said and which addresses are stopped, once, before anybody lands; whoever asks for it closes the rows."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: `rows` were read, `left_out` of them were not taken at all.

    `new` and `changed` count people (events are only ever new), `devices` those that were new or changed, `removed` the people
    or events that a replacement deleted (of a file of devices: the people who have none any more). `words` and `stops`
    are for the ledger; close them. `rejects` says why, row by row, in `rejected` entries, and `reasons` column by column.
    """

    rows: int
    new: int
    changed: int
    devices: int
    removed: int
    left_out: int
    rejected: int
    rejects: Path | None
    conflicts: tuple[Conflict, ...]
    seen: Seen
    words: Rows[Word] | None = None
    stops: Rows[Stop] | None = None
    reasons: tuple[Conflict, ...] = ()


def refuse_replacing(order: Order) -> None:
    """FileError where a file cannot be the whole truth."""
    if order.replace and order.what in (What.CONSENT, What.SUPPRESSIONS):
        raise FileError(
            f"{order.path}: people's words and stopped addresses are never replaced, only added to; drop --replace"
        )
