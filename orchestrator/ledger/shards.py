"""Shards: the one queue. A worker claims the earliest due shard, works every due row, and puts it back with its next moment."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.eligibility import ASK_AGAIN_AFTER
from orchestrator.core.nouns import OnAmbiguous, Person, State
from orchestrator.core.reasons import Reason
from orchestrator.core.times import Instant
from orchestrator.core.turns import Mark
from orchestrator.ledger import mirrors, pace
from orchestrator.ledger.boots import Boot
from orchestrator.ledger.people import unpack, unpack_weighed
from orchestrator.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Shard:
    """A claimed shard with what its run says: everything a worker starts from."""

    run: int
    number: int
    campaign: str
    occurrence: str
    version: str
    on_ambiguous: OnAmbiguous
    run_due_at: Instant
    opens_at: Instant
    cancelled: bool
    people: tuple[Person, ...]
    fresh: bool = False
    """Whether nobody had it before, so that all of its people's rows stand as they were planned."""
    weight: int | None = None
    """Bytes of all that is known of its people, if somebody has weighed it."""


def claim(store: Store, boot: Boot, now: Instant) -> Shard | None:
    """Take the earliest due shard of a run that may be worked, or None. Cancelled runs are worked to their end too.

    A shard whose people were asked about too long ago waits until they are asked about again (ledger/asking.py).
    """
    with store.transaction():
        found = store.rows(
            "SELECT shard.run, shard.number FROM shard JOIN run ON run.id = shard.run"
            " WHERE shard.due_at <= ? AND shard.claimed_by IS NULL"
            " AND (run.state = 'cancelled' OR (run.state = 'working' AND shard.asked_at >= ?))"
            f" ORDER BY shard.due_at, shard.run, shard.number LIMIT 1 {store.skip_locked}",
            (now, now - ASK_AGAIN_AFTER),
        )
        if not found:
            return None
        run, number = found[0]
        people, opens_at, claims = store.rows(
            "UPDATE shard SET claimed_by = ?, claims = claims + 1 WHERE run = ? AND number = ? RETURNING people, opens_at, claims",
            (boot.id, run, number),
        )[0]
        campaign, occurrence, version, on_ambiguous, due_at, state = store.rows(
            "SELECT campaign, occurrence, version, on_ambiguous, due_at, state FROM run WHERE id = ?", (run,)
        )[0]
    known, weight = unpack_weighed(people) if people else ((), 0)
    return Shard(
        run,
        number,
        campaign,
        occurrence,
        version,
        OnAmbiguous(on_ambiguous),
        due_at,
        opens_at,
        state == "cancelled",
        known,
        claims == 1,
        weight,
    )


def next_due(store: Store, now: Instant) -> Instant | None:
    """The earliest moment any shard wants a worker; None if nothing waits. Those to be asked about first do not count."""
    rows = store.rows(
        "SELECT shard.due_at FROM shard JOIN run ON run.id = shard.run"
        " WHERE shard.due_at IS NOT NULL AND shard.claimed_by IS NULL"
        " AND (run.state = 'cancelled' OR (run.state = 'working' AND shard.asked_at >= ?)) ORDER BY shard.due_at LIMIT 1",
        (now - ASK_AGAIN_AFTER,),
    )
    return Instant(rows[0][0]) if rows else None


FALL_THROUGH = (
    "UPDATE delivery SET state = 'planned', reason = '', detail = '', settled_at = NULL"
    " WHERE run = ? AND user_id = ? AND step = ? AND state = 'skipped' AND reason = ?"
)
"""Opens a person's other channels again, after the one that carried the message fell away."""

_MARK = (
    "UPDATE delivery SET state = ?, reason = ?, detail = ?, not_before = ?, judged_at = COALESCE(judged_at, ?),"
    " exposed_at = COALESCE(exposed_at, ?), settled_at = ?"
    " WHERE run = ? AND user_id = ? AND channel = ? AND step = ? AND slot = ? AND state IN ('planned', 'held', 'retry_wait')"
)


