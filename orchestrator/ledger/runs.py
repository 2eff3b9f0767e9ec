"""Runs: fired once for each occurrence, planned shard by shard, worked only when the last shard stands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from json import dumps, loads
from typing import NamedTuple
from zlib import compress, decompress

from orchestrator.core.errors import StoreError
from orchestrator.core.nouns import Channel, OnAmbiguous, Person
from orchestrator.core.times import Instant
from orchestrator.ledger import coupons
from orchestrator.ledger.boots import Boot
from orchestrator.ledger.people import pack
from orchestrator.ledger.store import Row, Store

NOTHING: coupons.Wants = {}
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
    """A run to fire. `source` names the commit, or how it was sent by hand."""

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


def begin_planning(store: Store, run: int, boot: Boot) -> bool:
    """Take a due run for planning; False if somebody else has it."""
    with store.transaction():
        return bool(
            store.change(
                "UPDATE run SET state = 'planning', planner = ? WHERE id = ? AND state = 'due'", (boot.id, run)
            )
        )


class Planned(NamedTuple):
    """A member as the planner writes them: the person, and one slot number for each row of each channel."""

    person: Person
    rows: tuple[tuple[Channel, int], ...]


_PLAN = (
    "WITH m (user_id, channel, slot, segment, variant, holdout) AS MATERIALIZED {table}"
    " INSERT INTO delivery (run, user_id, channel, step, slot, shard, segment, variant, holdout, state, reason, detail, attempt,"
    " provider, provider_id, address, maybe_duplicate)"
    " SELECT ?, m.user_id, m.channel, 0, m.slot, ?, m.segment, m.variant, m.holdout, 'planned', '', '', 0, '', '', '', 0 FROM m"
    " WHERE true ON CONFLICT DO NOTHING"
)


def add_shard(
    store: Store,
    run: int,
    number: int,
    opens_at: Instant,
    members: Sequence[Planned],
    wants: coupons.Wants = NOTHING,
    packed: bytes = b"",
) -> Counter[str]:
    """Write one shard, its people and one row for each of their channels, in one transaction; the same again is harmless.

    `members` must be in user order, so that rows are written where they belong. Who `wants` a coupon gets a code in the
    same transaction, to hold from when the shard opens; returns by pool how many found it empty. `packed` are the people as
    `people.pack` makes them, if the caller had the time: whoever gets a code is packed here.
    """
    people = [member.person for member in members]
    rows = [
        (person.user, channel, slot, person.segment, person.variant, int(person.holdout))
        for person, places in members
        for channel, slot in places
    ]
    short = Counter[str]()
    packed = b"" if wants else packed or pack(people)
    columns = list(zip(*rows, strict=True))
    alike = Counter(zip(columns[1], *columns[3:], strict=True)) if rows else Counter[tuple[str, ...]]()
    summary = dumps(
        [("planned", "", *what, alike[what]) for what in sorted(alike)], ensure_ascii=False, separators=(",", ":")
    )
    with store.transaction():
        if wants:
            people, short = coupons.give(store, run, opens_at, people, wants)
            packed = pack(people)
        if rows:
            store.each(_PLAN, columns, (run, number))
        store.change(
            "INSERT INTO shard (run, number, opens_at, due_at, asked_at, claims, members, first_user, last_user, people, summary)"
            " SELECT id, ?, ?, ?, due_at, 0, ?, ?, ?, ?, ? FROM run WHERE id = ? ON CONFLICT DO NOTHING",
            (number, opens_at, opens_at, len(people), people[0].user, people[-1].user, packed, summary, run),
        )
    return short


def finish_planning(store: Store, run: int, boot: Boot, audience: int, now: Instant, hold: str = "") -> None:
    """The last shard stands: the run may be worked, or waits for a person because of `hold`."""
    state = RunState.WAITING if hold else (RunState.WORKING if audience else RunState.DONE)
    with store.transaction():
        changed = store.change(
            "UPDATE run SET state = ?, reason = ?, audience = ?, planned_at = ? WHERE id = ? AND state = 'planning' AND planner = ?",
            (state, hold, audience, now, run, boot.id),
        )
        if not changed:
            _end_soon(store, run, now)
    if not changed:
        raise StoreError(f"run {run}: planned by somebody else meanwhile, or cancelled; nothing of this plan counts")


def forget_plan(store: Store, run: int) -> None:
    """Delete what a dead planner wrote, shard by shard, and let the run be planned anew."""
    while True:
        with store.transaction():
            shards = store.rows(
                "SELECT number, first_user, last_user FROM shard WHERE run = ? ORDER BY number LIMIT 8", (run,)
            )
            for number, first, last in shards:
                store.change(
                    "DELETE FROM delivery WHERE run = ? AND user_id BETWEEN ? AND ? AND shard = ?",
                    (run, first, last, number),
                )
                store.change("DELETE FROM shard WHERE run = ? AND number = ?", (run, number))
            if not shards:
                coupons.forget(store, run)
                store.change("UPDATE run SET state = 'due', planner = NULL WHERE id = ? AND state = 'planning'", (run,))
                return


def steer(store: Store, run: int, to: RunState, come_from: Sequence[RunState], reason: str = "") -> bool:
    """Move a run by hand (pause, resume, approve; see `cancel`); False if it stands in none of `come_from`."""
    with store.transaction():
        return _move(store, run, to, come_from, reason)


def _move(store: Store, run: int, to: RunState, come_from: Sequence[RunState], reason: str) -> bool:
    return bool(
        store.change(
            "UPDATE run SET state = ?, reason = ? WHERE id = ? AND state {any}",
            (to, reason, run, store.array([str(state) for state in come_from])),
        )
    )


def cancel(store: Store, run: int, reason: str, now: Instant) -> bool:
    """End a run for good; False if it is over already. Its open shards are due now, so that every row soon says so."""
    with store.transaction():
        if cancelled := _move(store, run, RunState.CANCELLED, CANCELLABLE, reason):
            _end_soon(store, run, now)
    return cancelled


def _end_soon(store: Store, run: int, now: Instant) -> None:
    """Let all open shards of a cancelled run be due, those of later waves too."""
    store.change(
        "UPDATE shard SET due_at = ? WHERE run = ? AND due_at IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM run WHERE id = ? AND state = 'cancelled')",
        (now, run, run),
    )
