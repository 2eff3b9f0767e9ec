"""What providers reported: safe here once it is committed, and taken into the deliveries while nobody works their shard.

A report may come before the answer that says the message was taken. So it waits until the shard is put back; then the row
stands as its worker left it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from orchestrator.core.callbacks import Callback, Stop
from orchestrator.core.engagement import Touch
from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import SECOND, Instant
from orchestrator.ledger import consent, deeds, engagement, mirrors, shards
from orchestrator.ledger.consent import Hashing
from orchestrator.ledger.deeds import Happened
from orchestrator.ledger.store import Store

AT_ONCE = 2_000
"""Reports taken in one transaction."""

LOOK_AGAIN = 2 * SECOND
"""A report whose shard is being worked is looked at again after this."""

_LONGEST = 500
"""Characters kept of what a provider says in its own words."""

TAKEN, STRANGE, STOPPED, RECONCILED = "taken", "strange", "stopped", "reconciled"
"""What became of a report: of a message of ours, of one we know nothing of, an address newly stopped, a doubt that it ended."""

_CAME = (State.ACCEPTED, State.DELIVERED)
_NEXT: Mapping[Deed, tuple[State, frozenset[State]]] = {
    Deed.DELIVERED: (State.DELIVERED, frozenset({State.ACCEPTED})),
    Deed.OPENED: (State.DELIVERED, frozenset()),
    Deed.CLICKED: (State.DELIVERED, frozenset()),
    Deed.BOUNCED: (State.BOUNCED, frozenset(_CAME)),
    Deed.COMPLAINED: (State.COMPLAINED, frozenset(_CAME)),
}
"""What a report makes of a row, and of rows in which states; a row in doubt it makes certain in any case."""

_DOUBTS = (
    (State.UNKNOWN, Reason.NO_ANSWER),
    (State.RETRY_WAIT, Reason.NO_ANSWER),
    (State.UNKNOWN, Reason.BODY_CHANGED),
)


class _Waiting(NamedTuple):
    """A report as it waits, under the number it was written down with."""

    id: int
    provider: str
    said: Callback


class _Standing(NamedTuple):
    """How a delivery stands."""

    state: State
    reason: str
    shard: int
    address: str


def put(store: Store, provider: str, told: Iterable[Callback], now: Instant) -> int:
    """Write down what a provider reports; once this returns, nothing of it can be lost. How many."""
    rows = [
        (
            now,
            provider,
            *(one.key or (None, "", one.channel, 0, 0)),
            one.deed or "",
            one.at,
            one.stop or "",
            one.address,
            one.detail[:_LONGEST].replace("\0", ""),
            one.link,
            int(one.machine),
        )
        for one in told
    ]
    with store.transaction():
        return store.many(
            "INSERT INTO callback (due_at, provider, run, user_id, channel, step, slot, deed, at, stop, address, detail, link, machine)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def waiting(store: Store) -> int:
    """How many reports are not in the deliveries yet."""
    return int(store.rows("SELECT COUNT(*) FROM callback")[0][0])


def settle(store: Store, hashing: Hashing, now: Instant, most: int = AT_ONCE) -> Counter[str]:
    """Take the reports that are due into the deliveries; how many of each kind there were, nothing if none was due.

    The same report again changes nothing.
    """
    if not store.rows("SELECT 1 FROM callback WHERE due_at <= ? LIMIT 1", (now,)):
        return Counter()
    with store.transaction():
        if store.rows("SELECT 1 FROM callback WHERE due_at <= ? AND stop <> '' LIMIT 1", (now,)):
            store.lock_facts(exclusive=True)
        due = _due(store, now, most)
        standing = _standing(store, due)
        free = _free(store, {(key.run, its.shard) for key, its in standing.items() if key is not None})
        counted, done, later = Counter[str](), list[_Waiting](), list[_Waiting]()
        for one in due:
            key = one.said.key
            worked = key is not None and key in standing and (key.run, standing[key].shard) not in free
            (later if worked else done).append(one)
        counted[STOPPED] = _stop(store, hashing, done, standing)
        ours = [one for one in done if one.said.key in standing]
        counted[TAKEN], counted[STRANGE] = len(ours), len(done) - len(ours)
        _keep(store, ours)
        counted[RECONCILED] = _move(store, ours, standing, now)
        store.many("DELETE FROM callback WHERE id = ?", [(one.id,) for one in done])
        store.many("UPDATE callback SET due_at = ? WHERE id = ?", [(now + LOOK_AGAIN, one.id) for one in later])
    return counted


def _due(store: Store, now: Instant, most: int) -> list[_Waiting]:
    rows = store.rows(
        "SELECT id, provider, run, user_id, channel, step, slot, deed, at, stop, address, detail, link, machine FROM callback"
        f" WHERE due_at <= ? ORDER BY due_at, id LIMIT ? {store.skip_locked.replace('shard', 'callback')}",
        (now, most),
    )
    return [_Waiting(row[0], row[1], _said(*row[2:])) for row in rows]


def _said(  # noqa: PLR0913, PLR0917 - the columns of a row
    run: int | None,
    user: str,
    channel: str,
    step: int,
    slot: int,
    deed: str,
    at: int,
    stop: str,
    address: str,
    detail: str,
    link: str,
    machine: int,
) -> Callback:
    return Callback(
        Channel(channel),
        Instant(at),
        None if run is None else DeliveryKey(run, user, Channel(channel), step, slot),
        Deed(deed) if deed else None,
        Stop(stop) if stop else None,
        address,
        detail,
        link,
        bool(machine),
    )


def _standing(store: Store, due: Sequence[_Waiting]) -> dict[DeliveryKey | None, _Standing]:
    keys = {one.said.key for one in due if one.said.key is not None}
    if not keys:
        return {}
    rows = store.rows(
        "SELECT run, user_id, channel, step, slot, state, reason, shard, address FROM delivery WHERE run {any} AND user_id {any}",
        (store.array(sorted({key.run for key in keys})), store.array(sorted({key.user for key in keys}))),
    )
    found = {
        DeliveryKey(run, user, Channel(channel), step, slot): _Standing(State(state), reason, shard, address)
        for run, user, channel, step, slot, state, reason, shard, address in rows
    }
    return {key: found[key] for key in keys if key in found}


def _free(store: Store, wanted: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of these shards that nobody works; nobody can begin to, before this transaction ends."""
    return {
        place
        for place in sorted(wanted)
        if store.rows(
            f"SELECT 1 FROM shard WHERE run = ? AND number = ? AND claimed_by IS NULL {store.skip_locked}", place
        )
    }


