"""Learning what people did: one batch at a time, from the event inbox into the audience engine, never twice, never lost."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import zip_longest
from time import perf_counter

from orchestrator.audience.loading import BATCH, Arrival, Loaded, Prepared, land, prepare, together, written
from orchestrator.audience.store import Audience
from orchestrator.core.errors import StoreError
from orchestrator.core.segments import Catalogue
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, arrivals
from orchestrator.ledger.arrivals import Batch, Incoming


def incoming(arrival: Arrival) -> Incoming:
    """An arrival as it waits in the inbox."""
    return Incoming(*written(arrival))


AT_ONCE = 4
"""Batches that are prepared together, because opening and closing the audience costs as much as a batch."""
LONG = 0.15
"""Seconds after which a visit to the audience is given one batch more and then no other."""


def learn(
    ledger: Ledger, audience: Audience, catalogue: Catalogue, zone: str, now: Instant, most: int = BATCH
) -> Loaded | None:
    """Load the next batches of the inbox, in one visit to the audience; None if nothing waits.

    Whoever dies in here leaves batches that were begun, which are loaded again: the engine knows their numbers and skips
    them. A batch the engine cannot take is cut in two, again and again, until the row that is to blame stands alone.
    """
    batches = arrivals.next_batches(ledger.store, most, AT_ONCE, now)
    if not batches:
        return None
    preparing = _Preparing(ledger, audience, catalogue, zone)
    landed: list[Loaded] = []
    with closing(land(audience, preparing.ahead(batches))) as landing:
        landed += landing
    arrivals.finish(ledger.store, preparing.handed[: len(landed)])
    for batch, rows in preparing.torn:
        arrivals.split(ledger.store, batch, now)
        landed.append(Loaded(left_out=int(rows == 1)))
    return together(landed)


class _Preparing:
    """Prepares the next batch while the engine has the one before: one needs this interpreter, the other does not."""

    def __init__(self, ledger: Ledger, audience: Audience, catalogue: Catalogue, zone: str) -> None:
        self._ledger = ledger
        self._rest = (audience, catalogue, zone)
        self.handed: list[int] = []
        """The numbers of the batches that were handed out, in their order."""
        self.torn: list[tuple[Batch, int]] = []
        """Batches the engine cannot take as a whole, and how many rows they have."""

    def ahead(self, batches: Sequence[Batch]) -> Iterator[tuple[int, Prepared]]:
        """Each batch with its number. The ledger is not to be used by anybody else while the next one is awaited."""
        with ThreadPoolExecutor(1, thread_name_prefix="prepare") as thread:
            coming = thread.submit(self._prepare, batches[0])
            began: float | None = None
            for batch, following in zip_longest(batches, batches[1:]):
                prepared = coming.result()
                last = following is None or (began is not None and perf_counter() - began > LONG)
                if not last:
                    coming = thread.submit(self._prepare, following)
                if prepared is not None:
                    began = began or perf_counter()
                    self.handed.append(batch.number)
                    yield batch.number, prepared
                if last:
                    return

    def _prepare(self, batch: Batch) -> Prepared | None:
        rows = arrivals.rows_of(self._ledger.store, batch)
        audience, catalogue, zone = self._rest
        try:
            return prepare(audience, rows, catalogue, zone)
        except StoreError:
            raise  # the store itself is in trouble; what is not finished waits
        except Exception:  # noqa: BLE001 - whatever one row does to the engine must not keep the others out
            self.torn.append((batch, len(rows)))
            return None
