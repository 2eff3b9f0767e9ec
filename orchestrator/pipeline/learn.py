"""Learning what people did: one batch at a time, from the event inbox into the audience engine, never twice, never lost."""

from collections.abc import Iterable
from typing import Any

import msgspec

from orchestrator.audience.loading import BATCH, Arrival, Arriving, Loaded, load
from orchestrator.audience.store import Audience
from orchestrator.core.errors import StoreError
from orchestrator.core.segments import Catalogue
from orchestrator.core.times import Instant
from orchestrator.ledger import Ledger, arrivals
from orchestrator.ledger.arrivals import Incoming


class Waiting(msgspec.Struct):
    """The payload of a row of the inbox."""

    at: int
    name: str
    body: dict[str, Any]


_payload = msgspec.json.Decoder(Waiting)


def incoming(arrival: Arrival) -> Incoming:
    """An arrival as it waits in the inbox."""
    payload = msgspec.json.encode(Waiting(arrival.at, arrival.name, dict(arrival.body)))
    return Incoming(arrival.kind, arrival.user, arrival.message_id, payload.decode())


def learn(
    ledger: Ledger, audience: Audience, catalogue: Catalogue, zone: str, now: Instant, most: int = BATCH
) -> Loaded | None:
    """Load the next batch of the inbox; None if nothing waits.

    Whoever dies in here leaves a stamped batch, which is loaded again: the engine knows its number and skips it. A batch
    the engine cannot take is cut in two, again and again, until the row that is to blame stands alone.
    """
    batch = arrivals.next_batch(ledger.store, most, now)
    if batch is None:
        return None
    try:
        loaded = load(audience, batch.number, list(_arrivals(batch.rows)), catalogue, zone)
    except StoreError:
        raise  # the store itself is in trouble; the batch waits
    except Exception:  # noqa: BLE001 - whatever one row does to the engine must not keep the others out
        arrivals.split(ledger.store, batch, now)
        return Loaded(left_out=int(len(batch.rows) == 1))
    arrivals.finish(ledger.store, batch.number)
    return loaded


def _arrivals(rows: Iterable[Incoming]) -> Iterable[Arrival]:
    for kind, user, message_id, payload in rows:
        told = _payload.decode(payload)
        yield Arrival(Arriving(kind), user, message_id, Instant(told.at), told.name, told.body)
