"""Looking deliveries up: by person, campaign, state and reason; the counts of a run; and queueing again what failed in passing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.core.nouns import OPEN, Channel, DeliveryKey, Person, State, delivery_id
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant
from orchestrator.ledger.people import pack
from orchestrator.ledger.runs import Run, RunState
from orchestrator.ledger.store import Store

PASSING = (Reason.ATTEMPTS_USED_UP,)
"""Reasons of failure that may be gone by now; `retry` takes these unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of the ledger with the run it belongs to."""

    key: DeliveryKey
    campaign: str
    occurrence: str
    segment: str
    variant: str
    holdout: bool
    state: State
    reason: str
    detail: str
    attempt: int
    provider: str
    provider_id: str
    address: str
    exposed_at: Instant | None
    intent_at: Instant | None
    settled_at: Instant | None
    not_before: Instant | None
    maybe_duplicate: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """Which deliveries to list; everything left out matches all. `limit` counts rows."""

    campaign: str | None = None
    run: int | None = None
    users: Sequence[str] = ()
    channel: Channel | None = None
    states: Sequence[State] = ()
    reason: str | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Count:
    """So many rows of a run in this state, for this reason, on this channel."""

    state: State
    reason: str
    channel: Channel
    segment: str
    variant: str
    holdout: bool
    rows: int


@dataclass(frozen=True, slots=True)
class Answered:
    """One attempt that did not simply succeed: when, with whom, what it said."""

    at: Instant
    attempt: int
    provider: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is left of a message once it was intended: the hash of its body, and the first judging moment it was written as of."""

    body: bytes | None
    judged_at: Instant | None


_COLUMNS = (
    "d.run, d.user_id, d.channel, d.step, d.slot, r.campaign, r.occurrence, d.segment, d.variant, d.holdout, d.state, d.reason, d.detail,"
    " d.attempt, d.provider, d.provider_id, d.address, d.exposed_at, d.intent_at, d.settled_at, d.not_before, d.maybe_duplicate"
)


def listed(store: Store, asked: Asked) -> Iterator[Delivery]:
    """The deliveries asked for: newest run first, then by user and channel."""
    where, parameters = ["1 = 1"], list[object]()
    for column, value in (
        ("r.campaign", asked.campaign),
        ("d.run", asked.run),
        ("d.channel", asked.channel),
        ("d.reason", asked.reason),
    ):
        if value is not None:
            where.append(f"{column} = ?")
            parameters.append(value)
    for column, values in (("d.user_id", asked.users), ("d.state", asked.states)):
        if values:
            where.append(f"{column} {{any}}")
            parameters.append(store.array([str(value) for value in values]))
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM delivery d JOIN run r ON r.id = d.run WHERE {' AND '.join(where)}"
        " ORDER BY d.run DESC, d.user_id, d.channel, d.step, d.slot LIMIT ?",
        (*parameters, asked.limit),
    )
    for row in rows:
        run, user, channel, step, slot, campaign, occurrence, segment, variant, holdout, state, reason, detail = row[
            :13
        ]
        attempt, provider, provider_id, address, exposed_at, intent_at, settled_at, not_before, duplicate = row[13:]
        yield Delivery(
            key=DeliveryKey(run, user, Channel(channel), step, slot),
            campaign=campaign,
            occurrence=occurrence,
            segment=segment,
            variant=variant,
            holdout=bool(holdout),
            state=State(state),
            reason=reason,
            detail=detail,
            attempt=attempt,
            provider=provider,
            provider_id=provider_id,
            address=address,
            exposed_at=exposed_at,
            intent_at=intent_at,
            settled_at=settled_at,
            not_before=not_before,
            maybe_duplicate=bool(duplicate),
        )


def runs_of(store: Store, user: str, campaign: str) -> list[int]:
    """The runs of a campaign in which a person has a delivery, the newest first."""
    rows = store.rows(
        "SELECT DISTINCT d.run FROM delivery d JOIN run r ON r.id = d.run WHERE d.user_id = ? AND r.campaign = ? ORDER BY d.run DESC",
        (user, campaign),
    )
    return [row[0] for row in rows]


def knows(store: Store, user: str) -> bool:
    """Whether anybody of this id ever had a delivery."""
    return bool(store.rows("SELECT 1 FROM delivery WHERE user_id = ? LIMIT 1", (user,)))


def kept(store: Store, key: DeliveryKey) -> Kept:
    """What the ledger keeps of a delivery's message. The delivery must be one of the ledger's."""
    [(body, judged_at)] = store.rows(
        "SELECT body, judged_at FROM delivery WHERE run = ? AND user_id = ? AND channel = ? AND step = ? AND slot = ?",
        key,
    )
    return Kept(None if body is None else bytes(body), None if judged_at is None else Instant(judged_at))


def called(store: Store, name: str) -> DeliveryKey | None:
    """The delivery with this id, looked for in the newest runs first; ids are computed, so every row of a run is gone through."""
    for run, campaign, occurrence in store.rows("SELECT id, campaign, occurrence FROM run ORDER BY id DESC"):
        for user, channel, step, slot in store.rows(
            "SELECT user_id, channel, step, slot FROM delivery WHERE run = ? AND intent_at IS NOT NULL", (run,)
        ):
            key = DeliveryKey(run, user, Channel(channel), step, slot)
            if delivery_id(campaign, occurrence, key) == name:
                return key
    return None


def counts(store: Store, run: int) -> list[Count]:
    """A run's counts, added up from the summaries of its shards; before its first put-back a shard's rows stand as planned."""
    total: dict[tuple[object, ...], int] = {}
    for (summary,) in store.rows("SELECT summary FROM shard WHERE run = ?", (run,)):
        for *what, rows in json.loads(summary):
            total[tuple(what)] = total.get(tuple(what), 0) + rows
    return [
        Count(State(str(state)), str(reason), Channel(str(channel)), str(segment), str(variant), bool(holdout), rows)
        for (state, reason, channel, segment, variant, holdout), rows in sorted(
            total.items(), key=lambda item: [str(part) for part in item[0]]
        )
    ]


