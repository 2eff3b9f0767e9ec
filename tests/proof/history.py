"""Who is right, the ledger or the provider? Compares what the ledger says with what arrived, after every fault, exactly.

What goes in must come out: the inputs are the ledger's rows and summaries, the sink's accept log and the list of faults;
the answer names each delivery about which the ledger lied. It reads nothing and calls nothing of the product.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

from tests.proof.book import Arrival
from tests.proof.faults import TAKES, Mode

OPEN = frozenset({"planned", "held", "intent", "retry_wait"})
REACHED = frozenset({"accepted", "delivered", "bounced", "complained"})
REFUSED = frozenset({"skipped", "render_failed", "failed", "expired"})
"""Ends in which the ledger says that nothing arrived; `unknown` says neither."""

HITS_NEEDED = 0.8


class Lie(StrEnum):
    """Each way in which a history can be wrong; the value names the deliveries (or users, or shards) found."""

    LOST = "lost"
    """Due to arrive, did not, and no row explains why."""
    STUCK = "stuck"
    """Still open after everything was drained."""
    FALSE_ACCEPT = "false_accept"
    """The ledger says it arrived; the provider never had it."""
    FALSE_REFUSAL = "false_refusal"
    """The ledger says it did not arrive; it did."""
    PHANTOM = "phantom"
    """It arrived without an intent that allowed it: no row, more arrivals than intents, or before the intent."""
    DUP = "dup"
    """It arrived twice where the promise is once."""
    UNEXPLAINED_DUP = "unexplained_dup"
    """It arrived twice, and its row does not say maybe_duplicate."""
    BOUND_VIOLATION = "bound_violation"
    """More duplicates or unknowns than there were ambiguous messages."""
    CHANGED_BODY = "changed_body"
    """Two attempts of one delivery differed in their bytes."""
    WRONG_VERSION = "wrong_version"
    """What arrived is not what the run's version makes."""
    EARLY_RETRY = "early_retry"
    """Sent again before the moment a Retry-After asked for."""
    AFTER_UNSUB = "after_unsub"
    IN_QUIET_HOURS = "in_quiet_hours"
    AFTER_EXPIRY = "after_expiry"
    OVER_CAP = "over_cap"
    MISCOUNTED = "miscounted"
    """A shard's summary differs from its rows counted again."""
    DOUBLE_ROW = "double_row"


WRITTEN = 1_000_000
"""Microseconds within which an answer is on its way, read and in the ledger."""


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery as the ledger has it; moments in microseconds. `attempts` counts the intents that were spent."""

    id: str
    user: str
    state: str
    run: int = 1
    shard: int = 0
    channel: str = "webhook"
    segment: str = ""
    variant: str = ""
    holdout: int = 0
    reason: str = ""
    attempts: int = 0
    maybe_duplicate: bool = False
    intent_at: int | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One kill or SIGTERM. `in_flight` messages had reached the provider and were not settled in the ledger; at most `may`
    could be left ambiguous (the windows of the processes it hit)."""

    kind: str
    at: int
    in_flight: int
    may: int = 0


@dataclass(frozen=True, slots=True)
class Cap:
    """No user gets more than `limit` messages within any `within` microseconds."""

    limit: int
    within: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What was promised. `duplicates` and `unknown` are the most there may be; the mappings go by user or delivery."""

    duplicates: int = 0
    unknown: int = 0
    withdrawn: Mapping[str, int] = field(default_factory=dict)
    quiet: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    caps: Sequence[Cap] = ()
    bodies: Mapping[str, str] = field(default_factory=dict)
    """Delivery → hash of the body the run's version makes, where it is known."""


Summary = Sequence[Sequence[Any]]
"""Rows of [state, reason, channel, segment, variant, holdout, count]."""


