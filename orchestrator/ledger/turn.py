"""The turn: one transaction settles the messages that were answered and intends those about to leave.

An intent is committed before its first byte leaves. What could forbid it (run cancelled, consent withdrawn, address
suppressed, cap reached, provider paused) is read again here, under a lock that a withdrawal takes too.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from orchestrator.core.nouns import Send, State
from orchestrator.core.reasons import Reason
from orchestrator.core.turns import Permission, Ready, Settlement, Turn
from orchestrator.ledger import pace
from orchestrator.ledger.boots import Boot
from orchestrator.ledger.consent import Hashing, stop_anew
from orchestrator.ledger.shards import FALL_THROUGH
from orchestrator.ledger.store import Store

_KEY = "run = ? AND user_id = ? AND channel = ? AND step = ? AND slot = ?"
_ALIKE = "run = ? AND delivery.user_id = m.user_id AND channel = ? AND step = ? AND slot = ?"
"""The rows of a table of users whose keys differ in nothing else."""
_ACCEPT = (
    "WITH m (user_id, provider_id) AS MATERIALIZED {table}"
    " UPDATE delivery SET state = 'accepted', provider_id = m.provider_id, settled_at = ?, boot = NULL, not_before = NULL, reason = '',"
    f" detail = '' FROM m WHERE {_ALIKE} AND state = 'intent' AND attempt = ? AND boot = ?"
)
_SETTLE = (
    "UPDATE delivery SET state = ?, reason = ?, detail = ?, attempt = attempt - ?, provider_id = ?, not_before = ?, settled_at = ?,"
    " maybe_duplicate = CASE WHEN ? = 1 THEN 1 ELSE maybe_duplicate END, boot = NULL"
    f" WHERE {_KEY} AND state = 'intent' AND attempt = ? AND boot = ?"
)
_STORY = (
    "INSERT INTO attempt (run, user_id, channel, step, slot, at, attempt, provider, outcome, detail)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_INTEND = (
    "WITH m (user_id, provider_id, address, body) AS MATERIALIZED {table}"
    " UPDATE delivery SET state = ?, reason = '', detail = '', attempt = attempt + 1, boot = ?, provider = ?, address = m.address,"
    " body = m.body, judged_at = COALESCE(judged_at, ?), exposed_at = COALESCE(exposed_at, ?), intent_at = ?, settled_at = ?,"
    " again_until = CASE WHEN again_until IS NULL OR again_until <= ? OR provider <> ? THEN ? ELSE again_until END, provider_id = m.provider_id"
    f" FROM m WHERE {_ALIKE} AND state IN ('planned', 'held', 'retry_wait') AND attempt = ?"
)
_TOUCH = (
    "WITH m (user_id) AS MATERIALIZED {table} INSERT INTO touch (user_id, run, channel, step, slot, at, campaign)"
    " SELECT m.user_id, ?, ?, ?, ?, ?, ? FROM m WHERE true ON CONFLICT DO NOTHING"
)
_INBOX = "INSERT INTO inbox (user_id, id, run, payload, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


def take(store: Store, boot: Boot, hashing: Hashing, turn: Turn) -> Permission:
    """Run one turn. Every row is compared before it is set (state, attempt, boot), so nothing is settled or intended twice."""
    with store.transaction():
        if turn.intend:
            store.lock_facts(exclusive=turn.alone or any(settlement.gone for settlement in turn.settle))
        elif any(settlement.gone for settlement in turn.settle):
            store.lock_facts(exclusive=True)
        if turn.settle:
            _settle(store, boot, hashing, turn)
        return _intend(store, boot, turn) if turn.intend else Permission()


def _settle(store: Store, boot: Boot, hashing: Hashing, turn: Turn) -> None:
    plain: dict[tuple[Any, ...], list[Settlement]] = defaultdict(list)
    others: list[Settlement] = []
    good, bad = Counter[str](), Counter[str]()
    for s in turn.settle:
        if s.state is _ACCEPTED:
            good[s.provider] += 1
            if not s.answer:
                plain[(*s.key[2:], s.attempt)].append(s)
                continue
        bad[s.provider] += s.bad
        others.append(s)
    for (*place, attempt), alike in plain.items():
        table = [s.key.user for s in alike], [s.provider_id for s in alike]
        store.each(_ACCEPT, table, (turn.now, turn.run, *place, attempt, boot.id))
    if others:
        store.many(
            _SETTLE,
            [
                (
                    s.state,
                    s.reason,
                    s.detail,
                    int(not s.spent),
                    s.provider_id,
                    s.not_before,
                    turn.now,
                    int(s.maybe_duplicate),
                    *s.key,
                    s.attempt,
                    boot.id,
                )
                for s in others
            ],
        )
        store.many(_STORY, [(*s.key, turn.now, s.attempt, s.provider, s.answer, s.detail) for s in others if s.answer])
        _consequences(store, hashing, turn, others)
    for provider in good | bad:
        pace.answered(store, f"provider:{provider}", good=good[provider], bad=bad[provider], now=turn.now)


def _consequences(store: Store, hashing: Hashing, turn: Turn, settled: Sequence[Settlement]) -> None:
    """Dead addresses are suppressed and the next channel gets its chance; pauses stop their scope."""
    gone = [s for s in settled if s.gone]
    if gone:
        stops = [(hashing.of(s.key.channel, s.gone), s.key.channel, s.reason, turn.now, s.provider) for s in gone]
        stop_anew(store, stops)
        store.many(FALL_THROUGH, [(s.key.run, s.key.user, s.key.step, Reason.OTHER_CHANNEL) for s in gone])
    for scope, until, detail in {(*s.pause, s.detail) for s in settled if s.pause}:
        pace.pause(store, scope, until, detail, turn.now)


def _intend(store: Store, boot: Boot, turn: Turn) -> Permission:
    state = store.rows("SELECT state FROM run WHERE id = ?", (turn.run,))[0][0]
    if state != "working":
        return Permission(later=tuple(turn.intend), stop=True, paused=state)
    refused = dict(turn.recheck(turn.intend)) if turn.recheck else {}
    refused = {key: verdict for key, verdict in refused.items() if not isinstance(verdict, Send)}
    wanted = [ready for ready in turn.intend if ready.key not in refused]
    grant = pace.draw(store, turn.paces, len(wanted), turn.now) if wanted and turn.paces else pace.Grant(len(wanted))
    later = wanted[grant.count :]
    chosen = _write_intents(store, boot, turn, wanted[: grant.count])
    boxed = [ready for ready in chosen if ready.inbox is not None]
    if boxed:
        store.many(
            _INBOX,
            [
                (r.key.user, r.id, r.key.run, json.dumps(r.inbox, ensure_ascii=False), turn.now, r.inbox_until)
                for r in boxed
            ],
        )
    go = tuple(ready for ready in chosen if ready.inbox is None)
    return Permission(go, tuple(boxed), refused, tuple(later), grant.ask_again, grant.paused, scope=grant.scope)


def _write_intents(store: Store, boot: Boot, turn: Turn, chosen: Sequence[Ready]) -> Sequence[Ready]:
    """Write the intents and return those whose rows stood as we thought; the others are somebody else's by now."""
    alike: dict[tuple[Any, ...], list[Ready]] = defaultdict(list)
    for r in chosen:
        alike[(*r.key[2:], r.attempt, r.provider, r.judged_at, r.again_until, r.inbox is not None)].append(r)
    store.change("SAVEPOINT intents")
    if sum(_intend_alike(store, boot, turn, some) for some in alike.values()) < len(chosen):
        # The count says that some stood elsewhere, not which: write them again, one by one.
        store.change("ROLLBACK TO SAVEPOINT intents")
        chosen = [ready for ready in chosen if _intend_alike(store, boot, turn, [ready])]
    touched: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for r in chosen:
        touched[r.key[2:]].append(r.key.user)
    for place, users in touched.items():
        store.each(_TOUCH, [users], (turn.run, *place, turn.now, turn.campaign))
    return chosen


def _intend_alike(store: Store, boot: Boot, turn: Turn, some: Sequence[Ready]) -> int:
    """Write the intents of messages that differ in user, address and body only; how many rows stood as we thought."""
    first, now = some[0], turn.now
    boxed = first.inbox is not None
    return store.each(
        _INTEND,
        (
            [r.key.user for r in some],
            [r.id if boxed else "" for r in some],
            [r.address.value for r in some],
            [r.body for r in some],
        ),
        (
            State.ACCEPTED if boxed else State.INTENT,
            None if boxed else boot.id,
            first.provider,
            first.judged_at,
            first.judged_at,
            now,
            now if boxed else None,
            now,
            first.provider,
            first.again_until,
            turn.run,
            *first.key[2:],
            first.attempt,
        ),
    )


_ACCEPTED = State.ACCEPTED
