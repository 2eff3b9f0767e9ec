"""A run while it is planned: taken by one planner, written shard by shard, let go to be worked, or planned anew."""

from collections import Counter
from collections.abc import Mapping, Sequence
from json import dumps
from typing import NamedTuple

from orchestrator.core.errors import StoreError
from orchestrator.core.nouns import Channel, Person
from orchestrator.core.times import Instant
from orchestrator.ledger import coupons
from orchestrator.ledger.boots import Boot
from orchestrator.ledger.people import pack
from orchestrator.ledger.runs import RunState, end_soon
from orchestrator.ledger.store import Store

NOTHING: coupons.Wants = {}


def begin_planning(store: Store, run: int, boot: Boot) -> bool:
    """Take a due run for planning; False if somebody else has it."""
    with store.transaction():
        return bool(
            store.change(
                "UPDATE run SET state = 'planning', planner = ? WHERE id = ? AND state = 'due'", (boot.id, run)
            )
        )


def under_way(store: Store) -> bool:
    """Whether a run is being planned just now."""
    return bool(store.rows("SELECT 1 FROM run WHERE state = 'planning' LIMIT 1"))


class Planned(NamedTuple):
    """A member as the planner writes them: the person, and one slot number for each row of each channel."""

    person: Person
    rows: tuple[tuple[Channel, int], ...]


_PLAN = (
    "WITH m (user_id) AS MATERIALIZED {table}"
    " INSERT INTO delivery (run, user_id, channel, step, slot, shard, segment, variant, holdout, state, reason, detail, attempt,"
    " provider, provider_id, address, maybe_duplicate)"
    " SELECT ?, m.user_id, ?, 0, ?, ?, ?, ?, ?, 'planned', '', '', 0, '', '', '', 0 FROM m WHERE true ON CONFLICT DO NOTHING"
)


def add_shard(
    store: Store,
    run: int,
    number: int,
    opens_at: Instant,
    members: Sequence[Planned],
    wants: coupons.Wants = NOTHING,
) -> Counter[str]:
    """Write one shard, its people and one row for each of their channels, in one transaction; the same again is harmless.

    `members` must be in user order, so that rows are written where they belong. Who `wants` a coupon gets a code in the
    same transaction, to hold from when the shard opens; returns by pool how many found it empty. All of it lasts from when
    planning is finished: what a power cut leaves before is forgotten, and planned anew.
    """
    people = [member.person for member in members]
    alike: dict[tuple[str, int, str, str, bool], list[str]] = {}
    for person, places in members:
        for place in places:
            what = (*place, person.segment, person.variant, person.holdout)
            users = alike.get(what)
            if users is None:
                users = alike[what] = []
            users.append(person.user)
    short = Counter[str]()
    packed = b"" if wants else pack(people)
    with store.transaction(lasting=False):
        if wants:
            people, short = coupons.give(store, run, opens_at, people, wants)
            packed = pack(people)
        for (channel, slot, segment, variant, holdout), users in alike.items():
            store.each(_PLAN, [users], (run, channel, slot, number, segment, variant, int(holdout)))
        store.change(
            "INSERT INTO shard (run, number, opens_at, due_at, asked_at, claims, members, first_user, last_user, people, summary)"
            " SELECT id, ?, ?, ?, due_at, 0, ?, ?, ?, ?, ? FROM run WHERE id = ? ON CONFLICT DO NOTHING",
            (
                number,
                opens_at,
                opens_at,
                len(people),
                people[0].user,
                people[-1].user,
                packed,
                _summary(alike),
                run,
            ),
        )
    return short


def _summary(alike: Mapping[tuple[str, int, str, str, bool], Sequence[str]]) -> str:
    """How many rows are planned of each kind, as `shards.recount` would tell it."""
    rows = Counter[tuple[str, str, str, int]]()
    for (channel, _, segment, variant, holdout), users in alike.items():
        rows[channel, segment, variant, int(holdout)] += len(users)
    found = [("planned", "", *what, rows[what]) for what in sorted(rows)]
    return dumps(found, ensure_ascii=False, separators=(",", ":"))


def finish_planning(store: Store, run: int, boot: Boot, audience: int, now: Instant, hold: str = "") -> None:
    """The last shard stands: the run may be worked, or waits for a person because of `hold`."""
    state = RunState.WAITING if hold else (RunState.WORKING if audience else RunState.DONE)
    with store.transaction():
        changed = store.change(
            "UPDATE run SET state = ?, reason = ?, audience = ?, planned_at = ? WHERE id = ? AND state = 'planning' AND planner = ?",
            (state, hold, audience, now, run, boot.id),
        )
        if not changed:
            end_soon(store, run, now)
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