def counted(store: Store, run: Run) -> list[Count]:
    """The same as of this moment: of a run that is not over from its rows themselves, for summaries lag behind until shards are put back."""
    if run.state is RunState.DONE:
        return counts(store, run.id)
    rows = store.rows(
        "SELECT state, reason, channel, segment, variant, holdout, COUNT(*) FROM delivery WHERE run = ?"
        " GROUP BY state, reason, channel, segment, variant, holdout",
        (run.id,),
    )
    return [
        Count(State(state), reason, Channel(channel), segment, variant, bool(holdout), many)
        for state, reason, channel, segment, variant, holdout, many in sorted(rows)
    ]


def rows_of(store: Store, run: int) -> int:
    """How many rows a run has."""
    return int(store.rows("SELECT COUNT(*) FROM delivery WHERE run = ?", (run,))[0][0])


def waiting_users(store: Store, run: int) -> dict[str, Instant]:
    """Users with a delivery of a run that is not over, each with the moment it is looked at next (0: now)."""
    rows = store.rows(
        "SELECT user_id, MIN(COALESCE(not_before, 0)) FROM delivery WHERE run = ? AND state {any} GROUP BY user_id",
        (run, store.array([str(state) for state in OPEN])),
    )
    return {user: Instant(at) for user, at in rows}


def members(store: Store, run: int, segment: str) -> list[str]:
    """The ids of everybody a run counted to a segment, in their order: the first of its campaign's that each of them matched."""
    rows = store.rows(
        "SELECT DISTINCT user_id FROM delivery WHERE run = ? AND segment = ? ORDER BY user_id", (run, segment)
    )
    return [row[0] for row in rows]


def story(store: Store, key: DeliveryKey) -> list[Answered]:
    """Every answer on the way to this delivery's state that was not a plain success, in order of time."""
    return [
        Answered(Instant(at), attempt, provider, outcome, detail)
        for at, attempt, provider, outcome, detail in store.rows(
            "SELECT at, attempt, provider, outcome, detail FROM attempt"
            " WHERE run = ? AND user_id = ? AND channel = ? AND step = ? AND slot = ? ORDER BY at, attempt",
            key,
        )
    ]


def retry(store: Store, run: int, people: Sequence[Person], now: Instant, reasons: Sequence[str] = PASSING) -> int:
    """Queue a run's failed deliveries again, as a shard of their own, with their attempts forgotten; returns how many.

    `people` are those who have such a delivery (see `failed_users`), as the audience knows them now, in user order.
    """
    if not people:
        return 0
    these = (run, store.array([person.user for person in people]), store.array([str(reason) for reason in reasons]))
    failed = "run = ? AND user_id {any} AND state = 'failed' AND reason {any}"
    with store.transaction():
        left = [row[0] for row in store.rows(f"SELECT DISTINCT shard FROM delivery WHERE {failed}", these)]
        number = store.rows("SELECT MAX(number) + 1 FROM shard WHERE run = ?", (run,))[0][0]
        requeued = store.change(
            "UPDATE delivery SET state = 'planned', reason = '', detail = '', attempt = 0, settled_at = NULL, not_before = NULL,"
            f" again_until = NULL, body = NULL, judged_at = NULL, shard = ? WHERE {failed}",
            (number, *these),
        )
        if requeued:
            # It counts as claimed before: its people may have other rows of this run, where they were first planned.
            store.change(
                "INSERT INTO shard (run, number, opens_at, due_at, asked_at, claims, members, first_user, last_user, people, summary)"
                " VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, '[]')",
                (run, number, now, now, now, len(people), people[0].user, people[-1].user, pack(people)),
            )
            store.change("UPDATE run SET state = 'working' WHERE id = ? AND state = ?", (run, RunState.DONE))
            for shard in (*left, number):
                _recount_all(store, run, shard)
    return requeued


def _recount_all(store: Store, run: int, number: int) -> None:
    """Write a shard's summary anew, after rows have moved out of it or into it."""
    rows = store.rows(
        "SELECT state, reason, channel, segment, variant, holdout, COUNT(*) FROM delivery WHERE run = ? AND shard = ?"
        " GROUP BY state, reason, channel, segment, variant, holdout ORDER BY state, reason, channel, segment, variant, holdout",
        (run, number),
    )
    summary = json.dumps([list(row) for row in rows], ensure_ascii=False, separators=(",", ":"))
    store.change("UPDATE shard SET summary = ? WHERE run = ? AND number = ?", (summary, run, number))


def failed_users(store: Store, run: int, reasons: Sequence[str] = PASSING) -> list[str]:
    """Users of a run whose delivery failed for one of these reasons, in order."""
    rows = store.rows(
        "SELECT DISTINCT user_id FROM delivery WHERE run = ? AND state = 'failed' AND reason {any} ORDER BY user_id",
        (run, store.array([str(reason) for reason in reasons])),
    )
    return [row[0] for row in rows]


def failed_rows(store: Store, run: int, reasons: Sequence[str] = PASSING) -> dict[str, tuple[str, str]]:
    """The same users, each with the segment and the variant their rows were planned under."""
    rows = store.rows(
        "SELECT user_id, MIN(segment), MIN(variant) FROM delivery"
        " WHERE run = ? AND state = 'failed' AND reason {any} GROUP BY user_id ORDER BY user_id",
        (run, store.array([str(reason) for reason in reasons])),
    )
    return {user: (segment, variant) for user, segment, variant in rows}
