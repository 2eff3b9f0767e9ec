"""Pace, pause and breaker: one small row for each provider and campaign, read in every turn, so all workers keep step."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.times import MINUTE, NEVER, SECOND, Instant
from orchestrator.core.turns import Pacing
from orchestrator.ledger import audit
from orchestrator.ledger.audit import Entry, What
from orchestrator.ledger.store import Store

BREAKS_AT = 20
"""So many failures in a row, over all workers, open a provider's breaker."""

OPEN_FOR = 30 * SECOND
"""How long a breaker stays open before one message may try; doubled with each try that fails, up to ten minutes."""


@dataclass(frozen=True, slots=True)
class Grant:
    """How many messages may go now, when to ask for more, and why and by which scope not more."""

    count: int
    ask_again: Instant | None = None
    paused: str = ""
    scope: str = ""


def draw(store: Store, paces: Sequence[Pacing], want: int, now: Instant) -> Grant:
    """Take tokens for up to `want` messages from every scope at once; must be called inside a transaction."""
    rows = {
        scope: (tokens, filled_at, paused_until, reason, failures)
        for scope, tokens, filled_at, paused_until, reason, failures in store.rows(
            "SELECT scope, tokens, filled_at, paused_until, reason, failures FROM pace WHERE scope {any}",
            (store.array([pace.scope for pace in paces]),),
        )
    }
    count, ask_again, short, filled = want, None, "", list[tuple[str, float, float]]()
    for pace in paces:
        tokens, filled_at, paused_until, reason, failures = rows.get(pace.scope, (None, now, None, "", 0))
        if paused_until is not None and now < paused_until:
            return Grant(0, Instant(paused_until), reason or "paused", pace.scope)
        if failures >= BREAKS_AT:
            count, short = min(count, 1), pace.scope
        if pace.per_second is not None:
            # A bucket holds one second's worth: a burst is never larger than the rate itself.
            size = max(1.0, pace.per_second)
            tokens = size if tokens is None else min(size, tokens + max(0, now - filled_at) * pace.per_second / SECOND)
            filled.append((pace.scope, tokens, pace.per_second))
            if tokens < count:
                count, short = int(tokens), pace.scope
                lack = min(want - count, size) - (tokens - count)
                ask_again = Instant(now + max(1, int(lack * SECOND / pace.per_second)))
    for scope, tokens, _ in filled:
        store.change(
            "INSERT INTO pace (scope, tokens, filled_at, reason, failures) VALUES (?, ?, ?, '', 0)"
            " ON CONFLICT (scope) DO UPDATE SET tokens = excluded.tokens, filled_at = excluded.filled_at",
            (scope, tokens - count, now),
        )
    return Grant(count, ask_again, scope=short)


def pause(store: Store, scope: str, until: Instant | None, reason: str, now: Instant, who: str = "") -> None:
    """Stop a scope until then, or until a person resumes it (None); a longer pause is never shortened.

    One without an end is written down with its beginning; `who` is empty where nobody did it by hand.
    """
    if until is None and not store.rows("SELECT 1 FROM pace WHERE scope = ? AND paused_until >= ?", (scope, NEVER)):
        audit.note(store, Entry(now, who, What.PAUSED, scope, reason))
    store.change(
        "INSERT INTO pace (scope, tokens, filled_at, paused_until, reason, failures) VALUES (?, 0, ?, ?, ?, 0)"
        " ON CONFLICT (scope) DO UPDATE SET reason = CASE WHEN pace.paused_until > excluded.paused_until THEN pace.reason"
        " ELSE excluded.reason END, paused_until = CASE WHEN pace.paused_until > excluded.paused_until"
        " THEN pace.paused_until ELSE excluded.paused_until END",
        (scope, now, NEVER if until is None else until, reason),
    )


def resume(store: Store, scope: str, now: Instant, who: str = "") -> bool:
    """Let a scope go on, its breaker closed, and what it put off be due now; False if it was not stopped."""
    with store.transaction():
        stopped = store.rows(
            "UPDATE pace SET reason = '', failures = 0 WHERE scope = ? AND (paused_until IS NOT NULL OR failures > 0)"
            " RETURNING paused_until",
            (scope,),
        )
        if stopped:
            store.change("UPDATE pace SET paused_until = NULL WHERE scope = ?", (scope,))
            audit.note(store, Entry(now, who, What.RESUMED, scope))
            _wake(store, scope, stopped[0][0] or 0, now)
    return bool(stopped)


def _wake(store: Store, scope: str, until: int, now: Instant) -> None:
    """Let the shards be due that were put back until a pause would end.

    Later waves have not opened and keep their moment. Rows that wait for themselves do so still: the worker puts them back.
    """
    campaign = scope.removeprefix("campaign:") if scope.startswith("campaign:") else None
    store.change(
        "UPDATE shard SET due_at = ? WHERE due_at > ? AND opens_at <= ? AND claimed_by IS NULL"
        # A row still planned would have been sent. It waits for an earlier end of this pause, or for another provider's.
        " AND (due_at = ? OR summary LIKE ?) AND run IN (SELECT id FROM run WHERE campaign = COALESCE(?, campaign))",
        (now, now, now, until, '%["planned",%', campaign),
    )


def stands(store: Store, scope: str, now: Instant) -> bool:
    """Whether a scope is paused; if so, nobody can resume it before this transaction ends."""
    return bool(store.change("UPDATE pace SET reason = reason WHERE scope = ? AND paused_until > ?", (scope, now)))


def pauses(store: Store, now: Instant) -> list[tuple[str, Instant, str]]:
    """Everything that stands still now: scope, until when, why."""
    return [
        (scope, Instant(until), reason)
        for scope, until, reason in store.rows(
            "SELECT scope, paused_until, reason FROM pace WHERE paused_until > ? ORDER BY scope", (now,)
        )
    ]


def answered(store: Store, scope: str, *, good: int, bad: int, now: Instant) -> None:
    """Count answers towards the breaker: any good one closes it, `BREAKS_AT` bad ones in a row open it."""
    if good:
        store.change("UPDATE pace SET failures = 0 WHERE scope = ? AND failures > 0", (scope,))
        return
    if not bad:
        return
    failures = store.rows(
        "INSERT INTO pace (scope, tokens, filled_at, reason, failures) VALUES (?, 0, ?, '', ?)"
        " ON CONFLICT (scope) DO UPDATE SET failures = pace.failures + excluded.failures RETURNING failures",
        (scope, now, bad),
    )[0][0]
    if failures >= BREAKS_AT:
        doubled = min(OPEN_FOR << min(8, (failures - BREAKS_AT)), 10 * MINUTE)
        pause(store, scope, Instant(now + doubled), f"breaker open after {failures} failures in a row", now)
