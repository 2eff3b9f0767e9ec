"""Who did what by hand, and when: approvals, pauses, what was suppressed and lifted. Only ever added to."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.times import Instant
from orchestrator.ledger.store import Store


class What(StrEnum):
    """A deed that is written down. The words stand in the ledger for good."""

    APPROVED = "approved"
    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed: of whom (empty: of the program itself), upon what (`run:12`, `provider:mail`), and in which words."""

    at: Instant
    who: str
    what: What
    subject: str
    detail: str = ""


def run_subject(run: int) -> str:
    """A run as the subject of an entry."""
    return f"run:{run}"


def note(store: Store, entry: Entry) -> None:
    """Write a deed down, inside the transaction that does it."""
    store.change(
        "INSERT INTO audit (at, who, what, subject, detail) VALUES (?, ?, ?, ?, ?)",
        (entry.at, entry.who, entry.what, entry.subject, entry.detail),
    )


def listed(store: Store, subjects: Sequence[str], what: Sequence[What] = tuple(What)) -> list[Entry]:
    """What was done upon these, in the order it was done."""
    rows = store.rows(
        "SELECT at, who, what, subject, detail FROM audit WHERE subject {any} AND what {any} ORDER BY id",
        (store.array(list(subjects)), store.array([str(one) for one in what])),
    )
    return [Entry(Instant(at), who, What(word), subject, detail) for at, who, word, subject, detail in rows]


def newest(store: Store, subjects: Sequence[str], what: What) -> dict[str, Entry]:
    """The last time this was done upon each of these; absent where it never was."""
    return {entry.subject: entry for entry in listed(store, subjects, [what])}
