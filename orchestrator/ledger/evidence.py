"""What stands behind a reason: the person's own word, the stop of their address, the messages they had."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.campaigns import Campaign
from orchestrator.core.eligibility import touches_since
from orchestrator.core.nouns import Channel
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant
from orchestrator.ledger import suppressions
from orchestrator.ledger.consent import Hashing
from orchestrator.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact in words, when it was, and where it comes from."""

    text: str
    at: Instant | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Ruled:
    """A row that a reason decided: whose, on which channel, when; `run` is 0 for a dry run."""

    reason: str
    user: str
    channel: Channel
    at: Instant
    run: int = 0


def behind(
    store: Store, hashing: Hashing, campaign: Campaign, ruled: Ruled, addresses: Sequence[str]
) -> list[Evidence]:
    """The facts behind a reason as the ledger has them now, none where the reason says it all.

    `addresses` are the person's on that channel: the ledger keeps no stopped address, only a hash of it.
    """
    match ruled.reason:
        case Reason.NO_CONSENT:
            return [_word(store, ruled.user, ruled.channel, campaign.policy.topic)]
        case Reason.SUPPRESSED:
            return _stops(store, hashing, ruled.channel, addresses)
        case Reason.CAPPED:
            return _had(store, ruled, touches_since(campaign, ruled.at))
        case Reason.REPEAT:
            return _had(store, ruled, touches_since(campaign, ruled.at), campaign.name)[:1]
    return []


def _word(store: Store, user: str, channel: Channel, topic: str) -> Evidence:
    """The person's latest word on the topic."""
    rows = store.rows(
        "SELECT granted, at, source FROM consent WHERE user_id = ? AND channel = ? AND topic = ? ORDER BY at DESC LIMIT 1",
        (user, channel, topic),
    )
    if not rows:
        return Evidence(f"never said a word on {topic} by {channel}")
    granted, at, source = rows[0]
    return Evidence(f"last word on {topic} by {channel}: {'yes' if granted else 'no'}", Instant(at), source)


def _stops(store: Store, hashing: Hashing, channel: Channel, addresses: Sequence[str]) -> list[Evidence]:
    stops = [(address, suppressions.stop_of(store, hashing.of(channel, address), channel)) for address in addresses]
    return [
        Evidence(f"{address} is stopped: {stop.reason}", stop.since, stop.source) for address, stop in stops if stop
    ]


def _had(store: Store, ruled: Ruled, since: Instant | None, campaign: str = "") -> list[Evidence]:
    """The messages that counted, the newest first."""
    rows = store.rows(
        "SELECT campaign, channel, run, at FROM touch WHERE user_id = ? AND at > ? AND at <= ? AND run <> ? ORDER BY at DESC",
        (ruled.user, since or 0, ruled.at, ruled.run),
    )
    return [
        Evidence(f"had {name} by {channel}", Instant(at), f"run {run}")
        for name, channel, run, at in rows
        if campaign in ("", name)
    ]
