"""What of the ledger the audience engine does not know yet, and the reading of it: messages sent, deeds, and people's words.

Whoever changes something puts the shard or the person into a queue, in the same transaction; so it does not matter in which
order transactions commit, and nothing is written for a single message. An engine that knows nothing of this ledger walks
through all of it once, by key, beside the queue.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from orchestrator.core.frozen import value
from orchestrator.core.nouns import Channel, DeliveryKey
from orchestrator.core.times import Instant
from orchestrator.ledger.store import Store

WEIGHT = 2_000
"""What a shard counts for beside one person, who counts for 1."""

_SENT = ("accepted", "delivered", "bounced", "complained")
_NOT_BEFORE_THE_FIRST = -1


class Due(NamedTuple):
    """One entry of the queue: a shard, or with run 0 a person."""

    id: int
    run: int
    number: int
    user: str


class ShardKey(NamedTuple):
    """A shard by its key; in this order the whole ledger is walked through."""

    run: int
    number: int


FIRST_SHARD, FIRST_PERSON = ShardKey(0, _NOT_BEFORE_THE_FIRST), ""
"""Where a walk begins: before every shard, before every person."""


@value(frozen=True, slots=True)
class Message:
    """One message as the ledger knows it; `at` is when it was sent, or when `deed` happened to it (empty: it was sent)."""

    key: DeliveryKey
    campaign: str
    occurrence: str
    version: str
    segment: str
    variant: str
    at: Instant
    deed: str = ""


class Word(NamedTuple):
    """A person's word on a channel and topic."""

    user: str
    channel: str
    topic: str
    granted: bool
    at: Instant


def shard_is_due(store: Store, run: int, number: int) -> None:
    """A shard was put back with messages that went out; inside a transaction."""
    store.change("INSERT INTO mirror_due (run, number, user_id) VALUES (?, ?, '')", (run, number))


def people_are_due(store: Store, users: Iterable[str]) -> None:
    """Something is new about these people; inside a transaction."""
    store.many(
        "INSERT INTO mirror_due (run, number, user_id) VALUES (0, 0, ?)", [(user,) for user in dict.fromkeys(users)]
    )


def due(store: Store, most: int) -> list[Due]:
    """The oldest entries of the queue, together no heavier than `most`, but at least one if there are any."""
    found: list[Due] = []
    weight = 0
    for row in store.rows("SELECT id, run, number, user_id FROM mirror_due ORDER BY id LIMIT ?", (most,)):
        weight += WEIGHT if row[1] else 1
        if found and weight > most:
            break
        found.append(Due(*row))
    return found


def newest(store: Store) -> int:
    """The number of the newest entry of the queue, 0 if it is empty."""
    return int(store.rows("SELECT COALESCE(MAX(id), 0) FROM mirror_due")[0][0])


def any_left(store: Store, until: int) -> bool:
    """Whether the queue still has an entry as old as this one."""
    return bool(store.rows("SELECT 1 FROM mirror_due WHERE id <= ? LIMIT 1", (until,)))


def done(store: Store, entries: Sequence[Due], passes: int) -> None:
    """The engine has all that these entries stood for, since its pass of this number."""
    with store.transaction():
        store.change("DELETE FROM mirror_due WHERE id {any}", (store.array([one.id for one in entries]),))
        known = told(store)
        if passes > known:
            store.change(
                "INSERT INTO meta (name, value) VALUES ('mirrors', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (str(passes),),
            )


def told(store: Store) -> int:
    """How many passes an engine has had of this ledger. One that says it had fewer is another one, or an older copy."""
    rows = store.rows("SELECT value FROM meta WHERE name = 'mirrors'")
    return int(rows[0][0]) if rows else 0


def name(store: Store) -> str:
    """What this ledger is called in an engine."""
    return str(store.rows("SELECT value FROM meta WHERE name = 'ledger'")[0][0])


def shards_after(store: Store, place: ShardKey, most: int) -> list[ShardKey]:
    """The shards that come next, in the order of their keys."""
    rows = store.rows(
        "SELECT run, number FROM shard WHERE (run, number) > (?, ?) ORDER BY run, number LIMIT ?", (*place, most)
    )
    return [ShardKey(*row) for row in rows]


def people_after(store: Store, user: str, most: int) -> list[str]:
    """The people who come next, in the order of their ids, of whom there is a word or a deed."""
    found: set[str] = set()
    for table in ("consent", "deed"):
        rows = store.rows(
            f"SELECT user_id FROM {table} WHERE user_id > ? GROUP BY user_id ORDER BY user_id LIMIT ?", (user, most)
        )
        found.update(row[0] for row in rows)
    return sorted(found)[:most]


_SENT_COLUMNS = (
    "run", "user_id", "channel", "step", "slot", "campaign", "occurrence", "version", "segment", "variant", "intent_at"
)  # fmt: skip
_RUN = "run.campaign, run.occurrence, run.version"


def sent_in(store: Store, shard: ShardKey) -> list[Message]:
    """The messages of a shard that a provider took."""
    rows = store.together(
        f"SELECT d.run, d.user_id, d.channel, d.step, d.slot, {_RUN}, d.segment, d.variant, d.intent_at"
        " FROM shard JOIN run ON run.id = shard.run JOIN delivery d ON d.run = shard.run"
        " AND d.user_id BETWEEN shard.first_user AND shard.last_user AND d.shard = shard.number"
        " WHERE shard.run = ? AND shard.number = ? AND d.state {any}",
        _SENT_COLUMNS,
        (*shard, store.array(_SENT)),
    )
    return [_message(row) for row in rows]


def deeds_of(store: Store, users: Sequence[str]) -> list[Message]:
    """What happened to these people's messages after they were sent; what machines did is nobody's deed."""
    rows = store.rows(
        f"SELECT d.run, d.user_id, d.channel, d.step, d.slot, {_RUN}, d.segment, d.variant, deed.at, deed.deed"
        " FROM deed JOIN delivery d ON d.run = deed.run AND d.user_id = deed.user_id AND d.channel = deed.channel"
        " AND d.step = deed.step AND d.slot = deed.slot JOIN run ON run.id = deed.run WHERE deed.user_id {any} AND deed.machine = 0",
        (store.array(users),),
    )
    return [_message(row) for row in rows]


def words_of(store: Store, users: Sequence[str]) -> list[Word]:
    """Everything these people ever said on any topic."""
    rows = store.rows(
        "SELECT user_id, channel, topic, granted, at FROM consent WHERE user_id {any}", (store.array(users),)
    )
    return [Word(user, channel, topic, bool(granted), Instant(at)) for user, channel, topic, granted, at in rows]


def _message(row: Sequence[object]) -> Message:
    run, user, channel, step, slot, *rest = row
    return Message(DeliveryKey(run, user, _CHANNELS[channel], step, slot), *rest)  # type: ignore[arg-type, index] # as selected


# Looking a member up by its value takes a fifth of the time that asking the enumeration does.
_CHANNELS = {channel.value: channel for channel in Channel}
