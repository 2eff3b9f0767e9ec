"""Runs: fired once for each occurrence, planned shard by shard, worked only when the last shard stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from json import dumps, loads
from zlib import compress, decompress

from orchestrator.core.errors import StoreError
from orchestrator.core.nouns import OnAmbiguous
from orchestrator.core.times import Instant
from orchestrator.ledger import audit
from orchestrator.ledger.audit import Entry, What
from orchestrator.ledger.boots import Boot
from orchestrator.ledger.store import Row, Store

Files = Mapping[str, bytes]
"""Path → content: every file a run was planned from."""


class RunState(StrEnum):
    """Where a run stands. The words stand in the ledger for good."""

    DUE = "due"
    PLANNING = "planning"
    WAITING = "waiting"
    """Planned, and waits for a person: an odd audience size, late data, approval."""
    WORKING = "working"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"
    MISSED = "missed"


CANCELLABLE = (RunState.DUE, RunState.PLANNING, RunState.WAITING, RunState.WORKING, RunState.PAUSED)


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the ledger knows it; `audience` is None until it is planned."""

    id: int
    campaign: str
    occurrence: str
    version: str
    source: str
    state: RunState
    reason: str
    due_at: Instant
    created_at: Instant
    audience: int | None
    on_ambiguous: OnAmbiguous


_COLUMNS = "id, campaign, occurrence, version, source, state, reason, due_at, created_at, audience, on_ambiguous"


def _run(row: Row) -> Run:
    number, campaign, occurrence, version, source, state, reason, due_at, created_at, audience, on_ambiguous = row
    return Run(
        number,
        campaign,
        occurrence,
        version,
        source,
        RunState(state),
        reason,
        due_at,
        created_at,
        audience,
        OnAmbiguous(on_ambiguous),
    )


def keep_bundle(store: Store, files: Files, now: Instant) -> str:
    """Keep the files once and return their hash, the version of the runs planned from them."""
    hashed = sha256()
    for path in sorted(files):
        hashed.update(f"{path}\0{len(files[path])}\0".encode())
        hashed.update(files[path])
    version = hashed.hexdigest()[:32]
    if not store.rows("SELECT 1 FROM bundle WHERE hash = ?", (version,)):
        blob = compress(
            dumps({path: files[path].decode("utf-8", "surrogateescape") for path in sorted(files)}).encode()
        )
        with store.transaction():
            store.change(
                "INSERT INTO bundle (hash, files, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (version, blob, now),
            )
    return version


