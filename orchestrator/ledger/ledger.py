"""The ledger as one object: what every process of the product says to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import StoreError
from orchestrator.core.facts import PersonFacts
from orchestrator.core.nouns import Channel
from orchestrator.core.times import Instant
from orchestrator.core.turns import Mark, Permission, Turn
from orchestrator.ledger import audit, boots, consent, inbox, links, looks, planning, runs, shards, turn
from orchestrator.ledger import facts as reading
from orchestrator.ledger.boots import Boot
from orchestrator.ledger.consent import ConsentChange, Hashing
from orchestrator.ledger.inbox import InboxMessage
from orchestrator.ledger.links import Purpose, Seal
from orchestrator.ledger.opening import open_store
from orchestrator.ledger.shards import Shard, TakenBack
from orchestrator.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was in the air when processes died, and what became of it."""

    boots: int = 0
    again: int = 0
    """Sent again under the same key: no loss, no duplicate."""
    resent: int = 0
    """Sent again without a key, flagged maybe_duplicate."""
    unknown: int = 0
    """Not sent again; providers' reports may still tell."""
    shards: tuple[TakenBack, ...] = ()
    """What they worked, and is free again."""
    plans: tuple[int, ...] = ()
    """Runs they were planning, which are planned anew."""


class Ledger:
    """One process's ledger: one connection, used from one thread at a time. Each floor file holds the statements."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.hashing = Hashing(store)
        self._boot: Boot | None = None

    @classmethod
    def open(cls, url: str, root: Path, *, create: bool = True, environment: str = "") -> "Ledger":
        """Open by URL, paths relative to `root`, for an environment; see `opening.open_store`."""
        return cls(open_store(url, root, create=create, environment=environment))

    @property
    def boot(self) -> Boot:
        """This process's life; StoreError before `begin_boot`."""
        if self._boot is None:
            raise StoreError("ledger: this process has not begun a boot, so it may not claim, plan or intend")
        return self._boot

    def begin_boot(self, kind: str, now: Instant) -> Boot:
        """Take this process's lock; `kind` is worker, planner, supervisor or cli."""
        self._boot = boots.begin(self.store, kind, now)
        return self._boot

    def only_supervisor(self) -> str:
        """Take the place of the one supervisor a SQLite ledger may have; else say who has it. PostgreSQL: any number."""
        return self.store.hold_place("supervisor")

    def end_boot(self, now: Instant) -> None:
        """Say that this process ends in good order."""
        if self._boot is not None:
            boots.end(self.store, self._boot, now)
            self._boot = None

    def close(self) -> None:
        """Close the connection and let go of the lock."""
        self.store.close()

    def claim(self, now: Instant) -> Shard | None:
        """The earliest due shard, ours from now on."""
        return shards.claim(self.store, self.boot, now)

    def next_due(self, now: Instant) -> Instant | None:
        """The earliest moment anything wants a worker."""
        return shards.next_due(self.store, now)

    def plans(self) -> bool:
        """Whether a run is being planned just now."""
        return planning.under_way(self.store)

    def bundle(self, version: str) -> runs.Files:
        """The files a run was planned from."""
        return runs.bundle(self.store, version)

    def facts(self, wanted: reading.Wanted) -> dict[str, PersonFacts]:
        """What the judge needs about these people, all of one moment; by user."""
        with self.store.reading():
            return reading.read(self.store, self.hashing, wanted)

    def facts_again(self, wanted: reading.Wanted) -> dict[str, PersonFacts]:
        """The same inside a turn, when its recheck asks."""
        return reading.read(self.store, self.hashing, wanted)

    def facts_version(self) -> int:
        """How many changes of consent and suppression there have been."""
        return consent.facts_version(self.store)

    def turn(self, asked: Turn) -> Permission:
        """Settle what answered and intend what is about to leave, in one transaction."""
        return turn.take(self.store, self.boot, self.hashing, asked)

    def put_back(
        self,
        shard: Shard,
        marks: Sequence[Mark],
        now: Instant,
        not_before: Instant | None = None,
        paused: str = "",
    ) -> Instant | None:
        """Write the verdicts, recount, and let go of the shard; the next moment it is due, if any."""
        return shards.put_back(self.store, self.boot, shard, marks, now, not_before, paused)

    def halt(self, run: int, why: str, now: Instant) -> bool:
        """Let nothing more of a run leave until a person resumes it; what is not sent stays planned."""
        by = audit.Entry(now, "", audit.What.PAUSED, audit.run_subject(run), why)
        return runs.steer(self.store, run, runs.RunState.PAUSED, [runs.RunState.WORKING], why, by)

    def change_consent(self, changes: Iterable[ConsentChange]) -> int:
        """Append people's words on topics; once it returns, no intent is created against them."""
        return consent.change_consent(self.store, changes)

    def suppress(self, addresses: Iterable[tuple[Channel, str]], reason: str, source: str, now: Instant) -> int:
        """Stop these addresses for good; returns how many were new."""
        hashes = [(self.hashing.of(channel, address), channel) for channel, address in addresses]
        return consent.suppress(self.store, hashes, reason, source, now)

    def stop(self, addresses: Iterable[tuple[Channel, str, str, Instant]], source: str) -> int:
        """The same with a reason and a moment for each: (channel, address, reason, since)."""
        hashed = [(self.hashing.of(channel, address), channel, why, at) for channel, address, why, at in addresses]
        return consent.stop(self.store, hashed, source)

    def inbox(self, user: str, now: Instant) -> list[InboxMessage]:
        """A user's in-app messages that wait to be seen."""
        return inbox.waiting(self.store, user, now)

    def acknowledge(self, user: str, message: str, now: Instant) -> bool:
        """The user has seen an in-app message."""
        return inbox.acknowledge(self.store, user, message, now)

    def fire(self, new: runs.NewRun, now: Instant, *, ours: bool = False) -> tuple[runs.Run, bool]:
        """Make a run, unless its occurrence has one; the run, and whether this call made it. `ours` is planned by us alone."""
        return runs.fire(self.store, new, now, self.boot if ours else None)

    def began(self, campaign: str) -> Instant | None:
        """When a campaign's first run was due; None if it never ran."""
        return runs.began(self.store, campaign)

    def looked_at(self, campaign: str) -> Instant | None:
        """Until when a campaign's schedule has been dealt with."""
        return looks.looked_at(self.store, campaign)

    def look(self, campaign: str, now: Instant) -> None:
        """A campaign's schedule has been dealt with until now."""
        looks.look(self.store, campaign, now)

    def seal(self, purpose: Purpose, now: Instant) -> Seal:
        """The seal of links of this purpose."""
        return links.seal(self.store, purpose, now)

    def recover(self, now: Instant) -> Recovery:
        """Look for dead boots and take back what they held. Every process does this; it is no job in any queue."""
        found = Recovery()
        owners = shards.dead_owners(self.store)
        for dead in boots.dead_among(self.store, owners, self._boot):
            parts = shards.recover(self.store, dead, now)
            plans = shards.plans_of(self.store, dead)
            for run in plans:
                planning.forget_plan(self.store, run)
            found = Recovery(
                found.boots + 1,
                found.again + sum(part.again for part in parts),
                found.resent + sum(part.resent for part in parts),
                found.unknown + sum(part.unknown for part in parts),
                (*found.shards, *parts),
                (*found.plans, *plans),
            )
        return found
