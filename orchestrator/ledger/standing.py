"""How one run stands: what of it is being worked, what is due, and who waits until when."""

from collections import Counter
from dataclasses import dataclass, field

from orchestrator.core.nouns import OPEN, State
from orchestrator.core.reasons import DECIDING, Reason
from orchestrator.core.times import Instant
from orchestrator.ledger.runs import RunState
from orchestrator.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Standing:
    """A run's shards: how many somebody works just now, and when the first of the others is due (None: never again)."""

    state: RunState
    claimed: int
    next_due: Instant | None

    def moves(self, until: Instant) -> bool:
        """Whether something of it happens until that moment by itself, here or in another process."""
        if self.state not in (RunState.WORKING, RunState.CANCELLED):
            return False
        return self.claimed > 0 or (self.next_due is not None and self.next_due <= until)


@dataclass(frozen=True, slots=True)
class Waits:
    """The people of a run who are not accounted for yet, and when the first and the last of them is looked at."""

    people: int = 0
    first: Instant = Instant(0)
    last: Instant = Instant(0)


@dataclass(slots=True)
class People:
    """A run's people, each counted once: in the first of these that any of their rows puts them in.

    `nothing` counts those who get no message on purpose, by the reason that decided; the holdout is not among them.
    """

    people: int = 0
    reached: int = 0
    waiting: int = 0
    in_doubt: int = 0
    failed: int = 0
    holdout: int = 0
    nothing: Counter[Reason] = field(default_factory=Counter)


def standing(store: Store, run: int) -> Standing:
    """How the shards of a run stand. The run must be one of the ledger's."""
    [(state, claimed, next_due)] = store.rows(
        "SELECT run.state, COUNT(shard.claimed_by), MIN(CASE WHEN shard.claimed_by IS NULL THEN shard.due_at END)"
        " FROM run LEFT JOIN shard ON shard.run = run.id WHERE run.id = ? GROUP BY run.state",
        (run,),
    )
    return Standing(RunState(state), claimed, None if next_due is None else Instant(next_due))


States = Counter[State]


def states(store: Store, run: int) -> States:
    """A run's rows by state, counted one by one: those of a shard that nobody worked yet as well."""
    rows = store.rows("SELECT state, COUNT(*) FROM delivery WHERE run = ? GROUP BY state ORDER BY state", (run,))
    return Counter({State(state): count for state, count in rows})


CAME = {
    "reached": (State.ACCEPTED, State.DELIVERED, State.COMPLAINED),
    "waiting": tuple(sorted(OPEN)),
    "in_doubt": (State.UNKNOWN,),
    "failed": (State.FAILED, State.RENDER_FAILED, State.BOUNCED),
}
"""What becomes of a person, by the states of their rows: the first that any row is in. In every other state a reason decides."""


def last_with_something(store: Store, user: str, campaign: str) -> int | None:
    """The newest run of a campaign in which a person got a message, or waits for one; None if there is none."""
    states = [str(state) for what in ("reached", "waiting", "in_doubt") for state in CAME[what]]
    rows = store.rows(
        "SELECT MAX(d.run) FROM delivery d JOIN run r ON r.id = d.run"
        " WHERE d.user_id = ? AND r.campaign = ? AND d.state {any}",
        (user, campaign, store.array(states)),
    )
    return next(iter(rows))[0]  # type: ignore[no-any-return]  # a row's values have no types


def people(store: Store, run: int, user: str | None = None) -> People:
    """What became of a run's people, whatever number of rows each of them has; of one of them alone, if named."""
    came = [(name, state) for name, states in CAME.items() for state in states]
    last = len(came) + len(DECIDING)
    by_state = "".join(f" WHEN '{state}' THEN {place}" for place, (_, state) in enumerate(came))
    by_reason = "".join(f" WHEN '{reason}' THEN {place}" for place, reason in enumerate(DECIDING, len(came)))
    rows = store.rows(
        f"SELECT place, COUNT(*) FROM (SELECT MIN(CASE state{by_state} ELSE CASE reason{by_reason} ELSE {last} END END) AS place"
        f" FROM delivery WHERE run = ?{'' if user is None else ' AND user_id = ?'} GROUP BY user_id) AS person"
        " GROUP BY place ORDER BY place",
        (run,) if user is None else (run, user),
    )
    found = People(people=sum(count for _, count in rows))
    for place, count in rows:
        if place < len(came):
            name, _ = came[place]
            setattr(found, name, getattr(found, name) + count)
        elif place < last and (reason := DECIDING[place - len(came)]) is not Reason.HOLDOUT:
            found.nothing[reason] = count
        elif place < last:
            found.holdout = count
    return found


def waits(store: Store, run: int) -> Waits:
    """Who of a run waits; a row that names no moment waits for its shard."""
    [(people, held_until)] = store.rows(
        "SELECT COUNT(DISTINCT user_id), COALESCE(MAX(not_before), 0) FROM delivery WHERE run = ? AND state {any}",
        (run, store.array([str(state) for state in OPEN])),
    )
    [(first, last)] = store.rows(
        "SELECT COALESCE(MIN(due_at), 0), COALESCE(MAX(due_at), 0) FROM shard WHERE run = ?", (run,)
    )
    return Waits(people, Instant(first), Instant(max(last, held_until))) if people else Waits()
