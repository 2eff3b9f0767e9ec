"""Reading what the judge needs about a shard's people: rows, consent, suppression, touches, in a handful of statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.facts import PersonFacts, RowFacts, Touch
from orchestrator.core.nouns import Channel, Person, State
from orchestrator.core.times import Instant
from orchestrator.ledger import consent
from orchestrator.ledger.consent import Hashing
from orchestrator.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose facts, for which run; `touches_since` None spares the reading of touches where no cap asks for them.

    `rows` are those of every one of these people, where they are known without reading them.
    """

    run: int
    people: Sequence[Person]
    topic: str
    touches_since: Instant | None = None
    rows: Mapping[str, tuple[RowFacts, ...]] | None = None


def read(store: Store, hashing: Hashing, wanted: Wanted) -> dict[str, PersonFacts]:
    """Facts by user; call it inside `transaction` or `reading`, so that all of it is of one moment."""
    asked = {person.user: person.asked for person in wanted.people}
    users = list(asked)
    rows = _rows(store, wanted.run, users) if wanted.rows is None else wanted.rows
    words = consent.words(store, users, wanted.topic) if wanted.topic else {}
    suppressed = _suppressed(store, hashing, wanted.people)
    touches = _touches(store, users, wanted.touches_since) if wanted.touches_since is not None else {}
    return {
        user: PersonFacts(
            tuple(rows.get(user, ())),
            words.get(user, {}),
            suppressed.get(user, frozenset()),
            tuple(touches.get(user, ())),
            asked[user],
        )
        for user in users
    }


def _rows(store: Store, run: int, users: Sequence[str]) -> dict[str, list[RowFacts]]:
    found: dict[str, list[RowFacts]] = defaultdict(list)
    for row in store.rows(
        "SELECT user_id, channel, step, slot, state, reason, attempt, not_before, provider, body, judged_at, again_until"
        " FROM delivery WHERE run = ? AND user_id {any}",
        (run, store.array(users)),
    ):
        user, channel, step, slot, state, reason, attempt, not_before, provider, body, judged_at, again_until = row
        kept = None if body is None else bytes(body)
        found[user].append(
            RowFacts(
                _CHANNELS[channel],
                step,
                slot,
                _STATES[state],
                reason,
                attempt,
                not_before,
                provider,
                kept,
                judged_at,
                again_until,
            )
        )
    return found


# Looking a member up by its value takes a fifth of the time that asking the enumeration does.
_CHANNELS = {channel.value: channel for channel in Channel}
_STATES = {state.value: state for state in State}


def _suppressed(store: Store, hashing: Hashing, people: Sequence[Person]) -> dict[str, frozenset[str]]:
    """Suppressed address values by user. An address seen alive after it was suppressed counts as alive again."""
    if not store.rows("SELECT 1 FROM suppression LIMIT 1"):
        return {}
    hashed = [
        (hashing.of(channel, address.value), channel, person.user, address)
        for person in people
        for channel, addresses in person.addresses.items()
        for address in addresses
    ]
    found: dict[str, set[str]] = defaultdict(set)
    since = consent.suppressed_among(store, [digest for digest, *_ in hashed])
    for digest, channel, user, address in hashed:  # several people may have one address
        moment = since.get((digest, channel))
        if moment is not None and address.seen_at <= moment:
            found[user].add(address.value)
    return {user: frozenset(values) for user, values in found.items()}


def _touches(store: Store, users: Sequence[str], since: Instant) -> dict[str, list[Touch]]:
    found: dict[str, list[Touch]] = defaultdict(list)
    for user, at, channel, campaign, run, step in store.together(
        "SELECT user_id, at, channel, campaign, run, step FROM touch WHERE user_id {any} AND at > ?",
        ("user_id", "at", "channel", "campaign", "run", "step"),
        (store.array(users), since),
    ):
        found[user].append(Touch(Instant(at), _CHANNELS[channel], campaign, run, step))
    return found
