"""The audience: everybody we know, what they are and what they did; imports, lists, and the loader."""

from orchestrator.audience.catalogue import Seen, catalogue_from
from orchestrator.audience.importing import import_file, look
from orchestrator.audience.loading import load
from orchestrator.audience.looking import Look, Looked
from orchestrator.audience.mapping import What
from orchestrator.audience.orders import Imported, Order
from orchestrator.audience.reader import Reader
from orchestrator.audience.rejects import Conflict
from orchestrator.audience.replacing import Loss
from orchestrator.audience.spool import Spool
from orchestrator.audience.store import Audience, Counts
from orchestrator.audience.texts import FileError
from orchestrator.audience.visiting import Arrival, Arriving, Loaded
from orchestrator.audience.words import Stop, Word

__all__ = [
    "Arrival",
    "Arriving",
    "Audience",
    "Conflict",
    "Counts",
    "FileError",
    "Imported",
    "Loaded",
    "Look",
    "Looked",
    "Loss",
    "Order",
    "Reader",
    "Seen",
    "Spool",
    "Stop",
    "What",
    "Word",
    "catalogue_from",
    "import_file",
    "load",
    "look",
]