def put_back(
    store: Store,
    boot: Boot,
    shard: Shard,
    marks: Sequence[Mark],
    now: Instant,
    not_before: Instant | None = None,
    paused: str = "",
) -> Instant | None:
    """Write the marks, recount the shard's summary from its rows, and let go of it.

    Returns the next moment it is due (never before `not_before`), or None when nothing is left; then its people are
    dropped, and with the last shard the run is done. `paused` is the scope whose pause `not_before` waits for.
    """
    with store.transaction():
        if marks:
            store.many(
                _MARK,
                [
                    (
                        mark.state,
                        mark.reason,
                        mark.detail,
                        mark.not_before,
                        now,
                        now if mark.exposed else None,
                        None if mark.state in (State.HELD, State.RETRY_WAIT) else now,
                        *mark.key,
                    )
                    for mark in marks
                ],
            )
            moved = [mark.key for mark in marks if mark.moves_on]
            store.many(FALL_THROUGH, [(key.run, key.user, key.step, Reason.OTHER_CHANNEL) for key in moved])
        if paused and not pace.stands(store, paused, now):
            not_before = None  # resumed since we were told: whoever did it could not see that this shard waits
        return _let_go(
            store, boot.id, shard.run, shard.number, [person.user for person in shard.people], now, not_before
        )


@dataclass(frozen=True, slots=True)
class TakenBack:
    """One shard of a dead process: its intents without an answer that go again under the same key, go again without one, are in doubt."""

    run: int
    again: int
    resent: int
    unknown: int


def recover(store: Store, dead: int, now: Instant) -> list[TakenBack]:
    """Take back everything a dead boot held, shard by shard.

    An intent without an answer may have arrived. Within the provider's memory of the key it goes again under the same
    key; else the run's `on_ambiguous` decides.
    """
    recovered: list[TakenBack] = []
    while True:
        with store.transaction():
            rows = store.rows(
                "SELECT shard.run, shard.number, shard.people, run.on_ambiguous FROM shard JOIN run ON run.id = shard.run"
                f" WHERE shard.claimed_by = ? ORDER BY shard.run, shard.number LIMIT 1 {store.skip_locked}",
                (dead,),
            )
            if not rows:
                return recovered
            run, number, people, on_ambiguous = rows[0]
            users = [person.user for person in unpack(people)] if people else []
            recovered.append(TakenBack(run, *_resolve_intents(store, run, users, dead, OnAmbiguous(on_ambiguous), now)))
            _let_go(store, dead, run, number, users, now, None)


def _resolve_intents(
    store: Store, run: int, users: Sequence[str], dead: int, on_ambiguous: OnAmbiguous, now: Instant
) -> tuple[int, int, int]:
    mine = "run = ? AND user_id {any} AND state = 'intent' AND boot = ?"
    scope = (run, store.array(users), dead)
    again = store.change(
        f"UPDATE delivery SET state = 'retry_wait', reason = ?, not_before = ?, boot = NULL WHERE {mine} AND again_until > ?",
        (Reason.NO_ANSWER, now, *scope, now),
    )
    if on_ambiguous is OnAmbiguous.RESEND:
        resent = store.change(
            f"UPDATE delivery SET state = 'retry_wait', reason = ?, not_before = ?, maybe_duplicate = 1, boot = NULL WHERE {mine}",
            (Reason.NO_ANSWER, now, *scope),
        )
        return again, resent, 0
    unknown = store.change(
        f"UPDATE delivery SET state = 'unknown', reason = ?, settled_at = ?, boot = NULL WHERE {mine}",
        (Reason.NO_ANSWER, now, *scope),
    )
    return again, 0, unknown


def _let_go(
    store: Store, owner: int, run: int, number: int, users: Sequence[str], now: Instant, not_before: Instant | None
) -> Instant | None:
    summary, due_at, step = recount(store, run, number, users, now)
    if due_at is not None and not_before is not None:
        due_at = max(due_at, not_before)
    changed = store.change(
        "UPDATE shard SET claimed_by = NULL, due_at = ?, summary = ?, people = CASE WHEN ? = 1 THEN NULL ELSE people END,"
        " asked_at = CASE WHEN ? > 0 THEN 0 ELSE asked_at END WHERE run = ? AND number = ? AND COALESCE(claimed_by, 0) = ?",
        (due_at, summary, int(due_at is None), step, run, number, owner),
    )
    if owner != _NOBODY and '"accepted"' in summary:
        mirrors.shard_is_due(store, run, number)
    if changed and due_at is not None and due_at > now and _ended(store, run, number, now):
        due_at = now
    if changed and due_at is None:
        left = store.rows("SELECT 1 FROM shard WHERE run = ? AND due_at IS NOT NULL LIMIT 1", (run,))
        if not left:
            store.change("UPDATE run SET state = 'done' WHERE id = ? AND state = 'working'", (run,))
    return due_at


