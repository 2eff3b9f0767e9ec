"""Suppression by hand: which addresses are stopped and why, stopping some, lifting them, and all that happened to them.

The list itself holds only what is stopped now. What was lifted stays in the audit, under the keyed hash of the address.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.nouns import Address, Channel
from orchestrator.core.times import Instant
from orchestrator.ledger import audit, consent
from orchestrator.ledger.audit import Entry, What
from orchestrator.ledger.consent import BY_HAND, Hashing
from orchestrator.ledger.store import Store

Where = tuple[Channel, Address]
"""An address and the channel it is for."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why an address gets nothing, since when, and who said so: `import`, a provider's name, or `by hand`."""

    reason: str
    since: Instant
    source: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One address as it stands, and its history, the oldest first; `stop` is None while it may be written to.

    `seen_since`: it was stopped, and has been seen alive later, so messages go there all the same.
    """

    channel: Channel
    address: Address
    stop: Stop | None
    seen_since: bool
    history: tuple[Entry, ...]


def look(store: Store, hashing: Hashing, where: Sequence[Where]) -> list[Standing]:
    """How these addresses stand, in the same order."""
    found = []
    for channel, address in where:
        hashed = hashing.of(channel, address.value)
        stop = stop_of(store, hashed, channel)
        history = audit.listed(store, [_subject(hashed, channel)], [What.SUPPRESSED, What.LIFTED])
        if stop is not None and not _told(history):
            history.append(_entry(hashed, channel, stop))
        seen = stop is not None and address.seen_at > stop.since
        found.append(Standing(channel, address, stop, seen, tuple(history)))
    return found


def stop_of(store: Store, hashed: str, channel: Channel) -> Stop | None:
    """Why the address of this hash is stopped; None if it is not."""
    rows = store.rows(
        "SELECT reason, since, source FROM suppression WHERE address_hash = ? AND channel = ?", (hashed, channel)
    )
    return Stop(rows[0][0], Instant(rows[0][1]), rows[0][2]) if rows else None


def stop(store: Store, hashing: Hashing, where: Sequence[Where], reason: str, who: str, now: Instant) -> int:
    """Stop these addresses; how many were not stopped before. Once it returns, no intent is created to them."""
    with store.transaction():
        store.lock_facts(exclusive=True)
        new = 0
        for channel, address in where:
            hashed = hashing.of(channel, address.value)
            before = stop_of(store, hashed, channel)
            if before is not None and address.seen_at <= before.since:
                continue
            if before is not None:
                _take_off(store, hashed, channel, before)  # it was seen alive since, and is stopped anew
            store.change(
                "INSERT INTO suppression (address_hash, channel, reason, since, source) VALUES (?, ?, ?, ?, ?)",
                (hashed, channel, reason, now, BY_HAND),
            )
            audit.note(store, Entry(now, who, What.SUPPRESSED, _subject(hashed, channel), reason))
            new += 1
        consent.facts_changed(store)
    return new


def lift(store: Store, hashing: Hashing, where: Sequence[Where], reason: str, who: str, now: Instant) -> int:
    """Let these addresses be written to again; how many had been stopped.

    That somebody once told which are stopped stays true: nobody has to tell it again because the last one was lifted.
    """
    told = consent.suppressions_told(store)
    with store.transaction():
        store.lock_facts(exclusive=True)
        lifted = 0
        for channel, address in where:
            hashed = hashing.of(channel, address.value)
            before = stop_of(store, hashed, channel)
            if before is None:
                continue
            _take_off(store, hashed, channel, before)
            audit.note(store, Entry(now, who, What.LIFTED, _subject(hashed, channel), reason))
            lifted += 1
        if told and lifted:
            consent.note_no_suppressions(store, now)
        consent.facts_changed(store)
    return lifted


def _take_off(store: Store, hashed: str, channel: Channel, before: Stop) -> None:
    """Take an address off the list; what stood there is kept, unless it was written down when it was done."""
    subject = _subject(hashed, channel)
    if not _told(audit.listed(store, [subject], [What.SUPPRESSED, What.LIFTED])):
        audit.note(store, _entry(hashed, channel, before))
    store.change("DELETE FROM suppression WHERE address_hash = ? AND channel = ?", (hashed, channel))


def _told(history: Sequence[Entry]) -> bool:
    """Whether the audit knows of the stop that holds now: its last word on the address is one."""
    return bool(history) and history[-1].what is What.SUPPRESSED


def _entry(hashed: str, channel: Channel, stop: Stop) -> Entry:
    return Entry(stop.since, stop.source, What.SUPPRESSED, _subject(hashed, channel), stop.reason)


def _subject(hashed: str, channel: Channel) -> str:
    return f"address:{channel}:{hashed}"