@dataclass(frozen=True, slots=True)
class History:
    """Everything that is known about one experiment once it is drained. `due` are the deliveries that had to arrive."""

    due: frozenset[str]
    rows: Sequence[Row]
    arrivals: Sequence[Arrival]
    faults: Sequence[Fault]
    terms: Terms = Terms()
    summaries: Mapping[tuple[int, int], Summary] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the history shows. `void` says why it proves nothing; `lies` holds only kinds that occurred."""

    void: str
    lies: Mapping[Lie, tuple[str, ...]]
    duplicates: int
    unknown: int
    hits: int
    faults: int

    @property
    def holds(self) -> bool:
        """Whether every promise was kept and the faults really happened."""
        return not self.void and not self.lies

    def count(self, lie: Lie) -> int:
        """How many deliveries one kind of lie was told about."""
        return len(self.lies.get(lie, ()))


def terms(policy: str, faults: Iterable[Fault], arrivals: Iterable[Arrival]) -> Terms:
    """What `keys`, `hold` and `resend` promise: duplicates and unknowns at most what the faults left ambiguous."""
    ambiguous = sum(fault.may for fault in faults)
    honest = (Mode.ACCEPT, Mode.SLOW)
    ambiguous += sum(arrival.mode in TAKES and arrival.mode not in honest for arrival in arrivals)
    ambiguous += sum(arrival.mode in (Mode.DROP_BEFORE_ACCEPT, Mode.RESET) for arrival in arrivals)
    return Terms(
        duplicates=ambiguous if policy == "resend" else 0,
        unknown=ambiguous if policy == "hold" else 0,
    )


def check(history: History) -> Verdict:
    """Hold the ledger against the log."""
    rows = {row.id: row for row in history.rows}
    by_key: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in history.arrivals:
        by_key[arrival.key].append(arrival)
    delivered = Counter(arrival.key for arrival in history.arrivals if arrival.delivered)
    hits = sum(fault.in_flight > 0 for fault in history.faults)
    found: dict[Lie, set[str]] = defaultdict(set)
    for part in (
        _ends(history, rows, delivered),
        _repeats(history, rows, delivered),
        _wire(history, rows, by_key),
        _rules(history),
        _summaries(history),
    ):
        for lie, names in part.items():
            found[lie] |= names
    return Verdict(
        void=_void(history.faults, hits),
        lies={lie: tuple(sorted(found[lie])) for lie in Lie if found[lie]},
        duplicates=delivered.total() - len(delivered),
        unknown=sum(row.state == "unknown" for row in history.rows),
        hits=hits,
        faults=len(history.faults),
    )


def _void(faults: Sequence[Fault], hits: int) -> str:
    if not faults:
        return "no fault was made"
    if hits < HITS_NEEDED * len(faults):
        return f"only {hits} of {len(faults)} faults hit a message in flight"
    return ""


def _ends(history: History, rows: Mapping[str, Row], delivered: Mapping[str, int]) -> dict[Lie, set[str]]:
    explained = {row.id for row in history.rows if row.state in REFUSED or row.state == "unknown"}
    open_still = {row.id for row in history.rows if row.state in OPEN}
    counted = Counter(row.id for row in history.rows)
    return {
        Lie.LOST: {key for key in history.due if key not in delivered} - explained - open_still,
        Lie.STUCK: open_still,
        Lie.FALSE_ACCEPT: {row.id for row in rows.values() if row.state in REACHED and row.id not in delivered},
        Lie.FALSE_REFUSAL: {row.id for row in rows.values() if row.state in REFUSED and row.id in delivered},
        Lie.DOUBLE_ROW: {key for key, count in counted.items() if count > 1},
        # A delivery that had to be made and has no row was lost even if somebody sent it: nobody can tell.
        Lie.PHANTOM: {key for key in delivered if key not in rows},
    }


def _repeats(history: History, rows: Mapping[str, Row], delivered: Mapping[str, int]) -> dict[Lie, set[str]]:
    twice = {key for key, count in delivered.items() if count > 1}
    duplicates = sum(delivered[key] - 1 for key in twice)
    unknown = {row.id for row in history.rows if row.state == "unknown"}
    beyond = set()
    if 0 < history.terms.duplicates < duplicates:
        beyond |= twice
    if len(unknown) > history.terms.unknown:
        beyond |= unknown
    return {
        Lie.DUP: twice if history.terms.duplicates == 0 else set(),
        Lie.UNEXPLAINED_DUP: {key for key in twice if key in rows and not rows[key].maybe_duplicate},
        Lie.BOUND_VIOLATION: beyond,
    }


def _wire(history: History, rows: Mapping[str, Row], by_key: Mapping[str, list[Arrival]]) -> dict[Lie, set[str]]:
    phantom, changed, wrong, early = set(), set(), set(), set()
    for key, came in by_key.items():
        row = rows.get(key)
        # A pause gives the attempt back, so its arrival is not among the row's attempts.
        intents = (row.attempts if row else 0) + sum(arrival.mode is Mode.TOO_MANY for arrival in came)
        # If every intent arrived, the last arrival belongs to the last intent, whose moment the row keeps.
        too_soon = row is not None and len(came) == intents and came[-1].at < (row.intent_at or 0)
        if len(came) > intents or too_soon:
            phantom.add(key)
        if len({arrival.body for arrival in came}) > 1 or any(arrival.result == "conflict" for arrival in came):
            changed.add(key)
        if key in history.terms.bodies and any(arrival.body != history.terms.bodies[key] for arrival in came):
            wrong.add(key)
        if any(
            after.mono < before.mono + before.wait and not _unheard(before, after, history.faults)
            for before, after in pairwise(came)
        ):
            early.add(key)
    return {Lie.PHANTOM: phantom, Lie.CHANGED_BODY: changed, Lie.WRONG_VERSION: wrong, Lie.EARLY_RETRY: early}


def _unheard(before: Arrival, after: Arrival, faults: Sequence[Fault]) -> bool:
    """Whether whoever was asked to wait was killed before they can have written it down: then nobody knows of it."""
    return any(fault.kind != "term" and before.at <= fault.at <= min(before.at + WRITTEN, after.at) for fault in faults)


def _rules(history: History) -> dict[Lie, set[str]]:
    terms, never = history.terms, 2**63
    sent = [(row, row.intent_at) for row in history.rows if row.intent_at is not None]
    over: set[str] = set()
    by_user: dict[str, list[int]] = defaultdict(list)
    for row, at in sent:
        by_user[row.user].append(at)
    for cap in terms.caps:
        for user, moments in by_user.items():
            moments.sort()
            # One too many: the first and the last of limit + 1 messages lie within the window.
            spans = zip(moments, moments[cap.limit :], strict=False)
            if any(last - first < cap.within for first, last in spans):
                over.add(user)
    return {
        Lie.AFTER_UNSUB: {row.id for row, at in sent if at > terms.withdrawn.get(row.user, never)},
        Lie.AFTER_EXPIRY: {row.id for row, at in sent if row.expires_at is not None and at >= row.expires_at},
        Lie.IN_QUIET_HOURS: {
            row.id for row, at in sent if any(start <= at < end for start, end in terms.quiet.get(row.user, ()))
        },
        Lie.OVER_CAP: over,
    }


def _summaries(history: History) -> dict[Lie, set[str]]:
    counted: dict[tuple[int, int], Counter[tuple[Any, ...]]] = {place: Counter() for place in history.summaries}
    if history.summaries:
        for row in history.rows:
            words = (row.state, row.reason, row.channel, row.segment, row.variant, row.holdout)
            counted.setdefault((row.run, row.shard), Counter())[words] += 1
    said = {
        place: Counter({tuple(line[:6]): line[6] for line in summary}) for place, summary in history.summaries.items()
    }
    wrong = {place for place in counted if counted[place] != said.get(place, Counter())}
    return {Lie.MISCOUNTED: {f"run {run} shard {shard}" for run, shard in wrong}}