def recount_free(store: Store, run: int, number: int, now: Instant) -> None:
    """Count the rows of a shard anew that nobody works, after something changed in them; inside a transaction.

    What was due when its worker put it back is due then, unless nothing is left to do.
    """
    due_at, first, last = store.rows(
        "SELECT due_at, first_user, last_user FROM shard WHERE run = ? AND number = ?", (run, number)
    )[0]
    users = store.rows(
        "SELECT DISTINCT user_id FROM delivery WHERE run = ? AND user_id >= ? AND user_id <= ? AND shard = ?",
        (run, first, last, number),
    )
    _let_go(store, _NOBODY, run, number, [user for (user,) in users], now, due_at)


_NOBODY = 0
"""The owner of a shard that nobody works; boots are numbered from 1."""


def _ended(store: Store, run: int, number: int, now: Instant) -> bool:
    """Let a shard be due now if its run was cancelled while somebody had it."""
    cancelled = "EXISTS (SELECT 1 FROM run WHERE id = ? AND state = 'cancelled')"
    return bool(
        store.change(
            f"UPDATE shard SET due_at = ? WHERE run = ? AND number = ? AND {cancelled}", (now, run, number, run)
        )
    )


def recount(store: Store, run: int, number: int, users: Sequence[str], now: Instant) -> tuple[str, Instant | None, int]:
    """The summary of a shard's rows (those of its users) as JSON, when the first of them wants work (None: never again), the latest open step.

    The summary is a list of [state, reason, channel, segment, variant, holdout, rows], in that order.
    """
    rows = store.rows(
        "SELECT state, reason, channel, segment, variant, holdout, COUNT(*), MIN(COALESCE(not_before, 0)), MAX(step) FROM delivery"
        " WHERE run = ? AND user_id {any} AND shard = ? GROUP BY state, reason, channel, segment, variant, holdout"
        " ORDER BY state, reason, channel, segment, variant, holdout",
        (run, store.array(users), number),
    )
    waits = [
        (now if row[0] == State.PLANNED else max(now, row[7]), row[8])
        for row in rows
        if row[0] in ("planned", "held", "retry_wait", "intent")
    ]
    summary = json.dumps([list(row[:7]) for row in rows], ensure_ascii=False, separators=(",", ":"))
    due_at = Instant(min(at for at, _ in waits)) if waits else None
    return summary, due_at, max((step for _, step in waits), default=0)


def person(store: Store, run: int, user: str) -> Person | None:
    """One person of a run as they were planned, or asked about last; None once their shard is done and its people are dropped."""
    rows = store.rows(
        "SELECT shard.people FROM shard JOIN delivery d ON d.run = shard.run AND d.shard = shard.number"
        " WHERE d.run = ? AND d.user_id = ? AND shard.people IS NOT NULL LIMIT 1",
        (run, user),
    )
    return next((one for row in rows for one in unpack(row[0]) if one.user == user), None)


def any_claimed(store: Store) -> bool:
    """Whether somebody works a shard just now."""
    return bool(store.rows("SELECT 1 FROM shard WHERE claimed_by IS NOT NULL LIMIT 1"))


def dead_owners(store: Store) -> list[tuple[int, str]]:
    """Boots (id, token) that hold a shard or plan a run; whether they live, only their lock can tell."""
    return [
        (number, token)
        for number, token in store.rows(
            "SELECT boot.id, boot.token FROM boot WHERE boot.id IN (SELECT claimed_by FROM shard WHERE claimed_by IS NOT NULL"
            " UNION SELECT planner FROM run WHERE state = 'planning')"
        )
    ]


def plans_of(store: Store, dead: int) -> list[int]:
    """Runs a dead boot was planning."""
    return [row[0] for row in store.rows("SELECT id FROM run WHERE state = 'planning' AND planner = ?", (dead,))]