def _stop(
    store: Store, hashing: Hashing, done: Sequence[_Waiting], standing: Mapping[DeliveryKey | None, _Standing]
) -> int:
    """Stop the addresses that are dead or want nothing more: the one a message went to, else the one the provider names."""
    stops = []
    for one in done:
        its = standing.get(one.said.key)
        address = (its.address if its is not None else "") or one.said.address
        if one.said.stop is not None and address:
            hashed = hashing.of(one.said.channel, address)
            stops.append((hashed, one.said.channel, one.said.stop, one.said.at, one.provider))
    return consent.stop_anew(store, stops)


def _keep(store: Store, ours: Sequence[_Waiting]) -> None:
    """Write down what happened. Opens and clicks go the way of those that come in by ourselves, machines told apart."""
    happened, touches = [], []
    for _, _, said in ours:
        assert said.key is not None  # noqa: S101 - it names a delivery
        if said.deed in (Deed.OPENED, Deed.CLICKED):
            touches.append(Touch(said.key, said.deed, said.at, said.link, machine=said.machine))
        elif said.deed is not None:
            happened.append(Happened(said.key, said.deed, said.at))
    engagement.write(store, touches)
    deeds.write(store, happened)


def _move(
    store: Store, ours: Sequence[_Waiting], standing: Mapping[DeliveryKey | None, _Standing], now: Instant
) -> int:
    """Let the rows stand where the reports put them, and recount their shards; how many were in doubt until now."""
    states = {key: its.state for key, its in standing.items()}
    reconciled, counted, sent = 0, dict[tuple[int, int], None](), set[tuple[int, int]]()
    for one in sorted(ours, key=lambda one: one.said.at):
        key, deed = one.said.key, one.said.deed
        if key is None or deed is None:
            continue
        its = standing[key]
        state, before = _NEXT[deed]
        doubt = states[key] is its.state and (its.state, its.reason) in _DOUBTS
        if not doubt and states[key] not in before:
            continue
        detail = one.said.detail if state is not State.DELIVERED else ""
        store.change(_MOVE, (state, detail, now, *key))
        place = key.run, its.shard
        states[key] = state
        reconciled += doubt
        counted[place] = None
        if doubt:
            sent.add(place)
    for run, number in counted:
        shards.recount_free(store, run, number, now)
    for run, number in sorted(sent):
        mirrors.shard_is_due(store, run, number)
    return reconciled


_MOVE = (
    "UPDATE delivery SET state = ?, reason = '', detail = ?, not_before = NULL, boot = NULL, settled_at = COALESCE(settled_at, ?)"
    " WHERE run = ? AND user_id = ? AND channel = ? AND step = ? AND slot = ?"
)
