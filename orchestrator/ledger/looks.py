"""Until when each campaign's schedule has been looked at: what a daemon that was away has to catch up on."""

from orchestrator.core.times import Instant
from orchestrator.ledger.store import Store


def looked_at(store: Store, campaign: str) -> Instant | None:
    """The moment up to which every occurrence of the campaign has been dealt with; None for one never seen."""
    rows = store.rows("SELECT value FROM meta WHERE name = ?", (f"looked:{campaign}",))
    return Instant(int(rows[0][0])) if rows else None


def look(store: Store, campaign: str, now: Instant) -> None:
    """Write down that every occurrence up to `now` has been dealt with; time never goes back here."""
    with store.transaction():
        seen = looked_at(store, campaign)
        if seen is None or now > seen:
            store.change(
                "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (f"looked:{campaign}", str(int(now))),
            )
