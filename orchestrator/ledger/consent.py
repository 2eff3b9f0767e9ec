"""Consent and suppression: who may be written to. Both change under the lock that every turn takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from orchestrator.core.nouns import Channel
from orchestrator.core.phones import dialled
from orchestrator.core.times import Instant
from orchestrator.ledger import mirrors
from orchestrator.ledger.store import Store


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """Somebody's word on one channel and topic, with where it came from and the proof."""

    user: str
    channel: Channel
    topic: str
    granted: bool
    at: Instant
    source: str
    proof: str = ""


class Hashing:
    """The keyed hash under which suppressed addresses are kept: nobody can read or guess the list without the key."""

    def __init__(self, store: Store) -> None:
        self._key = bytes.fromhex(str(store.rows("SELECT value FROM meta WHERE name = 'suppression_key'")[0][0]))

    def of(self, channel: Channel, address: str) -> str:
        """32 hex digits; an e-mail address counts without case, as every mailbox provider of note reads it, a number as dialled."""
        value = address
        if channel is Channel.EMAIL:
            value = address.strip().lower()
        elif channel is Channel.SMS:
            value = dialled(address)
        return blake2b(value.encode(), key=self._key, digest_size=16).hexdigest()


def change_consent(store: Store, changes: Iterable[ConsentChange]) -> int:
    """Append these words; the same word at the same moment again changes nothing. Returns how many were new.

    Once it returns, no intent is created against them.
    """
    rows = [(c.user, c.channel, c.topic, c.at, int(c.granted), c.source, c.proof) for c in changes]
    with store.transaction():
        store.lock_facts(exclusive=True)
        added = store.many(
            "INSERT INTO consent (user_id, channel, topic, at, granted, source, proof) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            rows,
        )
        mirrors.people_are_due(store, [row[0] for row in rows])
        facts_changed(store)
    return added


def suppress(store: Store, hashes: Sequence[tuple[str, Channel]], reason: str, source: str, now: Instant) -> int:
    """Stop these addresses for good. Returns how many were new."""
    return stop(store, [(hashed, channel, reason, now) for hashed, channel in hashes], source)


def stop(store: Store, stopped: Sequence[tuple[str, Channel, str, Instant]], source: str) -> int:
    """The same with a reason and a moment for each: (hash, channel, reason, since)."""
    with store.transaction():
        store.lock_facts(exclusive=True)
        added = store.many(
            "INSERT INTO suppression (address_hash, channel, reason, since, source) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(hashed, channel, reason, since, source) for hashed, channel, reason, since in stopped],
        )
        facts_changed(store)
    return added


def stop_anew(store: Store, stopped: Sequence[tuple[str, Channel, str, Instant, str]]) -> int:
    """Stop addresses (hash, channel, reason, since, source) of which a provider says that they are dead or want nothing more.

    One that was stopped, and was seen alive since, is stopped from now on. Inside a transaction that has the facts for itself;
    returns how many stops are new or newer.
    """
    changed = store.many(
        "INSERT INTO suppression (address_hash, channel, reason, since, source) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (address_hash, channel) DO UPDATE"
        " SET reason = excluded.reason, since = excluded.since, source = excluded.source WHERE suppression.since < excluded.since",
        stopped,
    )
    if changed:
        facts_changed(store)
    return changed


def facts_changed(store: Store) -> None:
    """Count a change of consent or suppression, so that turns know their reading is old; inside a transaction."""
    store.change("UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'facts'")


def facts_version(store: Store) -> int:
    """How many changes of consent and suppression there have been."""
    return int(store.rows("SELECT value FROM meta WHERE name = 'facts'")[0][0])


_CHANNELS = {channel.value: channel for channel in Channel}


def words(store: Store, users: Sequence[str], topic: str) -> dict[str, dict[Channel, bool]]:
    """The latest word of each of these users on a topic, by channel; users who never said anything are absent."""
    latest: dict[str, dict[Channel, bool]] = {}
    for user, channel, granted in store.together(
        "SELECT user_id, channel, granted FROM consent WHERE user_id {any} AND topic = ? ORDER BY user_id, channel, at",
        ("user_id", "channel", "granted"),
        (store.array(users), topic),
    ):
        latest.setdefault(user, {})[_CHANNELS[channel]] = bool(granted)
    return latest


def suppressed_among(store: Store, hashes: Sequence[str]) -> dict[tuple[str, Channel], Instant]:
    """Which of these addresses are suppressed, on which channel, and since when."""
    rows = store.rows(
        "SELECT address_hash, channel, since FROM suppression WHERE address_hash {any}", (store.array(hashes),)
    )
    return {(hashed, Channel(channel)): Instant(since) for hashed, channel, since in rows}


_NONE = "suppressions:none"
BY_HAND = "by hand"
"""The source of an address that a person stopped by itself; nobody has thereby told of all the others."""


def suppressions_told(store: Store) -> bool:
    """Whether anybody ever said which addresses are stopped, or that there are none."""
    known = (
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM suppression WHERE source <> ?)"
        " OR EXISTS (SELECT 1 FROM meta WHERE name = ?)"
    )
    return bool(store.rows(known, (BY_HAND, _NONE)))


def tell_no_suppressions(store: Store, now: Instant) -> None:
    """Write down that somebody said there are none."""
    with store.transaction():
        note_no_suppressions(store, now)


def note_no_suppressions(store: Store, now: Instant) -> None:
    """The same inside the caller's transaction."""
    store.change(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_NONE, str(int(now))),
    )


def consent_told(store: Store, topic: str) -> bool:
    """Whether anybody's word on a topic is known."""
    return bool(store.rows("SELECT 1 FROM consent WHERE topic = ? LIMIT 1", (topic,)))
