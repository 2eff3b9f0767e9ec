"""Learning what people did: one batch at a time, from the event inbox into the audience engine, never twice, never lost."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from orchestrator.audience.loading import BATCH, prepare, written
from orchestrator.audience.store import Audience
from orchestrator.audience.visiting import Arrival, Loaded, Prepared, land, together, visits
from orchestrator.core.errors import StoreError
from orchestrator.core.segments import Catalogue
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, arrivals
from orchestrator.ledger.arrivals import Batch, Incoming


def incoming(arrival: Arrival) -> Incoming:
    """An arrival as it waits in the inbox."""
    return Incoming(*written(arrival))


AT_ONCE = 18
"""Batches that are begun together, at most."""
VISIT = 6
"""Batches that land in one visit to the audience, at most: what two threads pack at once."""
_QUICK = 0.4
"""Seconds a visit should keep readers out."""


@dataclass(slots=True)
class Pace:
    """How many batches go into one visit to the audience: as many as keep its readers out for a moment only."""

    batches: int = 3

    def learnt(self, landed: int, held: float) -> None:
        """So many batches took so many seconds."""
        self.batches = max(1, min(VISIT, int(landed * min(2.0, _QUICK / max(held, 0.001)))))


def learn(
    ledger: Ledger,
    audience: Audience,
    catalogue: Catalogue,
    zone: str,
    now: Instant,
    most: int = BATCH,
    pace: Pace | None = None,
) -> Loaded | None:
    """Load the next batches of the inbox, in few visits to the audience; None if nothing waits.

    Whoever dies in here leaves batches that were begun, which are loaded again: the engine knows their numbers and skips
    them. A batch the engine cannot take is cut in two, again and again, until the row that is to blame stands alone.
    """
    batches = arrivals.next_batches(ledger.store, most, AT_ONCE, now)
    if not batches:
        return None
    preparing = _Preparing(ledger, audience, catalogue, zone, pace or Pace())
    landed = preparing.land(batches)
    for batch, rows in preparing.torn:
        arrivals.split(ledger.store, batch, now)
        landed.append(Loaded(left_out=int(rows == 1)))
    return together(landed)


_Ready = list[tuple[int, Prepared]]


class _Preparing:
    """Prepares the next visit while the engine has the one before: one needs this interpreter, the other hardly.

    All that concerns the ledger happens on one thread, in turn.
    """

    def __init__(self, ledger: Ledger, audience: Audience, catalogue: Catalogue, zone: str, pace: Pace) -> None:
        self._ledger = ledger
        self._audience = audience
        self._rest = (catalogue, zone)
        self._pace = pace
        self.torn: list[tuple[Batch, int]] = []
        """Batches the engine cannot take as a whole, and how many rows they have."""

    def land(self, batches: Sequence[Batch]) -> list[Loaded]:
        """Land all batches but the torn ones, and let their rows go; what became of them, a visit each."""
        landed: list[Loaded] = []
        left = list(batches)
        with ThreadPoolExecutor(1, thread_name_prefix="prepare") as thread:
            coming: Future[_Ready] | None = thread.submit(self._prepared, self._next(left))
            gone: list[Future[None]] = []
            while coming is not None:
                ready = coming.result()
                coming = thread.submit(self._prepared, self._next(left)) if left else None
                for visit in visits(ready):
                    landed.append(land(self._audience, visit))
                    self._pace.learnt(len(visit), landed[-1].held)
                    numbers = [number for number, _ in visit]
                    gone.append(thread.submit(arrivals.finish, self._ledger.store, numbers))
            for one in gone:
                one.result()
        return landed

    def _next(self, left: list[Batch]) -> list[Batch]:
        taken, left[:] = left[: self._pace.batches], left[self._pace.batches :]
        return taken

    def _prepared(self, batches: Sequence[Batch]) -> _Ready:
        """Each batch with its number; the torn ones are noted instead."""
        found = ((batch.number, self._prepare(batch)) for batch in batches)
        return [(number, prepared) for number, prepared in found if prepared is not None]

    def _prepare(self, batch: Batch) -> Prepared | None:
        rows = arrivals.rows_of(self._ledger.store, batch)
        catalogue, zone = self._rest
        try:
            return prepare(self._audience, rows, catalogue, zone)
        except StoreError:
            raise  # the store itself is in trouble; what is not finished waits
        except Exception:  # noqa: BLE001 - whatever one row does to the engine must not keep the others out
            self.torn.append((batch, len(rows)))
            return None
