"""The turn: one transaction settles the messages that were answered and intends those about to leave.

An intent is committed before its first byte leaves. What could forbid it (run cancelled, consent withdrawn, address
suppressed, cap reached, provider paused) is read again here, under a lock that a withdrawal takes too.
"""

import json
from collections.abc import Sequence
from typing import Any

from orchestrator.core.nouns import Send, State
from orchestrator.core.reasons import Reason
from orchestrator.core.turns import Permission, Ready, Settlement, Turn
from orchestrator.ledger import pace
from orchestrator.ledger.boots import Boot
from orchestrator.ledger.consent import Hashing, facts_changed
from orchestrator.ledger.shards import FALL_THROUGH
from orchestrator.ledger.store import Store

_KEY = "run = ? AND user_id = ? AND channel = ? AND step = ? AND slot = ?"
_ACCEPT = (
    "UPDATE delivery SET state = 'accepted', provider_id = ?, settled_at = ?, boot = NULL, not_before = NULL, reason = '', detail = ''"
    f" WHERE {_KEY} AND state = 'intent' AND attempt = ? AND boot = ?"
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
    "UPDATE delivery SET state = ?, reason = '', detail = '', attempt = attempt + 1, boot = ?, provider = ?, address = ?, body = ?,"
    " judged_at = COALESCE(judged_at, ?), exposed_at = COALESCE(exposed_at, ?), intent_at = ?, settled_at = ?,"
    " again_until = CASE WHEN again_until IS NULL OR again_until <= ? OR provider <> ? THEN ? ELSE again_until END, provider_id = ?"
    f" WHERE {_KEY} AND state IN ('planned', 'held', 'retry_wait') AND attempt = ?"
)
_TOUCH = "INSERT INTO touch (user_id, run, channel, step, slot, at, campaign) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
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
    plain = [s for s in turn.settle if s.state is State.ACCEPTED and not s.answer]
    others = [s for s in turn.settle if s.state is not State.ACCEPTED or s.answer]
    store.many(_ACCEPT, [(s.provider_id, turn.now, *s.key, s.attempt, boot.id) for s in plain])
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
    for provider in {s.provider for s in turn.settle}:
        mine = [s for s in turn.settle if s.provider == provider]
        bad = sum(s.bad for s in mine)
        pace.answered(
            store, f"provider:{provider}", good=sum(s.state is State.ACCEPTED for s in mine), bad=bad, now=turn.now
        )


def _consequences(store: Store, hashing: Hashing, turn: Turn, settled: Sequence[Settlement]) -> None:
    """Dead addresses are suppressed and the next channel gets its chance; pauses stop their scope."""
    gone = [s for s in settled if s.gone]
    if gone:
        store.many(
            "INSERT INTO suppression (address_hash, channel, reason, since, source) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (hashing.of(s.key.channel, s.gone), s.key.channel, Reason.ADDRESS_GONE, turn.now, s.provider)
                for s in gone
            ],
        )
        facts_changed(store)
    dead = [s for s in settled if s.reason == Reason.ADDRESS_GONE]
    if dead:
        store.many(FALL_THROUGH, [(s.key.run, s.key.user, s.key.step, Reason.OTHER_CHANNEL) for s in dead])
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
    store.many(
        _TOUCH,
        [(r.key.user, r.key.run, r.key.channel, r.key.step, r.key.slot, turn.now, turn.campaign) for r in chosen],
    )
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
    return Permission(go, tuple(boxed), refused, tuple(later), grant.ask_again, grant.paused)


def _intent(boot: Boot, turn: Turn, ready: Ready) -> tuple[Any, ...]:
    boxed = ready.inbox is not None
    return (
        State.ACCEPTED if boxed else State.INTENT,
        None if boxed else boot.id,
        ready.provider,
        ready.address.value,
        ready.body,
        ready.judged_at,
        ready.judged_at,
        turn.now,
        turn.now if boxed else None,
        turn.now,
        ready.provider,
        ready.again_until,
        ready.id if boxed else "",
        *ready.key,
        ready.attempt,
    )


def _write_intents(store: Store, boot: Boot, turn: Turn, chosen: Sequence[Ready]) -> Sequence[Ready]:
    """Write the intents and return those whose rows stood as we thought; the others are somebody else's by now."""
    store.change("SAVEPOINT intents")
    if store.many(_INTEND, [_intent(boot, turn, ready) for ready in chosen]) == len(chosen):
        return chosen
    # The count says that some stood elsewhere, not which: write them again, one by one.
    store.change("ROLLBACK TO SAVEPOINT intents")
    return [ready for ready in chosen if store.change(_INTEND, _intent(boot, turn, ready))]
