"""Clicks and opens on their way into the ledger: of messages that left, told apart from machines, and never without end."""

from collections import Counter
from collections.abc import Sequence

from orchestrator.core.engagement import SPAN, Touch, scanned
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey, State
from orchestrator.core.times import Instant
from orchestrator.ledger import deeds
from orchestrator.ledger.deeds import Happened
from orchestrator.ledger.store import Store

MOST = 100
"""So many clicks are kept of one message, so many opens, and as many of machines: whoever asks all day fills no disk."""

_TAKEN = frozenset({State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.COMPLAINED})

PERSON, MACHINE, STRANGE, SURPLUS = "person", "machine", "strange", "surplus"
"""What becomes of one: a person's deed, a machine's, of a message that is not in the ledger, or more than anybody needs."""


def take(store: Store, touches: Sequence[Touch]) -> Counter[str]:
    """Write them down, those of one moment together; how many of each kind there were."""
    with store.transaction():
        return write(store, touches)


def write(store: Store, touches: Sequence[Touch]) -> Counter[str]:
    """The same inside the caller's transaction."""
    scans = scanned(touches)
    counted = Counter[str]()
    taken, kept = _taken(store, touches), _kept(store, touches)
    fresh: dict[Happened, None] = {}
    for one in touches:
        began = taken.get(one.key)
        if began is None:
            counted[STRANGE] += 1
            continue
        machine = one.machine or one.key in scans or one.at - began < SPAN
        happened = Happened(one.key, one.deed, one.at, one.link, machine)
        kind = (one.key, one.deed, machine)
        if happened in fresh or kept[kind] >= MOST:
            counted[SURPLUS] += 1
            continue
        kept[kind] += 1
        fresh[happened] = None
        counted[MACHINE if machine else PERSON] += 1
    deeds.write(store, fresh)
    return counted


def _taken(store: Store, touches: Sequence[Touch]) -> dict[DeliveryKey, Instant]:
    """When each of these messages was taken by its provider; as long as nobody knows that, when it left."""
    rows = store.rows(
        "SELECT run, user_id, channel, step, slot, state, intent_at, settled_at FROM delivery"
        " WHERE run {any} AND user_id {any} AND intent_at IS NOT NULL",
        _of(store, touches),
    )
    return {
        _key(*place): Instant(settled_at if state in _TAKEN and settled_at is not None else intent_at)
        for *place, state, intent_at, settled_at in rows
    }


def _kept(store: Store, touches: Sequence[Touch]) -> Counter[tuple[DeliveryKey, Deed, bool]]:
    rows = store.rows(
        "SELECT run, user_id, channel, step, slot, deed, machine, COUNT(*) FROM deed WHERE run {any} AND user_id {any}"
        " GROUP BY run, user_id, channel, step, slot, deed, machine",
        _of(store, touches),
    )
    return Counter({(_key(*place), Deed(deed), bool(machine)): number for *place, deed, machine, number in rows})


def _of(store: Store, touches: Sequence[Touch]) -> tuple[object, object]:
    runs, users = {one.key.run for one in touches}, {one.key.user for one in touches}
    return store.array(sorted(runs)), store.array(sorted(users))


def _key(run: int, user: str, channel: str, step: int, slot: int) -> DeliveryKey:
    return DeliveryKey(run, user, Channel(channel), step, slot)
