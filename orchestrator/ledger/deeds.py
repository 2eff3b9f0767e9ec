"""What happened to messages after a provider took them: the one door for reports, opens and clicks, from wherever they come."""

from collections.abc import Iterable
from typing import NamedTuple

from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.core.times import Instant
from orchestrator.ledger import mirrors
from orchestrator.ledger.store import Store

TOLD = frozenset({Deed.DELIVERED, Deed.OPENED, Deed.CLICKED, Deed.BOUNCED, Deed.COMPLAINED})
"""What may be told here: what was sent stands in the deliveries, and who converted is found among the events."""


class Happened(NamedTuple):
    """One deed, of one delivery, at one moment. `link` is what was clicked; `machine`: no person did it."""

    key: DeliveryKey
    deed: Deed
    at: Instant
    link: str = ""
    machine: bool = False


def tell(store: Store, happened: Iterable[Happened]) -> int:
    """Write down what happened; the same at the same moment again changes nothing. Returns how many were new.

    Segments know of it as soon as the loader has looked again, but for what machines did.
    """
    with store.transaction():
        return write(store, happened)


def write(store: Store, happened: Iterable[Happened]) -> int:
    """The same inside the caller's transaction. ValueError for a deed that has another source."""
    rows = list(happened)
    foreign = sorted({one.deed for one in rows} - TOLD)
    if foreign:
        raise ValueError(f"deeds: {', '.join(foreign)} cannot be told; only {', '.join(sorted(TOLD))}")
    added = store.many(
        "INSERT INTO deed (run, user_id, channel, step, slot, deed, at, link, machine) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [(*one.key, one.deed, one.at, one.link, int(one.machine)) for one in rows],
    )
    mirrors.people_are_due(store, [one.key.user for one in rows if not one.machine])
    return added


def of_run(store: Store, run: int, user: str) -> list[Happened]:
    """What happened to a person's messages of a run, in order of time."""
    rows = store.rows(
        "SELECT channel, step, slot, deed, at, link, machine FROM deed WHERE user_id = ? AND run = ? ORDER BY at, channel, step, slot, deed",
        (user, run),
    )
    return [
        Happened(DeliveryKey(run, user, Channel(channel), step, slot), Deed(deed), Instant(at), link, bool(machine))
        for channel, step, slot, deed, at, link, machine in rows
    ]