def bundle(store: Store, version: str) -> Files:
    """The files of a version; StoreError if the ledger never had them."""
    rows = store.rows("SELECT files FROM bundle WHERE hash = ?", (version,))
    if not rows:
        raise StoreError(f"ledger: no bundle {version}; the ledger is older than the run, restore a newer backup")
    return {path: text.encode("utf-8", "surrogateescape") for path, text in loads(decompress(rows[0][0])).items()}


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to fire. `source` names the commit its files are, empty without git."""

    campaign: str
    occurrence: str
    version: str
    due_at: Instant
    on_ambiguous: OnAmbiguous
    source: str = ""
    state: RunState = RunState.DUE
    reason: str = ""


def fire(store: Store, new: NewRun, now: Instant, planner: Boot | None = None) -> tuple[Run, bool]:
    """Write the run unless its (campaign, occurrence) stands already; return it and whether this call made it.

    With a `planner` it is that process's to plan from the first moment on: it is never due, so no daemon takes it up.
    """
    state = RunState.PLANNING if planner is not None else new.state
    with store.transaction():
        made = store.rows(
            "INSERT INTO run (campaign, occurrence, version, source, state, reason, due_at, created_at, on_ambiguous, planner)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (campaign, occurrence) DO NOTHING RETURNING id",
            (
                new.campaign,
                new.occurrence,
                new.version,
                new.source,
                state,
                new.reason,
                new.due_at,
                now,
                new.on_ambiguous,
                planner.id if planner is not None else None,
            ),
        )
        rows = store.rows(
            f"SELECT {_COLUMNS} FROM run WHERE campaign = ? AND occurrence = ?", (new.campaign, new.occurrence)
        )
    return _run(rows[0]), bool(made)


def find(store: Store, run: int) -> Run | None:
    """The run of this number."""
    rows = store.rows(f"SELECT {_COLUMNS} FROM run WHERE id = ?", (run,))
    return _run(rows[0]) if rows else None


def began(store: Store, campaign: str) -> Instant | None:
    """When the first run of a campaign was due, leaving out those that were missed; None if there was none."""
    rows = store.rows("SELECT MIN(due_at) FROM run WHERE campaign = ? AND state <> 'missed'", (campaign,))
    return None if rows[0][0] is None else Instant(rows[0][0])


def due_between(store: Store, since: Instant, until: Instant) -> list[Run]:
    """Every run that was due in (since, until], the newest first."""
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM run WHERE due_at > ? AND due_at <= ? ORDER BY due_at DESC, id DESC", (since, until)
    )
    return [_run(row) for row in rows]


def planned_at(store: Store, run: int) -> Instant | None:
    """When the last shard of a run stood; None before that."""
    rows = store.rows("SELECT planned_at FROM run WHERE id = ?", (run,))
    return Instant(rows[0][0]) if rows and rows[0][0] is not None else None


def listed(store: Store, campaign: str | None = None, states: Sequence[RunState] = (), limit: int = 100) -> list[Run]:
    """Runs, the newest first, of one campaign or of all, in these states or in any."""
    where, parameters = ["1 = 1"], list[object]()
    if campaign is not None:
        where.append("campaign = ?")
        parameters.append(campaign)
    if states:
        where.append("state {any}")
        parameters.append(store.array([str(state) for state in states]))
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM run WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?", (*parameters, limit)
    )
    return [_run(row) for row in rows]


def steer(
    store: Store, run: int, to: RunState, come_from: Sequence[RunState], reason: str = "", by: Entry | None = None
) -> bool:
    """Move a run by hand (pause, resume; see `approve`, `cancel`); False if it stands in none of `come_from`.

    `by` is written down with it: who did it, and when.
    """
    with store.transaction():
        return _move(store, run, to, come_from, reason, by)


def _move(
    store: Store, run: int, to: RunState, come_from: Sequence[RunState], reason: str, by: Entry | None = None
) -> bool:
    moved = store.change(
        "UPDATE run SET state = ?, reason = ? WHERE id = ? AND state {any}",
        (to, reason, run, store.array([str(state) for state in come_from])),
    )
    if moved and by is not None:
        audit.note(store, by)
    return bool(moved)


def approve(store: Store, run: int, who: str, now: Instant) -> bool:
    """Let a run go that waits for a person, and keep who said so and what it waited for; False if it does not wait."""
    with store.transaction():
        waited = store.rows("SELECT reason FROM run WHERE id = ? AND state = 'waiting'", (run,))
        if not waited:
            return False
        entry = Entry(now, who, What.APPROVED, audit.run_subject(run), str(waited[0][0]))
        return _move(store, run, RunState.WORKING, [RunState.WAITING], "", entry)


def approvals(store: Store, runs: Sequence[int]) -> dict[int, Entry]:
    """Who approved these runs, when, and what they had waited for; absent where nobody had to."""
    found = audit.newest(store, [audit.run_subject(run) for run in runs], What.APPROVED)
    return {run: found[subject] for run in runs if (subject := audit.run_subject(run)) in found}


def cancel(store: Store, run: int, reason: str, now: Instant, by: Entry | None = None) -> bool:
    """End a run for good; False if it is over already. Its open shards are due now, so that every row soon says so."""
    with store.transaction():
        if cancelled := _move(store, run, RunState.CANCELLED, CANCELLABLE, reason, by):
            end_soon(store, run, now)
    return cancelled


def end_soon(store: Store, run: int, now: Instant) -> None:
    """Let all open shards of a run be due if it is cancelled, those of later waves too."""
    store.change(
        "UPDATE shard SET due_at = ? WHERE run = ? AND due_at IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM run WHERE id = ? AND state = 'cancelled')",
        (now, run, run),
    )
