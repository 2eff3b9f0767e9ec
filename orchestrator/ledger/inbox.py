"""The in-app inbox: messages wait here until the customer's app has shown them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.mirrors import Deed
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.core.times import Instant
from orchestrator.ledger import deeds
from orchestrator.ledger.deeds import Happened
from orchestrator.ledger.store import Store


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """One in-app message; `id` is its delivery id, `payload` what the campaign's template said."""

    id: str
    payload: Mapping[str, Any]
    created_at: Instant
    expires_at: Instant | None
    seen_at: Instant | None


def waiting(store: Store, user: str, now: Instant, limit: int = 50) -> list[InboxMessage]:
    """What the user has not acknowledged and what has not expired, the oldest first."""
    rows = store.rows(
        "SELECT id, payload, created_at, expires_at, seen_at FROM inbox WHERE user_id = ? AND seen_at IS NULL"
        " AND (expires_at IS NULL OR expires_at > ?) ORDER BY created_at, id LIMIT ?",
        (user, now, limit),
    )
    return [InboxMessage(name, json.loads(payload), *moments) for name, payload, *moments in rows]


def acknowledge(store: Store, user: str, message: str, now: Instant) -> bool:
    """The user has seen it; a second time changes nothing. False if there is no such message of this user."""
    with store.transaction():
        known = store.rows("SELECT run, seen_at FROM inbox WHERE user_id = ? AND id = ?", (user, message))
        if known and known[0][1] is None:
            store.change("UPDATE inbox SET seen_at = ? WHERE user_id = ? AND id = ?", (now, user, message))
            keys = store.rows(
                "SELECT run, user_id, channel, step, slot FROM delivery WHERE run = ? AND user_id = ? AND channel = ? AND provider_id = ?",
                (known[0][0], user, Channel.IN_APP, message),
            )
            deeds.write(store, [Happened(DeliveryKey(*key), Deed.OPENED, now) for key in keys])
        return bool(known)


def stored(store: Store, user: str, message: str) -> Mapping[str, Any] | None:
    """What a message of the inbox says, seen or not; None if it is not kept any more."""
    rows = store.rows("SELECT payload FROM inbox WHERE user_id = ? AND id = ?", (user, message))
    return json.loads(rows[0][0]) if rows else None
